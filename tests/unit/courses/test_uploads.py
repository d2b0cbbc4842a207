# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Files on their way in: what is cut off, damaged or sent twice."""

import asyncio

import pytest

from tests.unit.courses.client import Client, digest, new_key, read_answer, target
from tests.unit.courses.site import Site
from tests.unit.hub.hub_process import until

MB = 2**20
DATA = bytes(range(256)) * 2048


@pytest.fixture
async def released(site: Site) -> Site:
    await site.as_("ida").release("py1", "ps1", b"tar")
    return site


async def cut(client: Client, path: str, data: bytes, after: int, **headers: str) -> None:
    """Send a part of a file, and be gone."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    _, writer = await client.begin("PUT", path, len(data), sent)
    writer.write(data[:after])
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.transport.abort()


@pytest.mark.parametrize("after", [0, 1, 65536, len(DATA) // 2, len(DATA) - 1])
async def test_a_cut_connection_leaves_nothing_and_the_same_key_goes_on(released: Site, after: int) -> None:
    alice, key = released.as_("alice"), new_key()
    begun = (await alice.begin_submission("py1", "ps1", DATA, key)).json
    for _ in range(3):
        await cut(alice, target("courses", "py1", "submissions", begun["id"], "content"), DATA, after)
    await until(lambda: not released.incoming)
    assert await released.as_("ida").submissions("py1") == []
    assert released.files == {digest(b"tar")}
    released.set_time("2026-11-27T00:00:00+00:00")
    assert await alice.submit("py1", "ps1", DATA, key) == begun["id"]
    assert [(one["id"], one["time"]) for one in await released.as_("ida").submissions("py1")] == [
        (begun["id"], begun["time"])
    ]


async def test_a_cut_release_changes_nothing(released: Site) -> None:
    ida, path = released.as_("ida"), target("courses", "py1", "assignments", "ps1", "release")
    await cut(ida, path, DATA, len(DATA) - 1, Hpcampus_SHA256=digest(DATA), Hpcampus_Notebooks="p1")
    await until(lambda: not released.incoming)
    assert (await released.as_("alice").call("GET", path)).body == b"tar"


async def test_what_was_damaged_is_not_taken(released: Site) -> None:
    alice, ida = released.as_("alice"), released.as_("ida")
    begun = (await alice.begin_submission("py1", "ps1", b"right")).json
    answer = await alice.send_content("py1", begun["id"], b"wrong")
    assert (answer.status, answer.error) == (422, "wrong-digest")
    answer = await ida.put(
        "courses", "py1", "assignments", "ps1", "release", body=b"wrong", Hpcampus_SHA256=digest(b"right")
    )
    assert (answer.status, answer.error) == (422, "wrong-digest")
    assert await ida.submissions("py1") == []
    assert released.files == {digest(b"tar")}
    assert released.incoming == []
    assert (await alice.send_content("py1", begun["id"], b"right")).status == 200


async def test_what_has_another_length_than_announced_is_not_taken(released: Site) -> None:
    alice = released.as_("alice")
    begun = (await alice.begin_submission("py1", "ps1", b"right")).json
    for data in (b"", b"righ", b"right!", bytes(MB)):
        answer = await alice.send_content("py1", begun["id"], data)
        assert (answer.status, answer.error) == (400, "wrong-size")
    assert released.incoming == []


async def test_a_file_without_a_length_is_not_taken(released: Site) -> None:
    alice = released.as_("alice")
    begun = (await alice.begin_submission("py1", "ps1", b"right")).json
    path = target("courses", "py1", "submissions", begun["id"], "content")
    reader, writer = await alice.begin("PUT", path, None, {"Transfer-Encoding": "chunked"})
    writer.write(b"5\r\nright\r\n0\r\n\r\n")
    assert (await read_answer(reader)).error == "no-length"
    writer.close()
    for length in ("5x", "-5"):
        reader, writer = await alice.begin("PUT", path, None, {"Content-Length": length})
        writer.write(b"right")
        assert (await read_answer(reader)).status == 400
        writer.close()


async def test_a_refused_file_is_read_to_its_end_so_that_the_answer_arrives(released: Site) -> None:
    answer = await released.as_("ida").release("py1", "ps1", bytes(20 * MB))
    assert (answer.status, answer.error) == (413, "too-large")
    answer = await released.as_("alice").release("py1", "ps1", bytes(20 * MB))
    assert (answer.status, answer.error) == (403, "not-allowed")
    assert released.incoming == []


async def test_json_that_is_too_large_is_refused_and_not_kept_in_memory(released: Site) -> None:
    ida, path = released.as_("ida"), target("courses", "py1", "audit")
    assert (await ida.call("POST", path, body=bytes(17 * MB))).error == "too-large"
    reader, writer = await ida.begin("POST", path, None, {"Transfer-Encoding": "chunked"})
    for _ in range(17):
        writer.write(b"100000\r\n" + bytes(MB) + b"\r\n")
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    assert (await read_answer(reader)).error == "too-large"
    writer.close()


async def test_a_body_of_somebody_unknown_is_not_read(site: Site) -> None:
    """More than a form's length ends the connection."""
    _, writer = await Client(site.port).begin("PUT", target("courses", "py1", "audit"), 64 * MB)
    writer.write(bytes(64 * MB))
    with pytest.raises(ConnectionError):
        await writer.drain()


async def test_two_clients_with_the_same_key_make_one_submission(released: Site) -> None:
    alice, key = released.as_("alice"), new_key()
    begun = await asyncio.gather(*(alice.begin_submission("py1", "ps1", DATA, key) for _ in range(10)))
    assert sorted(answer.status for answer in begun) == [200] * 9 + [201]
    assert len({answer.body for answer in begun}) == 1
    identity = begun[0].json["id"]
    sent = await asyncio.gather(*(alice.send_content("py1", identity, DATA) for _ in range(10)))
    assert {answer.status for answer in sent} == {200}
    assert [one["id"] for one in await alice.submissions("py1")] == [identity]
    assert released.files == {digest(b"tar"), digest(DATA)}
    assert released.incoming == []


async def test_a_slow_upload_holds_nobody_up(released: Site) -> None:
    alice = released.as_("alice")
    begun = (await alice.begin_submission("py1", "ps1", DATA)).json
    reader, writer = await alice.begin(
        "PUT", target("courses", "py1", "submissions", begun["id"], "content"), len(DATA)
    )
    writer.write(DATA[:1000])
    await writer.drain()
    await released.as_("bob").submit("py1", "ps1", DATA)
    assert [one["student"] for one in await released.as_("ida").submissions("py1")] == ["bob"]
    writer.write(DATA[1000:])
    assert (await read_answer(reader)).status == 200
    writer.close()


async def test_what_stays_free_on_the_disk_is_not_used(released: Site) -> None:
    alice = released.as_("alice")
    begun = (await alice.begin_submission("py1", "ps1", DATA)).json
    released.store.content.reserve_bytes = 2**60
    answer = await alice.send_content("py1", begun["id"], DATA)
    assert (answer.status, answer.error) == (507, "disk-full")
    assert "tell the administrator" in answer.json["message"]
    released.store.content.reserve_bytes = 0
    assert (await alice.send_content("py1", begun["id"], DATA)).status == 200


async def test_a_download_that_is_cut_holds_nobody_up(released: Site) -> None:
    ida = released.as_("ida")
    await ida.release("py1", "big", bytes(2 * MB))
    path = target("courses", "py1", "assignments", "big", "release")
    for _ in range(5):
        reader, writer = await ida.begin("GET", path, None)
        await reader.readexactly(100)
        writer.transport.abort()
    assert len((await ida.call("GET", path)).body) == 2 * MB
