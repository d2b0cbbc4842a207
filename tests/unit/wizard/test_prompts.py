# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The prompts themselves, typed into through a pipe."""

from __future__ import annotations

from typing import Any

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from rich.console import Console

from hpcampus.answers import Problem
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
