# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Yes or no, in the language of the texts; questionary knows the English letters only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.shortcuts import PromptSession
from questionary.constants import DEFAULT_QUESTION_PREFIX
from questionary.styles import merge_styles_default

from hpcampus.texts import t

if TYPE_CHECKING:
    from prompt_toolkit.formatted_text import StyleAndTextTuples


def yes_or_no(question: str, *, default: bool) -> bool:
    """Ask a person; one letter is enough, and Enter takes the default.

    Args:
        question: What is asked.
        default: What Enter means; its letter is shown as a capital.

    Raises:
        KeyboardInterrupt: Ctrl-C, or Ctrl-D.
    """
    words = {True: t("setup.plain-yes"), False: t("setup.plain-no")}
    letters = "/".join(word[0].upper() if value is default else word[0] for value, word in words.items())
    given: list[bool] = []

    def message() -> StyleAndTextTuples:
        end = ("class:answer", words[given[0]]) if given else ("class:instruction", f"({letters}) ")
        return [("class:qmark", DEFAULT_QUESTION_PREFIX), ("class:question", f" {question} "), end]

    keys = KeyBindings()

    def take(event: KeyPressEvent, value: bool) -> None:
        given.append(value)
        event.app.exit(result=value)

    @keys.add(Keys.Any)
    def _ignore(event: KeyPressEvent) -> None:
        """Take no other key."""

    for value, word in words.items():
        for letter in {word[0], word[0].upper()} | ({"y", "Y"} if value else set()):
            keys.add(letter)(lambda event, value=value: take(event, value))
    keys.add("enter")(lambda event: take(event, default))

    @keys.add("c-c")
    @keys.add("c-d")
    def _stop(event: KeyPressEvent) -> None:
        event.app.exit(exception=KeyboardInterrupt())

    session: PromptSession[bool] = PromptSession(message, key_bindings=keys, style=merge_styles_default([]))
    return session.app.run()
