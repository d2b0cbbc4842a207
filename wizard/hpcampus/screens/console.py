# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Where text goes: a terminal or a log; rich finds out which."""

from __future__ import annotations

import os
import unicodedata

from rich.console import Console

__all__ = ["Console", "fit", "make_console", "readable"]

LOOK_ALIKES = str.maketrans(
    {
        "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2013": "-", "\u2014": "-",
        "\u2022": "*", "\u25cf": "*", "\u2192": "->", "\u2026": "...", "\u00a0": " ", "\u00df": "ss",
    }
)  # fmt: skip


def make_console(*, stderr: bool = False) -> Console:
    """Make a console that colours nothing but what a screen asks it to."""
    return Console(stderr=stderr, highlight=False)


def readable(console: Console, text: str) -> str:
    """Give text that cannot do anything to a terminal, and that this one can show.

    Hosts and programs say what they like: escape sequences and other control characters are taken out, and where there is
    no Unicode, letters lose their accents.
    """
    text = "".join(
        character
        for character in text.expandtabs()
        if character == "\n" or unicodedata.category(character) not in {"Cc", "Cs"}
    )
    if text.isascii() or _knows_unicode(console):
        return text
    plain = unicodedata.normalize("NFKD", text.translate(LOOK_ALIKES))
    return "".join(
        character if character.isascii() else "?" for character in plain if not unicodedata.combining(character)
    )


def _knows_unicode(console: Console) -> bool:
    # Python writes UTF-8 in the locale C as well; what the terminal makes of it is another matter.
    chosen = next((value for name in ("LC_ALL", "LC_CTYPE", "LANG") if (value := os.environ.get(name))), "")
    by_locale = not chosen or "utf" in chosen.lower()
    return by_locale and console.encoding.lower().startswith("utf")


def fit(text: str, width: int) -> str:
    """Cut a line to `width` characters; two dots say that something is missing."""
    if len(text) <= width:
        return text
    return text[: max(0, width - 2)] + ".."[: max(0, width)]
