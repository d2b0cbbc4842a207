# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The English texts. Placeholders in braces are filled by name; tests check that no text is missing or left over."""

from __future__ import annotations

from typing import Final

from hpcampus.texts.en import (
    answers,
    causes,
    commands,
    course,
    demo,
    errors,
    probes,
    questions,
    records,
    request,
    setup,
    steps,
    vault,
)
from hpcampus.texts.en.errors import ERRORS

__all__ = ["CLICK", "ERRORS", "TEXTS"]

# The library that reads the command line speaks English by itself.
CLICK: Final[dict[str, str]] = {}

TEXTS: Final[dict[str, str]] = {
    **commands.TEXTS,
    **steps.TEXTS,
    **causes.TEXTS,
    **course.TEXTS,
    **demo.TEXTS,
    **questions.TEXTS,
    **records.TEXTS,
    **request.TEXTS,
    **setup.TEXTS,
    **vault.TEXTS,
    **probes.TEXTS,
    **answers.TEXTS,
    **errors.TEXTS,
}
