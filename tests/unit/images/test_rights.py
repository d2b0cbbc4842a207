# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What somebody may in a course's server follows from the hub's groups, and what is not named is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


@pytest.fixture(scope="module")
def rights(load: Callable[[str], ModuleType]) -> ModuleType:
    return load("formgrader.rights")


@pytest.mark.parametrize(
    ("name", "groups", "part"),
    [
        ("course-py1", [], "leader"),
        ("ida", ["course-py1-instructors", "course-py1-graders"], "leader"),
        ("gus", ["course-py1-graders"], "grader"),
        ("otto", ["course-bio2-instructors", "course-py-1-instructors"], "stranger"),
        ("alice", ["course-py1-students"], "stranger"),
        ("course-bio2", [], "stranger"),
        ("", [], "stranger"),
    ],
)
def test_who_is_what(rights: ModuleType, name: str, groups: list[str], part: str) -> None:
    assert rights.part_of({"name": name, "groups": groups}, "py1") == part
    assert rights.part_of({"name": name, "groups": None}, "py1") in ("leader", "stranger")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "formgrader"), ("GET", "formgrader/gradebook/ps1/problem1"), ("GET", "formgrader/submissions/ab12/"),
        ("GET", "formgrader/api/submissions/ps1"), ("GET", "formgrader/static/js/utils.js"), ("GET", "static/style/x.css"),
        ("GET", "oauth_callback"), ("PUT", "formgrader/api/grade/ab12"), ("PUT", "formgrader/api/comment/ab12"),
        ("POST", "formgrader/api/submitted_notebook/ab12/flag"),
    ],
)  # fmt: skip
def test_grading_by_hand_is_allowed(rights: ModuleType, method: str, path: str) -> None:
    assert rights.grader_may(method, path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "formgrader/api/grade/ab12"), ("DELETE", "formgrader/api/grade/ab12"), ("PUT", "formgrader/api/grade/ab12/x"),
        ("PUT", "formgrader/api/assignment/ps1"), ("POST", "formgrader/api/assignment/ps1/release"), ("GET", "static/../api/kernels"),
        ("GET", "formgraders"), ("GET", "staticfiles"), ("OPTIONS", "formgrader"), ("PATCH", "formgrader/api/grade/ab12"),
        ("GET", "formgrader/gradebook\n"), ("GET", ""), ("GET", "lab"),
    ],
)  # fmt: skip
def test_all_else_is_refused(rights: ModuleType, method: str, path: str) -> None:
    assert not rights.grader_may(method, path)


@given(method=st.sampled_from(["POST", "PUT", "PATCH", "DELETE"]), path=st.text(max_size=60))
def test_no_other_address_changes_anything(rights: ModuleType, method: str, path: str) -> None:
    assert not rights.grader_may(method, path) or path.startswith("formgrader/api/")
    assert not rights.is_home(method, path)
