# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A cluster of somebody else: what was written there and by whom, what the hub's key can do, and that a notebook runs there."""

from __future__ import annotations

import json
from typing import Any

import testinfra

from tests.testinfra.reach import hosts, reach

testinfra_hosts = hosts("centre_login")
HOME, BASE = "/shared/home/p123hub", "/shared/project/p123/hpcampus"
PROBE = "env PYTHONPATH=/opt/hpcampus/lib /opt/hpcampus/jupyterhub/current/bin/python -m hpcampus_hub.probe"
PROBE += " --url https://hub.example.org/ --ca-file /etc/ssl/certs/hpcampus-selfsigned.pem --password-file - --json"
PASSWORD = "correct horse battery staple"
DOOR = "ssh -T -F none -i /var/lib/jupyterhub/link/id_ed25519 -o BatchMode=yes -o IdentitiesOnly=yes"
DOOR += " -o UserKnownHostsFile=/tmp/pinned -o StrictHostKeyChecking=yes p123hub@login"


def differences(read_proof: Any, host: str) -> list[str]:
    """Paths of a host that are not as they were before anybody of the site came."""
    before, after = read_proof("everything-before")[host], read_proof("everything-after")[host]
    assert len(before) > 10_000, f"hardly a file was seen on {host}"
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


def test_nothing_outside_the_account_was_written(read_proof: Any) -> None:
    found = differences(read_proof, "login")
    # The node shares the file system with home and project.
    for seen in (found, differences(read_proof, "c1")):
        assert [path for path in seen if not path.startswith((HOME, BASE)) and path != "/shared/project/p123"] == []
    # The search would have seen it: these are below the places that it leaves to the account.
    assert f"{BASE}/lib/gateway.py" in found
    assert f"{HOME}/.ssh/authorized_keys" in found
    in_home = {path.removeprefix(HOME) for path in found if path.startswith(HOME)}
    assert in_home <= {"", "/.ssh", "/.ssh/authorized_keys", "/.apptainer", "/.bash_history"} | {
        path for path in in_home if path.startswith("/.apptainer/")
    }


def test_no_privilege_was_used(host: Any) -> None:
    denied = host.run("sudo -l -U p123hub")
    assert "not allowed to run sudo" in denied.stdout
    said = host.check_output("journalctl --no-pager --quiet --output cat _COMM=sudo _COMM=su").splitlines()
    assert [line for line in said if line.lstrip().startswith("p123hub :")] == []
    assert host.check_output("id --name --groups p123hub") == "p123"
    owners = host.check_output(f"find {BASE} -path '{BASE}/users/*/home/*' -prune -o -printf '%u %m\\n' | sort -u")
    assert {line.split()[0] for line in owners.splitlines()} == {"p123hub"}
    assert [line for line in owners.splitlines() if line.split()[1][-2:] not in {"00", "77"}] == []


def test_the_persons_own_key_stays_and_the_hubs_key_is_shut(host: Any) -> None:
    first, own, hub = host.file(f"{HOME}/.ssh/authorized_keys").content_string.splitlines()
    assert first == "# written by hand"
    assert own.startswith("ssh-ed25519 ")
    assert hub.startswith(
        f'restrict,command="/usr/bin/python3 -I {BASE}/lib/gateway.py --config {BASE}/etc/gateway.json" '
    )
    assert hub.endswith(" hpcampus:campus")


def test_the_hubs_key_opens_no_shell_and_no_port(host: Any) -> None:
    hub = testinfra.get_host(hosts("hub")[0])
    key = host.check_output("cat /etc/ssh/ssh_host_ed25519_key.pub")
    hub.check_output(f"echo 'login {key}' > /tmp/pinned && chmod 644 /tmp/pinned")
    as_hub = "runuser --user=jupyterhub -- "
    for word in ("", "id", "bash", "session; id", "sftp", "image ../../x 0 1"):
        done = hub.run(f"{as_hub}{DOOR} '{word}' < /dev/null")
        assert (done.rc, done.stdout) == (77, ""), word
    done = hub.run(f"{as_hub}{DOOR} -W localhost:22 < /dev/null || exit 1")
    assert done.rc == 1
    assert "administratively prohibited" in done.stderr or "refused" in done.stderr or "open failed" in done.stderr
    assert json.loads(hub.check_output(f"{as_hub}{DOOR} probe < /dev/null"))["ok"]
    broken = hub.run(f"echo nonsense | {as_hub}{DOOR} 'image notebook {'0' * 64} 9'")
    assert broken.rc == 1
    assert "does not have the hash" in broken.stderr


def test_the_image_is_the_hubs(host: Any) -> None:
    hub = testinfra.get_host(hosts("hub")[0])
    ours = hub.check_output("sha256sum /shared/hpcampus/images/notebook.sif").split()[0]
    assert host.check_output(f"readlink {BASE}/images/notebook.sif") == f"notebook/{ours}.sif"
    assert host.check_output(f"sha256sum {BASE}/images/notebook.sif").split()[0] == ours


def test_a_cell_runs_at_the_centre_and_nothing_is_left(host: Any) -> None:
    hub = testinfra.get_host(hosts("hub")[0])
    done = hub.run(f"echo '{PASSWORD}' | {PROBE} --user alice")
    assert done.rc == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["node"] == "c1"
    assert hub.check_output("ls /run/hpcampus/tunnel") == ""
    assert host.check_output("squeue --noheader --states=PENDING,RUNNING") == ""
    assert host.check_output(f"find {BASE}/spawns -type f") == ""
    assert reach("c1").check_output("find /dev/shm /tmp -maxdepth 1 -name 'hpcampus-*'") == ""


def test_the_centres_limit_holds(host: Any) -> None:
    """Two servers may run there; the third is refused with a sentence."""
    hub = testinfra.get_host(hosts("hub")[0])
    for user in ("alice", "bob"):
        done = hub.run(f"echo '{PASSWORD}' | {PROBE} --user {user} --keep")
        assert done.rc == 0, done.stdout + done.stderr
    done = hub.run(f"echo '{PASSWORD}' | {PROBE} --user teacher")
    assert done.rc == 1
    assert "as many servers as may run there (2)" in done.stdout + done.stderr
    host.check_output("scancel --user p123hub")
