# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The commands that add to a platform: by options, in a terminal, and what they write, say and run."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pexpect
import pytest
from ruamel.yaml.comments import CommentedMap

from hpcampus import cli, host_keys, vault
from hpcampus.apply import Installer
from hpcampus.errors import HostKeyError
from hpcampus.host_keys import HostKey
from hpcampus.inventory_files import plain, read_documents
from hpcampus.passwords import matches
from hpcampus.places import Site
from hpcampus.runner import Outcome, Result
from hpcampus.setup import Request, Setup
from hpcampus.yaml_files import dump_document, read_plain
from tests.unit.wizard.conftest import ANSWERS, ROOT

KEY = HostKey("login.hpc.example.net", "ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAI" + "E" * 43)
CLUSTER = [
    "cluster", "add", "phys", "--login", "login.hpc.example.net", "--account", "p123", "--base-dir", "/project/p123/hpcampus",
    "--partitions", "gpu,cpu",
]  # fmt: skip


@pytest.fixture
def written(tmp_path: Path) -> Site:
    """A site that setup has written, with a comment of a person's in it."""
    from hpcampus.places import site_at

    site = site_at(tmp_path / "inventory")
    request = Request(from_file=ANSWERS, password="a long password", skip_host_keys=True)
    site.state.make()
    Setup(site, ROOT, request, None, lambda _key, _values: None).run()
    path = course_path(site, "physics101")
    path.write_text(path.read_text().replace("  title:", "  # Ask Ada first\n  title:"))
    return site


@pytest.fixture
def listed(written: Site) -> Site:
    """The same site with its course in a list, in a file that a person has made for it."""
    record = read_plain(course_path(written, "physics101"))["site_course_physics101"]
    course_path(written, "physics101").unlink()
    document = CommentedMap({"site_courses": [record]})
    text = dump_document(document).replace("site_courses:\n", "# Ask Ada first\nsite_courses:  # of this term\n")
    (written.inventory / "group_vars/all/teaching.yml").write_text(text)
    return written


def run(*arguments: str) -> int:
    return cli.run([*arguments])


def course_path(site: Site, slug: str) -> Path:
    return site.inventory / f"group_vars/all/courses/{slug}.yml"


def course(site: Site, slug: str) -> Any:
    (record,) = read_plain(course_path(site, slug)).values()
    return record


def archived(site: Site) -> list[Path]:
    return sorted((site.inventory / "group_vars/all/courses/.archive").glob("*"))


ADD = ["course", "add", "physics102", "--title", "Physics 102", "--instructors", "mcurie,rfeynman", "--open"]


def test_a_course_comes_with_accounts(written: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*ADD, "--yes", "--no-run") == 0
    shown = capsys.readouterr().out
    wanted = {"slug": "physics102", "title": "Physics 102", "instructors": ["mcurie", "rfeynman"], "open": True}
    assert read_plain(course_path(written, "physics102")) == {"site_course_physics102": wanted}
    found = re.search(r"^  rfeynman +(\S+)   instructor of physics102$", shown, re.MULTILINE)
    assert found is not None
    documents = read_documents(written, vault.find_key(written, None))
    assert matches(found[1], documents.secrets["vault_password_hashes"]["rfeynman"])
    assert [account["name"] for account in plain(documents.main)["site_accounts"]] == [
        "admin",
        "verify",
        "mcurie",
        "rfeynman",
    ]
    assert "  # Ask Ada first\n" in course_path(written, "physics101").read_text()
    assert "site_courses" not in written.main_file.read_text()
    assert "+site_course_physics102:\n+  slug: physics102\n" in shown
    assert "vault.yml, whose values are not shown: changes vault_password_hashes" in shown
    assert "Kept as they were: group_vars/all/vault.yml, group_vars/all/main.yml, in " in shown
    assert "hpcampus apply --step hub --step courses\n" in shown
    for path in [written.main_file, *written.state.path.rglob("*")]:
        assert path.is_dir() or found[1].encode() not in path.read_bytes()


@pytest.mark.usefixtures("written")
def test_who_has_an_account_needs_none(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["course", "add", "b", "--title", "B", "--instructors", "mcurie", "--open", "--yes", "--no-run"]
    assert run(*arguments) == 0
    shown = capsys.readouterr().out
    assert "instructor of" not in shown
    assert "hpcampus apply --step courses\n" in shown


def test_copy_and_archive(written: Site, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in written.inventory.rglob("*.yml")}
    assert (
        run("course", "copy", "physics101", "physics101-ss27", "--title", "Physics, summer", "--yes", "--no-run") == 0
    )
    first, second = course(written, "physics101"), course(written, "physics101-ss27")
    assert second == {**first, "slug": "physics101-ss27", "title": "Physics, summer"}
    assert run("course", "archive", "physics101-ss27", "--yes", "--no-run") == 0
    kept = archived(written)[0]
    backups = written.inventory / ".backups"
    present = {path: path.read_bytes() for path in written.inventory.rglob("*.yml") if backups not in path.parents}
    assert present == {**before, kept: kept.read_bytes()}
    shown = capsys.readouterr().out
    assert "  login:/shared/hpcampus/courses/physics101-ss27\n" in shown
    assert f"Removed {course_path(written, 'physics101-ss27')}" in shown
    assert f"Written: {kept}" in shown


def test_an_archived_course_is_kept_as_it_stood_and_comes_back_by_a_move(
    written: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    text = course_path(written, "physics101").read_text()
    assert run("course", "archive", "physics101", "--yes", "--no-run") == 0
    (kept,) = archived(written)
    assert re.fullmatch(r"physics101-\d{4}-\d\d-\d\d\.yml", kept.name)
    notice, _, rest = kept.read_text().partition("\n")
    assert rest == text, "with the comments of a person"
    assert notice.startswith(f"# Archived on {kept.stem.removeprefix('physics101-')}. To have the course back")
    capsys.readouterr()
    assert run("course", "list", "--json") == 0
    assert json.loads(capsys.readouterr().out) == []
    # What is archived again on the same day is not written over.
    assert run("course", "add", "physics101", "--title", "Other", "--instructors", "mcurie", "--yes", "--no-run") == 0
    assert run("course", "archive", "physics101", "--yes", "--no-run") == 0
    assert kept.read_text().endswith(text)
    assert [path.name for path in archived(written)] == [kept.with_name(f"{kept.stem}-2.yml").name, kept.name]
    kept.rename(course_path(written, "physics101"))
    capsys.readouterr()
    assert run("course", "list", "--json") == 0
    assert [record["title"] for record in json.loads(capsys.readouterr().out)] == ["Physics 101"]


def test_a_course_of_the_list_is_kept_in_a_file_when_it_leaves(listed: Site) -> None:
    teaching = listed.inventory / "group_vars/all/teaching.yml"
    before = read_plain(teaching)["site_courses"][0]
    assert run("course", "copy", "physics101", "b", "--yes", "--no-run") == 0
    assert read_plain(teaching)["site_courses"] == [before], "a new course has a file of its own"
    assert course(listed, "b") == {**before, "slug": "b"}
    assert run("course", "archive", "physics101", "--yes", "--no-run") == 0
    assert teaching.read_text() == "---\n# Ask Ada first\nsite_courses: []  # of this term\n"
    (kept,) = archived(listed)
    assert read_plain(kept) == {"site_course_physics101": before}


def test_a_file_with_more_in_it_stays_without_the_course(written: Site) -> None:
    path = course_path(written, "physics101")
    path.write_text(path.read_text() + "# The room\nphysics_room: H 12\n")
    assert run("course", "archive", "physics101", "--yes", "--no-run") == 0
    assert read_plain(path) == {"physics_room": "H 12"}
    (kept,) = archived(written)
    assert list(read_plain(kept)) == ["site_course_physics101"]


def test_a_file_in_the_way_is_not_written_over(written: Site, capsys: pytest.CaptureFixture[str]) -> None:
    path = course_path(written, "physics102")
    path.write_text("a: 1\na: 2\n")
    assert run(*ADD, "--yes", "--no-run") == 3
    assert "in the way of a new course" in capsys.readouterr().err
    assert path.read_text() == "a: 1\na: 2\n"


def test_the_variable_of_another_course_is_not_taken(written: Site, capsys: pytest.CaptureFixture[str]) -> None:
    path = course_path(written, "physics101")
    path.rename(path.with_name("other.yml"))
    (path.with_name("other.yml")).write_text(
        path.with_name("other.yml").read_text().replace("site_course_physics101", "site_course_physics102")
    )
    assert run(*ADD, "--yes", "--no-run") == 2
    assert "site_course_physics102" in capsys.readouterr().err


def test_days_and_times_without_quotes_are_read_and_left(written: Site, capsys: pytest.CaptureFixture[str]) -> None:
    path = course_path(written, "physics101")
    dated = (
        "  start: 2026-10-12\n  calendar:\n    deadlines:\n      - {assignment: ps1, due: 2026-11-03T23:59:00+01:00}\n"
    )
    path.write_text(path.read_text() + dated)
    assert run("course", "list", "--json") == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert record["start"] == "2026-10-12"
    assert record["calendar"]["deadlines"][0]["due"] == "2026-11-03T23:59:00+01:00"
    assert run(*ADD, "--yes", "--no-run") == 0
    assert path.read_text().endswith(dated)


def test_an_image(written: Site, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "image",
        "add",
        "chemistry",
        "--label",
        "Chemistry",
        "--apt-packages",
        "gromacs",
        "--apt-packages",
        "povray",
    ]
    assert run(*arguments, "--yes", "--no-run") == 0
    record = {"name": "chemistry", "label": "Chemistry", "apt_packages": ["gromacs", "povray"]}
    assert read_plain(written.main_file)["site_images"][-1] == record
    assert "hpcampus apply --step images\n" in capsys.readouterr().out


def test_a_list_that_no_file_sets_keeps_what_the_roles_take(written: Site) -> None:
    assert "site_images" not in read_plain(written.main_file)
    assert run("image", "add", "chemistry", "--yes", "--no-run") == 0
    assert [image["name"] for image in read_plain(written.main_file)["site_images"]] == ["notebook", "chemistry"]


class TestCluster:
    """A cluster of somebody else, with its host key."""

    @pytest.fixture(autouse=True)
    def network(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.keys = [KEY]

        def fetch(host: str) -> list[HostKey]:
            if host != KEY.host or not self.keys:
                raise HostKeyError("host-key-missing", host=host, problem="Connection refused")
            return self.keys

        monkeypatch.setattr(host_keys, "fetch", fetch)

    def test_added(self, written: Site, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(*CLUSTER, "--accept-new-host-keys", "--yes", "--no-run") == 0
        main = read_plain(written.main_file)
        assert main["site_centres"] == [
            {
                "name": "phys", "login": "login.hpc.example.net", "host_key": KEY.public, "base_dir": "/project/p123/hpcampus",
                "partitions": ["gpu", "cpu"],
            }
        ]  # fmt: skip
        assert main["site_profiles"][-1]["name"] == "phys-small"
        hosts = read_plain(written.hosts_file)["all"]["children"]["centre_login"]["hosts"]
        assert hosts == {"login.hpc.example.net": {"ansible_user": "p123"}}
        assert KEY.line in written.known_hosts.read_text()
        shown = capsys.readouterr().out
        steps = " ".join(f"--step {name}" for name in ("apptainer", "tunnel", "hub", "gateway", "images", "courses"))
        assert f"hpcampus apply {steps}\n" in shown

    def test_without_a_profile(self, written: Site) -> None:
        before = read_plain(written.main_file)["site_profiles"]
        assert run(*CLUSTER, "--accept-new-host-keys", "--no-profile", "--yes", "--no-run") == 0
        assert read_plain(written.main_file)["site_profiles"] == before

    @pytest.mark.parametrize(
        ("more", "code", "says"),
        [
            ([], 5, KEY.fingerprint),
            (["--accept-new-host-keys", "--host-key", KEY.public[:-1] + "F"], 5, "has changed"),
            (["--accept-new-host-keys", "--port", "2222"], 2, "--skip-host-keys"),
            (["--skip-host-keys"], 4, "--host-key"),
        ],
    )
    def test_not_without_the_right_key(
        self, written: Site, capsys: pytest.CaptureFixture[str], more: Any, code: int, says: str
    ) -> None:
        before = {path: path.read_bytes() for path in written.inventory.rglob("*") if path.is_file()}
        assert run(*CLUSTER, *more, "--yes", "--no-run") == code
        assert says in capsys.readouterr().err
        assert {path: path.read_bytes() for path in written.inventory.rglob("*") if path.is_file()} == before

    def test_a_silent_host(self, written: Site, capsys: pytest.CaptureFixture[str]) -> None:
        self.keys = []
        assert run(*CLUSTER, "--yes", "--no-run") == 5
        assert "Connection refused" in capsys.readouterr().err
        # The key that the centre publishes is as good, and is pinned.
        assert run(*CLUSTER, "--skip-host-keys", "--host-key", KEY.public, "--yes", "--no-run") == 0
        assert KEY.line in written.known_hosts.read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (
            ["course", "add", "physics101", "--title", "X", "--instructors", "mcurie"],
            2,
            "is a course 'physics101' already",
        ),
        (["course", "add", "b"], 4, "--title, --instructors"),
        (["course", "add"], 4, "SLUG, --title, --instructors"),
        (["course", "add", "b", "--title", "B", "--instructors", "mcurie", "--profile", "huge"], 3, "profile"),
        (["course", "add", "Not A Slug", "--title", "B", "--instructors", "mcurie"], 4, "slug"),
        (["course", "add", "b", "--title", "{{ x }}", "--instructors", "mcurie"], 4, "title"),
        (["course", "add", "b", "--title", "B", "--instructors", "mcurie", "--students", "nobody"], 3, "nobody"),
        (["course", "copy", "nothing", "b"], 2, "physics101"),
        (["course", "copy", "physics101", "physics101"], 2, "already"),
        (["course", "archive", "nothing"], 2, "physics101"),
        (["image", "add", "notebook"], 2, "already"),
        (["image", "add", "x", "--lock", "{{ x }}"], 4, "lock"),
        (["course", "copy", "physics101", "b", "--title", "{{ x }}"], 4, "title"),
        (["cluster", "add", "x", "--data-path", "pigeon"], 2, "pigeon"),
        (["cluster", "add", "x", "--max-servers", "-1"], 2, "max-servers"),
    ],
)
def test_what_is_wrong_is_not_written(
    written: Site, capsys: pytest.CaptureFixture[str], arguments: Any, code: int, says: str
) -> None:
    before = {path: path.read_bytes() for path in written.inventory.rglob("*") if path.is_file()}
    assert run(*arguments, "--yes", "--no-run") == code
    shown = capsys.readouterr().err
    assert says in shown
    assert "Traceback" not in shown
    assert {path: path.read_bytes() for path in written.inventory.rglob("*") if path.is_file()} == before


def test_nobody_to_agree(written: Site, capsys: pytest.CaptureFixture[str]) -> None:
    before = written.main_file.read_text()
    assert run(*ADD, "--no-run") == 7
    shown = capsys.readouterr()
    assert "+  slug: physics102" in shown.out
    assert "--yes" in shown.err
    assert written.main_file.read_text() == before


def test_the_lists(written: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("course", "list") == 0
    assert capsys.readouterr().out.splitlines()[1].split()[0] == "physics101"
    assert run("course", "list", "--json") == 0
    assert json.loads(capsys.readouterr().out) == [course(written, "physics101")]
    assert run("cluster", "list") == 0
    assert "site_centres is empty" in capsys.readouterr().out
    assert run("image", "list") == 0
    assert "notebook" in capsys.readouterr().out


def test_a_second_change_is_kept_out(written: Site, capsys: pytest.CaptureFixture[str]) -> None:
    with written.state.lock():
        assert run(*ADD, "--yes", "--no-run") == 6
        assert run("course", "list") == 0
    capsys.readouterr()


def test_the_right_steps_run(
    written: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    playbooks: list[str] = []

    def runner(request: Any, _on_event: Any, _on_tick: Any) -> Result:
        playbooks.append(request.playbook)
        # What runs sees the new record already.
        assert course(written, "physics102")["slug"] == "physics102"
        return Result(Outcome.SUCCESSFUL, 1.0, Path("/nowhere"))

    make = Installer
    monkeypatch.setattr("hpcampus.apply.Installer", lambda site, root, view: make(site, root, view, runner))
    assert run(*ADD, "--yes") == 0
    assert [name.rpartition(".")[2] for name in playbooks] == ["validate", "hub", "courses"]
    capsys.readouterr()


@pytest.fixture
def terminal(written: Site) -> Any:
    """Start a command in a terminal."""

    def start(*arguments: str) -> pexpect.spawn[str]:
        environment = {**os.environ, "PYTHONPATH": ":".join(sys.path), "TERM": "xterm", "LC_ALL": "C.UTF-8"}
        argv = ["-m", "hpcampus", *arguments, "--inventory", str(written.inventory), "--no-run"]
        child: pexpect.spawn[str] = pexpect.spawn(
            sys.executable, argv, env=environment, encoding="utf-8", timeout=30, dimensions=(24, 80)
        )
        return child

    return start


@pytest.mark.processes
def test_a_person_is_asked_for_what_is_missing(written: Site, terminal: Any) -> None:
    child = terminal("course", "add", "--plain", "--image", "notebook")
    for prompt, line in (
        ("slug", "Not A Slug"), ("slug", "physics102"), ("title", "Physics 102"), ("instructors", "mcurie, rfeynman"),
        ("open", "yes"), ("profile", ""),
    ):  # fmt: skip
        child.expect(prompt)
        child.expect(": ?$")
        child.sendline(line)
    child.expect("Write this")
    child.sendline("yes")
    child.expect("apply --step hub --step courses")
    child.expect(pexpect.EOF)
    record = {"slug": "physics102", "title": "Physics 102", "instructors": ["mcurie", "rfeynman"], "open": True}
    assert course(written, "physics102") == record


@pytest.mark.processes
@pytest.mark.parametrize("ending", ["no", "ctrl-c"])
def test_a_person_may_leave(written: Site, terminal: Any, ending: str) -> None:
    before = {path: path.read_bytes() for path in written.inventory.rglob("*.yml")}
    child = terminal("course", "archive", "physics101", "--plain")
    child.expect("Take physics101 off the platform")
    if ending == "no":
        child.sendline("no")
        child.expect("Nothing was written")
    else:
        child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == (0 if ending == "no" else 130)
    assert {path: path.read_bytes() for path in written.inventory.rglob("*.yml")} == before


@pytest.mark.processes
def test_with_arrow_keys(written: Site, terminal: Any) -> None:
    child = terminal("image", "add", "chemistry")
    child.expect("label")
    child.send("Chemistry\r")
    child.expect("Write this")
    child.send("y")
    child.expect("apply --step images")
    child.expect(pexpect.EOF)
    assert read_plain(written.main_file)["site_images"][-1] == {"name": "chemistry", "label": "Chemistry"}


@pytest.mark.processes
@pytest.mark.parametrize("trusted", [True, False])
def test_a_person_compares_the_host_key(written: Site, tmp_path: Path, trusted: bool) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import sys\nfrom hpcampus import cli, host_keys\n"
        f"host_keys.fetch = lambda host: [host_keys.HostKey(host, {KEY.kind!r}, {KEY.blob!r})]\n"
        "sys.exit(cli.run(sys.argv[1:]))\n"
    )
    environment = {**os.environ, "PYTHONPATH": ":".join(sys.path), "TERM": "dumb", "LC_ALL": "C"}
    argv = [str(program), "cluster", "add", "phys", "--inventory", str(written.inventory), "--no-run"]
    child = pexpect.spawn(sys.executable, argv, env=environment, encoding="utf-8", timeout=60, dimensions=(50, 200))
    for prompt, line in (("login", KEY.host), ("account", "p123")):
        child.expect(f"{prompt}: ")
        child.expect(": $")
        child.sendline(line)
    child.expect_exact(KEY.fingerprint)
    child.expect("keys of")
    child.sendline("yes" if trusted else "no")
    if trusted:
        for prompt, line in (
            ("base_dir", "/project/p123/hpcampus"), ("partitions", "gpu, cpu"), ("data_path", ""), ("apptainer", ""), ("module", "")
        ):  # fmt: skip
            child.expect(f"{prompt}: ")
            child.expect(r": ?$")
            child.sendline(line)
        child.expect("phys-small")
        child.sendline("")
        child.expect("Write this")
        child.sendline("")
        child.expect("--step apptainer")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == (0 if trusted else 5)
    centres = read_plain(written.main_file).get("site_centres")
    if trusted:
        assert (centres[0]["host_key"], centres[0]["partitions"]) == (KEY.public, ["gpu", "cpu"])
        assert KEY.line in written.known_hosts.read_text()
    else:
        assert centres is None


def _flags(name: str, spec: dict[str, Any]) -> list[str]:
    """Give the options that a field has: one, those of the single values in it, or none for a list of records."""
    if spec["type"] == "dict":
        return [flag for key, part in spec["options"].items() for flag in _flags(f"{name}-{key}", part)]
    return [] if spec.get("elements") == "dict" else [f"--{name.replace('_', '-')}"]


def test_every_field_has_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    for kind, variable in (("course", "site_courses"), ("image", "site_images"), ("cluster", "site_centres")):
        assert run(kind, "add", "--help") == 0
        page = capsys.readouterr().out
        spec = read_plain(ROOT / "roles/site/meta/argument_specs.yml")["argument_specs"]["main"]["options"][variable]
        for name, field in spec["options"].items():
            for flag in _flags(name, field):
                assert flag in page or name in {"slug", "name"}
    assert _flags("late", {"type": "dict", "options": {"grace_minutes": {"type": "int"}}}) == ["--late-grace-minutes"]


def test_values_inside_a_field_are_options(written: Site) -> None:
    more = [
        "--repository-url",
        "https://git.example.org/p/x",
        "--late-policy",
        "percent_per_day",
        "--late-percent",
        "10",
    ]
    limits = [
        "--grading-slots",
        "4",
        "--grading-isolate-tests",
        "--graders",
        "admin",
        "--no-private",
        "--start",
        "2026-10-12",
    ]
    assert run(*ADD, *more, *limits, "--yes", "--no-run") == 0
    record = course(written, "physics102")
    assert record["repository"] == {"url": "https://git.example.org/p/x"}
    assert record["late"] == {"policy": "percent_per_day", "percent": 10}
    assert record["grading"] == {"slots": 4, "isolate_tests": True}
    assert (record["graders"], record["private"], record["start"]) == (["admin"], False, "2026-10-12")
    assert "start: '2026-10-12'" in course_path(written, "physics102").read_text(), "a text, whoever reads it"


@pytest.mark.parametrize(
    ("more", "code", "says"),
    [
        (["--late-policy", "never"], 2, "never"),
        (["--late-percent", "10"], 3, "late.percent"),
        (["--repository-url", "{{ x }}"], 4, "repository.url"),
        (["--repository-url", "http://me:pw@x/y"], 3, "repository.url"),
        (["--start", "tomorrow"], 3, "start"),
    ],
)
def test_wrong_values_inside_a_field_are_not_written(
    written: Site, capsys: pytest.CaptureFixture[str], more: Any, code: int, says: str
) -> None:
    assert run(*ADD, *more, "--yes", "--no-run") == code
    assert says in capsys.readouterr().err
    assert not course_path(written, "physics102").exists()


def test_a_test_of_the_image_is_checked_and_brings_the_step_of_images(
    written: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ".tests/physics102/test.ipynb"
    assert run(*ADD, "--image-test", place, "--yes", "--no-run") == 3
    assert f"there is no file {written.inventory / place}" in capsys.readouterr().err.replace("\n", "")
    assert not course_path(written, "physics102").exists()
    (written.inventory / place).parent.mkdir(parents=True)
    shutil.copy(ROOT / "inventories/demo/.tests/physics101/test.ipynb", written.inventory / place)
    assert run(*ADD, "--image-test", place, "--yes", "--no-run") == 0
    assert "hpcampus apply --step hub --step images --step courses\n" in capsys.readouterr().out
    assert course(written, "physics102")["image_test"] == place
    assert run("course", "copy", "physics102", "physics103", "--yes", "--no-run") == 0
    assert "hpcampus apply --step images --step courses\n" in capsys.readouterr().out
