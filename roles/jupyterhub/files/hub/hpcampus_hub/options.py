# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a person may ask for when starting a server: one allow-list for the form, the REST API and links.

Only two keys exist, ``profile`` and ``course``, and their values must be names that the administrator configured.
Everything that reaches Slurm comes from the configuration, never from the request.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .names import course_of
from .settings import Course, Profile, Site

KEYS = ("profile", "course")
IGNORED_FORM_KEYS = ("_xsrf",)


class OptionsError(ValueError):
    """A request asks for something that is not on offer; the text is for the person who asked."""


@dataclass(frozen=True)
class Membership:
    """A course whose directories a job may mount, and as whom: ``student`` or ``course`` (the course's own server)."""

    slug: str
    role: str


@dataclass(frozen=True)
class Choice:
    """A checked request: all that a job needs to know of what was asked."""

    profile: Profile
    image: str
    memberships: tuple[Membership, ...]

    @property
    def course(self) -> Membership | None:
        """The course that the server is for: the one chosen, or the first of the person's courses."""
        return self.memberships[0] if self.memberships else None


def _shown(value: object) -> str:
    """A value for a message: ASCII, on one line and never long."""
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."


def from_form(fields: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Options of a form or of a link's query: single texts out of lists; an empty value counts as not given.

    Raises:
        OptionsError: a key is not on the list, is given twice, or is a file.
    """
    options: dict[str, Any] = {}
    for key, values in fields.items():
        if key in IGNORED_FORM_KEYS:
            continue
        _check_key(key)
        if len(values) != 1:
            raise OptionsError(f"{key} is given {len(values)} times; give it once")
        if values[0] != "":
            options[key] = values[0]
    check_types(options)
    return options


def _check_key(key: object) -> None:
    if key not in KEYS:
        raise OptionsError(f"{_shown(key)} is not an option; there are {' and '.join(KEYS)}")


def check_types(options: object) -> Mapping[str, str]:
    """Check keys and types; values are checked by :func:`choose`.

    Raises:
        OptionsError: not a mapping, an unknown key, or a value that is not text.
    """
    if not isinstance(options, Mapping):
        raise OptionsError("options must be an object with the keys profile and course")
    for key, value in options.items():
        _check_key(key)
        if not isinstance(value, str):
            raise OptionsError(f"{key} must be text, not {_shown(value)}")
    return options


def courses_of(site: Site, user_name: str) -> list[Course]:
    """The courses in which a person takes part, in the order of the configuration."""
    return [course for course in site.courses.values() if course.has(user_name)]


def choose(site: Site, user_name: str, options: object) -> Choice:
    """Turn a request into a job's profile, image and courses.

    Args:
        site: the configuration.
        user_name: the hub's name of the user whose server is to start.
        options: ``user_options`` as they came; nothing is taken for granted.

    Returns:
        The choice. Without a profile it is the course's, else the first; a course's image wins over the profile's.

    Raises:
        OptionsError: says what is not on offer and what is.
    """
    wanted = check_types(options)
    own_course = course_of(user_name)
    if own_course is not None:
        courses = [_course_of_server(site, own_course)]
        role = "course"
    else:
        courses = courses_of(site, user_name)
        role = "student"
    first = _pick_course(courses, wanted.get("course"))
    if first is not None:
        courses = [first, *(course for course in courses if course is not first)]
    profile = _pick_profile(site, wanted.get("profile"), first)
    return Choice(
        profile=profile,
        image=(first.image if first is not None else "") or profile.image,
        memberships=tuple(Membership(course.slug, role) for course in courses),
    )


def _course_of_server(site: Site, slug: str) -> Course:
    if slug not in site.courses:
        raise OptionsError("this server's course is no longer configured; ask the administrator")
    return site.courses[slug]


def _pick_course(courses: Sequence[Course], wanted: str | None) -> Course | None:
    if wanted is None:
        return courses[0] if courses else None
    for course in courses:
        if course.slug == wanted:
            return course
    offered = ", ".join(course.slug for course in courses) or "none"
    raise OptionsError(f"course {_shown(wanted)} is not one of yours (yours: {offered})")


def _pick_profile(site: Site, wanted: str | None, course: Course | None) -> Profile:
    if wanted is None:
        return site.profiles[course.profile] if course is not None and course.profile else site.default_profile
    if wanted not in site.profiles:
        raise OptionsError(f"profile {_shown(wanted)} is not on offer; there are {', '.join(site.profiles)}")
    return site.profiles[wanted]
