# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The cluster by what it does: nodes, partitions and their limits, real jobs, containers in jobs, the forced command."""

from __future__ import annotations

import json
import time

import pytest

from tests.testinfra.reach import hosts, reach

testinfra_hosts = hosts("slurm_login")
BASE = "/shared/hpcampus"
ACCOUNT = "runuser --user hpcampus --"


def test_sinfo_shows_what_was_asked_for(host):
    rows = host.check_output("sinfo --noheader --Node --format '%N|%P|%c|%m|%l|%T'").splitlines()
    assert {row.strip() for row in rows} == {
        "c1|jupyter*|4|4000|4:00:00|idle",
        "c2|jupyter*|4|4000|4:00:00|idle",
        "c2|exam|4|4000|30:00|idle",
    }


def test_a_job_runs_on_every_node(host):
    out = host.check_output(f"cd / && {ACCOUNT} srun --immediate=30 --nodes=2 --ntasks=2 --time=1 hostname")
    assert sorted(out.split()) == ["c1", "c2"]


def test_a_job_belongs_to_the_account(host):
    assert host.check_output(f"cd / && {ACCOUNT} srun --immediate=30 --time=1 id --user") == "2900"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--partition=jupyter --time=300", "time limit"),
        ("--partition=exam --time=31", "time limit"),
        ("--partition=exam --nodelist=c1 --time=1", "not in this partition"),
        ("--partition=jupyter --mem=64G --time=1", "configuration is not available|memory"),
        (
            "--partition=jupyter --ntasks=1 --cpus-per-task=4 --nodes=1 --time=1",
            "MaxCPUsPerNode|CPU|configuration is not available",
        ),
        ("--partition=nowhere --time=1", "invalid partition"),
    ],
)
def test_limits_of_partitions_hold(host, options: str, message: str):
    done = host.run(f"cd / && {ACCOUNT} sbatch {options} --wrap=true")
    if done.rc == 0:
        # Slurm may take such a job and never start it; it gives the reason once it has looked at it.
        number = done.stdout.split()[-1]
        for _ in range(60):
            reason = host.check_output(f"squeue --noheader --jobs {number} --format '%T %r'")
            if reason.split() != ["PENDING", "None"]:
                break
            time.sleep(0.5)
        host.run(f"scancel {number}")
        assert reason.startswith("PENDING"), reason
        assert "Partition" in reason or "MaxCpuPerNode" in reason or "Limit" in reason, reason
    else:
        words = message.lower().split("|")
        assert any(word in done.stderr.lower() for word in words), done.stderr


def test_jobs_without_a_time_get_the_default(host):
    number = host.check_output(f"cd / && {ACCOUNT} sbatch --parsable --hold --output=/dev/null --wrap=true")
    assert host.check_output(f"squeue --noheader --jobs {number} --format %l") == "1:00:00"
    host.check_output(f"scancel {number}")


def test_munge_refuses_a_stranger(host):
    assert host.run("munge --no-input | unmunge").rc == 0
    assert host.run("munge --no-input | sed 's/MUNGE:AwQ/MUNGE:AwR/' | unmunge").rc != 0
    assert host.file("/etc/munge/munge.key").mode in {0o400, 0o600}


def test_a_container_runs_in_a_job(host):
    image = f"{BASE}/images/notebook.sif"
    assert host.file(image).is_symlink
    out = host.check_output(
        f"cd / && {ACCOUNT} srun --immediate=30 --time=2 --mem=500M "
        f"apptainer exec --containall {image} python3 -c 'import jupyterlab, nbgrader, platform; print(platform.node())'"
    )
    assert out.splitlines()[-1] in {"c1", "c2"}


def test_the_image_holds_no_build_rest(host):
    names = host.check_output(f"find {BASE}/images -mindepth 1 -maxdepth 2 -printf '%P\n'").splitlines()
    assert [name for name in names if not name.endswith((".sif", ".tested")) and "/" in name] == []


@pytest.fixture(scope="module")
def ssh(host) -> str:
    """The command by which the hub reaches the login node, with its own key and the pinned host key."""
    campus = reach("campus")
    key = host.check_output("cat /etc/ssh/ssh_host_ed25519_key.pub")
    campus.check_output(f"echo 'login {key}' > /tmp/login_known_hosts && chmod 644 /tmp/login_known_hosts")
    return (
        "runuser --user jupyterhub -- ssh -F none -T -o BatchMode=yes -o UserKnownHostsFile=/tmp/login_known_hosts "
        "-o StrictHostKeyChecking=yes -i /var/lib/jupyterhub/link/id_ed25519 "
    )


def test_the_hubs_key_opens_a_session_with_the_gateway(ssh: str):
    ping = json.dumps({"id": 1, "op": "ping"})
    lines = reach("campus").check_output(f"echo '{ping}' | {ssh} hpcampus@login session").splitlines()
    assert json.loads(lines[0])["hello"]["account"] == "hpcampus"
    assert json.loads(lines[1])["ok"] is True


@pytest.mark.parametrize("command", ["id", "sh -c id", "'session; id'", "''"])
def test_the_hubs_key_runs_nothing_else(ssh: str, command: str):
    done = reach("campus").run(f"timeout 20 {ssh} hpcampus@login {command} </dev/null")
    assert "uid=" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "options",
    [
        "-N -L 127.0.0.1:9999:127.0.0.1:22 -o ExitOnForwardFailure=yes",
        "-N -R 9999:127.0.0.1:22 -o ExitOnForwardFailure=yes",
    ],
)
def test_the_hubs_key_forwards_nothing(ssh: str, options: str):
    campus = reach("campus")
    inside = "exec 3<>/dev/tcp/127.0.0.1/9999 && head -c 3 <&3" if "-L" in options else "false"
    done = campus.run(
        f"timeout 8 {ssh} {options} hpcampus@login & sleep 3; timeout 3 bash -c '{inside}'; code=$?; wait; exit $code"
    )
    assert "SSH" not in done.stdout
    assert reach("login").run("ss -Hlnt 'sport = :9999' | grep .").rc != 0


def test_the_admins_own_lines_survived_and_count(host):
    controller = reach("ctl") if host.run("getent hosts ctl").rc == 0 else host
    assert "SlurmctldDebug=verbose" in controller.file("/etc/slurm/local.conf").content_string
    controller.check_output("scontrol reconfigure")
    assert "SlurmctldDebug          = verbose" in controller.check_output("scontrol show config")
    first = controller.file("/etc/slurm/slurm.conf").content_string.splitlines()[0]
    assert "Managed by hpcampus" in first
