# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Where text goes: a terminal or a log; rich finds out which."""

from __future__ import annotations

from rich.console import Console

__all__ = ["Console", "make_console"]


def make_console(*, stderr: bool = False) -> Console:
    """Make a console that colours nothing but what a screen asks it to."""
    return Console(stderr=stderr, highlight=False)
