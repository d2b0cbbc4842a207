# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Everything the wizard says to a person, looked up by key, so that another language is another table."""

from __future__ import annotations

from hpcampus.texts.en import ERRORS, TEXTS


def t(key: str, /, **values: object) -> str:
    """Give the text of `key` with its placeholders filled.

    Args:
        key: Dotted name of the text.
        values: Values of the placeholders.

    Returns:
        The text in the language of the catalogue.
    """
    return TEXTS[key].format(**values)


def has_text(key: str) -> bool:
    """Tell whether the catalogue knows `key`."""
    return key in TEXTS


def error_text(key: str, /, **values: object) -> tuple[str, str, str]:
    """Give what happened, why, and what to do next; the last two may be empty."""
    what, why, cure = ERRORS[key]
    return what.format(**values), why.format(**values), cure.format(**values)
