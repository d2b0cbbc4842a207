# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Letters that a terminal cannot show are spelled with those that it can: ae for the German umlaut, and so on."""

from __future__ import annotations

import codecs
import io
import unicodedata
from typing import Final

SPELLINGS: Final = {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"}
ERRORS: Final = "hpcampus.spell"


def spell(text: str, encoding: str) -> str:
    """Give a text with letters that `encoding` has; one that it cannot spell either becomes a question mark."""
    if text.isascii():
        return text
    try:
        return text.encode(encoding, ERRORS).decode(encoding)
    except LookupError:  # an encoding that Python does not know
        return text.encode("ascii", ERRORS).decode("ascii")


def spell_out(stream: object) -> None:
    """Make a stream spell what it cannot write, in place of failing: names and titles that people gave."""
    if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
        stream.reconfigure(errors=ERRORS)


def _spelled(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_letter, error.object[error.start : error.end])), error.end


def _letter(letter: str) -> str:
    bare = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode("ascii")
    return SPELLINGS.get(letter) or bare or "?"


codecs.register_error(ERRORS, _spelled)
