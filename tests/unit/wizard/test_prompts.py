# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The prompts themselves, typed into through a pipe."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import ColorDepth, DummyOutput
from prompt_toolkit.output.vt100 import Vt100_Output
from rich.console import Console

from hpcampus.answers import Problem, check
from hpcampus.host_keys import HostKey, compare
from hpcampus.questions import BY_KEY, KNOWN_ADMIN
from hpcampus.screens.prompts import Terminal
from tests.unit.wizard.conftest import ANSWERS

UP, DOWN, ENTER, CTRL_C, CLEAR = "\x1b[A", "\x1b[B", "\r", "\x03", "\x15"


@pytest.fixture
def keys() -> Any:
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        yield pipe


@pytest.fixture
def terminal() -> Any:
    return Terminal(Console(record=True, width=80))


def ask(terminal: Any, key: Any, present: Any = None, known: Any = None, inspector: Any = None) -> Any:
    return terminal.ask(BY_KEY[key], present, known or {}, inspector)


def test_text(keys: Any, terminal: Any) -> None:
    keys.send_text("hub.example.org" + ENTER)
    assert ask(terminal, "hub_name") == "hub.example.org"


def test_a_wrong_text_is_not_taken(keys: Any, terminal: Any) -> None:
    keys.send_text("https://x" + ENTER + CLEAR + "x.example.org" + ENTER)
    assert ask(terminal, "hub_name") == "x.example.org"


def test_the_present_value_is_offered(keys: Any, terminal: Any) -> None:
    keys.send_text(ENTER)
    assert ask(terminal, "compute", ["c1", "c2"]) == ["c1", "c2"]


def test_choices(keys: Any, terminal: Any) -> None:
    keys.send_text(DOWN + ENTER)
    assert ask(terminal, "tls", "selfsigned") == "provided"
    keys.send_text(ENTER)
    assert ask(terminal, "tls", "provided") == "provided"


def test_a_password_is_typed_twice(keys: Any, terminal: Any) -> None:
    keys.send_text("correct horse" + ENTER + "wrong" + ENTER + CLEAR + "correct horse" + ENTER)
    assert ask(terminal, "admin_password") == "correct horse"


def test_a_short_password_is_not_taken(keys: Any, terminal: Any) -> None:
    keys.send_text("short" + ENTER + CLEAR + "correct horse" + ENTER + "correct horse" + ENTER)
    assert ask(terminal, "admin_password") == "correct horse"


def test_an_empty_password_keeps_the_present_one(keys: Any, terminal: Any) -> None:
    keys.send_text(ENTER)
    assert ask(terminal, "admin_password", known={"admin_name": "a", KNOWN_ADMIN: "a"}) is None


def test_an_inspector_has_a_say(keys: Any, terminal: Any) -> None:
    def only_b(value: Any, _known: Any) -> None:
        if value != "/b":
            raise ValueError("there is no such file")

    keys.send_text("/a" + ENTER + CLEAR + "/b" + ENTER)
    assert ask(terminal, "tls_certificate", inspector=only_b) == "/b"


def rows_while(colour: ColorDepth, wrong: str, right: str, act: Callable[[], object]) -> tuple[object, list[str]]:
    """Act at a terminal of 80 columns and 24 rows: type what is wrong, wait for the complaint, then type what is right.

    Returns:
        What came of it, and the rows that were drawn.
    """
    written = StringIO()
    output = Vt100_Output(written, lambda: Size(24, 80), term="xterm", default_color_depth=colour, enable_cpr=False)

    def rows() -> list[str]:
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.getvalue()).splitlines()

    def go_on(pipe: PipeInput) -> None:
        for _ in range(100):
            if "Not taken:" in "".join(rows()):
                break
            threading.Event().wait(0.1)
        pipe.send_text(CLEAR + right + ENTER)

    with create_pipe_input() as pipe, create_app_session(input=pipe, output=output):
        pipe.send_text(wrong + ENTER)
        typist = threading.Thread(target=go_on, args=(pipe,))
        typist.start()
        answer = act()
        typist.join()
    return answer, rows()


@pytest.mark.parametrize("colour", [ColorDepth.DEPTH_8_BIT, ColorDepth.DEPTH_1_BIT], ids=["colour", "no colour"])
@pytest.mark.parametrize(
    ("key", "typed", "right"),
    [
        ("course_slug", "Physics_101-for-everybody-in-the-first-year-of-their-studies-2026", "physics"),
        ("compute", "node[20-10]", "node[10-20]"),
        ("admin_name", "anna-maria.sibylla.merian-", "anna"),
        ("tls_certificate", "/srv/some-where/" + "long-path-of-a-certificate/" * 6 + "hub.pem", "/b"),
    ],
)
def test_the_whole_complaint_is_seen(terminal: Any, colour: Any, key: Any, typed: Any, right: Any) -> None:
    def only_b(value: Any, _known: Any) -> None:
        if str(value).startswith("/srv/"):
            raise ValueError(f"{value}: it is for nobody. Request another one, and give the path of that one.")

    question = BY_KEY[key]
    with pytest.raises(ValueError, match=r"\S") as refused:
        check(question, typed, {}, only_b)
    answer, rows = rows_while(colour, typed, right, lambda: ask(terminal, key, inspector=only_b))
    assert answer == question.parse(right)
    complaint = str(refused.value)
    assert len(complaint) > 80
    # Nothing is drawn beyond the last column, so that what is drawn at all is seen.
    assert "".join(complaint.split()) in "".join("".join(rows).split())


def test_even_an_endless_complaint_leaves_room_for_the_answer(terminal: Any) -> None:
    def refuse(value: Any, _known: Any) -> None:
        if value == "/a":
            raise ValueError("It begins. " + "It is for one more name. " * 200 + "Do this about it.")

    answer, rows = rows_while(
        ColorDepth.DEPTH_1_BIT, "/a", "/b", lambda: ask(terminal, "tls_certificate", inspector=refuse)
    )
    assert answer == "/b"
    shown = " ".join(" ".join(rows).split())
    for part in ("It begins.", "Do this about it.", "Path of the certificate"):
        assert part in shown


@pytest.mark.parametrize("key", ["hub_name", "admin_password"])
def test_ctrl_d_stops_too(keys: Any, terminal: Any, key: Any) -> None:
    keys.send_text("\x04")
    with pytest.raises(KeyboardInterrupt):
        ask(terminal, key)


@pytest.mark.parametrize("key", ["hub_name", "tls", "compute", "admin_password"])
def test_ctrl_c(keys: Any, terminal: Any, key: Any) -> None:
    keys.send_text(CTRL_C)
    with pytest.raises(KeyboardInterrupt):
        ask(terminal, key)


def test_review_shows_everything_but_secrets(keys: Any, terminal: Any) -> None:
    keys.send_text(ENTER)
    assert terminal.review({**ANSWERS, "admin_password": "correct horse"}) == "write"
    shown = terminal.console.export_text()
    for value in ("jupyter.example.org", "c1, c2", "Physics 101", "(hidden)", "It is installed on the hosts already"):
        assert value in shown
    assert "correct horse" not in shown


def test_review_leads_to_a_section_or_out(keys: Any, terminal: Any) -> None:
    keys.send_text(DOWN + DOWN + ENTER)
    assert terminal.review(ANSWERS) == "cluster"
    keys.send_text(UP + ENTER)
    assert terminal.review(ANSWERS) == "leave"


@pytest.mark.parametrize(("typed", "trusted"), [("y", True), ("n", False), (ENTER, False)])
def test_host_keys(keys: Any, terminal: Any, typed: Any, trusted: Any) -> None:
    key = HostKey("c1", "ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43)
    keys.send_text(typed)
    assert terminal.confirm_key(compare("c1", [key], [])) is trusted
    shown = terminal.console.export_text()
    assert key.fingerprint in shown
    assert "ssh-keygen -lf" in shown


def test_a_changed_host_key_is_called_changed(keys: Any, terminal: Any) -> None:
    old = HostKey("c1", "ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43)
    new = HostKey("c1", "ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAI" + "B" * 43)
    keys.send_text("n")
    assert not terminal.confirm_key(compare("c1", [new], [old]))
    assert "ANOTHER key" in terminal.console.export_text()


def test_a_notice_names_the_question(terminal: Any) -> None:
    terminal.notice(Problem("hub_name", "inventory", "it is too odd"))
    assert "Name of the hub" in (shown := terminal.console.export_text().replace("\n", " "))
    assert "it is too odd" in shown


def test_a_notice_names_both_questions_that_contradict_each_other(terminal: Any) -> None:
    terminal.notice(Problem("tls_key", "", "it is too odd.", "tls_certificate"))
    shown = terminal.console.export_text().replace("\n", " ")
    assert "Path of its key" in shown
    assert "Path of the certificate" in shown
    assert "it is too odd" in shown
