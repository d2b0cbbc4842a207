# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The principals command: an entry for a registered port with the right serial, silence for everything else."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.tunnel.loading import FILES


def ask(registry: Path, key_id: str, serial: str, *more: str) -> str:
    argv = ["/bin/sh", str(FILES / "principals"), str(registry), "8081", key_id, serial, *more]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    return done.stdout


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    folder = tmp_path / "tunnel"
    folder.mkdir()
    (folder / "20017").write_text("5\n")
    (tmp_path / "20018").write_text("5\n")
    return folder


def test_a_registered_port_gets_its_entry(registry: Path) -> None:
    assert ask(registry, "spawn-20017", "5") == (
        'restrict,port-forwarding,permitlisten="127.0.0.1:20017",permitopen="127.0.0.1:8081",'
        'command="/usr/sbin/nologin" spawn-20017\n'
    )


def test_a_file_without_newline_counts_too(registry: Path) -> None:
    (registry / "20017").write_text("5")
    assert ask(registry, "spawn-20017", "5")


@pytest.mark.parametrize(
    "key_id",
    [
        "",
        "spawn-",
        "20017",
        "spawn-20019",
        "spawn-020017",
        "spawn-20017 ",
        " spawn-20017",
        "spawn-20017\n",
        "spawn-spawn-20017",
        "spawn-../20018",
        "spawn-*",
        "spawn-2001?",
        "spawn-[0-9]",
        "spawn-20017;id",
        "spawn-$(id)",
        "spawn-`id`",
        "spawn--1",
        "spawn-200170",
        "-n",
        "spawn-٢٠٠١٧",
        'spawn-20017" restrict',
        "Spawn-20017",
    ],
)
def test_hostile_key_ids_get_nothing(registry: Path, key_id: str) -> None:
    assert ask(registry, key_id, "5") == ""


@pytest.mark.parametrize("serial", ["", "6", "05", "5 ", " 5", "5\n", "-5", "5;id", "*", "5.0", "0x5"])
def test_another_serial_gets_nothing(registry: Path, serial: str) -> None:
    assert ask(registry, "spawn-20017", serial) == ""


@pytest.mark.parametrize("content", ["", "\n", "6\n5\n", "5 6\n", " 5\n", "*\n"])
def test_a_file_with_something_else_gets_nothing(registry: Path, content: str) -> None:
    (registry / "20017").write_text(content)
    assert ask(registry, "spawn-20017", "5") == ""


def test_a_link_or_a_directory_gets_nothing(registry: Path) -> None:
    (registry / "20018").symlink_to(registry / "20017")
    (registry / "20019").mkdir()
    assert ask(registry, "spawn-20018", "5") == ""
    assert ask(registry, "spawn-20019", "5") == ""


def test_a_wrong_number_of_arguments_gets_nothing(registry: Path) -> None:
    assert ask(registry, "spawn-20017", "5", "more") == ""


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(alphabet=st.characters(exclude_characters="\x00", exclude_categories=["Cs"])))
def test_any_other_key_id_gets_nothing(registry: Path, text: str) -> None:
    if text != "spawn-20017":
        assert ask(registry, text, "5") == ""
