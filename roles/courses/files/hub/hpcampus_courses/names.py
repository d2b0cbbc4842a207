# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Which names of assignments and notebooks are taken: they become files and directories on both sides of the exchange."""

import re
import unicodedata

LONGEST = 100
"""Characters of a name."""
_LONGEST_BYTES = 200
# nbgrader splits at "+", and takes the others as a pattern or as a path somewhere on a file's way.
_SHOWN = '/\\+*?[]{}<>|:"`$%'
_REFUSED = frozenset(_SHOWN)
RUN = re.compile(r"[0-9a-f]{32}")
SHA256 = re.compile(r"[0-9a-f]{64}")


def problem_of_name(text: str) -> str:
    """Say what is wrong with the name of an assignment or a notebook, or give "".

    Letters of any language, digits, blanks, and most signs are taken, but nothing that is a path, hidden, or cannot be seen.
    """
    signs = [
        (not text, "must not be empty"),
        (_is_long(text), f"must have at most {LONGEST} characters"),
        (not _REFUSED.isdisjoint(text), f"must not contain any of {' '.join(_SHOWN)}"),
        (any(_is_hidden(sign) for sign in text), "must not contain signs that cannot be seen"),
        (text[:1] in (".", "-") or text[-1:] == ".", "must not begin with a dot or a hyphen, or end with a dot"),
        (text != text.strip(), "must not have blanks at its ends"),
        (unicodedata.normalize("NFC", text) != text, "must be written with composed letters (Unicode NFC)"),
    ]
    return next((problem for wrong, problem in signs if wrong), "")


def _is_long(text: str) -> bool:
    return len(text) > LONGEST or len(text.encode("utf-8", "surrogatepass")) > _LONGEST_BYTES


def _is_hidden(sign: str) -> bool:
    return not sign.isprintable() or (sign != " " and unicodedata.category(sign) in {"Cf", "Zs"})
