# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How hosts are reached: keys, pinned host keys, inventory, missing programs, root."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from hpcampus.lab import root
from hpcampus.lab.errors import LabError
from hpcampus.lab.inventory import inventory
from hpcampus.lab.keys import control_path, ensure_key, files_tar, key_tar, known_hosts, ssh_config
from hpcampus.lab.model import Host, Spec
from hpcampus.lab.packages import missing_packages
from hpcampus.lab.places import cache_dir, lab_dir


def test_a_key_is_made_once(tmp_path: Path):
    first = ensure_key(tmp_path / "keys/id", "a comment")
    assert first.startswith("ssh-ed25519 ")
    assert ensure_key(tmp_path / "keys/id", "another") == first
    assert (tmp_path / "keys/id").stat().st_mode & 0o077 == 0


def test_half_a_key_is_made_again(tmp_path: Path):
    (tmp_path / "id").write_text("rubbish")
    assert ensure_key(tmp_path / "id", "x").startswith("ssh-ed25519 ")


def test_host_keys_are_pinned_under_the_name_of_the_host(tmp_path: Path):
    assert known_hosts({"hub": "ssh-ed25519 AAAA"}) == "hub ssh-ed25519 AAAA\n"
    config = tmp_path / "ssh_config"
    config.write_text(ssh_config({"hub": "10.0.0.2", "c1": "10.0.0.3"}, tmp_path))
    shown = subprocess.run(["ssh", "-G", "-F", str(config), "c1"], capture_output=True, text=True, check=True).stdout
    for line in ("hostname 10.0.0.3", "hostkeyalias c1", "stricthostkeychecking true", "user admin", "batchmode yes"):
        assert line in shown.splitlines()
    assert f"userknownhostsfile {tmp_path}/known_hosts" in shown


def test_what_a_host_gets_at_its_birth(tmp_path: Path):
    ensure_key(tmp_path / "host", "hub")
    with tarfile.open(fileobj=io.BytesIO(key_tar(tmp_path / "host", "ssh-ed25519 AAAA"))) as archive:
        entries = {m.name: (oct(m.mode), m.uid) for m in archive}
        authorized = archive.extractfile("home/admin/.ssh/authorized_keys")
        assert authorized is not None
        assert authorized.read() == b"ssh-ed25519 AAAA\n"
    assert entries["etc/ssh/ssh_host_ed25519_key"] == ("0o600", 0)
    assert entries["home/admin/.ssh"] == ("0o700", 1000)
    assert entries["home/admin/.ssh/authorized_keys"] == ("0o600", 1000)


def test_files_of_an_image_belong_to_root():
    with tarfile.open(fileobj=io.BytesIO(files_tar([("/etc/sudoers.d/x", "text", 0o440)]))) as archive:
        member = archive.getmember("etc/sudoers.d/x")
        assert (member.mode, member.uid, member.gid) == (0o440, 0, 0)


def test_inventory(tmp_path: Path):
    spec = Spec("demo", (Host("hub", groups=("hub",)), Host("login", groups=("slurm_controller", "slurm_login"))))
    data = inventory(spec, tmp_path)["all"]
    assert data["children"] == {
        "hub": {"hosts": {"hub": {}}},
        "slurm_controller": {"hosts": {"login": {}}},
        "slurm_login": {"hosts": {"login": {}}},
    }
    assert data["vars"]["ansible_ssh_common_args"].startswith(f"-F {tmp_path}/ssh_config ")
    assert data["vars"]["slurm_cgroup_plugins"] is False


def test_hosts_of_two_labs_with_one_name_never_share_a_connection(tmp_path: Path):
    paths = {control_path(tmp_path / lab) for lab in ("one", "two")}
    assert len(paths) == 2
    # The longest name a socket may have is 107 bytes; ssh adds 17 while it makes one, and %C becomes 40.
    assert all(len(path) + 38 + 17 < 107 for path in paths)
    args = inventory(Spec("one", (Host("hub"),)), tmp_path / "one")["all"]["vars"]["ansible_ssh_common_args"]
    assert f"ControlPath={control_path(tmp_path / 'one')}" in args
    assert f"ControlPath {control_path(tmp_path / 'one')}\n" in ssh_config({"hub": "10.0.0.2"}, tmp_path / "one")


def test_packages_that_are_missing():
    assert missing_packages(lambda _sign: True, runc=True) == ()
    assert "runc" in missing_packages(lambda _sign: False, runc=True)
    assert "runc" not in missing_packages(lambda _sign: False, runc=False)
    assert missing_packages(lambda sign: sign != "mmdebstrap", runc=False) == ("mmdebstrap",)


def test_places_follow_the_xdg_rules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/x")
    assert lab_dir("demo") == tmp_path / "hpcampus/labs/demo"
    assert cache_dir() == Path("/home/x/.cache/hpcampus")


def test_without_root_and_sudo_it_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(LabError, match="needs root"):
        root.require_root(["hpcampus", "demo", "up"])


def test_without_root_sudo_starts_the_same_command_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    started = []
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(shutil, "which", lambda _name: "/usr/bin/sudo")
    monkeypatch.setattr(os, "execvp", lambda program, argv: started.append((program, argv)))
    root.require_root(["hpcampus", "demo", "up"])
    assert started[0][0] == "sudo"
    assert started[0][1][-4:] == ["--", "hpcampus", "demo", "up"]
    assert "needs root" in capsys.readouterr().err
