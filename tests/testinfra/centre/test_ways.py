# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Ways between hub and notebooks through the firewalls of a centre: which one is taken, that cells run and go on, what is told.

What was measured is written to artifacts/centre.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import testinfra

from hpcampus_hub.probe import ProbeError
from tests.e2e.notebook import Notebook
from tests.e2e.waiting import until
from tests.testinfra.reach import hosts, ip, lab, reach

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

testinfra_hosts = hosts("hub")
PASSWORD = "correct horse battery staple"
FIGURES = Path(__file__).parents[3] / "artifacts" / "centre.md"
CARRIER = "/var/lib/jupyterhub/carrier"
PATIENCE = "/etc/jupyterhub/local.d/95-patience.py"
HEAD = """\
# Ways through the firewalls of a centre

The hub reaches port 22 of the login node, whose sshd forwards nothing. Seconds on this machine.

A cell is one of the kernel that ran before; its variable is there in each case.

"""
COLUMNS = (
    "what the firewalls let through besides",
    "way that was found",
    "seconds to find it",
    "request to ready",
    "cell",
    "session killed to cell",
    "hub killed to cell",
    "login node booted to cell",
)
SLURMD, SLURMCTLD, SSH = 6818, 6817, 22
# Host, account and program of the session that carries a server's data on each way.
SESSIONS = {
    "forward": ("campus", "jupyterhub", "ssh"),
    "relay": ("login", "p123hub", "srun"),
    "reverse": ("c1", "p123hub", "ssh"),
}


@pytest.fixture(scope="module")
def figures() -> Iterator[list[str]]:
    """Rows of the table."""
    rows: list[str] = []
    yield rows
    FIGURES.parent.mkdir(exist_ok=True)
    table = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|", *rows]
    FIGURES.write_text(HEAD + "".join(f"{line}\n" for line in table), encoding="utf-8")


@pytest.fixture(scope="module", autouse=True)
def walls_as_they_were() -> Iterator[None]:
    """Leave the walls, and the hub's choice, as they were found."""
    yield
    set_walls()
    choose()


def set_walls(*opened: str, c1: tuple[int, ...] = (), login: tuple[int, ...] = (), hub_may_enter: bool = True) -> None:
    """Set every wall anew.

    Args:
        opened: Hosts that reach the hub's port 22.
        c1: Ports at which the compute node lets hosts of its own network in; empty for all.
        login: The same of the login node.
        hub_may_enter: Whether the hub reaches the login node's port 22.
    """
    walls = lab().walls
    (walls.open if hub_may_enter else walls.close)("campus", "login", SSH)
    (walls.open if "c1" in opened else walls.close)("c1", "campus", SSH)
    for name, ports in (("c1", c1), ("login", login)):
        if ports:
            walls.fence(name, ports)
        else:
            walls.unfence(name)


def hub() -> testinfra.host.Host:
    """The hub's host."""
    return testinfra.get_host(hosts("hub")[0])


def told_of_ways(since: float) -> list[str]:
    """Give what the hub's log says of its looking for a way."""
    said = hub().check_output(f"journalctl --unit jupyterhub --output cat --quiet --since @{since:.3f}")
    marks = ("Data path of cluster physics is", "No data path to cluster physics")
    return [line for line in said.splitlines() if any(mark in line for mark in marks)]


def look_again() -> None:
    """Have the hub forget what it found, as its manual says; it looks when it first reaches the cluster."""
    hub().check_output(f"systemctl stop jupyterhub && rm -f {CARRIER}/chosen.json && systemctl start jupyterhub")


def choose() -> tuple[str, float]:
    """Have the hub look for a way again; give what its log says of it, and the seconds that it took."""
    since = time.time()
    look_again()
    up = time.monotonic()
    while time.monotonic() - up < 200:
        if lines := told_of_ways(since):
            return lines[-1], time.monotonic() - up
        time.sleep(0.3)
    pytest.fail("The hub did not look for a way.")


def chosen() -> dict[str, str]:
    """Give the ways that the hub has taken."""
    found: dict[str, str] = json.loads(hub().check_output(f"cat {CARRIER}/chosen.json"))
    return found


def in_use() -> list[str]:
    """Give the way of each server that is reached through the carrier."""
    return (
        hub()
        .check_output(
            f'cd {CARRIER}/orders && cat -- *.json 2>/dev/null | sed -n \'s/.*"way": "\\([a-z]*\\)".*/\\1/p\''
        )
        .split()
    )


def sessions(way: str) -> set[str]:
    """Give the ids of the processes that carry the data of servers."""
    host, account, program = SESSIONS[way]
    return set(reach(host).run(f"pgrep -u {account} -x {program}").stdout.split())


@contextlib.asynccontextmanager
async def person(name: str) -> AsyncIterator[Notebook]:
    """Let a person log in; whatever she has started is stopped."""
    context = ssl.create_default_context(cadata=hub().check_output("cat /etc/ssl/certs/hpcampus-selfsigned.pem"))
    # The certificate is this one; the address is that by which this machine reaches the host.
    context.check_hostname = False
    notebook = Notebook(f"https://{ip('campus')}/", name, PASSWORD, context)

    async def idle() -> bool:
        await notebook.login()
        await notebook.stop()
        return True

    try:
        await until(f"{name} can log in", idle, 30)
        yield notebook
    finally:
        await notebook.close()


async def work(way: str) -> str:
    """Start a notebook, run a cell, and see its kernel come back after three failures; give the figures.

    The session that carries the data is killed, then the hub, then the login node is rebooted.
    """
    async with person("alice") as notebook:
        began = time.monotonic()
        await notebook.start()
        ready = time.monotonic()
        kernel = await notebook.leave_kernel("kept = 40")
        before_cell = time.monotonic()
        assert await notebook.cell_in(kernel, "print(kept + 2)") == "42"
        cell = time.monotonic() - before_cell
        assert in_use() == ([] if way == "reverse" else [way])

        async def answers() -> bool:
            return await notebook.cell_in(kernel, "print(kept + 2)") == "42"

        async def seconds_to_cell(since: float) -> float:
            await until("the same kernel answers again", answers, 60)
            return time.monotonic() - since

        old = sessions(way)
        assert old, f"no session of {way} runs"

        async def renewed() -> bool:
            now = sessions(way)
            return bool(now) and not now & old and await answers()

        host, account, program = SESSIONS[way]
        reach(host).check_output(f"pkill -KILL -u {account} -x {program}")
        killed = time.monotonic()
        await until("another session carries the data", renewed, 30)
        without_session = time.monotonic() - killed

        hub().check_output("systemctl kill --signal=KILL jupyterhub")
        without_hub = await seconds_to_cell(time.monotonic())
        await until("the hub is back and knows the server", notebook.has_server, 60)
        await asyncio.to_thread(lab().restart, "login")
        without_login = await seconds_to_cell(time.monotonic())
        assert reach("login").check_output("squeue --noheader --format=%T") == "RUNNING"
        figures = (ready - began, cell, without_session, without_hub, without_login)
        return " | ".join(f"{seconds:.1f}" for seconds in figures)


def test_the_hub_found_forward_by_itself():
    """Nobody told it: it looked when the site was installed."""
    assert chosen() == {"physics": "forward"}
    story = told_of_ways(0)[-1]
    assert "Data path of cluster physics is forward, tried on c1: reverse: ssh: connect to host" in story
    assert "direct: c1, port " in story
    assert "cannot be reached from the hub" in story
    assert "; forward: works; relay: works" in story


async def test_cells_run_over_forward_although_the_login_node_forwards_nothing(figures: list[str]):
    figures.append(f"| login node to every port of the compute node | forward | | {await work('forward')} |")


async def test_where_nodes_reach_the_hub_it_takes_reverse(figures: list[str]):
    set_walls("c1", c1=(SLURMD,))
    story, seconds = choose()
    assert "Data path of cluster physics is reverse" in story
    assert ": reverse: works; direct: " in story
    figures.append(f"| Slurm, compute node to the hub's port 22 | reverse | {seconds:.1f} | {await work('reverse')} |")


async def test_where_nodes_let_nothing_in_but_slurm_the_hub_takes_relay(figures: list[str]):
    set_walls(c1=(SLURMD,))
    story, seconds = choose()
    assert "Data path of cluster physics is relay" in story
    assert "; forward: node c1, port " in story
    figures.append(f"| Slurm | relay | {seconds:.1f} | {await work('relay')} |")


async def refusal() -> str:
    """Give what a person is told who cannot have a server."""
    async with person("bob") as notebook:
        with pytest.raises(ProbeError) as refused:
            await notebook.start()
        return str(refused.value)


@pytest.fixture
def hub_gives_up_early() -> Iterator[None]:
    """Let the hub try a cluster that it cannot reach for ten seconds only, by a line in the place for an admin's own lines."""
    hub().check_output(f"echo 'c.HpcSpawner.submit_timeout = 10' > {PATIENCE}")
    yield
    hub().check_output(f"rm {PATIENCE}")


@pytest.mark.usefixtures("hub_gives_up_early")
async def test_where_the_hub_may_not_enter_a_person_is_told_that_the_cluster_cannot_be_reached(figures: list[str]):
    set_walls(hub_may_enter=False)
    hub().check_output("systemctl restart jupyterhub")
    told = await refusal()
    figures.append(f'| nothing, nor the hub | none: "{told}" | | | | | | |')
    assert "cluster physics cannot be reached" in told
    assert reach("login").check_output("squeue --noheader --states=PENDING,RUNNING") == ""


async def test_where_slurm_alone_comes_through_a_person_is_told_that_no_way_works(figures: list[str]):
    """Jobs run, but srun has no port on which they come back to it."""
    set_walls(c1=(SLURMD,), login=(SSH, SLURMCTLD))
    look_again()
    since = time.monotonic()
    told = await refusal()
    figures.append(f'| Slurm, but not srun | none: "{told}" | {time.monotonic() - since:.1f} | | | | | |')
    assert "no data path to cluster physics works: reverse: ssh: connect to host" in told
    assert "; relay: srun did not answer" in told
    assert "Tell the administrator" in told
