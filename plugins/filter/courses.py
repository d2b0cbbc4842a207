# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter of the playbooks that gathers the courses of an inventory."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.hpcampus.platform.plugins.module_utils.site_problems import course_files

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


class FilterModule:
    """Names under which playbooks call the filters."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return each filter under its name."""
        return {"with_course_files": with_course_files}
