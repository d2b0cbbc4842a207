# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Amounts of memory."""

from __future__ import annotations

import re
import typing as t

from .findings import problem

MEMORY = re.compile(r"[1-9][0-9]*[KMGT]")
UNITS_KB = {"K": 1, "M": 1024, "G": 1024**2, "T": 1024**3}


def memory_kb(text: str) -> int:
    """Read an amount of memory.

    Args:
        text: A whole number with the unit K, M, G or T, for example ``4G``.

    Returns:
        The amount in KiB.

    Raises:
        ValueError: The text has no unit or is no amount.
    """
    if not MEMORY.fullmatch(text):
        raise ValueError(text)
    return int(text[:-1]) * UNITS_KB[text[-1]]


def memory(variable: str, value: object) -> t.Iterator[str]:
    """Check that a value is an amount of memory."""
    if not isinstance(value, str) or not MEMORY.fullmatch(value):
        yield problem(
            variable,
            value,
            "an amount of memory needs a unit",
            "Write a whole number with K, M, G or T, for example '2G'",
        )
