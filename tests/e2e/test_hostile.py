# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A hostile student beside another one's job, on the same node: every attempt ends as docs/security.md says it."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from tests.e2e.conftest import COMPUTE, ROOT
from tests.e2e.hostile.ledger import Ledger, Row
from tests.e2e.node_ports import one_for_each_job, ports_of_jobs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.e2e.conftest import Platform
    from tests.e2e.notebook import Kernel, Notebook

pytestmark = pytest.mark.asyncio(loop_scope="module")

MARK = "only-student1-may-know-this"
BASE_DIR = "/shared/hpcampus"
TABLE = ROOT / "artifacts" / "hostile.md"
PROGRAMS = Path(__file__).with_name("hostile")
LOG_BYTES_MAX = 1024 * 1024
NODE = COMPUTE[0]


def program(name: str, known: dict[str, Any]) -> str:
    """A module of the attempts as one cell."""
    modules = [(PROGRAMS / f"{part}.py").read_text() for part in ("attempts", name)]
    body = "\n".join(re.sub(r"^from tests\.e2e.*$", "", module, flags=re.MULTILINE) for module in modules)
    packed = base64.b64encode(json.dumps(known).encode()).decode()  # or a search for the mark would find this very text
    return f"import os\nos.environ['HPCAMPUS_KNOWN'] = {packed!r}\n{body}"


def ports(platform: Platform, host: str) -> list[int]:
    """Every TCP port on which a host listens, on whatever address."""
    return sorted({int(line.split()[3].rpartition(":")[2]) for line in platform.on(host, "ss", "-Hltn").splitlines()})


def what_can_be_known(platform: Platform) -> dict[str, Any]:
    """What root sees and a student does not: the strongest attacker knows it."""
    ours = platform.on(NODE, "pgrep", "--euid", "hpcampus").split()
    private = platform.on(NODE, "find", "/tmp", "-maxdepth", "1", "-name", "hpcampus-*").split()
    return {
        "mark": MARK,
        "victim": "student1",
        "base_dir": BASE_DIR,
        "pids": [int(pid) for pid in ours],
        "private_dirs": private,
        "sockets": platform.on(NODE, "find", *private, "-type", "s").split(),
        "listening": {
            "node": ports(platform, NODE),
            "campus": ports(platform, "campus"),
            "login": ports(platform, "login"),
        },
        "addresses": {host: platform.on(NODE, "getent", "hosts", host).split()[0] for host in ("campus", "login")},
        "tunnel_ports": [int(name) for name in platform.on("campus", "ls", "/run/hpcampus/tunnel").split()],
    }


@pytest.fixture(scope="module")
def ledger() -> Iterator[Ledger]:
    """The list, which is written in the end whatever happened."""
    found = Ledger()
    yield found
    found.write(TABLE)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def pair(platform: Platform) -> AsyncIterator[tuple[Notebook, Notebook]]:
    """Two students with a server each, on the same node."""
    async with platform.neighbours() as servers:
        yield servers


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def victim(pair: tuple[Notebook, Notebook]) -> AsyncIterator[Kernel]:
    """A kernel of the one student that has left her mark everywhere."""
    async with pair[0].kernel() as kernel:
        yield kernel


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def known(platform: Platform, victim: Kernel) -> dict[str, Any]:
    """What the attacker knows."""
    told = json.loads(await victim.cell(program("victim", {"mark": MARK})))
    found = what_can_be_known(platform)
    open_ports = ports_of_jobs(platform, NODE)
    assert open_ports.pop(told["port"]) == ""
    assert one_for_each_job(platform, open_ports, "student1", "student2"), open_ports
    assert told["api_port"] in open_ports
    return {**found, "api_ports": list(open_ports), **told}


@pytest.mark.parametrize("area", ["files", "processes", "network"])
async def test_every_attempt_ends_as_expected(
    pair: tuple[Notebook, Notebook], known: dict[str, Any], ledger: Ledger, area: str
):
    results = await pair[1].json_cell(program(area, known) + "\nprint(json.dumps(all_results()))")
    rows = [Row(area=area, **result) for result in results]
    ledger.rows += rows
    assert len(rows) >= 10
    assert [row for row in rows if not row.good] == []


async def test_what_is_searched_for_can_be_found(victim: Kernel, known: dict[str, Any]):
    """By her whose it is: otherwise the attempts would prove nothing."""
    results = json.loads(await victim.cell(program("files", known) + "\nprint(json.dumps(all_results()))"))
    (search,) = [row for row in results if row["what"].startswith("The other's token")]
    assert not search["good"]
    assert "mine.txt" in search["seen"]
    results = json.loads(await victim.cell(program("processes", known) + "\nprint(json.dumps(all_results()))"))
    found = {row["what"].split(",")[0]: row["good"] for row in results}
    for what in ("Processes in /proc", "Her System V shared memory", "Her POSIX message queue"):
        assert not found[what], what


async def test_a_log_without_end_fills_no_disk(platform: Platform, pair: tuple[Notebook, Notebook], ledger: Ledger):
    """What the server's process says goes into a file of the cluster: a megabyte of it."""
    sent = await pair[1].json_cell(
        "import glob, json, os\n"
        "sent = 0\n"
        "for path in glob.glob('/proc/[0-9]*/fd/[12]'):\n"
        "    try:\n"
        "        if 'pipe' not in os.readlink(path) or f'/{os.getpid()}/' in path:\n"
        "            continue\n"
        "        with open(path, 'wb', buffering=0) as stream:\n"
        "            sent += sum(stream.write(b'x' * 65535 + b'\\n') for _ in range(64))\n"
        "    except OSError:\n"
        "        pass\n"
        "print(json.dumps(sent))"
    )
    assert sent > 2 * LOG_BYTES_MAX, "it must be more than may be kept"
    spawns = [comment.split(":")[-1] for comment in platform.jobs() if ":student2:" in comment]
    size = int(platform.on("login", "stat", "--format", "%s", f"{BASE_DIR}/log/{spawns[0]}.log").strip())
    good = size < LOG_BYTES_MAX + 65536
    seen = f"{sent // 2**20} MiB sent, {size // 1024} KiB kept"
    ledger.rows.append(Row("files", "Filling the disk with the job's log", "a megabyte is kept", seen, good))
    assert good, seen
