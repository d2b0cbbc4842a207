# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a person may ask for when starting a server: one allow-list for the form, the REST API and links.

A name or a GRES request must be one that the administrator configured, a number one within the profile's range. Everything
that reaches Slurm is a text of the configuration or a whole number, never a text of the request.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Self

from .names import course_of
from .settings import Course, Profile, SettingsError, Site, memory_text, parse_memory_mb, today

KEYS = ("profile", "course", "image", "cpus", "memory", "time_limit_minutes", "gres")
NUMBERS = ("cpus", "time_limit_minutes")
FORM_FIELDS = ("image", "cpus", "memory_gb", "memory_mb", "time_limit_minutes", "gres")
"""What a form asks for each profile anew; an amount of memory has its unit in the field's name."""
FORM_UNITS = {"memory_gb": "G", "memory_mb": "M"}
IGNORED_FORM_KEYS = ("_xsrf",)
NO_GRES = "none"

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


class OptionsError(ValueError):
    """A request asks for something that is not on offer; the text is for the person who asked."""


@dataclass(frozen=True)
class Membership:
    """A course whose directories a job may mount, and as whom: ``student`` or ``course`` (the course's own server).

    ``data`` says whether the course's own data is mounted, ``shared`` whether that of the site is.
    """

    slug: str
    role: str
    data: bool = False
    shared: bool = False


@dataclass(frozen=True)
class Choice:
    """A checked request: all that a job needs to know of what was asked."""

    profile: Profile
    image: str
    cpus: int
    memory_mb: int
    time_limit_minutes: int
    gres: str
    reservation: str
    memberships: tuple[Membership, ...]

    @classmethod
    def plain(cls, profile: Profile) -> Self:
        """The profile as it comes, for nobody in particular."""
        return cls(
            profile=profile,
            image=profile.image,
            cpus=profile.cpus,
            memory_mb=profile.memory_mb,
            time_limit_minutes=profile.time_limit_minutes,
            gres=profile.gres,
            reservation=profile.reservation,
            memberships=(),
        )

    @property
    def is_plain(self) -> bool:
        """Whether it is the profile as it comes, for a person: what a job can wait for without knowing who comes."""
        return replace(self, memberships=()) == self.plain(self.profile) and all(
            membership.role == "student" for membership in self.memberships
        )

    @property
    def course(self) -> Membership | None:
        """The course that the server is for: the one chosen, or the first of the person's courses."""
        return self.memberships[0] if self.memberships else None


def _shown(value: object) -> str:
    """A value for a message: ASCII, on one line and never long."""
    try:
        text = ascii(value)
    except (RecursionError, ValueError):
        return f"a {type(value).__name__} that is too large to show"
    return text if len(text) <= 60 else text[:57] + "..."


def from_form(fields: Mapping[str, Sequence[Any]], profiles: Collection[str]) -> dict[str, Any]:
    """Options of the form. It sends the fields of every profile, named PROFILE.FIELD; those of the chosen one count.

    Args:
        fields: the form's fields as they came.
        profiles: names of the profiles that there are.

    Raises:
        OptionsError: a key is not on the list, is given twice, or is a file.
    """
    chosen = list(fields.get("profile", ()))
    given: dict[str, list[Any]] = {}
    for key, values in fields.items():
        name, dot, field = key.partition(".")
        if dot and (name not in profiles or field not in FORM_FIELDS):
            raise OptionsError(f"{_shown(key)} is not an option")
        if not dot:
            given.setdefault(key, []).extend(values)
        elif chosen == [name] and field in FORM_UNITS:
            given.setdefault("memory", []).extend(_with_unit(value, FORM_UNITS[field]) for value in values)
        elif chosen == [name]:
            given.setdefault(field, []).extend(values)
    return from_query(given)


def _with_unit(value: Any, unit: str) -> Any:
    return value + unit if isinstance(value, str) and value else value


def from_query(fields: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Options of a link's query: single texts out of lists; an empty value counts as not given.

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
        raise OptionsError(f"{_shown(key)} is not an option; there are {_listed(KEYS)}")


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def check_types(options: object) -> Mapping[str, Any]:
    """Check keys and types; values are checked by :func:`choose`.

    Raises:
        OptionsError: not a mapping, an unknown key, or a value that is neither text nor, where one is asked for, a number.
    """
    if not isinstance(options, Mapping):
        raise OptionsError(f"options must be an object with some of the keys {', '.join(KEYS)}")
    for key, value in options.items():
        _check_key(key)
        if key in NUMBERS:
            number_of(key, value)
        elif not isinstance(value, str):
            raise OptionsError(f"{key} must be text, not {_shown(value)}")
    return options


def number_of(key: str, value: object) -> int:
    """The whole number that a request gives, as a number or as a text of digits.

    Raises:
        OptionsError: it gives something else.
    """
    if type(value) is int:
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return int(value)
    raise OptionsError(f"{key} must be a whole number above 0, not {_shown(value)}")


def memory_of(value: object) -> int:
    """The megabytes of a size that a request gives.

    Raises:
        OptionsError: it is no size with a unit.
    """
    try:
        return parse_memory_mb(value)
    except SettingsError:
        raise OptionsError(f'memory must be a whole number with a unit, such as "4G", not {_shown(value)}') from None


def courses_of(site: Site, user_name: str, day: date | None = None) -> list[Course]:
    """The courses that are on offer to a person on a day, today if none is given, in the order of the configuration."""
    day = day or today()
    return [course for course in site.courses.values() if course.is_offered_to(user_name, day)]


def profiles_of(site: Site, user_name: str, groups: Collection[str], day: date | None = None) -> dict[str, Profile]:
    """The profiles that a person, or a course's own server, may use, by name and in the order of the configuration.

    Args:
        site: the configuration.
        user_name: the hub's name of the user.
        groups: names of the hub's groups that the user is in.
        day: on which day; today if none is given.
    """
    own_course = course_of(user_name)
    slugs = [own_course] if own_course is not None else [course.slug for course in courses_of(site, user_name, day)]
    return {name: profile for name, profile in site.profiles.items() if profile.is_for(slugs, groups)}


def profiles_for(profiles: Mapping[str, Profile], course: Course | None) -> dict[str, Profile]:
    """Those of the profiles that a course allows, all of them without a course."""
    allowed = course.profiles if course is not None else ()
    return {name: profile for name, profile in profiles.items() if not allowed or name in allowed}


def default_profile(profiles: Mapping[str, Profile], course: Course | None) -> Profile:
    """The profile of a request that names none: the course's if it is among those on offer, else the first of them.

    Raises:
        OptionsError: none is on offer.
    """
    profiles = profiles_for(profiles, course)
    if not profiles:
        raise OptionsError(f"no profile is on offer to you{_with(course)}; ask the administrator")
    if course is not None and course.profile in profiles:
        return profiles[course.profile]
    return next(iter(profiles.values()))


def _with(course: Course | None) -> str:
    return f" with course {course.slug}" if course is not None and course.profiles else ""


def choose(
    site: Site, user_name: str, options: object, groups: Collection[str] = (), day: date | None = None
) -> Choice:
    """Turn a request into all that a job asks for.

    Args:
        site: the configuration.
        user_name: the hub's name of the user whose server is to start.
        options: ``user_options`` as they came; nothing is taken for granted.
        groups: names of the hub's groups that the user is in.
        day: on which day; today if none is given.

    Returns:
        The choice. Without a profile it is the course's, else the first; a course's image and reservation win over the
        profile's, and what was asked for over both.

    Raises:
        OptionsError: says what is not on offer and what is.
    """
    wanted = check_types(options)
    day = day or today()
    own_course = course_of(user_name)
    if own_course is not None:
        courses = [_course_of_server(site, own_course, day)]
        role = "course"
    else:
        courses = courses_of(site, user_name, day)
        role = "student"
        _check_time(site.courses.get(wanted.get("course", "")), user_name, day)
    first = _pick_course(courses, wanted.get("course"))
    if first is not None:
        courses = [first, *(course for course in courses if course is not first)]
    profile = _pick_profile(profiles_of(site, user_name, groups, day), wanted.get("profile"), first)
    return Choice(
        profile=profile,
        image=_pick_image(profile, first, wanted.get("image")),
        cpus=_pick_number(profile, "cpus", wanted.get("cpus")),
        memory_mb=_pick_memory(profile, wanted.get("memory")),
        time_limit_minutes=_pick_number(profile, "time_limit_minutes", wanted.get("time_limit_minutes")),
        gres=_pick_gres(profile, wanted.get("gres")),
        reservation=(first.reservation if first is not None else "") or profile.reservation,
        # There is one place for a course's data: that of the course which the server is for.
        memberships=tuple(
            Membership(course.slug, role, data=bool(course.data) and course is first, shared=course.shared)
            for course in courses
        ),
    )


def _course_of_server(site: Site, slug: str, day: date) -> Course:
    if slug not in site.courses:
        raise OptionsError("this server's course is no longer configured; ask the administrator")
    course = site.courses[slug]
    if course.has_expired(day):
        raise OptionsError(f"this server's course is closed since {course.expires}; ask the administrator")
    return course


def _check_time(course: Course | None, user_name: str, day: date) -> None:
    """Tell somebody who takes part in a course why it is not on offer."""
    if course is None or not course.has(user_name) or course.is_offered_to(user_name, day):
        return
    if course.start is not None and day < course.start:
        raise OptionsError(f"course {course.slug} begins on {course.start}")
    raise OptionsError(f"course {course.slug} has ended")


def _pick_course(courses: Sequence[Course], wanted: str | None) -> Course | None:
    if wanted is None:
        return courses[0] if courses else None
    for course in courses:
        if course.slug == wanted:
            return course
    offered = ", ".join(course.slug for course in courses) or "none"
    raise OptionsError(f"course {_shown(wanted)} is not one of yours (yours: {offered})")


def _pick_profile(profiles: Mapping[str, Profile], wanted: str | None, course: Course | None) -> Profile:
    usual = default_profile(profiles, course)
    if wanted is None:
        return usual
    allowed = profiles_for(profiles, course)
    if wanted not in allowed:
        raise OptionsError(f"profile {_shown(wanted)} is not on offer{_with(course)}; there are {', '.join(allowed)}")
    return allowed[wanted]


def _pick_image(profile: Profile, course: Course | None, wanted: str | None) -> str:
    usual = (course.image if course is not None else "") or profile.image
    if wanted is None or wanted == usual:
        return usual
    return _pick_text(profile, "image", wanted, profile.images or (usual,))


def _pick_gres(profile: Profile, wanted: str | None) -> str:
    if wanted is None:
        return profile.gres
    offered = {gres or NO_GRES: gres for gres in profile.gres_choices or (profile.gres,)}
    return offered[_pick_text(profile, "gres", wanted or NO_GRES, tuple(offered))]


def _pick_text(profile: Profile, key: str, wanted: str, offered: Sequence[str]) -> str:
    if wanted not in offered:
        raise _not_on_offer(profile, key, wanted, ", ".join(offered))
    return wanted


def _pick_number(profile: Profile, key: str, wanted: object) -> int:
    if wanted is None:
        return int(getattr(profile, key))
    number, offered = number_of(key, wanted), profile.range_of(key)
    if number not in offered:
        raise _not_on_offer(profile, key, wanted, _span(str(offered.low), str(offered.high)))
    return number


def _pick_memory(profile: Profile, wanted: object) -> int:
    if wanted is None:
        return profile.memory_mb
    megabytes, offered = memory_of(wanted), profile.range_of("memory_mb")
    if megabytes not in offered:
        raise _not_on_offer(profile, "memory", wanted, _span(memory_text(offered.low), memory_text(offered.high)))
    return megabytes


def _span(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"


def _not_on_offer(profile: Profile, key: str, wanted: object, offered: str) -> OptionsError:
    return OptionsError(f"{key} {_shown(wanted)} is not on offer with profile {profile.name}, which has {offered}")
