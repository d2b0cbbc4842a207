# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Yes or no is answered with the letters of the language, and never by another key."""

from __future__ import annotations

import io
from typing import Any

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output

from hpcampus.screens.confirm import yes_or_no
from hpcampus.texts import load

ENTER, CTRL_C, CTRL_D = "\r", "\x03", "\x04"


def answered(typed: str, *, default: bool) -> tuple[bool, str]:
    """Give the answer, and what was drawn."""
    drawn = io.StringIO()
    output = Vt100_Output(drawn, lambda: Size(24, 80), default_color_depth=ColorDepth.DEPTH_1_BIT)
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=output):
        pipe.send_text(typed)
        return yes_or_no("Sure?", default=default), drawn.getvalue()


@pytest.mark.parametrize(
    ("language", "typed", "default", "wanted"),
    [
        ("en", "y", False, True),
        ("en", "Y", False, True),
        ("en", "n", True, False),
        ("en", "N", True, False),
        ("en", ENTER, True, True),
        ("en", ENTER, False, False),
        ("en", "xj7 y", False, True),
        ("de", "j", False, True),
        ("de", "J", False, True),
        ("de", "y", False, True),
        ("de", "n", True, False),
        ("de", ENTER, False, False),
    ],
)
def test_one_letter_answers(
    monkeypatch: pytest.MonkeyPatch, language: Any, typed: Any, default: Any, wanted: Any
) -> None:
    monkeypatch.setattr("hpcampus.texts.catalogue", lambda: load(language, "utf-8"))
    answer, drawn = answered(typed, default=default)
    assert answer is wanted
    words = {"en": {True: "yes", False: "no"}, "de": {True: "ja", False: "nein"}}[language]
    assert words[wanted] in drawn


@pytest.mark.parametrize(
    ("language", "default", "shown"), [("en", True, "(Y/n)"), ("en", False, "(y/N)"), ("de", True, "(J/n)")]
)
def test_the_letters_are_shown(monkeypatch: pytest.MonkeyPatch, language: Any, default: Any, shown: Any) -> None:
    monkeypatch.setattr("hpcampus.texts.catalogue", lambda: load(language, "utf-8"))
    assert shown in answered("n", default=default)[1]


@pytest.mark.parametrize("key", [CTRL_C, CTRL_D])
def test_it_can_be_stopped(key: Any) -> None:
    with pytest.raises(KeyboardInterrupt):
        answered(key, default=True)
