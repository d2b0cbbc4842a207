# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""One choice out of several, asked as setup asks: with the arrow keys, or by number where lines are all there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpcampus.screens.setup import make_asker
from hpcampus.setup.asker import Back

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console


def choose(console: Console, question: str, choices: Sequence[tuple[str, str]], *, plain: bool = False) -> str:
    """Let a person choose.

    Args:
        console: The terminal.
        question: What is asked.
        choices: For each its value and its text; the last one is what going back means.
        plain: Whether to number the choices and to read a number.

    Returns:
        The value that was chosen.

    Raises:
        KeyboardInterrupt: Ctrl-C, or the end of the input.
    """
    try:
        return str(make_asker(console, plain=plain).select(question, choices))
    except Back:
        return choices[-1][0]


def agree(console: Console, question: str, *, plain: bool = False) -> bool:
    """Ask whether to do something; Enter alone is a no, and so is going back."""
    try:
        return make_asker(console, plain=plain).confirm(question, default=False)
    except Back:
        return False
