# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The archive of a course has all of it and nothing else, is of one moment, and shows when something of it was changed."""

import asyncio
import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hpcampus_courses.archive.check import ArchiveError, check
from hpcampus_courses.archive.plan import UnknownCourseError, archive_of
from hpcampus_courses.store.database import DatabaseError, Snapshot
from tests.unit.courses.client import Client, digest, new_key
from tests.unit.courses.nursery import LIBRARIES
from tests.unit.courses.service_process import ServiceProcess
from tests.unit.courses.site import Site, configuration
from tests.unit.courses.tars import files_of, tar_of

WHERE = ("courses", "py1", "archive")
BIG = 3 * 2**20 + 17


async def taught(site: Site) -> dict[str, str]:
    """A course with two assignments, three submissions, feedback that was replaced, points, a run and a line item."""
    ida, alice, zoe = site.as_("ida"), site.as_("alice"), site.as_("Zoë Müller")
    await ida.release("py1", "ps1", b"first version")
    await ida.release("py1", "ps1", b"second version")
    await ida.release("py1", "Übung 1", b"other")
    await ida.delete("courses", "py1", "assignments", "Übung 1", "release")
    needed = {"version": 2, "python": "3.11.2", "packages": {"numpy": "2.3.1"}, "missing": []}
    await ida.put("courses", "py1", "assignments", "ps1", "requirements", json_body=needed)
    made = {"one": await alice.submit("py1", "ps1", b"alice 1")}
    site.set_time("2026-11-26T10:00:00.000007+00:00")
    made["two"] = await alice.submit("py1", "ps1", b"alice 2")
    made["same time"] = await alice.submit("py1", "ps1", b"alice 3")
    made["zoe"] = await zoe.submit("py1", "ps1", b"zoe")
    await alice.begin_submission("py1", "ps1", b"never sent")
    for text in (b"feedback 1", b"feedback 2"):
        where = ("courses", "py1", "submissions", made["two"], "feedback")
        await ida.put(*where, body=text, Hpcampus_SHA256=digest(text))
    scores = [
        {"student": "alice", "score": 7, "max_score": 10, "flags": ["look"]},
        {"student": "=1+1", "score": 1, "max_score": 10},
    ]
    await ida.put("courses", "py1", "grades", "ps1", json_body={"max_score": 10, "scores": scores})
    await ida.post("courses", "py1", "grades", "ps1", "release")
    item = {"line_item_url": "https://lms.example.org/1", "max_score": 10}
    await ida.put("courses", "py1", "line-items", "ps1", json_body=item)
    await ida.put("courses", "py1", "runs", new_key(), json_body={"assignment": "ps1", "total": 3, "state": "done"})
    # Nothing of this belongs to it.
    await site.as_("otto").release("bio2", "secret", b"biology")
    await site.as_("carol").submit("bio2", "secret", b"carol")
    return made


async def fetched(client: Client, directory: Path) -> tuple[Path, dict[str, Any], dict[str, bytes]]:
    answer = await client.get(*WHERE)
    assert answer.status == 200, answer
    place = directory / "archive.tar"
    place.write_bytes(answer.body)
    return place, check(place), files_of(answer.body)


async def test_all_of_a_course_is_in_it_and_nothing_else(site: Site, tmp_path: Path) -> None:
    made = await taught(site)
    _, manifest, files = await fetched(site.as_("ida"), tmp_path)
    assert next(iter(files)) == "manifest.json"
    stamp, later = "20261126T100000.000000Z", "20261126T100000.000007Z"
    assert {name: content for name, content in files.items() if "/" in name} == {
        "assignments/ps1/release.tar": b"second version",
        "assignments/ps1/release-1.tar": b"first version",
        "assignments/Übung 1/release.tar": b"other",
        f"submissions/ps1/alice/{stamp}.tar": b"alice 1",
        f"submissions/ps1/alice/{later}.tar": b"alice 2",
        f"submissions/ps1/alice/{later}-2.tar": b"alice 3",
        next(name for name in files if "/zo" in name): b"zoe",
        f"feedback/ps1/alice/{later}/{later}.tar": b"feedback 1",
        f"feedback/ps1/alice/{later}/{later}-2.tar": b"feedback 2",
    }
    assert manifest["counts"] == {"releases": 3, "submissions": 4, "students": 2, "feedback": 2}
    assert (manifest["slug"], manifest["course"]["title"], manifest["missing"]) == ("py1", "Python 1", [])
    assert manifest["made"] == "2026-11-26T10:00:00.000007+00:00"
    assert "courses/py1/course/gradebook.db" in manifest["gradebook"]["where"]

    submissions = json.loads(files["submissions.json"])["submissions"]
    assert [one["id"] for one in submissions] == [made[name] for name in ("one", "two", "same time", "zoe")]
    assert submissions[-1]["name"] == "Zoë Müller"
    assert all(files[one["path"]] for one in submissions)
    releases = json.loads(files["releases.json"])["releases"]
    assert [(one["assignment"], one["version"], one["current"]) for one in releases] == [
        ("ps1", 2, True), ("ps1", 1, False), ("Übung 1", 1, False),
    ]  # fmt: skip
    assert [one["requirements"] and one["requirements"]["packages"] for one in releases] == [
        {"numpy": "2.3.1"},
        None,
        None,
    ]
    grades = json.loads(files["grades.json"])["grades"]
    assert [(one["student"], one["released"], one["flags"]) for one in grades] == [
        ("=1+1", False, []), ("=1+1", True, []), ("alice", False, ["look"]), ("alice", True, ["look"]),
    ]  # fmt: skip
    assert files["grades.csv"].decode() == (await site.as_("ida").get("courses", "py1", "grades.csv")).body.decode()
    assert json.loads(files["line-items.json"])["line-items"][0]["line_item_url"] == "https://lms.example.org/1"
    assert json.loads(files["runs.json"])["runs"][0]["total"] == 3
    audit = list(csv.DictReader(io.StringIO(files["audit.csv"].decode())))
    assert [line["action"] for line in audit][:3] == ["release", "release", "release"]
    assert b"carol" not in b"".join(files.values())
    assert site.store.audit.listed("py1")[0].action == "archive"
    assert site.incoming == []


async def test_the_manifest_says_in_which_database_the_gradebook_is(site: Site, tmp_path: Path) -> None:
    site.configure(gradebook={"socket": "/run/postgresql/.s.PGSQL.5432"})
    _, manifest, _ = await fetched(site.as_("ida"), tmp_path)
    assert manifest["gradebook"] == {
        "kind": "postgresql", "where": "database hpcampus_course_py1 of the hub's PostgreSQL",
    }  # fmt: skip
    assert manifest["counts"]["submissions"] == 0


async def test_it_is_of_one_moment_while_students_go_on(site: Site) -> None:
    """What is handed in between its first and its last byte is not in it, also not in a table."""
    await taught(site)
    archive = await asyncio.to_thread(archive_of, site.state, "py1", {}, site.time, postgresql=False)
    before = archive.size
    await site.as_("bob").submit("py1", "ps1", b"too late for it")
    await site.as_("ida").delete("courses", "py1", "assignments", "ps1", "release")
    data = b"".join(archive.pieces())
    assert len(data) == archive.size == before
    assert b"too late for it" not in data
    assert json.loads(files_of(data)["releases.json"])["releases"][0]["current"]


async def test_a_snapshot_does_not_see_what_comes_later_and_changes_nothing(site: Site) -> None:
    with Snapshot(site.state / "courses.sqlite") as snapshot:
        await site.as_("ida").release("py1", "ps1")
        assert list(snapshot.rows("SELECT * FROM releases")) == []
        with pytest.raises(Exception, match="readonly"):
            snapshot.rows("DELETE FROM releases")
    with Snapshot(site.state / "courses.sqlite") as snapshot:
        assert len(list(snapshot.rows("SELECT * FROM releases"))) == 1
    with pytest.raises(DatabaseError, match="cannot be opened"):
        Snapshot(site.state / "nothing.sqlite")


async def test_what_the_disk_has_lost_is_named_and_the_rest_is_there(site: Site, tmp_path: Path) -> None:
    await taught(site)
    site.store.content.path(digest(b"alice 1")).unlink()
    os.truncate(site.store.content.path(digest(b"alice 2")), 3)
    _, manifest, files = await fetched(site.as_("ida"), tmp_path)
    lost = [f"submissions/ps1/alice/20261126T100000.00000{number}Z.tar" for number in (0, 7)]
    assert manifest["missing"] == lost
    assert not set(lost) & set(files)


async def test_a_file_that_is_lost_in_between_breaks_the_answer_off(site: Site) -> None:
    ida = site.as_("ida")
    await ida.release("py1", "ps1", bytes(BIG // 2))
    archive = archive_of(site.state, "py1", {}, site.time, postgresql=False)
    os.truncate(site.store.content.path(digest(bytes(BIG // 2))), 5)
    with pytest.raises(Exception, match="has not the"):
        b"".join(archive.pieces())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda data: data.replace(b"alice 2", b"alice 9"),
            "alice/20261126T100000.000007Z.tar is not what the manifest says",
        ),
        (lambda data: data[: data.index(b"alice 2")], "beginning of one|in the middle"),
        (
            lambda data: data[: data.index(b"submissions/ps1/alice/", data.index(b"second version"))],
            "missing|beginning",
        ),
        (lambda data: data[:-1024] + tar_of(more="x"), "more is not in its manifest"),
        (lambda _: tar_of(other="x"), "does not begin with manifest.json"),
        (lambda _: tar_of(**{"manifest.json": "[]"}), "not that of a course"),
        (lambda _: tar_of(**{"manifest.json": '{"format": 2}'}), "format is 2"),
        (lambda _: tar_of(**{"manifest.json": "{"}), "not JSON"),
        (lambda _: b"no tar", "no tar"),
        (lambda _: b"", "no tar|begin"),
    ],
)
async def test_what_is_not_as_it_was_is_found(site: Site, tmp_path: Path, change: Any, says: str) -> None:
    await taught(site)
    place, _, _ = await fetched(site.as_("ida"), tmp_path)
    data = place.read_bytes()
    changed = change(data)
    assert changed != data
    place.write_bytes(changed)
    with pytest.raises(ArchiveError, match=says):
        check(place)


async def test_the_program_on_the_hub_gives_the_same_while_the_service_runs(site: Site, tmp_path: Path) -> None:
    await taught(site)
    config = tmp_path / "config.json"
    config.write_text(json.dumps(configuration(tmp_path, site.hub)))

    def run(slug: str) -> subprocess.CompletedProcess[bytes]:
        program = [sys.executable, "-m", "hpcampus_courses.archive.program", "--config", str(config), slug]
        return subprocess.run(program, capture_output=True, check=False, env={**os.environ, "PYTHONPATH": LIBRARIES})

    done = await asyncio.to_thread(run, "py1")
    assert (done.returncode, done.stderr) == (0, b"")
    place = tmp_path / "fetched.tar"
    place.write_bytes(done.stdout)
    mine = {one["path"]: one["sha256"] for one in check(place)["files"]}
    _, manifest, _ = await fetched(site.as_("ida"), tmp_path)
    assert mine == {one["path"]: one["sha256"] for one in manifest["files"]}

    config.write_text(json.dumps(configuration(tmp_path, site.hub, courses=[])))
    left = await asyncio.to_thread(run, "py1")
    place.write_bytes(left.stdout)
    assert (check(place)["course"], check(place)["counts"]["submissions"]) == (None, 4), "a course that left the hub"
    unknown = await asyncio.to_thread(run, "nothing")
    assert (unknown.returncode, unknown.stdout) == (1, b"")
    assert b"no course 'nothing'" in unknown.stderr
    with pytest.raises(UnknownCourseError):
        archive_of(site.state, "nothing", None, site.time, postgresql=False)


async def test_a_large_course_needs_little_memory(process: ServiceProcess) -> None:
    process.settings["limits"] = {"release_max_mb": 200, "disk_reserve_mb": 0}
    await process.start()
    ida = process.as_("ida")
    for number in range(4):
        assert (await ida.release("py1", f"ps{number}", bytes([number]) * (40 * 2**20))).status == 200
    before = process.memory_peak_mb()
    reader, writer = await ida.begin("GET", "/services/courses/api/v1/courses/py1/archive", None)
    received = 0
    while piece := await reader.read(2**20):
        received += len(piece)
    writer.close()
    assert received > 160 * 2**20
    assert process.memory_peak_mb() - before < 40
