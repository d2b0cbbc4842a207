# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The server that is everything, after its `site_account_mode` was changed: students' notebooks, and what the server shows of them."""

from __future__ import annotations

import contextlib
import json
import ssl
from typing import TYPE_CHECKING, Any

from tornado.netutil import DefaultExecutorResolver, OverrideResolver, Resolver

from hpcampus_hub.probe import ProbeError
from tests.e2e.notebook import Notebook
from tests.testinfra.plays import MOLECULE, run_playbook
from tests.testinfra.reach import ip, lab

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "campus"
HUB = "hub.example.org"
PASSWORD = "correct horse battery staple"
LEFT = r"job\.py|apptainer|jupyter|squashfuse|ssh .*tunnel"
WHO = """
import json, os
print(json.dumps({"uid": os.getuid(), "files": sorted(os.listdir())}))
"""


def on(*argv: str, good: tuple[int, ...] = (0,)) -> str:
    """Run a command as root on the server and give what it printed."""
    done = lab().exec(HOST, argv)
    assert done.returncode in good, f"{' '.join(argv)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def change_accounts(*options: str, **variables: Any) -> list[str]:
    """Run what a site runs after it has changed its account mode; give the names of the tasks that changed something.

    Args:
        options: of ansible-playbook.
        variables: what the inventory says now.
    """
    values = f"--extra-vars={json.dumps({'site_courses': [], **variables})}"
    playbook = str(MOLECULE / "single/accounts.yml")
    said = run_playbook(values, *options, playbook, ANSIBLE_STDOUT_CALLBACK="ansible.posix.json")
    tasks = [task for play in json.loads(said)["plays"] for task in play["tasks"]]
    return [task["task"]["name"] for task in tasks if any(seen.get("changed") for seen in task["hosts"].values())]


@contextlib.contextmanager
def reachable() -> Iterator[None]:
    """Have clients of this machine find the hub by its name."""
    Resolver.configure(OverrideResolver, resolver=DefaultExecutorResolver(), mapping={HUB: ip(HOST)})
    try:
        yield
    finally:
        Resolver.configure(None)


def notebook(user: str) -> Notebook:
    """Make a client that is not logged in yet."""
    context = ssl.create_default_context(cadata=on("cat", "/etc/ssl/certs/hpcampus-selfsigned.pem"))
    return Notebook(f"https://{HUB}/", user, PASSWORD, context)


async def start(*clients: Notebook) -> None:
    """Let people start notebooks, and each leave a file of her own in her home."""
    for client in clients:
        await client.login()
        await client.start()
        await client.cell(f"open('{client.user}.txt', 'w').write('mine')")


def readers(homes: dict[str, str]) -> dict[tuple[str, str], bool]:
    """Whether an account can look into a directory, for each pair of these accounts and their base directories."""
    return {
        (account, home): lab().exec(HOST, ["runuser", "-u", account, "--", "ls", home]).returncode == 0
        for account in homes
        for home in homes.values()
    }


async def why_not(user: str) -> str:
    """Try to start a notebook that must not start, and give what the person is told."""
    client = notebook(user)
    await client.login()
    try:
        await client.start()
    except ProbeError as error:
        return str(error)
    finally:
        await client.close()
    raise AssertionError(f"{user} has got a notebook")


def jobs() -> dict[str, str]:
    """Account of each job that runs, by the person whom its comment names."""
    lines = on("squeue", "--noheader", "--states=RUNNING", "--format=%k %u").splitlines()
    return {comment.split(":")[2]: account for comment, account in (line.split() for line in lines)}


def left(homes: dict[str, str]) -> dict[str, str]:
    """What is left of notebooks that were stopped, by its kind; every value is empty when all is well.

    Args:
        homes: base directory of each account.
    """
    busy = "--states=PENDING,CONFIGURING,RUNNING,SUSPENDED,COMPLETING"
    return {
        "jobs": on("squeue", "--noheader", busy),
        "ports": on("ls", "/run/hpcampus/tunnel"),
        "secrets": on("find", *(f"{home}/spawns" for home in homes.values()), "-type", "f"),
        "memory": on("find", "/dev/shm", "-maxdepth", "1", "-name", "hpcampus-*"),
        "scratch": on("find", "/tmp", "-maxdepth", "1", "-name", "hpcampus-*"),
        "processes": on("pgrep", "--list-full", "--euid", ",".join(homes), "--full", LEFT, good=(0, 1)),
    }
