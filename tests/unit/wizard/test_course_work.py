# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The work of a course comes from the hub as a whole, checked and for one's own eyes, or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import pwd
import shutil
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hpcampus import cli
from hpcampus.apply import Installer
from hpcampus.course_work import keep
from hpcampus.errors import UsageProblemError
from hpcampus.runner import Outcome, Request, Result, run_playbook
from hpcampus_courses.archive import archive_of
from hpcampus_courses.store import Store
from tests.unit.wizard.conftest import ROOT

if TYPE_CHECKING:
    from hpcampus.places import Site

NOW = datetime(2027, 3, 1, tzinfo=UTC)
RELEASED = b"what students get"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The directory of a course service that has one assignment of one course."""
    directory = tmp_path / "state"
    directory.mkdir()

    async def release() -> None:
        store = Store(directory)
        with store.content.receive(len(RELEASED)) as incoming:
            await incoming.add(RELEASED)
            digest = await incoming.finish()
            await incoming.keep()
        await store.releases.release("physics101", "ps1", digest, len(RELEASED), ["p1"], NOW, "ida")
        store.close()

    asyncio.run(release())
    return directory


class Brought:
    """Stands where Ansible would be started: lays an archive where the playbook would."""

    def __init__(self, state: Path) -> None:
        record = {"slug": "physics101", "title": "Physics 101"}
        self.data = b"".join(archive_of(state, "physics101", record, NOW, postgresql=True).pieces())
        self.outcome = Outcome.SUCCESSFUL
        self.request: Request | None = None

    def __call__(self, request: Request, _on_event: Any, _on_tick: Any) -> Result:
        self.request = request
        Path(str(request.variables["course_archive"])).write_bytes(self.data)
        return Result(self.outcome, 1.0, Path("/nowhere"))


@pytest.fixture
def brought(state: Path, monkeypatch: pytest.MonkeyPatch) -> Brought:
    found, make = Brought(state), Installer
    monkeypatch.setattr("hpcampus.apply.Installer", lambda site, root, view: make(site, root, view, found))
    return found


def export(site: Site, target: Path, *more: str, slug: str = "physics101") -> int:
    return cli.run(["course", "export", slug, "--work", str(target), "-i", str(site.inventory), "--plain", *more])


def test_the_work_comes_whole_and_for_ones_own_eyes(
    local_site: Site, brought: Brought, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "mine"
    place.mkdir()
    old = os.umask(0)
    try:
        assert export(local_site, place / "work.tar") == 0
    finally:
        os.umask(old)
    assert (place / "work.tar").read_bytes() == brought.data
    assert (place / "work.tar").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in place.iterdir()] == ["work.tar"]
    shown = capsys.readouterr().out
    assert "archive of 'Physics 101', whole" in shown
    assert "submissions: 0, by students: 0; releases: 1;" in shown
    assert "database hpcampus_course_physics101 of the hub's PostgreSQL" in shown
    assert brought.request is not None
    assert brought.request.playbook == "hpcampus.platform.course_archive"
    assert brought.request.variables["course_slug"] == "physics101"


def test_json_stands_alone(
    local_site: Site, brought: Brought, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del brought
    assert export(local_site, tmp_path / "work.tar", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["slug"], told["path"]) == ("physics101", str(tmp_path / "work.tar"))
    assert "assignments/ps1/release.tar" in [one["path"] for one in told["files"]]


@pytest.mark.parametrize(
    ("change", "outcome", "slug", "code", "says"),
    [
        (
            lambda data: data.replace(RELEASED, RELEASED[::-1]),
            Outcome.SUCCESSFUL,
            "physics101",
            8,
            "changed or damaged",
        ),
        (lambda data: data[:2000], Outcome.SUCCESSFUL, "physics101", 8, "no tar, or only the beginning"),
        (lambda data: data, Outcome.SUCCESSFUL, "other", 8, "It is of the course physics101"),
        (lambda data: data, Outcome.FAILED, "physics101", 1, "nothing was written"),
        (lambda data: data, Outcome.STOPPED, "physics101", 130, ""),
    ],
)
def test_what_did_not_come_whole_leaves_nothing(
    local_site: Site, brought: Brought, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Any, outcome: Outcome,
    slug: str, code: int, says: str,
) -> None:  # fmt: skip
    place = tmp_path / "mine"
    place.mkdir()
    brought.data, brought.outcome = change(brought.data), outcome
    assert export(local_site, place / "work.tar", slug=slug) == code
    assert says in " ".join(capsys.readouterr().err.split())
    assert list(place.iterdir()) == []


def test_nothing_is_replaced(
    local_site: Site, brought: Brought, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "work.tar"
    target.write_text("of last year")
    assert export(local_site, target) == 2
    assert "is there already" in capsys.readouterr().err
    assert target.read_text() == "of last year"
    assert brought.request is None, "the hub was not asked"
    late = tmp_path / "late"
    late.write_text("new")
    with pytest.raises(UsageProblemError):
        keep(late, target)
    assert target.read_text() == "of last year"
    assert export(local_site, tmp_path / "nowhere" / "work.tar") == 2


def test_an_archive_is_checked_later(brought: Brought, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "work.tar"
    file.write_bytes(brought.data)
    assert cli.run(["course", "check-archive", str(file)]) == 0
    assert "whole" in capsys.readouterr().out
    for name in (b'"counts"', b'"gradebook"'):
        file.write_bytes(brought.data.replace(name, name.upper()))
        assert cli.run(["course", "check-archive", str(file)]) == 0, "what somebody wrote beside the files is no matter"
        assert "?" in capsys.readouterr().out
    file.write_bytes(brought.data.replace(b'"version": 1', b'"version": 2'))
    assert cli.run(["course", "check-archive", str(file)]) == 8
    assert "releases.json is not what the manifest says" in " ".join(capsys.readouterr().err.split())
    assert cli.run(["course", "check-archive", str(tmp_path / "nothing.tar")]) == 2


# --- the playbook itself


@pytest.fixture
def hub(local_site: Site, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This machine as the hub, with the service's own program; gives its configuration."""
    python = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "ansible_become": False}
    local_site.hosts_file.write_text(json.dumps({"hub": {"hosts": {"here": python}}}))
    library = tmp_path / "library"
    library.mkdir()
    for source in ("roles/courses/files/hub/hpcampus_courses", "roles/jupyterhub/files/hub/hpcampus_hub"):
        (library / Path(source).name).symlink_to(ROOT / source)
    config = tmp_path / "config.json"
    record = {"slug": "physics101", "title": "Physics 101", "instructors": ["ida"]}
    config.write_text(
        json.dumps(
            {
                "hub_api_url": "http://127.0.0.1:1",
                "public_url": "http://h",
                "state_dir": str(state),
                "courses": [record],
            }
        )
    )
    program = {
        "account": pwd.getpwuid(os.geteuid()).pw_name,
        "python": sys.executable,
        "library": str(library),
        "config": str(config),
    }

    def real(request: Request, on_event: Any, on_tick: Any) -> Result:
        changed = replace(
            request,
            playbook=str(ROOT / "playbooks/course_archive.yml"),
            collections=ROOT / ".cache/collections",
            variables={**request.variables, "__courses_program": program},
        )
        return run_playbook(changed, on_event, on_tick)

    make = Installer
    monkeypatch.setattr("hpcampus.apply.Installer", lambda site, root, view: make(site, root, view, real))
    return config


def rooms() -> set[str]:
    return {path.name for path in Path("/var/tmp").glob("hpcampus-archive.*")}


@pytest.mark.processes
def test_the_playbook_brings_what_the_service_has(hub: Path, local_site: Site, tmp_path: Path, capsys: Any) -> None:
    before = rooms()
    assert export(local_site, tmp_path / "work.tar", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    (release,) = [one for one in told["files"] if one["path"] == "assignments/ps1/release.tar"]
    assert release["sha256"] == hashlib.sha256(RELEASED).hexdigest()
    assert told["course"]["title"] == "Physics 101"
    assert export(local_site, tmp_path / "none.tar", slug="nothing") == 1
    shown = capsys.readouterr()
    assert "There is no course 'nothing'" in shown.out
    assert not (tmp_path / "none.tar").exists()
    shutil.rmtree(hub.parent / "library")
    assert export(local_site, tmp_path / "none.tar") == 1
    assert "run the step courses" in capsys.readouterr().out
    assert rooms() == before, "nothing of it stays on the hub"
