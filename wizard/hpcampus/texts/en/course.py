# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""One course, as the command shows it."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "course.record": "Record, in {path}",
    "course.follows": "What follows from it",
    "course.page": "course page",
    "course.server": "formgrader",
    "course.account": "account of the hub whose server that is",
    "course.gradebook": "gradebook",
    "course.link": "link for students",
    "course.group": "group {name}",
    "course.directory": "directory",
    "course.image": "image",
    "course.image-test": "jobs get it when {notebook} has run in it",
    "course.time": "time",
    "course.phase.before": "not begun; students see it from {start}",
    "course.phase.now": "students see it",
    "course.phase.after": "over; students saw it until {end}",
    "course.phase.expired": "closed; since {expires} its files may be cleared up",
    "work.title": "Archive of a course",
    "work.description": "Bring what was released, handed in and graded from the hub.",
    "work.retry": "hpcampus course export {slug}{options}",
    "work.of-another": "It is of the course {slug}.",
    "work.whole": "{path}: archive of '{title}', whole, {size} MB",
    "work.counts": "submissions: {submissions}, by students: {students}; releases: {releases}; feedback: {feedback}; files: {files}",
    "work.made": "made at {time}",
    "work.gradebook": "not in it: nbgrader's gradebook, {where}",
    "work.missing": "the hub had lost this: {path}",
}
