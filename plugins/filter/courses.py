# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters of the playbooks and roles for the courses of an inventory: all of them, and the tests of their images."""

from __future__ import annotations

import base64
import datetime as dt
import pathlib
import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.hpcampus.platform.plugins.module_utils.site_problems import course_files, image_tests

Record = t.Mapping[str, t.Any]


def with_course_files(records: t.Sequence[Record], variables: Record) -> list[dict[str, t.Any]]:
    """Add the courses that have a file of their own to those of the list.

    Args:
        records: ``site_courses``.
        variables: The variables of one host, among them those of the courses.

    Returns:
        All records; those of the files come last, by the name of their variable. Days and times are texts.

    Raises:
        AnsibleFilterError: One is no mapping with a slug, or two have the same slug.
    """
    known = {name: variables[name] for name in variables if course_files.is_course_variable(name)}
    seen: dict[str, str] = {}
    complete = []
    for where, record in course_files.course_records({**known, course_files.LIST: records}):
        if not isinstance(record, t.Mapping) or not record.get("slug"):
            raise AnsibleFilterError(
                f"{where} is no record of a course. Write its fields below it, slug and title at least."
            )
        slug = str(record["slug"])
        if slug in seen:
            raise AnsibleFilterError(f"{where} and {seen[slug]} have the same slug, {slug!r}. Remove one of them.")
        seen[slug] = where
        complete.append(course_files.as_written(record))
    return complete


def course_image_tests(
    records: t.Sequence[Record], profiles: t.Sequence[Record], inventory: str
) -> list[dict[str, str]]:
    """Give the tests that courses have for their images.

    Args:
        records: All courses, as :func:`with_course_files` gives them.
        profiles: ``site_profiles``.
        inventory: Directory of the inventory.

    Returns:
        For each course with a test ``course``, ``image`` and ``notebook``, a path on the controller. A course that has expired
        has none: nobody can start a server for it.

    Raises:
        AnsibleFilterError: A notebook is not there.
    """
    today = dt.datetime.now(dt.UTC).date().isoformat()
    tests = []
    for record in records:
        expired = record.get("expires") and str(record["expires"]) <= today
        if expired or not record.get("image_test"):
            continue
        try:
            notebook = image_tests.notebook_of(inventory, str(record["image_test"]))
        except image_tests.UnfitTestError as error:
            raise AnsibleFilterError(f"image_test of the course {record['slug']}: {error}") from error
        image = image_tests.image_of(record, profiles)
        tests.append({"course": str(record["slug"]), "image": image, "notebook": str(notebook)})
    return tests


def tests_of_image(tests: t.Sequence[Record], image: str) -> list[dict[str, str]]:
    """Give the tests that an image has to pass.

    Args:
        tests: As :func:`course_image_tests` gives them.
        image: Its name.

    Returns:
        Each with ``name``, that of the notebook's file, and ``digest``, sixteen digits that change with whatever goes with it.

    Raises:
        AnsibleFilterError: One cannot be used.
    """
    found = []
    for test in tests:
        if test["image"] == image:
            notebook = pathlib.Path(test["notebook"])
            try:
                image_tests.check_notebook(notebook)
                found.append({**test, "name": notebook.name, "digest": image_tests.digest_of(notebook)})
            except image_tests.UnfitTestError as error:
                raise AnsibleFilterError(f"The test of the course {test['course']}, {notebook}: {error}") from error
    return found


def notebook_archive(notebook: str) -> str:
    """Pack a notebook and what lies beside it; gives the base64 text of a zip file.

    Raises:
        AnsibleFilterError: It cannot be used as a test.
    """
    try:
        return base64.b64encode(image_tests.archive_of(pathlib.Path(notebook))).decode("ascii")
    except image_tests.UnfitTestError as error:
        raise AnsibleFilterError(f"{notebook}: {error}") from error


class FilterModule:
    """Names under which playbooks call the filters."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return each filter under its name."""
        return {
            "course_image_tests": course_image_tests,
            "notebook_archive": notebook_archive,
            "tests_of_image": tests_of_image,
            "with_course_files": with_course_files,
        }
