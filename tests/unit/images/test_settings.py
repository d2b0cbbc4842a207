# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a server in the image shows follows from its environment, and from nothing that is not a slug."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

FORMGRADER = "hpcampus_nbgrader.formgrader"
ASSIGNMENTS = "hpcampus_nbgrader.assignment_list"


def read(settings: ModuleType, **environment: str) -> Any:
    return settings.Settings.from_environment({f"HPCAMPUS_{name}": value for name, value in environment.items()})


def test_server_without_a_course_shows_nothing_of_nbgrader(settings: ModuleType) -> None:
    plain = read(settings)
    assert plain.role == "plain"
    assert not any(plain.server_extensions.values())
    assert set(plain.disabled_lab_plugins) >= {"@jupyter/nbgrader:formgrader", "@jupyter/nbgrader:menu"}


def test_student_sees_assignments_and_no_formgrader(settings: ModuleType) -> None:
    student = read(settings, COURSE="physics", COURSE_ROLE="student", COURSES="physics", USER_ID="alice")
    assert student.role == "student"
    assert student.server_extensions[ASSIGNMENTS]
    assert not student.server_extensions[FORMGRADER]
    assert "@jupyter/nbgrader:formgrader" in student.disabled_lab_plugins
    assert "@jupyter/nbgrader:assignment-list" not in student.disabled_lab_plugins
    assert student.fixed_course == "physics"


def test_course_sees_formgrader_and_no_assignment_list(settings: ModuleType) -> None:
    course = read(settings, COURSE="physics", COURSE_ROLE="course")
    assert course.role == "course"
    assert course.server_extensions[FORMGRADER]
    assert not course.server_extensions[ASSIGNMENTS]
    assert "@jupyter/nbgrader:formgrader" not in course.disabled_lab_plugins
    assert course.fixed_course == "physics"


def test_student_of_several_courses_may_choose(settings: ModuleType) -> None:
    student = read(settings, COURSE="physics", COURSES="physics, maths,physics", COURSE_ROLE="student")
    assert student.courses == ("physics", "maths")
    assert student.fixed_course == ""


@pytest.mark.parametrize("role", ["Course", "course ", "instructor", "", "root"])
def test_any_other_role_is_a_students(settings: ModuleType, role: str) -> None:
    assert read(settings, COURSE="physics", COURSE_ROLE=role).role == "student"


def test_role_course_without_a_course_shows_nothing(settings: ModuleType) -> None:
    assert read(settings, COURSE_ROLE="course").role == "plain"


@given(text=st.text())
def test_only_slugs_pass(settings: ModuleType, text: str) -> None:
    course = read(settings, COURSE=text).course
    assert course in ("", text)
    assert all(letter in "abcdefghijklmnopqrstuvwxyz0123456789-" for letter in course)


@pytest.mark.parametrize("text", ["../physics", "physics\n", "Physics", "-physics", "a" * 65, "a/b", "a+b", "$(id)"])
def test_hostile_course_names_count_as_absent(settings: ModuleType, text: str) -> None:
    assert read(settings, COURSE=text).course == ""


def test_page_configuration_of_every_role(pages: ModuleType, tmp_path: Path) -> None:
    pages.write(tmp_path)
    hidden = {
        path.parent.parent.name: json.loads(path.read_text(encoding="utf-8"))["disabledExtensions"]
        for path in tmp_path.glob("*/labconfig/page_config.json")
    }
    assert sorted(hidden) == ["course", "plain", "student"]
    assert "@jupyter/nbgrader:formgrader" in hidden["student"]
    assert "@jupyter/nbgrader:formgrader" not in hidden["course"]


def test_each_server_of_a_person_has_its_own_list_of_trusted_notebooks(settings: ModuleType) -> None:
    assert read(settings).signatures == "nbsignatures.db"
    assert read(settings, SERVER_ID="second").signatures == "nbsignatures-second.db"
    assert read(settings, SERVER_ID="../second").signatures == "nbsignatures.db"


def test_the_gradebook_is_a_database_where_the_course_has_one(settings: ModuleType) -> None:
    course = read(settings, COURSE="py-1", COURSE_ROLE="course", GRADEBOOK="hpcampus_course_py_1")
    assert (
        course.db_url()
        == "postgresql+psycopg://hpcampus_course_py_1@/hpcampus_course_py_1?host=/run/hpcampus/gradebook"
    )
    assert read(settings, COURSE="py-1", COURSE_ROLE="course").db_url() == ""
    assert read(settings, COURSE="py-1", GRADEBOOK="hpcampus_course_py_1").db_url() == "", "a student has none"


@pytest.mark.parametrize("name", ["postgres", "hpcampus_course_x?host=/tmp", "hpcampus_course_", "hpcampus_course_a@b"])
def test_another_database_counts_as_none(settings: ModuleType, name: str) -> None:
    assert read(settings, COURSE="py-1", COURSE_ROLE="course", GRADEBOOK=name).db_url() == ""
