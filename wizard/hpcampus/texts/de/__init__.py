# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The German texts. The keys and placeholders are those of the English ones; tests compare them."""

from __future__ import annotations

from typing import Final

from hpcampus.texts.de import (
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
from hpcampus.texts.de.click import CLICK
from hpcampus.texts.de.errors import ERRORS

__all__ = ["CLICK", "ERRORS", "TEXTS"]

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
