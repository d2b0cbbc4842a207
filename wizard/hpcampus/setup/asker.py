# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What setup needs of whoever asks a person: a terminal, plain lines, or a test. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from hpcampus.answers import Inspector, Problem
    from hpcampus.errors import HpcampusError
    from hpcampus.host_keys import Comparison
    from hpcampus.probes import Line, Option
    from hpcampus.questions import Answers, Question
    from hpcampus.specs import Variable

# Actions of menus; a row is chosen by its own key.
WRITE, LEAVE, FOUND, MORE, BACK = "write", "leave", "found", "more", "back"


class Back(Exception):  # noqa: N818 -- a wish, not an error
    """The person wants to go back to the question or menu before."""


@dataclass(frozen=True)
class Row:
    """One row of a menu.

    Attributes:
        key: What is given back when it is chosen.
        label: What it is called.
        value: Its value, as a person reads it.
        complaint: What is wrong with it, or missing; empty when all is well.
    """

    key: str
    label: str
    value: str = ""
    complaint: str = ""


@dataclass(frozen=True)
class Menu:
    """A list to choose from: rows with values, then actions."""

    title: str
    rows: tuple[Row, ...]
    actions: tuple[Row, ...]


class Asker(Protocol):
    """Asks a person. Every method may raise KeyboardInterrupt."""

    def ask(
        self,
        question: Question,
        present: object,
        known: Answers,
        inspector: Inspector | None,
        options: Sequence[Option] = (),
    ) -> Any:
        """Ask until the answer is valid; None keeps an optional one as it is.

        Raises:
            Back: The person wants to go back.
        """

    def choose(self, menu: Menu) -> str:
        """Show a menu and give the key of what was chosen.

        Raises:
            Back: The person wants to go back.
        """

    def variable(
        self, variables: Mapping[str, Variable], values: Mapping[str, Any], parse: Callable[[str, str], Any]
    ) -> tuple[str, Any]:
        """Let a person choose a variable and give its value; `parse` takes name and text, and raises ValueError.

        Raises:
            Back: The person wants to go back.
        """

    def confirm_keys(self, comparisons: Sequence[Comparison]) -> bool:
        """Show fingerprints; give whether all of them are right."""

    def confirm_writing(self, changes: str) -> bool:
        """Show what would change on disk; give whether it shall be written."""

    def notice(self, problem: Problem) -> None:
        """Say that an answer is not valid any more, or does not go together with an earlier one."""

    def trouble(self, error: HpcampusError) -> None:
        """Say what went wrong; the conversation goes on."""

    def found(self, lines: Sequence[Line]) -> None:
        """Show what was found out."""

    def waiting(self, key: str) -> AbstractContextManager[object]:
        """Say the text of a key: that something is being waited for, as long as the block lasts."""
