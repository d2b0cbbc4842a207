# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the command tells of a course: its record, what follows from it, and links that do what they say."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus import cli
from hpcampus.cli.completion import course_slugs
from hpcampus.course_files import course_variable, is_course_variable
from hpcampus.course_follows import phase
from hpcampus.course_links import make_link
from hpcampus.yaml_files import read_plain
from hpcampus_hub.options import from_query
from plugins.module_utils.site_problems import course_files
from tests.unit.wizard.conftest import ROOT

URL = "https://hub.example.org/"
GIT = "https://git.example.org/physics/exercises"
SLUG = "physics101-ws26"


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "inventories/own-cluster", tmp_path / "inventory")
    return tmp_path / "inventory"


def opened(link: str) -> tuple[dict[str, str], dict[str, str]]:
    """Follow a link: what the hub is asked for, and what nbgitpuller is asked for then, with the folder that it makes."""
    parts = urlsplit(link)
    assert parts.path == "/hub/spawn"
    query = {name: values[0] for name, values in parse_qs(parts.query, strict_parsing=True).items()}
    options = {name.removeprefix("opt-"): value for name, value in query.items() if name != "next"}
    if "next" not in query:
        return options, {}
    pull = urlsplit(query["next"])
    assert (pull.netloc, pull.path) == ("", "/hub/user-redirect/git-pull")
    asked = {name: values[0] for name, values in parse_qs(pull.query, strict_parsing=True).items()}
    # As nbgitpuller does it when no target is named.
    asked["folder"] = asked.get("targetpath") or asked["repo"].rstrip("/").split("/")[-1]
    return options, asked


def test_the_link_of_a_course_is_its_own(inventory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["course", "link", SLUG, "-i", str(inventory)]) == 0
    options, pull = opened(capsys.readouterr().out.strip())
    assert options == {"course": SLUG}
    assert (pull["repo"], pull["branch"], pull["urlpath"]) == (GIT, "main", "lab/tree/exercises")


def test_a_link_chooses_course_size_and_image(inventory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = ["--path", "week 1/start.ipynb", "--profile", "exam", "--image", "notebook"]
    assert cli.run(["course", "link", SLUG, *more, "-i", str(inventory)]) == 0
    options, pull = opened(capsys.readouterr().out.strip())
    assert from_query({name: [value] for name, value in options.items()}) == options, "the hub takes them"
    assert options == {"course": SLUG, "profile": "exam", "image": "notebook"}
    assert pull["urlpath"] == "lab/tree/exercises/week%201/start.ipynb"


@pytest.mark.parametrize(
    ("repo", "folder"),
    [(GIT, "exercises"), (f"{GIT}.git", "exercises"), (f"{GIT}/", "exercises"), (f"{GIT}.git/", "exercises")],
)
def test_what_opens_is_where_the_files_come_to(repo: str, folder: str) -> None:
    _, pull = opened(make_link(ROOT, URL, {"slug": "a"}, {"repo": repo, "path": "w.ipynb"}))
    assert pull["folder"] == folder
    assert pull["urlpath"] == f"lab/tree/{folder}/w.ipynb"


def test_another_repository_has_its_own_branch_and_path() -> None:
    record = {"slug": "a", "repository": {"url": GIT, "branch": "main", "path": "week1"}}
    _, pull = opened(make_link(ROOT, URL, record, {"repo": "https://git.example.org/other"}))
    assert ("branch" in pull, pull["urlpath"]) == (False, "lab/tree/other")
    assert opened(make_link(ROOT, URL, {"slug": "a"}))[1] == {}, "without a repository the notebook starts"


@given(
    st.text("abc é%&?=#+/ .\"'<>", max_size=12),
    st.text("abc-/_.%&", max_size=8),
    st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True),
)
def test_no_sign_of_a_path_or_branch_becomes_a_part_of_the_link(path: str, branch: str, slug: str) -> None:
    from hpcampus.errors import UsageProblemError

    try:
        link = make_link(ROOT, URL, {"slug": slug}, {"repo": GIT, "path": path, "branch": branch})
    except UsageProblemError:
        return
    assert link.isascii()
    options, pull = opened(link)
    assert options == {"course": slug}
    assert set(pull) <= {"repo", "branch", "urlpath", "folder"}
    assert (pull["repo"], pull.get("branch", "")) == (GIT, branch)
    place = unquote(pull["urlpath"]).removeprefix("lab/tree/")
    assert place.split("/")[0] == "exercises"
    assert ".." not in place.split("/")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--profile", "large"], "small, exam"),
        (["--image", "nothing"], "notebook"),
        (["--repo", "git@example.org:x"], "https://"),
        (["--repo", "https://me:secret@example.org/x"], "leave name and password out"),
        (["--path", "../x"], "within the repository"),
    ],
)
def test_no_link_is_made_that_could_not_work(
    inventory: Path, capsys: pytest.CaptureFixture[str], more: Any, says: str
) -> None:
    assert cli.run(["course", "link", SLUG, *more, "-i", str(inventory)]) == 2
    shown = capsys.readouterr()
    assert says in shown.err
    assert shown.out == ""


def test_what_follows_from_a_record(inventory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["course", "show", SLUG, "--json", "-i", str(inventory)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["record"]["start"] == "2026-10-12"
    assert found["groups"] == {
        f"course-{SLUG}-instructors": ["mcurie", "rfeynman"],
        f"course-{SLUG}-graders": [],
        f"course-{SLUG}-students": [],
    }
    assert found["page"] == f"https://jupyter.example.org/services/courses/course/{SLUG}"
    assert found["server"] == f"https://jupyter.example.org/hub/spawn/course-{SLUG}"
    assert found["directories"] == [f"login.cluster.example.org:/shared/hpcampus/courses/{SLUG}"]
    assert found["gradebook"] == "hpcampus_course_physics101_ws26"
    assert cli.run(["course", "show", SLUG, "-i", str(inventory)]) == 0
    shown = capsys.readouterr().out
    for words in (
        f"courses/{SLUG}.yml",
        "due: '2026-11-03T23:59:00+01:00'",
        found["link"],
        f"course-{SLUG}-graders: -",
    ):
        assert words in shown.replace("\n", "")


def test_the_image_of_a_course_and_its_test_are_told(inventory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["course", "show", SLUG, "-i", str(inventory)]) == 0
    assert "  image: notebook\n" in capsys.readouterr().out
    with (inventory / f"group_vars/all/courses/{SLUG}.yml").open("a") as file:
        file.write("  profile: exam\n  image_test: .tests/a/test.ipynb\n")
    assert cli.run(["course", "show", SLUG, "-i", str(inventory)]) == 0
    assert "  image: notebook (jobs get it when .tests/a/test.ipynb has run in it)" in capsys.readouterr().out
    assert cli.run(["course", "show", SLUG, "--json", "-i", str(inventory)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["image"], found["record"]["image_test"]) == ("notebook", ".tests/a/test.ipynb")


def test_a_course_that_is_not_there_is_an_error(inventory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("show", "export", "link"):
        assert cli.run(["course", command, "nothing", "-i", str(inventory)]) == 2
        assert SLUG in capsys.readouterr().err


def test_what_is_exported_is_the_same_course_elsewhere(
    inventory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["course", "export", SLUG, "-i", str(inventory)]) == 0
    place = tmp_path / "exported.yml"
    place.write_text(capsys.readouterr().out)
    (record,) = read_plain(place).values()
    assert cli.run(["course", "export", SLUG, "--json", "-i", str(inventory)]) == 0
    assert json.loads(capsys.readouterr().out) == record
    source = inventory / f"group_vars/all/courses/{SLUG}.yml"
    assert course_files.as_written(read_plain(source)) == read_plain(place)
    shutil.copy(place, source)
    assert cli.run(["course", "export", SLUG, "-i", str(inventory)]) == 0
    assert capsys.readouterr().out == place.read_text()


@pytest.mark.parametrize(
    ("day", "wanted"),
    [
        ("2026-10-11", "before"),
        ("2026-10-12", "now"),
        ("2027-02-12", "now"),
        ("2027-02-13", "after"),
        ("2027-10-01", "expired"),
    ],
)
def test_where_in_its_time_a_course_is(day: str, wanted: str) -> None:
    record = {"start": "2026-10-12", "end": "2027-02-12", "expires": "2027-10-01"}
    assert phase(record, dt.date.fromisoformat(day)) == wanted
    assert phase({}, dt.date.fromisoformat(day)) == "now"


def test_the_shell_completes_courses(inventory: Path) -> None:
    context = click.Context(cli.cli)
    context.params = {"inventory": inventory}
    assert [item.value for item in course_slugs(context, click.Argument(["slug"]), "phys")] == [SLUG]
    context.params = {"inventory": inventory / "nothing"}
    assert course_slugs(context, click.Argument(["slug"]), "") == []


@given(st.text("ab_-/.A0", max_size=10))
def test_command_and_collection_name_variables_alike(text: str) -> None:
    assert course_variable(text) == course_files.course_variable(text)
    assert is_course_variable(course_variable(text)) == course_files.is_course_variable(course_variable(text))
