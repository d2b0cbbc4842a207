# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Slurm 22.05 through the hub's own link: what the gateway asks of it, and what the hub reads from the answers."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import logging
import re
import secrets
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator

import asyncssh
import pytest
from testinfra.host import Host

from hpcampus_hub.link import Link
from hpcampus_hub.paths.reach import ORDER, reach
from hpcampus_hub.protocol import DoorSecrets, GatewayError, Job, Secrets, Submit, decode_job_id, decode_jobs
from hpcampus_hub.settings import Cluster, Profile, Tunnel
from tests.e2e.waiting import until
from tests.testinfra.reach import DIRECTORY, hosts, ip

testinfra_hosts = hosts("centre_login")
BASE = "/shared/project/p123/hpcampus"
HUB = "campus"
# What a file needs to be taken for an image.
IMAGE = b"#!/usr/bin/env run-singularity\n".ljust(32, b"\0") + b"SIF_MAGIC\0" + bytes(1000)
CONTAINER = "/opt/centre/apptainer"
ENDED = {"COMPLETED", "FAILED", "CANCELLED"}


def cluster() -> Cluster:
    """The cluster as a hub's settings have it."""
    pinned = (DIRECTORY / "known_hosts").read_text(encoding="utf-8").split("old ", 1)[1].splitlines()[0]
    key = str(DIRECTORY / "hub_key")
    return Cluster("old", ip("old"), 22, "p123hub", pinned, BASE, key, "auto")


@pytest.fixture
async def link() -> AsyncIterator[Link]:
    """The hub's end of the link."""
    made = Link(cluster(), logging.getLogger("link"))
    made.start()
    yield made
    await made.stop()


@pytest.fixture(scope="module", autouse=True)
def image() -> None:
    """Send a file that passes for an image: no container ever reads it."""
    there = cluster()
    argv = ["ssh", "-F", "none", "-i", there.key_file, "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes"]
    argv += [
        "-o",
        f"UserKnownHostsFile={DIRECTORY}/known_hosts",
        "-o",
        "HostKeyAlias=old",
        f"{there.user}@{there.host}",
    ]
    digest = hashlib.sha256(IMAGE).hexdigest()
    subprocess.run([*argv, f"image notebook {digest} {len(IMAGE)}"], input=IMAGE, check=True, capture_output=True)


def key_pair() -> tuple[str, str]:
    """A private key and its public half."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    public = " ".join(key.export_public_key("openssh").decode("ascii").split()[:2])
    return key.export_private_key("openssh").decode("ascii"), public


def submission(user_id: str = "alice") -> Submit:
    """What the hub asks for when somebody starts a notebook on the way ``relay``."""
    door = DoorSecrets(secrets.token_hex(16), key_pair()[0], key_pair()[1], 0, 25000)
    return Submit(
        spawn_id=secrets.token_hex(16),
        user_id=user_id,
        server_id="",
        partition="interactive",
        cpus=1,
        memory_mb=500,
        time_limit_minutes=5,
        gres="",
        account="",
        qos="",
        reservation="",
        image="notebook",
        overlay_mb=0,
        courses=(),
        secrets=Secrets(env={}, tunnel=None, base_url=f"/user/{user_id}/", default_url="", door=door),
    )


async def submit(link: Link, wanted: Submit) -> int:
    """Submit a job; give its id."""
    return decode_job_id(await link.call("submit", **wanted.fields()))


async def becomes(link: Link, job_id: int, condition: Callable[[Job], bool]) -> Job:
    """Wait until the list of jobs says something of a job; give what it says then."""
    seen: list[Job] = []

    async def does() -> bool:
        seen[:] = [job for job in decode_jobs(await link.call("list")) if job.job_id == job_id]
        return any(map(condition, seen))

    await until(f"job {job_id} is listed as it should be", does, 20)
    return seen[0]


async def over(link: Link, job_id: int) -> bool:
    """Whether a job has ended."""
    return all(job.job_id != job_id or job.state in ENDED for job in decode_jobs(await link.call("list")))


@contextlib.contextmanager
def stand_in(host: Host) -> Iterator[None]:
    """Put a program that only waits in the container's place."""
    host.check_output(f"install -D -m 755 /dev/stdin {CONTAINER} <<'END'\n#!/bin/sh\nexec sleep 600\nEND")
    try:
        yield
    finally:
        host.check_output(f"rm {CONTAINER}")


async def test_it_is_slurm_22_05(link: Link):
    await link.call("ping")
    assert link.hello is not None
    assert link.hello.slurm.startswith("22.05.")


async def test_partitions_are_read(link: Link):
    assert (await link.call("info"))["partitions"] == [
        {
            "name": "interactive",
            "available": True,
            "time_limit_minutes": 240,
            "nodes": 1,
            "cpus": 4,
            "memory_mb": 4000,
            "gres": [],
        }
    ]


async def test_the_account_is_healthy(link: Link):
    found = await link.call("health")
    assert (found["problem"], found["images"]) == ("", ["notebook"])


async def test_a_job_without_a_container_ends_and_its_log_says_why(link: Link):
    wanted = submission()
    job_id = await submit(link, wanted)
    assert await submit(link, wanted) == job_id, "the same start never makes a second job"
    await until("the job ends", lambda: over(link, job_id))
    log = (await link.call("log", spawn_id=wanted.spawn_id))["text"]
    assert f"{CONTAINER} cannot be started: No such file or directory" in log
    assert "job-end" in log


async def test_a_pending_job_is_listed_with_its_reason_and_cancelled(link: Link, host: Host):
    host.check_output("scontrol update PartitionName=interactive State=DOWN")
    try:
        wanted = submission()
        job_id = await submit(link, wanted)
        job = await becomes(link, job_id, lambda job: job.reason == "PartitionDown")
        assert (job.state, job.nodes, job.account) == ("PENDING", "", "p123hub")
        assert (job.hub_id, job.user_id, job.server_id, job.spawn_id) == (HUB, "alice", "", wanted.spawn_id)
        assert (await link.call("cancel", job_id=job_id))["found"] is True
        await until("it is gone", lambda: over(link, job_id))
    finally:
        host.check_output("scontrol update PartitionName=interactive State=UP")
    assert host.run(f"ls {BASE}/spawns").stdout == "", "its secrets are gone with it"


async def test_a_running_job_is_entered_through_srun_and_cancelled(link: Link, host: Host):
    with stand_in(host):
        wanted = submission("standby")
        job_id = await submit(link, wanted)
        job = await becomes(link, job_id, lambda job: job.state == "RUNNING")
        assert job.nodes == "old"
        assert job.start is not None
        assert abs(job.start - time.time()) < 60
        await link.call("assign", job_id=job_id, user_id="bob", server_id="")
        await becomes(link, job_id, lambda job: job.user_id == "bob")
        assert "SSH-2.0-" in await door(job_id, wanted.spawn_id)
        assert (await link.call("cancel", job_id=job_id))["found"] is True
        await until("it is gone", lambda: over(link, job_id))
        log = (await link.call("log", spawn_id=wanted.spawn_id))["text"]
        assert "terminated" in log, "its wrapper was asked to end it"
    assert (await link.call("cancel", job_id=job_id))["found"] is False
    assert host.run("find /dev/shm /tmp -maxdepth 1 -name 'hpcampus-*'").stdout == ""
    with pytest.raises(GatewayError, match="not a standby of this hub"):
        await link.call("assign", job_id=job_id, user_id="bob", server_id="")


async def door(job_id: int, spawn_id: str) -> str:
    """Say the word that leads into a job through Slurm; give the first line that comes back."""
    there = cluster()
    key = asyncssh.import_public_key(there.host_key)
    async with asyncssh.connect(
        there.host, username=there.user, client_keys=[there.key_file], known_hosts=([key], [], []), config=None
    ) as connection:
        process = await connection.create_process(f"relay {job_id} {spawn_id}")
        async with asyncio.timeout(20):
            return await process.stdout.readline() or await process.stderr.read()


async def test_the_data_paths_are_tried(link: Link):
    """Through srun and to the node's port; the hub that the job looks for is not there."""
    known_host = base64.b64encode(secrets.token_bytes(51)).decode("ascii")
    tunnel = Tunnel("127.0.0.1", 9, (f"ssh-ed25519 {known_host}",), "tunnel", 20000, 24999, "", "")
    profile = Profile("small", "Small", "old", "interactive", 1, 500, 5, "notebook")
    found = await reach(link, tunnel, profile)
    assert found.node == "old"
    assert set(found.ways) == set(ORDER)
    assert (found.ways["relay"], found.ways["forward"]) == ("", "")
    assert "Connection refused" in found.ways["reverse"]
    told = found.ways["direct"]
    assert re.match(r"old, port 2[0-4]\d{3}, cannot be reached from the hub", told), (
        "this machine does not know the node's name"
    )
    assert found.best == "forward"
