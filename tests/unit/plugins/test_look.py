# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a look at a host finds different, on real files, accounts and packages."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.unit.plugins.playing import play

MINE = {"owner": Path("/").owner(), "group": Path("/").group()}


def look(**arguments: Any) -> dict[str, Any]:
    """Look, and give the answer."""
    answer = play("look", **arguments)
    assert answer.get("changed") is False, answer
    return answer


def test_it_finds_what_the_module_files_would_change(tmp_path: Path) -> None:
    wanted: dict[str, Any] = {
        "directories": [{**MINE, "path": str(tmp_path / "home"), "mode": "0750"}],
        "files": [
            {**MINE, "path": str(tmp_path / "home/text"), "content": "ä = 1\n", "mode": "0640"},
            {**MINE, "path": str(tmp_path / "home/bytes"), "content": "\x00\xff", "encoding": "latin-1"},
            {**MINE, "path": str(tmp_path / "home/mine"), "content": "", "keep": True},
        ],
    }
    paths = {kind: [item["path"] for item in items] for kind, items in wanted.items()}
    before = look(**wanted)
    assert (before["directories"], before["files"]) == (paths["directories"], paths["files"])
    assert play("files", **wanted)["changed"]
    assert (tmp_path / "home/bytes").read_bytes() == b"\x00\xff"
    (tmp_path / "home/mine").write_text("by hand", encoding="utf-8")
    after = look(**wanted)
    assert (after["directories"], after["files"]) == ([], [])
    assert not play("files", **wanted)["changed"]


@pytest.mark.parametrize("harm", ["content", "mode", "link", "gone", "directory"])
def test_a_harmed_file_is_seen(harm: str, tmp_path: Path) -> None:
    file = tmp_path / "settings"
    wanted: dict[str, Any] = {"files": [{**MINE, "path": str(file), "content": "a\n"}]}
    play("files", **wanted)
    assert look(**wanted)["files"] == []
    if harm == "content":
        file.write_text("b\n", encoding="utf-8")
    elif harm == "mode":
        file.chmod(0o666)
    else:
        file.unlink()
    if harm == "link":
        (tmp_path / "other").write_text("a\n", encoding="utf-8")
        file.symlink_to(tmp_path / "other")
    if harm == "directory":
        file.mkdir()
    assert look(**wanted)["files"] == [str(file)]


def test_owner_and_group_count(tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_text("a\n", encoding="utf-8")
    file.chmod(0o644)
    known = {"path": str(file), "content": "a\n"}
    assert look(files=[{**known, **MINE}])["files"] == []
    for other in ({"owner": "nobody"}, {"group": "nogroup"}, {"owner": "no-such-account"}, {"group": "no-such-group"}):
        assert look(files=[{**known, **MINE, **other}])["files"] == [str(file)], other


def test_packages_are_told_apart() -> None:
    seen = look(packages=["dpkg", "no-such-package", "bash"])
    assert seen["packages"] == ["no-such-package"]
    assert set(seen["versions"]) == {"dpkg", "bash"}
    assert all(version[0].isdigit() for version in seen["versions"].values())


def test_accounts_are_told_apart() -> None:
    wanted = [
        {"name": "nobody", "uid": 65534, "groups": ["nogroup"], "locked": True},
        {"name": "no-such-account"},
    ]
    assert look(users=wanted)["users"] == ["no-such-account"]
    for other in ({"uid": 1}, {"shell": "/bin/no-such-shell"}, {"home": "/no-such-home"}, {"groups": ["daemon"]}):
        assert look(users=[{"name": "nobody", **other}])["users"] == ["nobody"], other
    assert look(groups=["nogroup", "no-such-group"])["groups"] == ["no-such-group"]


def test_texts_links_and_patterns(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words\n", encoding="utf-8")
    (tmp_path / "link").symlink_to("a.txt")
    seen = look(
        texts=[str(tmp_path / "a.txt"), str(tmp_path / "b.txt")],
        links=[str(tmp_path / "link"), str(tmp_path / "a.txt")],
        present=[f"{tmp_path}/*.txt", f"{tmp_path}/*.pem"],
    )
    assert seen["texts"] == {str(tmp_path / "a.txt"): "words\n"}
    assert seen["links"] == {str(tmp_path / "link"): "a.txt"}
    assert seen["present"] == [str(tmp_path / "a.txt")]


def test_units_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program that is asked stands in for systemd, which does not run everywhere; on hosts the scenarios ask the real one."""
    config = tmp_path / "config"
    config.write_text("", encoding="utf-8")
    boot = _boot_time()
    program = tmp_path / "systemctl"
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def state(*, changed: float, active: str = "active", file: str = "enabled", reload: str = "no") -> dict[str, bool]:
        os.utime(config, (boot + changed, boot + changed))
        lines = f"LoadState=loaded\nActiveState={active}\nUnitFileState={file}\nNeedDaemonReload={reload}"
        program.write_text(
            f"#!/bin/sh\necho '{lines}'\necho ExecMainStartTimestampMonotonic=100000000\necho StateChangeTimestampMonotonic=200000000\n",
            encoding="utf-8",
        )
        program.chmod(0o755)
        units = [{"name": "a.service", "reads": [str(config)], "reloads": reloads}]
        seen: dict[str, bool] = look(units=units)["units"]["a.service"]
        return seen

    reloads = False
    good = {"exists": True, "up": True, "outdated": False, "unread": False}
    assert state(changed=90) == good
    assert state(changed=150) == {**good, "outdated": True}
    assert state(changed=90, reload="yes") == {**good, "unread": True}
    assert state(changed=90, file="disabled") == {**good, "up": False}
    assert state(changed=150, active="failed") == {**good, "up": False}
    reloads = True
    assert state(changed=150) == good
    assert state(changed=250) == {**good, "outdated": True}


def _boot_time() -> float:
    return time.time() - time.monotonic()
