# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Directories and files in one pass: what is made, mended, kept and refused, on real files."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.plugins import playing

MINE = {"owner": Path("/").owner(), "group": Path("/").group()}


def play(*, check: bool = False, **arguments: Any) -> dict[str, Any]:
    """Run the module with entries that belong to whoever runs the tests."""
    mine = {name: [{**MINE, **entry} for entry in entries] for name, entries in arguments.items()}
    return playing.play("files", check=check, **mine)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def test_a_second_pass_changes_nothing(tmp_path: Path) -> None:
    home, file = tmp_path / "above/home", tmp_path / "above/home/settings"
    wanted: dict[str, Any] = {
        "directories": [{"path": str(home), "mode": "0750"}],
        "files": [{"path": str(file), "content": "ä = 1\n", "mode": "0640"}],
    }
    announced = play(check=True, **wanted)
    assert (announced["changed"], announced["paths"]) == (True, [str(home), str(file)])
    assert list(tmp_path.iterdir()) == []
    first = play(**wanted)
    assert first["paths"] == announced["paths"]
    assert [entry["after"] for entry in first["diff"]] == ["directory\n", "ä = 1\n"]
    assert (file.read_text(), mode(file), mode(home), mode(home.parent)) == ("ä = 1\n", 0o640, 0o750, 0o755)
    before = file.stat()
    second = play(**wanted)
    assert (second["changed"], second["paths"], second["diff"]) == (False, [], [])
    assert file.stat() == before


def test_rights_are_mended_without_writing(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("same")
    file.chmod(0o666)
    inode = file.stat().st_ino
    wanted: dict[str, Any] = {"files": [{"path": str(file), "content": "same", "mode": "0600"}]}
    assert play(check=True, **wanted)["paths"] == [str(file)]
    assert mode(file) == 0o666
    assert play(**wanted)["paths"] == [str(file)]
    assert (mode(file), file.stat().st_ino) == (0o600, inode)


def test_the_admins_own_lines_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "local.conf"
    wanted: dict[str, Any] = {"files": [{"path": str(file), "content": "# yours\n", "keep": True}]}
    assert play(**wanted)["changed"]
    file.write_text("# mine\n")
    assert not play(**wanted)["changed"]
    assert file.read_text() == "# mine\n"


def test_what_is_refused_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    check = f"{sys.executable} -m json.tool %s"
    play(files=[{"path": str(file), "content": "{}", "validate": check}])
    answer = play(files=[{"path": str(file), "content": "{", "validate": check}])
    assert answer["failed"]
    assert "was left as it is, since the new one is refused: Expecting" in answer["msg"]
    assert file.read_text() == "{}"
    assert list(tmp_path.iterdir()) == [file]
    assert "as %s" in play(files=[{"path": str(file), "content": "[]", "validate": "true"}])["msg"]


def test_what_comes_before_a_refusal_is_told(tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    answer = play(
        files=[{"path": str(good), "content": "x"}, {"path": str(bad), "content": "x", "validate": "false %s"}]
    )
    assert answer["failed"]
    assert answer["paths"][0] == str(good)
    assert not bad.exists()


def test_links_are_replaced_and_not_followed(tmp_path: Path) -> None:
    victim, link = tmp_path / "victim", tmp_path / "link"
    victim.write_text("precious")
    link.symlink_to(victim)
    assert play(files=[{"path": str(link), "content": "x"}])["changed"]
    assert (victim.read_text(), link.read_text(), link.is_symlink()) == ("precious", "x", False)


def test_a_directory_is_not_found_through_a_link_of_somebody_else(tmp_path: Path) -> None:
    victim, link = tmp_path / "victim", tmp_path / "link"
    victim.mkdir(mode=0o755)
    link.symlink_to(victim)
    wanted: dict[str, Any] = {"directories": [{"path": str(link), "mode": "0700"}]}
    os.lchown(link, 65534, 65534)
    answer = play(**wanted)
    assert answer["failed"]
    assert "a link that root has not made" in answer["msg"]
    assert mode(victim) == 0o755
    os.lchown(link, 0, 0)
    assert play(**wanted)["changed"]
    assert mode(victim) == 0o700


def test_links_on_the_way_count_too(tmp_path: Path) -> None:
    real, link, relative = tmp_path / "real", tmp_path / "link", tmp_path / "relative"
    real.mkdir()
    link.symlink_to(real)
    relative.symlink_to("./link/../real")
    wanted: dict[str, Any] = {"directories": [{"path": str(relative / "a/b"), "mode": "2750"}]}
    assert play(check=True, **wanted)["paths"] == [str(relative / "a/b")]
    assert list(real.iterdir()) == []
    assert play(**wanted)["changed"]
    assert (mode(real / "a"), mode(real / "a/b")) == (0o755, 0o2750)
    assert not play(**wanted)["changed"]
    os.lchown(link, 65534, 65534)
    for check in (True, False):
        assert "a link that root has not made, link" in play(check=check, **wanted)["msg"]


def test_a_link_that_leads_nowhere_or_in_circles_is_named(tmp_path: Path) -> None:
    (tmp_path / "nowhere").symlink_to(tmp_path / "no/such")
    (tmp_path / "circle").symlink_to("circle")
    assert "is no directory" in play(directories=[{"path": str(tmp_path / "nowhere")}])["msg"]
    assert "too many links" in play(directories=[{"path": str(tmp_path / "circle")}])["msg"]
    assert not (tmp_path / "no").exists()


def test_check_mode_compares_only(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(0o755)
    wanted: dict[str, Any] = {"directories": [{"path": str(home), "owner": "nobody", "mode": "0700"}]}
    before = home.stat()
    assert play(check=True, **wanted)["paths"] == [str(home)]
    assert home.stat() == before
    assert play(**wanted)["paths"] == [str(home)]
    assert (home.owner(), mode(home)) == ("nobody", 0o700)
    assert not play(**wanted)["changed"]
    assert not play(check=True, **wanted)["changed"]
    assert "octal" in play(directories=[{"path": str(home), "mode": "u=rwx"}])["msg"]


EXCHANGE = """
import os
from pathlib import Path
place, victim = Path({place!r}), Path({victim!r})
def exchange_before(function):
    def call(*args, **more):
        if place.is_dir() and not os.path.islink(place) and (function is not os_open or args[0] == "."):
            place.rename(place.with_name("moved"))
            place.symlink_to(victim)
        return function(*args, **more)
    return call
os_open = os.open
Path.resolve = exchange_before(Path.resolve)
os.open = exchange_before(os.open)
"""


def test_a_directory_that_is_exchanged_for_a_link_meanwhile_has_no_effect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parent's owner acts at the worst moment: after the check, before the rights are set."""
    place, victim = tmp_path / "place", tmp_path / "victim"
    for path in (place, victim):
        path.mkdir(0o755)
    wanted = [{**MINE, "path": str(place), "owner": "nobody", "mode": "0700"}]
    hook = tmp_path / "hook/sitecustomize.py"
    hook.parent.mkdir()
    hook.write_text(EXCHANGE.format(place=str(place), victim=str(victim)))
    monkeypatch.setenv("PYTHONPATH", str(hook.parent))
    answer = playing.play("files", directories=wanted)
    assert answer["paths"] == [str(place)]
    assert place.is_symlink()
    assert (victim.owner(), mode(victim)) == (MINE["owner"], 0o755)
    assert ((tmp_path / "moved").owner(), mode(tmp_path / "moved")) == ("nobody", 0o700)


def test_things_in_the_way_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "directory").mkdir()
    assert "is no directory" in play(directories=[{"path": str(tmp_path / "file")}])["msg"]
    assert "is a directory" in play(files=[{"path": str(tmp_path / "directory"), "content": ""}])["msg"]
    there = play(files=[{"path": str(tmp_path / "no/such"), "content": ""}])
    assert f"there is no directory {tmp_path / 'no'}" in there["msg"]


def test_an_account_still_to_come(tmp_path: Path) -> None:
    wanted = [{"path": str(tmp_path), "owner": "nobody-yet", "group": "nobody-yet"}]
    assert play(check=True, directories=list(wanted))["paths"] == [str(tmp_path)]
    assert "nobody-yet" in play(directories=list(wanted))["msg"]
