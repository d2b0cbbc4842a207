# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Links that bring files, read as the hub and nbgitpuller read them."""

from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus_courses.links import LinkError, course_link

HUB = "https://hub.example.org/"
GIT = "https://git.example.org/physics/exercises"


def read(link: str) -> tuple[dict[str, list[str]], str, dict[str, list[str]]]:
    """What the hub reads of a link; where it leads then, and with what."""
    query = parse_qs(urlsplit(link).query, strict_parsing=True)
    after = urlsplit(query.pop("next", [""])[0])
    return query, after.path, parse_qs(after.query)


def test_a_link_chooses_course_size_and_image_and_brings_a_file() -> None:
    link = course_link(HUB, "py1", GIT, branch="main", path="week 1/a#b.ipynb", profile="small", image="course")
    assert link.startswith("https://hub.example.org/hub/spawn?")
    options, path, pull = read(link)
    assert options == {"opt-profile": ["small"], "opt-course": ["py1"], "opt-image": ["course"]}
    assert path == "/hub/user-redirect/git-pull"
    assert pull == {"repo": [GIT], "branch": ["main"], "urlpath": ["lab/tree/exercises/week%201/a%23b.ipynb"]}


def test_without_a_repository_it_only_starts_the_notebook() -> None:
    assert course_link(HUB, "py1") == "https://hub.example.org/hub/spawn?opt-course=py1"


def test_a_hub_below_a_path() -> None:
    link = course_link("https://example.org/jupyter", "py1", GIT)
    assert link.startswith("https://example.org/jupyter/hub/spawn?")
    assert read(link)[1] == "/jupyter/hub/user-redirect/git-pull"


@pytest.mark.parametrize(
    ("repository", "branch", "path"),
    [
        ("git.example.org/x", "", ""),
        ("ssh://git.example.org/x", "", ""),
        ("javascript:alert(1)//x/y", "", ""),
        ("file:///etc/passwd", "", ""),
        ("https:///x", "", ""),
        ("https://git.example.org", "", ""),
        ("https://git.example.org/..", "", ""),
        ("https://git.example.org/.git", "", ""),
        ("https://git.example.org/a b", "", ""),
        ("https://git.example.org/a\nb", "", ""),
        ("https://me:secret@git.example.org/x", "", ""),
        ("https://me@git.example.org/x", "", ""),
        (GIT, "a b", ""),
        (GIT, "a\x00b", ""),
        (GIT, "", ".."),
        (GIT, "", "a/../../b"),
        (GIT, "", "/../b"),
        (GIT, "", "a\nb"),
    ],
)
def test_what_is_no_link(repository: str, branch: str, path: str) -> None:
    with pytest.raises(LinkError, match=r"^(Repository|Branch|File): "):
        course_link(HUB, "py1", repository, branch=branch, path=path)


@given(branch=st.text(), path=st.text(), profile=st.text(), image=st.text())
def test_nothing_that_is_typed_becomes_another_part_of_a_link(branch: str, path: str, profile: str, image: str) -> None:
    try:
        link = course_link(HUB, "py1", GIT, branch=branch, path=path, profile=profile, image=image)
    except LinkError:
        return
    options, after, pull = read(link)
    wanted = {"opt-profile": profile, "opt-course": "py1", "opt-image": image}
    assert options == {name: [value] for name, value in wanted.items() if value}
    assert after == "/hub/user-redirect/git-pull"
    assert set(pull) <= {"repo", "branch", "urlpath"}
    assert pull["repo"] == [GIT]
    assert pull.get("branch", [""]) == [branch]
    place = unquote(pull["urlpath"][0])
    assert place == "lab/tree/exercises" or place.startswith("lab/tree/exercises/")
    assert ".." not in place.split("/")
