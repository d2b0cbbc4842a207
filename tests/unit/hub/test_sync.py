# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Exercise sync, from a git server over the hub to homes: git, ssh and the gateway are the real ones."""

import argparse
import json
import os
import pwd
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hpcampus_hub.names import slug_of
from hpcampus_hub.sync import command, delivery, plan, state
from hpcampus_hub.sync import record as sync_record
from hpcampus_hub.sync.command import CommandError, run, tell
from hpcampus_hub.sync.record import RecordError, Repository, read_material
from hpcampus_hub.sync.repository import Limits, Pack, Repositories, RepositoryError
from hpcampus_hub.sync.run import Outcome
from plugins.module_utils.site_problems import course_material
from tests.unit.hub.gateway_node import GatewayNode
from tests.unit.hub.git_server import GitServer, Work, git
from tests.unit.hub.sites import cluster, course, profile, settings, site
from tests.unit.hub.test_accounts_command import CONFIG

pytestmark = pytest.mark.processes
PAST, FUTURE = "2026-01-05T06:00:00+01:00", "2100-01-01T00:00:00Z"
FILES = {
    "week1/task.ipynb": b"task one",
    "week1/data/a.csv": b"1,2\n",
    "week2/task.ipynb": b"task two",
    "run.sh": b"#!\n",
}
DAY = timedelta(days=1)


@pytest.fixture
def git_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitServer]:
    server = GitServer(tmp_path / "git")
    monkeypatch.setenv("GIT_SSL_CAINFO", str(server.ca_file))
    yield server
    server.close()


@pytest.fixture
def work(git_server: GitServer) -> Work:
    made = git_server.make()
    made.publish(FILES)
    return made


@pytest_asyncio.fixture
async def node(tmp_path: Path) -> AsyncIterator[GatewayNode]:
    made = GatewayNode(tmp_path / "node")
    await made.start()
    yield made
    await made.stop()


class Hub:
    """A hub with one course, whose record is a knob of the test."""

    def __init__(self, directory: Path, node: GatewayNode, url: str) -> None:
        directory.mkdir()
        self.directory = directory
        self.states = directory / "states"
        self.states.mkdir()
        self.record: dict[str, Any] = {
            **course(students=["alice", "bob"], instructors=["ida"]),
            "repository": {"url": url, "branch": "", "path": ""},
            "sync": [{"at": PAST, "path": "week1"}],
        }
        self.clusters = [node.cluster()]
        self.profiles = [profile()]

    async def run(self, slug: str = "", **flags: bool) -> list[Outcome]:
        """What ``hpcampus-course-sync`` does, without the change of account."""
        (self.directory / "courses.json").write_text(json.dumps([self.record]))
        known = site(clusters=self.clusters, profiles=self.profiles, courses=[self.record])
        arguments = argparse.Namespace(course=slug, now=False, dry_run=False, json=False)
        vars(arguments).update(flags)
        return await run(arguments, known, self.directory / "courses.json", self.states)

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.states / "py1.json").read_text())
        return found

    def order(self, index: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = self.state()["orders"][index]
        return found

    def people(self, index: int = 0) -> dict[str, dict[str, Any]]:
        return {person["name"]: person for person in self.order(index)["people"]}

    def due_again(self) -> None:
        """Let the time come at which what failed is tried again."""
        text = json.dumps(self.state())
        found = json.loads(text)
        for order in found["orders"]:
            for entry in [order, *order["people"]]:
                entry["retry"] = entry["retry"] and PAST
        (self.states / "py1.json").write_text(json.dumps(found))


@pytest.fixture
def hub(tmp_path: Path, node: GatewayNode, git_server: GitServer, work: Work) -> Hub:
    del work
    return Hub(tmp_path / "hub", node, git_server.url("exercises"))


def found(home: Path) -> dict[str, bytes]:
    return {str(path.relative_to(home)): path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file()}


def said(outcome: Outcome) -> str:
    lines: list[str] = []
    tell(outcome, lines.append)
    return "\n".join(lines)


# --- what is due comes, once ---


async def test_what_is_due_comes_to_the_homes_of_all_members(hub: Hub, node: GatewayNode, work: Work) -> None:
    node.make_homes("alice", "ida", "mallory", "course-py1")
    (outcome,) = await hub.run()
    week1 = {"py1/week1/task.ipynb": b"task one", "py1/week1/data/a.csv": b"1,2\n"}
    assert found(node.home("alice")) == found(node.home("ida")) == week1
    assert found(node.home("mallory")) == found(node.home("course-py1")) == {}
    order = hub.order()
    assert (order["at"], order["path"], order["state"]) == ("2026-01-05T05:00:00+00:00", "week1", "done")
    assert order["commit"] == git(work.directory, "rev-parse", "HEAD").strip()
    assert (order["files"], order["bytes"], order["missing"]) == (2, 12, ["bob"])
    assert {name: (person["new"], person["cluster"]) for name, person in hub.people().items()} == {
        "alice": (2, "lab"),
        "ida": (2, "lab"),
    }
    assert "2 files (0.0 MB)" in said(outcome)
    assert "no home yet: bob" in said(outcome)


async def test_a_second_run_brings_and_writes_nothing(hub: Hub, node: GatewayNode, git_server: GitServer) -> None:
    node.make_homes("alice", "bob", "ida")
    await hub.run()
    before, asked = (hub.states / "py1.json").stat().st_mtime_ns, git_server.asked
    node.words.clear()
    assert await hub.run() == []
    assert (hub.states / "py1.json").stat().st_mtime_ns == before
    assert (git_server.asked, node.words) == (asked, ["homes"])


async def test_who_comes_later_gets_the_files_then(hub: Hub, node: GatewayNode) -> None:
    node.make_homes("alice", "ida")
    await hub.run()
    node.make_homes("bob")
    hub.record["students"].append("Grace H.")
    node.make_homes(slug_of("Grace H."))
    node.words.clear()
    await hub.run()
    assert node.words == ["homes", "tree"]
    assert found(node.home("bob")) == found(node.home("alice"))
    assert hub.people()["Grace H."]["new"] == 2
    assert hub.order()["missing"] == []
    assert hub.people()["alice"]["new"] == 2


async def test_before_its_time_nothing_comes(hub: Hub, node: GatewayNode, git_server: GitServer) -> None:
    node.make_homes("alice")
    hub.record["sync"] = [{"at": FUTURE, "path": "week1"}]
    assert await hub.run() == []
    assert (git_server.asked, node.words, found(node.home("alice"))) == (0, [], {})
    assert hub.order()["state"] == "waiting"


async def test_several_times_of_a_course_are_kept_apart(hub: Hub, node: GatewayNode) -> None:
    node.make_homes("alice")
    hub.record["sync"] = [{"at": FUTURE, "path": ""}, {"at": "2026-01-12T06:00:00+01:00", "path": "week2"}]
    hub.record["sync"].append({"at": PAST, "path": "week1/task.ipynb"})
    await hub.run()
    assert found(node.home("alice")) == {
        "py1/week1/task.ipynb": b"task one",
        "py1/week2/task.ipynb": b"task two",
    }
    assert [(order["path"], order["state"]) for order in hub.state()["orders"]] == [
        ("week1/task.ipynb", "done"),
        ("week2", "done"),
        ("", "waiting"),
    ]


async def test_after_the_course_nothing_comes_by_itself(hub: Hub, node: GatewayNode) -> None:
    node.make_homes("alice")
    hub.record["end"] = "2026-02-01"
    assert await hub.run() == []
    assert found(node.home("alice")) == {}
    await hub.run("py1", now=True)
    assert len(found(node.home("alice"))) == 2


async def test_an_open_course_is_for_everybody_with_a_home(hub: Hub, node: GatewayNode) -> None:
    hub.record.update(open=True, students=[])
    node.make_homes("alice", "anybody", "course-py1")
    await hub.run()
    assert sorted(hub.people()) == ["alice", "anybody"]
    assert hub.order()["missing"] == []
    assert found(node.home("course-py1")) == {}


async def test_now_brings_new_versions_and_leaves_the_future_due(hub: Hub, node: GatewayNode, work: Work) -> None:
    node.make_homes("alice")
    hub.record["sync"].append({"at": FUTURE, "path": "week2"})
    await hub.run()
    mine = node.home("alice") / "py1/week1/task.ipynb"
    mine.write_bytes(b"my work")
    work.publish({"week1/task.ipynb": b"mended", "week1/more": b"new"})
    (outcome,) = await hub.run("py1", now=True)
    day = datetime.now(UTC).astimezone().strftime("%Y%m%d")
    assert found(node.home("alice")) == {
        "py1/week1/task.ipynb": b"my work",
        f"py1/week1/task.new-{day}.ipynb": b"mended",
        "py1/week1/data/a.csv": b"1,2\n",
        "py1/week1/more": b"new",
        "py1/week2/task.ipynb": b"task two",
    }
    alice = hub.people()["alice"]
    assert [alice[key] for key in ("new", "same", "kept", "beside")] == [1, 1, 0, 1]
    assert hub.order(1)["state"] == "waiting"
    assert "1 new versions laid beside" in said(outcome)


async def test_a_dry_run_says_what_would_come_and_does_nothing(hub: Hub, node: GatewayNode) -> None:
    node.make_homes("alice", "ida")
    (outcome,) = await hub.run("py1", dry_run=True)
    assert "would bring 2 files (0.0 MB) to 2 homes on lab" in said(outcome)
    assert found(node.home("alice")) == {}
    assert not (hub.states / "py1.json").exists()
    report = json.loads(json.dumps(command.outcome_json(outcome)))
    assert report["would_bring"][0]["homes"] == {"lab": ["alice", "ida"]}


async def test_what_another_run_is_at_is_left_to_it(hub: Hub, node: GatewayNode) -> None:
    node.make_homes("alice")
    with state.alone(hub.states, "py1") as mine:
        assert mine
        assert await hub.run() == []
        with pytest.raises(CommandError, match="at this moment"):
            await hub.run("py1")
    assert found(node.home("alice")) == {}


# --- what goes wrong ---


async def test_a_git_server_that_is_away_is_tried_again_later_and_later(
    hub: Hub, node: GatewayNode, git_server: GitServer
) -> None:
    node.make_homes("alice")
    git_server.answer = 503
    (outcome,) = await hub.run()
    assert hub.order()["state"] == "failed"
    assert "503" in hub.order()["error"]
    assert "cannot be fetched" in said(outcome)
    asked = git_server.asked
    assert await hub.run() == []
    assert git_server.asked == asked
    hub.due_again()
    await hub.run()
    first = datetime.fromisoformat(hub.order()["tried"])
    assert hub.order()["failures"] == 2
    assert datetime.fromisoformat(hub.order()["retry"]) - first == timedelta(minutes=10)
    git_server.answer = 0
    hub.due_again()
    await hub.run()
    assert (hub.order()["state"], hub.order()["error"], hub.order()["failures"]) == ("done", "", 0)
    assert len(found(node.home("alice"))) == 2


def test_pauses_grow_to_six_hours() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    pauses = [plan.retry_at(now, failures) - now for failures in (1, 2, 3, 7, 8, 100, 10_000)]
    assert [pause.total_seconds() / 60 for pause in pauses] == [5, 10, 20, 320, 360, 360, 360]


async def test_a_login_node_that_is_away_is_told_and_caught_up(hub: Hub, node: GatewayNode) -> None:
    node.make_homes("alice")
    await node.stop()
    (outcome,) = await hub.run()
    assert hub.order()["state"] == "partly"
    assert "cluster lab: " in said(outcome)
    assert await hub.run() == []  # the same again is no news
    await node.start()
    await hub.run()
    assert (hub.order()["state"], hub.order()["clusters"]) == ("done", {})
    assert len(found(node.home("alice"))) == 2


async def test_a_connection_lost_in_the_middle_loses_nothing(hub: Hub, node: GatewayNode) -> None:
    people = [f"s{number:02}" for number in range(30)]
    hub.record["students"] = people
    node.make_homes(*people)
    node.cut_after = 5
    await hub.run()
    assert hub.order()["state"] == "partly"
    assert len(hub.people()) == 5
    node.cut_after = 0
    await hub.run()
    assert hub.order()["state"] == "done"
    assert sorted(hub.people()) == people
    assert {person["new"] + person["same"] for person in hub.people().values()} == {2}
    assert all(len(found(node.home(person))) == 2 for person in people)


async def test_one_home_that_cannot_be_filled_does_not_stop_the_others(hub: Hub, node: GatewayNode) -> None:
    node.make_homes("alice", "bob")
    (node.home("alice") / "py1").symlink_to("/etc")
    (outcome,) = await hub.run()
    assert hub.people()["alice"]["skipped"] == ["py1: is a link or no folder"] * 2
    assert len(found(node.home("bob"))) == 2
    assert "alice on lab: skipped py1" in said(outcome)


async def test_a_home_that_is_full_is_tried_again_after_a_pause(
    hub: Hub, node: GatewayNode, git_server: GitServer
) -> None:
    node.make_homes("alice", "bob")
    (node.base / "users/alice/sync").write_text("in the way")  # the account cannot make anything ready there
    await hub.run()
    assert hub.order()["state"] == "partly"
    assert hub.people()["alice"]["error"]
    assert len(found(node.home("bob"))) == 2
    asked = git_server.asked
    assert await hub.run() == []
    assert git_server.asked == asked
    (node.base / "users/alice/sync").unlink()
    hub.due_again()
    await hub.run()
    assert hub.order()["state"] == "done"
    assert hub.people()["alice"]["new"] == 2


async def test_clusters_whose_homes_are_accounts_are_named_and_not_asked(hub: Hub, node: GatewayNode) -> None:
    node.make_homes("alice")
    pool = {"mode": "pool", "pool": ["p1"]}
    hub.clusters.append(cluster(name="far", accounts=pool))
    hub.profiles.append(profile(name="far", cluster="far"))
    (outcome,) = await hub.run()
    assert len(found(node.home("alice"))) == 2
    assert "cluster far: has accounts.mode 'pool': homes lie in accounts of their own" in said(outcome)
    assert hub.order()["state"] == "partly"
    assert await hub.run() == []


async def test_only_clusters_on_which_the_course_may_work_are_asked(hub: Hub, node: GatewayNode) -> None:
    node.make_homes("alice")
    hub.clusters.append(cluster(name="far", host="192.0.2.1"))
    hub.profiles.append(profile(name="far", cluster="far"))
    hub.record["profiles"] = ["small"]
    await hub.run()
    assert (hub.order()["state"], hub.order()["clusters"]) == ("done", {})


async def test_an_old_gateway_is_told_of(hub: Hub, node: GatewayNode) -> None:
    node.command = ["/bin/sh", "-c", "echo refused: this account serves the notebook hub only >&2; exit 77"]
    (outcome,) = await hub.run()
    assert "run the gateway step again" in said(outcome)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"id": "mallory", "new": 1}', "whom nobody asked for"),
        ("nonsense", "answered nonsense"),
        ("[]", r"answered \[\]"),
    ],
)
async def test_a_gateway_that_answers_anything_is_not_believed(
    hub: Hub, node: GatewayNode, line: str, words: str
) -> None:
    node.make_homes("alice")
    real = f'if [ "$SSH_ORIGINAL_COMMAND" = homes ]; then echo \'{{"id": "alice"}}\'; echo \'{{"done": true}}\'; else echo \'{line}\'; fi'
    node.command = ["/bin/sh", "-c", f"cat >/dev/null; {real}"]
    (outcome,) = await hub.run()
    assert outcome.worked_on[0].people == []
    assert re.search(words, outcome.worked_on[0].clusters["lab"])


def test_a_person_in_an_answer_is_cut_to_measure() -> None:
    answer = {"id": "a" * 5000, "new": -1, "same": True, "kept": 10**12, "skipped": [1, "x\n\x1b[31m"] * 50, "error": 7}
    person = delivery._person(answer, "lab")
    assert (person.new, person.same, person.kept, person.error) == (0, 0, 0, "")
    assert len(person.id) < 1000
    assert person.skipped
    assert all(reason.isprintable() for reason in person.skipped)


async def test_a_wrong_record_is_kept_where_people_look_and_told_once(hub: Hub, node: GatewayNode) -> None:
    hub.record["repository"]["url"] = "ssh://git@example.org/x"
    (outcome,) = await hub.run()
    assert "repository.url" in said(outcome)
    assert "repository.url" in hub.state()["error"]
    assert await hub.run() == []
    hub.record["repository"]["url"] = ""
    (outcome,) = await hub.run()
    assert "has no repository" in said(outcome)
    assert node.words == []


async def test_a_mended_record_is_no_longer_complained_of(hub: Hub, node: GatewayNode) -> None:
    node.make_homes("alice")
    url, hub.record["repository"]["url"] = hub.record["repository"]["url"], "http://insecure/x"
    await hub.run()
    hub.record["repository"]["url"] = url
    await hub.run()
    assert hub.state()["error"] == ""


async def test_a_state_that_is_damaged_begins_anew(hub: Hub, node: GatewayNode) -> None:
    node.make_homes("alice")
    (hub.states / "py1.json").write_text('{"orders": [{')
    await hub.run()
    assert hub.people()["alice"]["new"] == 2


async def test_the_state_is_read_by_the_group_and_by_nobody_else(hub: Hub, node: GatewayNode) -> None:
    node.make_homes("alice")
    await hub.run()
    assert oct((hub.states / "py1.json").stat().st_mode & 0o777) == "0o640"


async def test_a_state_that_cannot_be_kept_is_an_error(hub: Hub, node: GatewayNode) -> None:
    node.make_homes("alice")
    hub.states = hub.directory / "nowhere"
    with pytest.raises(state.StateError, match="run the step courses"):
        await hub.run()


async def test_a_course_that_is_not_there_or_has_no_sync_is_said(hub: Hub) -> None:
    with pytest.raises(CommandError, match="there is no course 'x'; there are: py1"):
        await hub.run("x")
    hub.record["sync"] = []
    assert await hub.run() == []
    with pytest.raises(CommandError, match="has no sync in its record"):
        await hub.run("py1")
    with pytest.raises(CommandError, match="needs a course"):
        await hub.run(now=True)


# --- records ---


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sync": [{"at": "tomorrow", "path": "a"}]}, r"sync\[0\]\.at"),
        ({"sync": [{"at": "2026-01-05T06:00:00", "path": "a"}]}, r"zone"),
        ({"sync": [{"path": "a"}]}, r"sync\[0\]\.at"),
        ({"sync": [{"at": PAST, "path": "../x"}]}, r"sync\[0\]\.path"),
        ({"sync": [{"at": PAST, "path": "/etc"}]}, r"sync\[0\]\.path"),
        ({"sync": [{"at": PAST, "path": 7}]}, r"sync\[0\]\.path"),
        ({"repository": {"url": "file:///etc"}}, "repository.url"),
        ({"repository": {"url": "ext::sh -c id"}}, "repository.url"),
        ({"repository": {"url": "https://name:word@git.example.org/x"}}, "repository.url"),
        ({"repository": {"url": "--upload-pack=id"}}, "repository.url"),
        ({"repository": {"url": "https://git.example.org/x", "branch": "-x"}}, "repository.branch"),
        ({"repository": {"url": "https://git.example.org/x", "branch": "a..b"}}, "repository.branch"),
    ],
)
def test_what_git_must_not_be_told_is_refused(change: dict[str, Any], words: str) -> None:
    record = {"repository": {"url": "https://git.example.org/x"}, "sync": [{"at": PAST, "path": "a"}], **change}
    with pytest.raises(RecordError, match=words):
        read_material(record)


@pytest.mark.parametrize("name", ["REPOSITORY", "BRANCH", "INSIDE"])
def test_the_rules_are_those_of_the_inventory(name: str) -> None:
    assert getattr(sync_record, name).pattern == getattr(course_material, name).pattern


def test_records_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    assert sync_record.read_records(tmp_path / "courses.json") == {}
    (tmp_path / "courses.json").write_text("[{]")
    with pytest.raises(RecordError, match="run the step courses again"):
        sync_record.read_records(tmp_path / "courses.json")


# --- the repository ---


def packed(directory: Path, git_server: GitServer, path: str = "", branch: str = "", **limits: Any) -> Pack:
    directory.mkdir(exist_ok=True)
    repositories = Repositories(directory, Limits(**limits))
    return repositories.pack(Repository(git_server.url("exercises"), branch), path)


def test_a_repository_is_fetched_once_for_several_orders(tmp_path: Path, git_server: GitServer, work: Work) -> None:
    (tmp_path / "scratch").mkdir()
    repositories = Repositories(tmp_path / "scratch")
    place = Repository(git_server.url("exercises"))
    first = repositories.pack(place, "week1")
    asked = git_server.asked
    second = repositories.pack(place, "")
    assert git_server.asked == asked
    assert first.paths == ("week1/data/a.csv", "week1/task.ipynb")
    assert second.paths == ("run.sh", "week1/data/a.csv", "week1/task.ipynb", "week2/task.ipynb")
    assert first.commit == git(work.directory, "rev-parse", "HEAD").strip()


def test_the_same_files_give_the_same_pack(tmp_path: Path, git_server: GitServer, work: Work) -> None:
    del work
    assert packed(tmp_path / "a", git_server).sha256 == packed(tmp_path / "b", git_server).sha256


def test_a_branch_is_the_one_of_the_record(tmp_path: Path, git_server: GitServer, work: Work) -> None:
    work.publish({"only-here": b"x"}, branch="winter/2026")
    assert "only-here" in packed(tmp_path / "a", git_server, branch="winter/2026").paths
    assert "only-here" not in packed(tmp_path / "b", git_server).paths
    with pytest.raises(RepositoryError, match="summer"):
        packed(tmp_path / "c", git_server, branch="summer")


def test_links_submodules_and_gits_own_files_stay_out(tmp_path: Path, git_server: GitServer, work: Work) -> None:
    (work.directory / "week1/link").symlink_to("/etc/passwd")
    commit = git(work.directory, "rev-parse", "HEAD").strip()
    git(work.directory, "update-index", "--add", "--cacheinfo", f"160000,{commit},week1/module")
    (work.directory / ".gitattributes").write_text("* filter=evil ident export-subst\n")
    (work.directory / ".gitmodules").write_text(
        f'[submodule "x"]\n\tpath = week1/module\n\turl = {git_server.url("x")}\n'
    )
    git(work.directory, "add", "week1/link", ".gitattributes", ".gitmodules")
    git(work.directory, "commit", "--quiet", "--message=x")
    git(work.directory, "push", "--quiet", "origin", "main")
    found = packed(tmp_path / "a", git_server)
    assert sorted(found.left_out) == ["week1/link: a symbolic link", "week1/module: a repository of its own"]
    assert found.paths == ("run.sh", "week1/data/a.csv", "week1/task.ipynb", "week2/task.ipynb")


def test_names_that_cannot_be_shown_stay_out(tmp_path: Path, git_server: GitServer, work: Work) -> None:
    for name in (b"bell\x07", b"not-utf8-\xff", b"back\\slash"):
        (Path(os.fsdecode(os.fsencode(work.directory) + b"/" + name))).write_bytes(b"x")
    work.publish({"Übung 1/größe.ipynb": b"x"})
    found = packed(tmp_path / "a", git_server)
    assert "Übung 1/größe.ipynb" in found.paths
    assert len(found.left_out) == 3
    assert all(reason.isprintable() for reason in found.left_out)


def test_what_is_too_much_is_refused_or_left_out(tmp_path: Path, git_server: GitServer, work: Work) -> None:
    work.publish({"big": bytes(300_000), "noise": os.urandom(3_000_000)})
    assert [why.split(":")[0] for why in packed(tmp_path / "a", git_server, file_bytes=200_000).left_out] == [
        "big",
        "noise",
    ]
    with pytest.raises(RepositoryError, match="more than may come at once"):
        packed(tmp_path / "b", git_server, total_bytes=1_048_576)
    with pytest.raises(RepositoryError, match="6 files are more"):
        packed(tmp_path / "c", git_server, files=5)
    with pytest.raises(RepositoryError, match="larger than 1 MB"):
        packed(tmp_path / "d", git_server, fetched_bytes=1_048_576)


def test_a_path_that_is_not_there_is_said(tmp_path: Path, git_server: GitServer, work: Work) -> None:
    del work
    with pytest.raises(RepositoryError, match="no file to bring at 'week9'"):
        packed(tmp_path / "a", git_server, "week9")
    with pytest.raises(RepositoryError, match=r"no file to bring at 'week\*'"):
        packed(tmp_path / "b", git_server, "week*")


def test_a_private_repository_is_said_to_be_one(tmp_path: Path, git_server: GitServer, work: Work) -> None:
    del work
    git_server.answer = 401
    with pytest.raises(RepositoryError, match="must be readable without"):
        packed(tmp_path / "a", git_server)


def test_a_certificate_of_nobody_known_is_refused(
    tmp_path: Path, git_server: GitServer, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    del work
    monkeypatch.delenv("GIT_SSL_CAINFO")
    with pytest.raises(RepositoryError, match="certificate"):
        packed(tmp_path / "a", git_server)
    assert git_server.asked == 0


@pytest.mark.parametrize("target", ["http://127.0.0.1:1", "file:///etc", "ftp://127.0.0.1"])
def test_a_redirection_leads_to_https_only(tmp_path: Path, git_server: GitServer, work: Work, target: str) -> None:
    del work
    git_server.moved_to = target
    with pytest.raises(RepositoryError, match=r"[Pp]rotocol|not supported|disabled|not allowed"):
        packed(tmp_path / "a", git_server)


def test_git_that_takes_too_long_is_ended_as_a_whole(tmp_path: Path, git_server: GitServer, work: Work) -> None:
    del work
    with pytest.raises(RepositoryError, match="did not finish within"):
        packed(tmp_path / "a", git_server, seconds=0.01)


def test_the_hosts_own_settings_of_git_do_not_count(
    tmp_path: Path, git_server: GitServer, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    del work
    (tmp_path / "gitconfig").write_text('[url "https://127.0.0.1:1/"]\n\tinsteadOf = https://localhost\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_SSH_COMMAND", "false")
    assert packed(tmp_path / "a", git_server).paths


# --- the program ---


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The hub's account, which is whoever runs the test."""
    made = argparse.Namespace(pw_name="jupyterhub", pw_uid=os.geteuid(), pw_gid=os.getegid(), pw_dir=str(tmp_path))
    monkeypatch.setattr(pwd, "getpwnam", lambda _name: made)
    monkeypatch.setattr(os, "chdir", lambda _path: None)
    monkeypatch.setattr(os, "umask", lambda _mask: 0)
    for name in ("initgroups", "setgid", "setuid"):
        monkeypatch.setattr(os, name, lambda *_values: None)


@pytest.mark.usefixtures("account")
def test_the_program_reads_the_hubs_configuration_and_reports(
    tmp_path: Path, git_server: GitServer, work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a login node: what cannot be reached is in the report, and in the status for whoever asked."""
    del work
    (tmp_path / "states").mkdir()
    record = {
        **course(),
        "repository": {"url": git_server.url("exercises")},
        "sync": [{"at": PAST, "path": "week1"}],
    }
    data = settings(courses=[record], clusters=[cluster(host="127.0.0.1", port=1, key_file=str(tmp_path / "none"))])
    (tmp_path / "jupyterhub_config.py").write_text(CONFIG.format(data=json.dumps(data)))
    (tmp_path / "courses.json").write_text(json.dumps([record]))
    assert command.main([], tmp_path, tmp_path / "states") == 0
    assert "py1:\n  2026-01-05 05:00 UTC  week1: partly\n    cluster lab: " in capsys.readouterr().out
    assert command.main([], tmp_path, tmp_path / "states") == 0
    assert capsys.readouterr().out == ""
    assert command.main(["py1", "--now", "--json"], tmp_path, tmp_path / "states") == 1
    (report,) = json.loads(capsys.readouterr().out)
    assert report["orders"][0]["clusters"].keys() == {"lab"}
    assert command.main(["moon"], tmp_path, tmp_path / "states") == 1
    assert capsys.readouterr().err == "hpcampus-course-sync: there is no course 'moon'; there are: py1\n"
