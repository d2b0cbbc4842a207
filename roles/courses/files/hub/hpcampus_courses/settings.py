# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The configuration of the service, checked: one JSON file that the role `courses` writes.

.. code-block:: json

    {"port": 8084, "hub_api_url": "http://127.0.0.1:8081/hub/api", "public_url": "https://hub.example.org",
     "prefix": "/services/courses/", "state_dir": "/var/lib/hpcampus-courses", "courses": [], "limits": {}, "gradebook": {}}

``courses`` has the records of courses as an administrator writes them, ``limits`` the fields of :class:`Limits`, ``gradebook``
what the way to the database of gradebooks needs.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hpcampus_hub.names import is_slug

from .deadlines import POLICIES, Deadline, LateRules
from .licences import SPDX
from .names import problem_of_name

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class SettingsError(ValueError):
    """The configuration is wrong; the text says where, what and what to do."""


@dataclass(frozen=True)
class Limits:
    """How much is taken, in megabytes of 1024 x 1024 bytes."""

    submission_max_mb: int = 100
    """One submission, packed."""
    release_max_mb: int = 1000
    """One released assignment, packed."""
    feedback_max_mb: int = 100
    """Feedback to one submission, packed."""
    student_max_mb: int = 2000
    """All submissions of one student in one course."""
    disk_reserve_mb: int = 512
    """What stays free on the disk of the service."""


@dataclass(frozen=True)
class Course:
    """A course as the service needs it; ``record`` is all that the administrator wrote."""

    slug: str
    title: str
    instructors: frozenset[str] = frozenset()
    graders: frozenset[str] = frozenset()
    students: tuple[str, ...] = ()
    open: bool = False
    private: bool = True
    """Whether only its members learn that there is such a course."""
    assignments: bool = True
    start: date | None = None
    """Before this day students do not see the course."""
    end: date | None = None
    """After this day students hand nothing in; they still see what is theirs."""
    submission_max_mb: int = 0
    """Limit of this course for a submission; 0 takes that of the service."""
    deadlines: Mapping[str, Deadline] = field(default_factory=dict)
    late: LateRules = field(default_factory=LateRules)
    licence: str = ""
    """Id of SPDX of the licence under which it may be given on; "" when none was chosen."""
    record: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Settings:
    """What the service is told. ``prefix`` begins and ends with a slash, ``public_url`` ends with none."""

    port: int
    hub_api_url: str
    public_url: str
    prefix: str
    state_dir: Path
    courses: Mapping[str, Course]
    limits: Limits = field(default_factory=Limits)
    gradebook: Mapping[str, Any] = field(default_factory=dict)
    proxy_url: str = ""
    """Where the hub's proxy listens on this host, which leads to the servers of courses; "" when they cannot be asked."""
    sync_dir: Path = Path("/var/lib/hpcampus-course-sync")
    """Where the hub writes what came of bringing files to homes."""

    @property
    def base_url(self) -> str:
        """Path below which the hub is, with a slash at its end."""
        return self.prefix.removesuffix("services/courses/")


def load(path: Path) -> Settings:
    """Read the configuration.

    Raises:
        SettingsError: it cannot be read, or is wrong.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError(f"{path} is not JSON: {error}") from error
    try:
        return read(data)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error


def read(data: object) -> Settings:
    """Check the configuration.

    Raises:
        SettingsError: something is wrong.
    """
    top = _mapping("the configuration", data)
    known = {one.name for one in fields(Settings)}
    if unknown := sorted(set(top) - known):
        raise SettingsError(f"{unknown[0]}: is not known; known are {', '.join(sorted(known))}")
    prefix = _text("prefix", top.get("prefix", "/services/courses/"))
    if not (prefix.startswith("/") and prefix.endswith("/services/courses/")):
        raise SettingsError(f'prefix: {prefix!r} must be the hub\'s path followed by "services/courses/"')
    courses: dict[str, Course] = {}
    for number, record in enumerate(_list("courses", top.get("courses", []))):
        course = _course(f"courses[{number}]", record)
        if course.slug in courses:
            raise SettingsError(f"courses: {course.slug} is there twice")
        courses[course.slug] = course
    return Settings(
        port=_number("port", top.get("port", 8084), 1, 65535),
        hub_api_url=_url("hub_api_url", top.get("hub_api_url")),
        public_url=_url("public_url", top.get("public_url")),
        prefix=prefix,
        state_dir=Path(_text("state_dir", top.get("state_dir", "/var/lib/hpcampus-courses"))),
        courses=courses,
        limits=_limits(_mapping("limits", top.get("limits", {}))),
        gradebook=_mapping("gradebook", top.get("gradebook", {})),
        proxy_url=_url("proxy_url", top["proxy_url"]) if top.get("proxy_url") else "",
        sync_dir=Path(_text("sync_dir", top.get("sync_dir", str(Settings.sync_dir)))),
    )


def _limits(data: Mapping[str, Any]) -> Limits:
    known = {one.name for one in fields(Limits)}
    if unknown := sorted(set(data) - known):
        raise SettingsError(f"limits.{unknown[0]}: is not known; known are {', '.join(sorted(known))}")
    return Limits(**{name: _number(f"limits.{name}", value, 0, 2**30) for name, value in data.items()})


def _course(place: str, data: object) -> Course:
    record = _mapping(place, data)
    slug = _text(f"{place}.slug", record.get("slug"))
    if not is_slug(slug):
        raise SettingsError(f"{place}.slug: {slug!r} must be of lower case letters, digits and hyphens")
    calendar = _mapping(f"{place}.calendar", record.get("calendar") or {})
    return Course(
        slug=slug,
        title=_text(f"{place}.title", record.get("title") or slug),
        instructors=frozenset(_names(f"{place}.instructors", record.get("instructors"))),
        graders=frozenset(_names(f"{place}.graders", record.get("graders"))),
        students=_names(f"{place}.students", record.get("students")),
        open=_flag(f"{place}.open", record.get("open", False)),
        private=_flag(f"{place}.private", record.get("private", True)),
        assignments=_flag(f"{place}.assignments", record.get("assignments", True)),
        start=_day(f"{place}.start", record.get("start")),
        end=_day(f"{place}.end", record.get("end")),
        submission_max_mb=_number(f"{place}.quota_mb", record.get("quota_mb") or 0, 0, 2**30),
        deadlines=_deadlines(f"{place}.calendar.deadlines", calendar.get("deadlines")),
        late=_late(f"{place}.late", _mapping(f"{place}.late", record.get("late") or {})),
        licence=_licence(f"{place}.licence", record.get("licence") or ""),
        record=record,
    )


def _deadlines(place: str, data: object) -> dict[str, Deadline]:
    found: dict[str, Deadline] = {}
    for number, entry in enumerate(_list(place, data or [])):
        here = f"{place}[{number}]"
        values = _mapping(here, entry)
        name = _text(f"{here}.assignment", values.get("assignment"))
        if problem := problem_of_name(name):
            raise SettingsError(f"{here}.assignment: {name!r} {problem}")
        if name in found:
            raise SettingsError(f"{here}.assignment: {name} has a deadline already")
        due = _moment(f"{here}.due", values.get("due"))
        late_until = _moment(f"{here}.late_until", values["late_until"]) if values.get("late_until") else None
        if late_until is not None and late_until < due:
            raise SettingsError(f"{here}.late_until: is before the assignment is due")
        found[name] = Deadline(due, late_until)
    return found


def _late(place: str, data: Mapping[str, Any]) -> LateRules:
    policy = _text(f"{place}.policy", data.get("policy") or "mark")
    if policy not in POLICIES:
        raise SettingsError(f"{place}.policy: {policy!r} is none of {', '.join(POLICIES)}")
    return LateRules(
        policy=policy,
        percent=_number(f"{place}.percent", data.get("percent") or 0, 0, 100),
        grace_minutes=_number(f"{place}.grace_minutes", data.get("grace_minutes") or 0, 0, 525_600),
    )


def _licence(place: str, value: object) -> str:
    text = value if isinstance(value, str) else ""
    if value and SPDX.fullmatch(text) is None:
        raise SettingsError(f"{place}: {value!r} must be an id of https://spdx.org/licenses/, such as CC-BY-4.0")
    return text


def _moment(place: str, value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(place, value))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise SettingsError(
            f"{place}: {value!r} must be a date and time with its zone, such as 2027-01-31T23:59:00+01:00"
        )
    return moment


def _day(place: str, value: object) -> date | None:
    if value in (None, ""):
        return None
    try:
        return date.fromisoformat(_text(place, value))
    except ValueError:
        raise SettingsError(f"{place}: {value!r} must be a day such as 2026-10-12") from None


def _mapping(place: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise SettingsError(f"{place}: must be a mapping")
    return value


def _list(place: str, value: object) -> list[Any]:
    if not isinstance(value, list):
        raise SettingsError(f"{place}: must be a list")
    return value


def _names(place: str, value: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_text(place, name) for name in _list(place, value or [])))


def _text(place: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise SettingsError(f"{place}: must be a text that is not empty")
    return value


def _flag(place: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise SettingsError(f"{place}: must be true or false")
    return value


def _number(place: str, value: object, low: int, high: int) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise SettingsError(f"{place}: must be a number from {low} to {high}")
    return value


def _url(place: str, value: object) -> str:
    text = _text(place, value)
    if not text.startswith(("http://", "https://")):
        raise SettingsError(f"{place}: {text!r} must be an address that begins with http:// or https://")
    return text.rstrip("/")
