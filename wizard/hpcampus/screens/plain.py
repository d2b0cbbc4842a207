# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The questions in plain lines: nothing is drawn over, so that a screen reader or a braille line can follow."""

from __future__ import annotations

import getpass
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hpcampus.screens.dialogue import Dialogue
from hpcampus.screens.progress import say
from hpcampus.setup.asker import Back
from hpcampus.texts import t

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

BACK_LINE, HELP_LINE, EMPTY_LINE = "<", "?", "-"


class Plain(Dialogue):
    """Asks a person line by line; lists are numbered."""

    def select(
        self, title: str, choices: Sequence[tuple[Any, str]], present: object = None, explanation: str = ""
    ) -> Any:
        """Let a person choose by number; an empty line takes what is offered."""
        say(self.console, title, "bold")
        offered = ""
        for number, (value, text) in enumerate(choices, start=1):
            say(self.console, t("setup.plain-choice", number=number, text=text))
            if value == present:
                offered = str(number)

        def complaint(raw: str) -> str:
            right = raw.strip().isdecimal() and 1 <= int(raw) <= len(choices)
            return "" if right else t("setup.plain-number", most=len(choices))

        typed = self.type(t("setup.plain-which"), complaint, offered, explanation)
        return choices[int(typed) - 1][0]

    def type(
        self,
        prompt: str,
        complaint: Callable[[str], str],
        present: str = "",
        explanation: str = "",
        *,
        hidden: bool = False,
    ) -> str:
        """Let a person type one line; < goes back, a question mark explains, an empty line takes what is offered."""
        shown = t("setup.plain-prompt-offer", prompt=prompt, present=present) if present else prompt
        shown = t("setup.plain-prompt", prompt=shown)
        while True:
            typed = self._read(shown, hidden=hidden)
            if typed.strip() == BACK_LINE:
                raise Back
            if typed.strip() == HELP_LINE:
                say(self.console, explanation or t("setup.no-help"))
                continue
            typed = "" if typed.strip() == EMPTY_LINE else typed or present
            wrong = complaint(typed)
            if not wrong:
                return typed
            say(self.console, t("setup.wrong", problem=wrong))

    def confirm(self, question: str, *, default: bool) -> bool:
        """Ask for yes or no."""
        yes, no = t("setup.plain-yes"), t("setup.plain-no")

        def complaint(raw: str) -> str:
            return "" if raw.strip().lower() in {yes, no} else t("setup.plain-yes-no", yes=yes, no=no)

        return self.type(question, complaint, yes if default else no).strip().lower() == yes

    @contextmanager
    def waiting(self, key: str) -> Iterator[None]:
        """Say the text of a key."""
        say(self.console, t(key))
        yield

    def _read(self, prompt: str, *, hidden: bool) -> str:
        try:
            return getpass.getpass(prompt) if hidden else input(prompt)
        except EOFError:
            raise KeyboardInterrupt from None
