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

from hpcampus.answers import Problem, check, variable_value
from hpcampus.host_keys import HostKey, compare
from hpcampus.probes import Level, Line, Option
from hpcampus.questions import KNOWN_ADMIN
from hpcampus.screens.plain import Plain
from hpcampus.screens.prompts import Terminal
from hpcampus.setup import Back, Menu, Row
from tests.unit.wizard.conftest import QUESTIONS

UP, DOWN, ENTER, CTRL_C, CLEAR = "\x1b[A", "\x1b[B", "\r", "\x03", "\x15"


@pytest.fixture
def keys() -> Any:
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        yield pipe


@pytest.fixture
def terminal() -> Any:
    return Terminal(Console(record=True, width=80))


def ask(
    terminal: Any, key: Any, present: Any = None, known: Any = None, inspector: Any = None, options: Any = ()
) -> Any:
    return terminal.ask(QUESTIONS.by_key[key], present, known or {}, inspector, options)


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


def rows_while(
    colour: ColorDepth, wrong: str, right: str, act: Callable[[], object], until: str = "Not taken:"
) -> tuple[object, list[str]]:
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
            if until in "".join(rows()):
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

    question = QUESTIONS.by_key[key]
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


ESC = "\x1b"
MENU = Menu(
    "What now?",
    (Row("one", "First", "a value"), Row("two", "Second", "x" * 200, "is missing")),
    (Row("write", "Write"), Row("leave", "Leave")),
)


@pytest.mark.parametrize(
    ("typed", "chosen"), [(ENTER, "write"), (UP + ENTER, "two"), (UP + UP + ENTER, "one"), (DOWN + ENTER, "leave")]
)
def test_a_menu_begins_at_its_first_action(keys: Any, terminal: Any, typed: Any, chosen: Any) -> None:
    keys.send_text(typed)
    assert terminal.choose(MENU) == chosen


def test_rows_of_a_menu_fit_into_a_line(terminal: Any) -> None:
    rows = [terminal._row(row, 6) for row in MENU.rows]
    assert rows[0] == "First   a value"
    assert len(rows[1]) == 74
    assert terminal._row(Row("k", "Title", "v", "is missing"), 6) == "Title   v  ! is missing"


@pytest.mark.parametrize("key", ["hub_name", "admin_password", "tls"])
def test_escape_goes_back(keys: Any, terminal: Any, key: Any) -> None:
    keys.send_text(ESC)
    with pytest.raises(Back):
        ask(terminal, key)


@pytest.mark.parametrize("key", ["hub_name", "admin_password"])
def test_so_does_a_line_of_its_own(keys: Any, terminal: Any, key: Any) -> None:
    keys.send_text("<" + ENTER)
    with pytest.raises(Back):
        ask(terminal, key)


def test_a_question_mark_explains_a_choice(keys: Any, terminal: Any) -> None:
    keys.send_text("?" + DOWN + ENTER)
    assert ask(terminal, "tls", "selfsigned") == "provided"
    assert "Where the certificate comes from." in terminal.console.export_text()


def test_a_question_mark_explains_a_line(terminal: Any) -> None:
    answer, rows = rows_while(
        ColorDepth.DEPTH_1_BIT, "?", "x.example.org", lambda: ask(terminal, "hub_name"), until="DNS name"
    )
    assert answer == "x.example.org"
    assert "DNS name that students type" in " ".join(rows)


PARTITIONS = (Option("interactive", "interactive (up, 2 nodes)"), Option("gpu", "gpu (up, 1 node)"))


def test_what_the_site_offers_can_be_chosen(keys: Any, terminal: Any) -> None:
    keys.send_text(DOWN + ENTER)
    assert ask(terminal, "centre_partition", "interactive", options=PARTITIONS) == "gpu"


def test_and_something_else_typed(keys: Any, terminal: Any) -> None:
    keys.send_text(UP + ENTER + CLEAR + "teaching" + ENTER)
    assert ask(terminal, "centre_partition", "interactive", options=PARTITIONS) == "teaching"


def test_a_variable_is_found_by_what_it_means(keys: Any, terminal: Any) -> None:
    variables = {variable.path: variable for variable in QUESTIONS.specs.settable()}
    keys.send_text("own cluster same time" + ENTER + ENTER + CLEAR + "40" + ENTER)
    name, value = terminal.variable(variables, {}, lambda name, raw: variable_value(QUESTIONS, name, raw))
    assert (name, value) == ("site_max_servers", 40)


def test_changes_are_shown_before_they_are_written(keys: Any, terminal: Any) -> None:
    keys.send_text(ENTER)
    assert terminal.confirm_writing("-old: 1\n+new: 2")
    assert "+new: 2" in terminal.console.export_text()
    keys.send_text("n")
    assert not terminal.confirm_writing("+new: 2")


def test_what_was_found_is_shown_with_its_weight(terminal: Any) -> None:
    terminal.found([Line(Level.OK, "all is well"), Line(Level.PROBLEM, "the disk is full")])
    assert "PROBLEM  the disk is full" in terminal.console.export_text()


class Lines:
    """Somebody at plain lines: what is typed, and the prompts that were shown."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *typed: str) -> None:
        self.typed = list(typed)
        self.prompts: list[str] = []
        monkeypatch.setattr("builtins.input", self.read)
        monkeypatch.setattr("getpass.getpass", self.read)

    def read(self, prompt: str) -> str:
        self.prompts.append(prompt)
        if not self.typed:
            raise EOFError
        return self.typed.pop(0)


@pytest.fixture
def plain() -> Any:
    return Plain(Console(record=True, width=80))


@pytest.mark.parametrize(
    ("key", "present", "typed", "answer"),
    [
        ("hub_name", None, ["https://x", "x.example.org"], "x.example.org"),
        ("hub_name", "h.example.org", [""], "h.example.org"),
        ("hub_name", None, ["?", "x.example.org"], "x.example.org"),
        ("tls", "selfsigned", [""], "selfsigned"),
        ("tls", "selfsigned", ["3", "x", "2"], "provided"),
        ("compute", ["c1", "c2"], [""], ["c1", "c2"]),
        ("centre_module", "apptainer/1.4", ["-"], ""),
        ("admin_password", None, ["short", "correct horse", "wrong", "correct horse"], "correct horse"),
    ],
)
def test_plain_lines(plain: Any, monkeypatch: Any, key: Any, present: Any, typed: Any, answer: Any) -> None:
    lines = Lines(monkeypatch, *typed)
    assert ask(plain, key, present) == answer
    assert lines.typed == []
    assert "\x1b" not in plain.console.export_text() + "".join(lines.prompts)


def test_plain_lines_go_back_and_end(plain: Any, monkeypatch: Any) -> None:
    Lines(monkeypatch, "<")
    with pytest.raises(Back):
        ask(plain, "tls")
    with pytest.raises(KeyboardInterrupt):
        ask(plain, "tls")


@pytest.mark.parametrize(("typed", "answer"), [([""], False), (["maybe", "yes"], True), (["NO"], False)])
def test_plain_yes_and_no(plain: Any, monkeypatch: Any, typed: Any, answer: Any) -> None:
    Lines(monkeypatch, *typed)
    assert plain.confirm("Sure?", default=False) is answer


def test_a_plain_menu(plain: Any, monkeypatch: Any) -> None:
    Lines(monkeypatch, "1")
    assert plain.choose(MENU) == "one"
    assert "  1. First" in plain.console.export_text()


@pytest.mark.parametrize(("typed", "trusted"), [("y", True), ("n", False), (ENTER, False)])
def test_host_keys(keys: Any, terminal: Any, typed: Any, trusted: Any) -> None:
    key = HostKey("c1", "ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43)
    keys.send_text(typed)
    assert terminal.confirm_keys([compare("c1", [key], [])]) is trusted
    shown = terminal.console.export_text()
    assert key.fingerprint in shown
    assert "ssh-keygen -lf" in shown


def test_a_changed_host_key_is_called_changed(keys: Any, terminal: Any) -> None:
    old = HostKey("c1", "ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43)
    new = HostKey("c1", "ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAI" + "B" * 43)
    keys.send_text("n")
    assert not terminal.confirm_keys([compare("c1", [new], [old])])
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
