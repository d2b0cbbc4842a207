# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The service as a process: killed at every moment, with a full disk, with large files, with a new configuration."""

import asyncio
import hashlib
import os
import secrets
import shutil
import signal
import sqlite3
from typing import Any

import pytest

from tests.unit.courses.client import Answer, digest, new_key, pieces, read_answer, target
from tests.unit.courses.service_process import ServiceProcess
from tests.unit.courses.site import RECORDS
from tests.unit.hub.hub_process import until

pytestmark = pytest.mark.processes

MB = 2**20
DATA = os.urandom(300_000)
BROKEN = (OSError, asyncio.IncompleteReadError)


async def check(process: ServiceProcess, expected: dict[str, str]) -> None:
    """Exactly these submissions count (digests by id), each is whole, and nothing else lies around."""
    listed = await process.as_("ida").submissions("py1")
    assert {one["id"]: one["sha256"] for one in listed} == expected
    for identity, sha256 in expected.items():
        content = await process.as_("ida").get("courses", "py1", "submissions", identity, "content")
        assert digest(content.body) == sha256
    assert list((process.state / "content/incoming").iterdir()) == []
    for name, path in process.files().items():
        assert digest(path.read_bytes()) == name


async def test_killed_in_the_middle_of_an_upload(process: ServiceProcess) -> None:
    await process.start()
    await process.as_("ida").release("py1", "ps1")
    safe = await process.as_("bob").submit("py1", "ps1", b"bob")
    alice, key = process.as_("alice"), new_key()
    begun = (await alice.begin_submission("py1", "ps1", DATA, key)).json
    path = target("courses", "py1", "submissions", begun["id"], "content")
    _, writer = await alice.begin("PUT", path, len(DATA))
    writer.write(DATA[:200_000])
    await writer.drain()
    await until(lambda: list((process.state / "content/incoming").iterdir()))
    await process.stop(signal.SIGKILL)
    writer.close()
    await process.start()
    await check(process, {safe: digest(b"bob")})
    again = (await alice.begin_submission("py1", "ps1", DATA, key)).json
    assert again == begun
    await alice.submit("py1", "ps1", DATA, key)
    await check(process, {safe: digest(b"bob"), begun["id"]: digest(DATA)})


WHAT = ("begin", "content", "release", "feedback")
STEPS = [(what, where, when) for what in WHAT for where in ("place", "commit") for when in ("before", "after")]


@pytest.mark.parametrize(("what", "where", "when"), [step for step in STEPS if step[:2] != ("begin", "place")])
async def test_killed_at_every_step_of_taking_something(
    process: ServiceProcess, what: str, where: str, when: str
) -> None:
    """What was answered is there; what was not can be sent again, and is there once."""
    process.crash_at = where, when
    await process.start()
    ida, alice, key = process.as_("ida"), process.as_("alice"), new_key()
    await ida.release("py1", "ps1", b"one")
    safe = await alice.submit("py1", "ps1", b"safe")
    expected = {safe: digest(b"safe")}
    begun: dict[str, Any] = {}
    if what == "content":
        begun = (await alice.begin_submission("py1", "ps1", DATA, key)).json

    async def send() -> Answer:
        if what == "begin":
            return await alice.begin_submission("py1", "ps1", DATA, key)
        if what == "content":
            return await alice.send_content("py1", begun["id"], DATA)
        if what == "release":
            return await ida.release("py1", "ps1", DATA)
        return await ida.put("courses", "py1", "submissions", safe, "feedback", body=DATA, Hpcampus_SHA256=digest(DATA))

    process.crash_file.touch()
    with pytest.raises(BROKEN):
        await send()
    assert await process.ended() == -signal.SIGKILL
    process.crash_file.unlink()
    await process.start()
    if what == "content" and (where, when) == ("commit", "after"):
        expected[begun["id"]] = digest(DATA)
    await check(process, expected)
    assert (await send()).status in (200, 201)
    if what in ("begin", "content"):
        expected[await alice.submit("py1", "ps1", DATA, key)] = digest(DATA)
    await check(process, expected)
    (released,) = (await alice.get("courses", "py1", "assignments")).json["assignments"]
    assert (released["version"], released["sha256"]) == (
        (2, digest(DATA)) if what == "release" else (1, digest(b"one"))
    )
    feedback = await alice.get("courses", "py1", "submissions", safe, "feedback")
    assert (feedback.status, feedback.body) == (200, DATA) if what == "feedback" else feedback.status == 404
    with sqlite3.connect(process.state / "courses.sqlite") as database:
        assert database.execute("SELECT count(*) FROM feedback").fetchone()[0] == (1 if what == "feedback" else 0)


async def test_killed_again_and_again_while_a_class_hands_in(process: ServiceProcess) -> None:
    """Everybody tries until there is an answer, as the client in the notebooks does."""
    students = [f"s{number}" for number in range(30)]
    process.hub.users |= {name: ["course-py1-students"] for name in students}
    await process.start()
    await process.as_("ida").release("py1", "ps1")
    expected: dict[str, str] = {}

    async def hand_in(name: str) -> None:
        data, key = name.encode() * 20_000, new_key()
        while True:
            try:
                identity = await process.as_(name).submit("py1", "ps1", data, key)
            except BROKEN:
                await asyncio.sleep(0.05)
            else:
                expected[identity] = digest(data)
                return

    async def kill() -> None:
        for _ in range(4):
            await asyncio.sleep(secrets.SystemRandom().uniform(0.05, 0.4))
            await process.stop(signal.SIGKILL)
            await process.start()

    await asyncio.gather(kill(), *(hand_in(name) for name in students))
    assert len(expected) == len(students)
    await check(process, expected)


async def test_a_full_disk_is_told_and_harms_nothing(process: ServiceProcess) -> None:
    process.disk_mb = 8
    process.settings["limits"] = {"submission_max_mb": 8, "disk_reserve_mb": 0}
    await process.start()
    ida, alice = process.as_("ida"), process.as_("alice")
    await ida.release("py1", "ps1")
    kept = await alice.submit("py1", "ps1", b"kept")
    large, middle = bytes(8 * MB), bytes([2]) * (4 * MB)

    begun = (await alice.begin_submission("py1", "ps1", large)).json
    answer = await alice.send_content("py1", begun["id"], large)
    assert (answer.status, answer.error) == (507, "disk-full")
    assert "nothing was taken" in answer.json["message"]

    # the room goes while a file is on its way
    begun = (await alice.begin_submission("py1", "ps1", middle)).json
    path = target("courses", "py1", "submissions", begun["id"], "content")
    reader, writer = await alice.begin("PUT", path, len(middle))
    writer.write(middle[: MB + 1])
    await writer.drain()
    await until(lambda: list((process.state / "content/incoming").iterdir()))
    fill(process)
    writer.write(middle[MB + 1 :])
    answer = await read_answer(reader)
    writer.close()
    assert (answer.status, answer.error) == (507, "disk-full")

    # and for the database
    await until(lambda: not list((process.state / "content/incoming").iterdir()))
    fill(process)
    answer = await alice.begin_submission("py1", "ps1", b"small")
    assert (answer.status, answer.error) == (507, "disk-full")
    assert [one["id"] for one in await ida.submissions("py1")] == [kept]

    for ballast in process.state.glob("ballast*"):
        ballast.unlink()
    assert (await alice.send_content("py1", begun["id"], middle)).status == 200
    await alice.submit("py1", "ps1", b"small")
    assert len(await ida.submissions("py1")) == 3
    assert "Traceback" not in process.log


def fill(process: ServiceProcess) -> None:
    """Take all the room that there is."""
    with (process.state / f"ballast{new_key()}").open("xb", buffering=0) as ballast:
        for size in (MB, 4096, 1):
            try:
                while True:
                    ballast.write(bytes(size))
            except OSError:
                pass


async def test_large_files_pass_without_being_in_memory(process: ServiceProcess) -> None:
    size = 100 * MB
    process.settings["limits"] = {"submission_max_mb": 100, "release_max_mb": 100}
    await process.start()
    ida, alice = process.as_("ida"), process.as_("alice")
    await ida.release("py1", "ps1")
    piece = os.urandom(MB)
    whole = hashlib.sha256()
    async for part in pieces(size, piece):
        whole.update(part)
    before = process.memory_peak_mb()
    claim = {"key": new_key(), "sha256": whole.hexdigest(), "size": size, "notebooks": ["p1"]}
    begun = (await alice.post("courses", "py1", "assignments", "ps1", "submissions", json_body=claim)).json
    path = target("courses", "py1", "submissions", begun["id"], "content")
    reader, writer = await alice.begin("PUT", path, size)
    async for part in pieces(size, piece):
        writer.write(part)
        await writer.drain()
    assert (await read_answer(reader)).status == 200
    writer.close()
    sent = process.memory_peak_mb()
    reader, writer = await ida.begin("GET", path, None)
    await reader.readuntil(b"\r\n\r\n")
    received, length = hashlib.sha256(), 0
    while part := await reader.read(MB):
        received.update(part)
        length += len(part)
    writer.close()
    assert (length, received.hexdigest()) == (size, whole.hexdigest())
    peak = process.memory_peak_mb()
    print(f"memory before {before:.0f} MB, after 100 MB in {sent:.0f} MB, after 100 MB out {peak:.0f} MB")
    assert peak - before < 25


async def test_a_new_configuration_takes_effect_without_cutting_anything(process: ServiceProcess) -> None:
    await process.start()
    await process.as_("ida").release("py1", "ps1")
    alice = process.as_("alice")
    begun = (await alice.begin_submission("py1", "ps1", DATA)).json
    reader, writer = await alice.begin(
        "PUT", target("courses", "py1", "submissions", begun["id"], "content"), len(DATA)
    )
    writer.write(DATA[:100_000])
    await writer.drain()

    async def courses(name: str) -> list[str]:
        return [one["slug"] for one in (await process.as_(name).get("courses")).json["courses"]]

    assert await courses("eve") == []
    process.settings["courses"] = [*RECORDS, {"slug": "new", "title": "New", "open": True}]
    process.write_config()
    process.send_signal(signal.SIGHUP)
    await until(lambda: "Read the configuration again: 3 courses" in process.log)
    assert await courses("eve") == ["new"]

    process.config.write_text("{")
    process.send_signal(signal.SIGHUP)
    await until(lambda: "goes on with the one it has" in process.log)
    assert "config.json is not JSON" in process.log
    assert await courses("eve") == ["new"]
    writer.write(DATA[100_000:])
    assert (await read_answer(reader)).status == 200
    writer.close()


async def test_a_wrong_configuration_ends_it_with_a_sentence(process: ServiceProcess) -> None:
    process.settings["port"] = "x"
    for arguments in ([], ["--check"]):
        process.launch(*arguments)
        assert await process.ended() == 78
    assert process.log.count("CRITICAL") == 2
    assert "config.json: port: must be a number" in process.log
    assert "Traceback" not in process.log


async def test_a_database_of_a_newer_version_is_left_alone(process: ServiceProcess) -> None:
    with sqlite3.connect(process.state / "courses.sqlite") as database:
        database.execute("PRAGMA user_version = 999")
    process.launch()
    assert await process.ended() == 78
    assert "install the newer release again" in process.log
    assert "Traceback" not in process.log


async def test_it_checks_a_configuration_without_starting(process: ServiceProcess) -> None:
    process.launch("--check")
    assert await process.ended() == 0
    assert not (process.state / "courses.sqlite").exists()


async def test_it_ends_on_request_and_its_log_holds_no_token(process: ServiceProcess) -> None:
    await process.start()
    await process.as_("ida").release("py1", "ps1")
    await process.as_("alice").submit("py1", "ps1", b"x")
    assert (await process.as_("nobody").get("courses")).status == 401
    assert await process.stop() == 0
    assert "201 'alice' POST" in process.log
    assert "token-of" not in process.log
    assert "own-token" not in process.log
    assert "Traceback" not in process.log


async def test_a_copy_that_is_made_while_it_runs_is_whole(process: ServiceProcess) -> None:
    """As the README says: the database first, then the files."""
    await process.start()
    await process.as_("ida").release("py1", "ps1")
    kept = {await process.as_("alice").submit("py1", "ps1", data): digest(data) for data in (b"one", DATA)}
    saved = process.directory / "saved"
    saved.mkdir()
    with (
        sqlite3.connect(process.state / "courses.sqlite") as running,
        sqlite3.connect(saved / "courses.sqlite") as copy,
    ):
        running.backup(copy)
    await process.as_("alice").submit("py1", "ps1", b"after the copy")
    shutil.copytree(process.state / "content", saved / "content")
    await process.stop()
    process.settings["state_dir"] = str(saved)
    await process.start()
    listed = await process.as_("ida").submissions("py1")
    assert {one["id"]: one["sha256"] for one in listed} == kept
    for identity, sha256 in kept.items():
        answer = await process.as_("ida").get("courses", "py1", "submissions", identity, "content")
        assert digest(answer.body) == sha256
