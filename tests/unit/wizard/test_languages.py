# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A second language says the same: no text is missing, left over or English, and it is there before the help is made."""

from __future__ import annotations

import io
import os
import re
import string
import sys
from pathlib import Path
from typing import Any

import click
import pexpect
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus.texts import LANGUAGES, choose_language, de, en, load
from hpcampus.texts.spelling import SPELLINGS, spell, spell_out
from tests.unit.wizard.conftest import ROOT
from tests.unit.wizard.test_cli import COMMANDS, hpcampus

# Texts whose only words are those of a command, or the same in both languages.
SAME = {
    "probes.level.problem",
    "setup.line.problem",
    "summary.retry-apply",
    "summary.retry-demo",
    "summary.retry-doctor",
    "summary.retry-verify",
    "work.retry",
}
ENGLISH_LETTERS = set(string.printable) | {"\b"}
GERMAN_LETTERS = ENGLISH_LETTERS | set(SPELLINGS)
ENCODINGS = ["ascii", "latin-1", "utf-8", "cp437", "no-such-encoding"]


def fields(text: str) -> list[tuple[str, str]]:
    """Give the placeholders with the widths that they are written in, in no order."""
    return sorted((name, form or "") for _, name, form, _ in string.Formatter().parse(text) if name)


def has_words(text: str) -> bool:
    """Tell whether there is more than layout and placeholders."""
    return bool(re.search(r"[A-Za-z]{3}", re.sub(r"\{[^{}]*(?:\{[^{}]*\})?\}", "", text)))


def names(text: str) -> set[str]:
    return {name for name, _ in fields(text)}


def test_no_text_is_missing_or_left_over() -> None:
    assert set(de.TEXTS) == set(en.TEXTS)
    assert set(de.ERRORS) == set(en.ERRORS)


@pytest.mark.parametrize("key", sorted(set(en.TEXTS) & set(de.TEXTS)))
def test_german_texts_have_the_shape_of_the_english_ones(key: Any) -> None:
    assert names(de.TEXTS[key]) == names(en.TEXTS[key])
    assert set(de.TEXTS[key]) <= GERMAN_LETTERS
    assert set(en.TEXTS[key]) <= ENGLISH_LETTERS
    if has_words(en.TEXTS[key]):
        assert (de.TEXTS[key] == en.TEXTS[key]) == (key in SAME)


@pytest.mark.parametrize("key", sorted(set(en.ERRORS) & set(de.ERRORS)))
def test_german_errors_have_the_shape_of_the_english_ones(key: Any) -> None:
    assert len(de.ERRORS[key]) == 3
    for german, english in zip(de.ERRORS[key], en.ERRORS[key], strict=True):
        assert bool(german) == bool(english)
        assert fields(german) == fields(english)
        assert set(german) <= GERMAN_LETTERS
        assert german != english or not has_words(english)


def test_exceptions_are_still_needed() -> None:
    assert set(en.TEXTS) >= SAME


def test_words_of_click_are_words_of_click() -> None:
    root = Path(click.__file__).parent
    source = "\n".join(path.read_text() for path in root.glob("*.py"))
    for english, german in de.CLICK.items():
        assert repr(english)[1:-1] in source, english
        assert fields(german) == fields(english)
    assert en.CLICK == {}


@pytest.mark.parametrize(
    ("arguments", "environment", "wanted"),
    [
        ([], {}, "en"),
        ([], {"LANG": "de_DE.UTF-8"}, "de"),
        ([], {"LANG": "de_AT@euro"}, "de"),
        ([], {"LANG": "de-CH"}, "de"),
        ([], {"LANG": "fr_FR.UTF-8"}, "en"),
        ([], {"LANG": "C.UTF-8"}, "en"),
        ([], {"LANG": "POSIX"}, "en"),
        ([], {"LC_MESSAGES": "C", "LANG": "de_DE.UTF-8"}, "en"),
        ([], {"LC_ALL": "", "LC_MESSAGES": "de", "LANG": "en_GB"}, "de"),
        ([], {"LC_ALL": "C", "LC_MESSAGES": "de_DE", "LANG": "de_DE"}, "en"),
        ([], {"HPCAMPUS_LANGUAGE": "de", "LC_ALL": "C"}, "de"),
        ([], {"HPCAMPUS_LANGUAGE": "EN", "LANG": "de_DE"}, "en"),
        (["--language", "de", "apply"], {"HPCAMPUS_LANGUAGE": "en"}, "de"),
        (["--language=en", "apply"], {"LANG": "de_DE"}, "en"),
        (["--version", "--language", "de"], {}, "de"),
        (["--language", "en", "--language", "de"], {}, "de"),
        (["apply", "--language", "de"], {}, "en"),
        (["--language"], {"LANG": "de_DE"}, "de"),
        (["--language", "klingon"], {"LANG": "de_DE"}, "en"),
        (["setup", "--set", "--language=de"], {}, "en"),
    ],
)
def test_the_language_is_found(arguments: Any, environment: Any, wanted: Any) -> None:
    assert choose_language(arguments, environment) == wanted


@given(
    st.lists(st.one_of(st.text(), st.sampled_from(["--language", "--language=de", "de", "apply"]))),
    st.dictionaries(st.sampled_from(["LANG", "LC_ALL", "HPCAMPUS_LANGUAGE"]), st.text()),
)
def test_any_command_line_and_environment_gives_a_language(arguments: Any, environment: Any) -> None:
    assert choose_language(arguments, environment) in LANGUAGES


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_is_german(command: Any) -> None:
    done = hpcampus("--language", "de", *command, "--help", PYTHONIOENCODING="utf-8")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Aufruf: hpcampus")
    for english in ("Usage", "Options:", "Commands", "Show this", "Examples", "default:"):
        assert english not in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 120


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["nonsense"], 2, "Den Befehl 'nonsense' gibt es nicht."),
        (["apply", "--nonsense"], 2, "Die Option '--nonsense' gibt es nicht."),
        (["completion"], 2, "Es fehlt das Argument"),
        (["open", "--page", "xx"], 2, "ist nichts von 'home'"),
        (["apply"], 3, "Was tun: Mit 'hpcampus setup' eines anlegen"),
        (["setup", "--non-interactive"], 4, "hier ist eine Antwort nötig"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_errors_are_german(arguments: Any, code: Any, says: Any) -> None:
    done = hpcampus(*arguments, HPCAMPUS_LANGUAGE="de", LC_ALL="", LANG="de_DE.UTF-8", PYTHONIOENCODING="utf-8")
    assert done.returncode == code
    assert says in done.stderr


def test_a_language_that_is_not_there_is_an_error() -> None:
    done = hpcampus("--language", "klingon", "apply", HPCAMPUS_LANGUAGE="de")
    assert done.returncode == 2
    assert "'klingon' is not one of 'en', 'de'." in done.stderr


def test_the_option_is_stronger_than_the_environment() -> None:
    done = hpcampus("--language", "en", "--help", HPCAMPUS_LANGUAGE="de")
    assert done.stdout.startswith("Usage: hpcampus")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.parametrize("arguments", [["--help"], ["doctor", "--help"], ["apply"], ["nonsense"]], ids=" ".join)
def test_a_terminal_without_umlauts_is_written_to(arguments: Any, encoding: Any) -> None:
    done = hpcampus(*arguments, HPCAMPUS_LANGUAGE="de", PYTHONIOENCODING=f"{encoding}:strict", PYTHONUTF8="0", raw=True)
    shown = (done.stdout + done.stderr).decode(encoding)
    assert "Traceback" not in shown
    assert "?" not in shown
    wanted = {"ascii": "fuer", "latin-1": "für"}[encoding]
    assert wanted in shown or arguments != ["--help"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_text_can_be_spelled(encoding: Any) -> None:
    texts = load("de", encoding)
    for text in [*texts.texts.values(), *(part for parts in texts.errors.values() for part in parts)]:
        text.encode("ascii" if encoding.startswith("no") else encoding)
    assert texts.texts["help.demo"] == de.TEXTS["help.demo"]
    assert texts.texts["section.platform"] == "Die Plattform"


def test_a_text_that_is_missing_is_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(de.TEXTS, "help.demo")
    monkeypatch.delitem(de.ERRORS, "stopped")
    found = load("de", "utf-8")
    assert found.texts["help.demo"] == en.TEXTS["help.demo"]
    assert found.errors["stopped"] == en.ERRORS["stopped"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("Größe, Übung", "Groesse, Uebung"), ("café", "cafe"), ("a→b", "a?b"), ("", ""), ("plain", "plain")],
)
def test_letters_are_spelled(text: Any, wanted: Any) -> None:
    assert spell(text, "ascii") == wanted


@given(st.text(), st.sampled_from(ENCODINGS))
def test_any_text_can_be_spelled(text: Any, encoding: Any) -> None:
    shown = spell(text, encoding)
    shown.encode("ascii" if encoding.startswith("no") else encoding)
    assert spell(shown, encoding) == shown


@given(st.text())
def test_a_stream_takes_any_text(text: Any) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict")
    spell_out(stream)
    stream.write(text)
    stream.flush()


def test_a_stream_that_has_its_own_way_keeps_it() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="surrogateescape")
    spell_out(stream)
    assert stream.errors == "surrogateescape"
    spell_out(io.StringIO())


def test_the_german_page_for_a_centre_is_one_page(tmp_path: Path) -> None:
    answers = tmp_path / "answers.yml"
    answers.write_text("profile: remote-centre\nhub_name: hub.example.org\ncentre_login: login.hpc.example.net\n")
    done = hpcampus("--language", "de", "request", "--answers", str(answers), PYTHONIOENCODING="utf-8")
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(("encoding", "shown"), [("utf-8", "Esc: zurück"), ("ascii", "Esc: zurueck")])
def test_questions_in_a_terminal_are_german(tmp_path: Path, encoding: Any, shown: Any) -> None:
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT / "wizard"), "HPCAMPUS_LANGUAGE": "de", "PYTHONIOENCODING": encoding,
        "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1",
    }  # fmt: skip
    command = [sys.executable, "-m", "hpcampus", "setup", "--skip-host-keys"]
    child = pexpect.spawn(command[0], command[1:], cwd=tmp_path, env=environment, encoding="utf-8", timeout=30)
    try:
        child.expect_exact("Was soll installiert werden?")
        child.expect_exact(shown)
        child.send("\x03")
        child.expect_exact("Abgebrochen; nichts wurde geschrieben.")
        child.expect(pexpect.EOF)
    finally:
        child.close(force=True)
    assert child.exitstatus == 130
