# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The spawn form as data: each profile in words, and a field for each thing that a person may choose with it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader

from .courses import note_of
from .options import (
    NO_GRES,
    OptionsError,
    courses_of,
    default_profile,
    memory_of,
    number_of,
    profiles_for,
    profiles_of,
)
from .settings import Profile, Range, Site, today

_PAGES = Environment(loader=PackageLoader("hpcampus_hub"), autoescape=True)


@dataclass(frozen=True)
class Field:
    """One field: a number from ``low`` to ``high``, or one of ``choices`` (value and text) if there are any."""

    name: str
    label: str
    hint: str
    value: str
    low: int = 0
    high: int = 0
    choices: tuple[tuple[str, str], ...] = ()


def describe(profile: Profile) -> str:
    """A profile's size, or the bounds of it, in words."""
    cpus, memory, limit = (profile.range_of(size) for size in ("cpus", "memory_mb", "time_limit_minutes"))
    number = f"{cpus.low}" if cpus.low == cpus.high else f"{cpus.low} to {cpus.high}"
    amount = memory_words(memory.high)
    if memory.low != memory.high:
        amount = f"{memory_words(memory.low)} to {amount}"
    parts = [f"{number} CPU" + ("s" if cpus.high > 1 else ""), f"{amount} memory", f"up to {time_words(limit.high)}"]
    devices = " or ".join(gres or "none" for gres in profile.gres_choices) or profile.gres
    if devices:
        parts.insert(1, devices)
    return ", ".join(parts)


def memory_words(megabytes: int) -> str:
    """An amount of memory in words."""
    return f"{megabytes / 1024:g} GB" if megabytes >= 1024 else f"{megabytes} MB"


def time_words(minutes: int) -> str:
    """A time limit in words."""
    return f"{minutes / 60:g} hours" if minutes >= 120 else f"{minutes} minutes"


def fields_of(profile: Profile, last: Mapping[str, Any]) -> list[Field]:
    """The fields of a profile with more to choose than itself.

    Args:
        profile: the profile.
        last: options that were chosen with this profile before; what is no longer on offer is passed over.

    Returns:
        Fields named ``PROFILE.FIELD``, in the order of the form. Without a choice there is none.
    """
    fields = []
    if profile.images:
        fields.append(_image(profile, last))
    if "cpus" in profile.ranges:
        offered, usual = profile.ranges["cpus"], profile.cpus
        hint = f"{offered.low} to {offered.high}, usually {usual}."
        value = _last_number(last, "cpus", offered, usual)
        fields.append(_number(profile, "cpus", "CPUs", hint, value, offered))
    if "memory_mb" in profile.ranges:
        fields.append(_memory(profile, last))
    if profile.gres_choices:
        fields.append(_gres(profile, last))
    if "time_limit_minutes" in profile.ranges:
        offered, usual = profile.ranges["time_limit_minutes"], profile.time_limit_minutes
        hint = f"{time_words(offered.low)} to {time_words(offered.high)}, usually {time_words(usual)}."
        value = _last_number(last, "time_limit_minutes", offered, usual)
        fields.append(_number(profile, "time_limit_minutes", "Time limit in minutes", hint, value, offered))
    return fields


def _number(profile: Profile, field: str, label: str, hint: str, value: int, offered: Range) -> Field:
    return Field(f"{profile.name}.{field}", label, hint, str(value), offered.low, offered.high)


def _last_number(last: Mapping[str, Any], key: str, offered: Range, usual: int) -> int:
    try:
        value = number_of(key, last.get(key, usual))
    except OptionsError:
        return usual
    return value if value in offered else usual


def _memory(profile: Profile, last: Mapping[str, Any]) -> Field:
    """Memory in GB when bounds and usual amount are whole ones, else in MB."""
    offered, usual = profile.ranges["memory_mb"], profile.memory_mb
    hint = f"{memory_words(offered.low)} to {memory_words(offered.high)}, usually {memory_words(usual)}."
    unit, name = (1024, "GB") if not (offered.low % 1024 or offered.high % 1024 or usual % 1024) else (1, "MB")
    try:
        value = memory_of(last["memory"]) if "memory" in last else usual
    except OptionsError:
        value = usual
    if value not in offered or value % unit:
        value = usual
    shown = Range(offered.low // unit, offered.high // unit)
    return _number(profile, f"memory_{name.lower()}", f"Memory in {name}", hint, value // unit, shown)


def _image(profile: Profile, last: Mapping[str, Any]) -> Field:
    usual = ("", "The usual one")
    choices = (usual, *((image, image) for image in profile.images))
    hint = f"The usual one is the course's own, or else {profile.image}."
    return _select(profile, "image", "Image", hint, choices, last.get("image"))


def _gres(profile: Profile, last: Mapping[str, Any]) -> Field:
    choices = tuple((gres or NO_GRES, gres or NO_GRES) for gres in profile.gres_choices)
    usual = profile.gres or NO_GRES
    return _select(profile, "gres", "Devices", f"Usually {usual}.", choices, last.get("gres", usual), usual)


def _select(
    profile: Profile,
    field: str,
    label: str,
    hint: str,
    choices: tuple[tuple[str, str], ...],
    value: object,
    usual: str = "",
) -> Field:
    known = value if isinstance(value, str) and value in dict(choices) else usual
    return Field(f"{profile.name}.{field}", label, hint, known, choices=choices)


def spawn_form(site: Site, user_name: str, groups: Collection[str], last: Mapping[str, Any]) -> str:
    """The form as HTML: sizes with what may be changed of them, and courses.

    Args:
        site: the configuration.
        user_name: who is asked.
        groups: names of the hub's groups that the person is in.
        last: options to fill in as far as they are on offer: those of the last time, or those just refused.
    """
    courses = courses_of(site, user_name)
    profiles = profiles_of(site, user_name, groups)
    course = _offered(last, "course", [course.slug for course in courses]) or (courses[0].slug if courses else "")
    profile = _offered(last, "profile", profiles)
    if not profile and profiles_for(profiles, site.courses.get(course)):
        profile = default_profile(profiles, site.courses.get(course)).name
    return _PAGES.get_template("hpcampus_options.html").render(
        profiles=list(profiles.values()),
        fields={name: fields_of(item, last if name == profile else {}) for name, item in profiles.items()},
        courses=courses,
        profile=profile,
        course=course,
        describe=describe,
        sizes_of=lambda item: [size.label for size in profiles_for(profiles, item).values()] if item.profiles else [],
        note_of=lambda item: note_of(item, today()),
    )


def _offered(options: Mapping[str, Any], key: str, offered: Collection[str]) -> str:
    """The value of an option, if it is on offer."""
    value = options.get(key)
    return value if isinstance(value, str) and value in offered else ""
