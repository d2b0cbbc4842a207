# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The program hpcampus-accounts: as whom it works, and that it reads the hub's settings as the hub does."""

import argparse
import json
import os
import pwd
from pathlib import Path
from typing import Any

import pytest

from hpcampus_hub.accounts_command import main
from hpcampus_hub.leases import LeaseBook
from tests.unit.hub.sites import cluster, settings
from tests.unit.wizard.conftest import ROOT

CONFIG = """
import json
c = get_config()
for name, value in json.loads({data!r}).items():
    c.HpcHub[name] = value
"""


def write_etc(etc: Path, **changes: Any) -> Path:
    """A hub's configuration with a pool of accounts."""
    pool = {"mode": "pool", "pool": ["p1", "p2"], "leases_dir": str(etc / "accounts")}
    data = {**settings(clusters=[cluster(accounts=pool)], courses=[]), **changes}
    (etc / "jupyterhub_config.py").write_text(CONFIG.format(data=json.dumps(data)))
    return etc


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> argparse.Namespace:
    """The hub's account, which is whoever runs the test."""
    made = argparse.Namespace(pw_name="jupyterhub", pw_uid=os.geteuid(), pw_gid=os.getegid(), pw_dir=str(tmp_path))
    monkeypatch.setattr(pwd, "getpwnam", lambda _name: made)
    monkeypatch.setattr(os, "chdir", lambda _path: None)
    monkeypatch.setattr(os, "umask", lambda _mask: 0)
    monkeypatch.setenv("HOME", "/root")
    for name in ("initgroups", "setgid", "setuid"):
        monkeypatch.setattr(os, name, lambda *_values: None)
    return made


@pytest.mark.usefixtures("account")
def test_the_leases_are_those_of_the_hubs_own_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    etc = write_etc(tmp_path)
    LeaseBook(str(tmp_path / "accounts" / "lab.json"), ("p1", "p2")).take("alice")
    assert main(["list"], etc) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert [row[:3] for row in rows] == [["lab", "p1", "leased"], ["lab", "p2", "free"]]
    assert rows[0][-1] == "alice"


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"carrier_dir": "relative"}, "carrier_dir"), ({"tunnel": {}}, "HpcHub.tunnel"), ({"profiles": []}, "profiles")],
)
@pytest.mark.usefixtures("account")
def test_every_setting_of_the_hub_is_held_to_its_rule(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], message: str
) -> None:
    assert main(["list"], write_etc(tmp_path, **changes)) == 1
    said = capsys.readouterr().err
    assert said.startswith("hpcampus-accounts: ")
    assert message in said


@pytest.mark.usefixtures("account")
def test_what_cannot_be_done_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["release", "moon", "p1"], write_etc(tmp_path)) == 1
    assert (
        capsys.readouterr().err == "hpcampus-accounts: cluster 'moon' has no pool of accounts; those that have: lab\n"
    )


def test_somebody_else_is_sent_away(
    tmp_path: Path, account: argparse.Namespace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: account.pw_uid + 1)
    assert main(["list"], tmp_path) == 1
    assert "start it with: sudo hpcampus-accounts" in capsys.readouterr().err


def test_root_is_given_up_before_the_configuration_is_run(
    tmp_path: Path, account: argparse.Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[tuple[Any, ...]] = []
    account.pw_uid, account.pw_gid = 4321, 4322
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    for name in ("initgroups", "setgid", "setuid"):
        monkeypatch.setattr(os, name, lambda *values, name=name: done.append((name, *values)))
    (tmp_path / "jupyterhub_config.py").write_text("import os\nos.umask('configuration')\nraise SystemExit(78)")
    monkeypatch.setattr(os, "umask", lambda mask: done.append(("umask", mask)))
    assert main(["list"], tmp_path) == 1
    assert done == [
        ("initgroups", "jupyterhub", 4322),
        ("setgid", 4322),
        ("setuid", 4321),
        ("umask", 0o077),
        ("umask", "configuration"),
    ]


def test_root_is_given_up_in_one_place() -> None:
    files = ROOT / "roles/jupyterhub/files"
    programs = [*(files / "usr/local/sbin").iterdir(), *(files / "hub").rglob("*.py")]
    assert [path.name for path in programs if "setuid(" in path.read_text()] == ["hub_account.py"]
