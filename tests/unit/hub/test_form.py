# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The form as data: what is shown of a profile, and what is filled in."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus_hub.form import Field, describe, fields_of
from hpcampus_hub.options import choose, from_form
from hpcampus_hub.settings import Profile, Site
from tests.unit.hub.sites import profile, site

RANGES = {
    "cpus": {"min": 1, "max": 8},
    "memory": {"min": "1G", "max": "16G"},
    "time_limit_minutes": {"min": 30, "max": 720},
    "gres": ["none", "gpu:1"],
}


def _site(**changes: Any) -> Site:
    return site(profiles=[profile(**changes)], courses=[])


def _profile(**changes: Any) -> Profile:
    return _site(**changes).profiles["small"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cpus": 1}, "1 CPU, 4 GB memory, up to 8 hours"),
        ({"memory": "1536M", "time_limit_minutes": 90}, "2 CPUs, 1.5 GB memory, up to 90 minutes"),
        ({"memory": "512M", "gres": "gpu:1"}, "2 CPUs, gpu:1, 512 MB memory, up to 8 hours"),
        ({"ranges": RANGES}, "1 to 8 CPUs, none or gpu:1, 1 GB to 16 GB memory, up to 12 hours"),
    ],
)
def test_a_profile_in_words(changes: dict[str, Any], words: str) -> None:
    assert describe(_profile(**changes)) == words


def test_a_profile_without_a_choice_has_no_fields() -> None:
    assert fields_of(_profile(), {"cpus": "4"}) == []


def test_each_choice_has_its_field() -> None:
    choices = (("none", "none"), ("gpu:1", "gpu:1"))
    images = (("", "The usual one"), ("base", "base"), ("r", "r"))
    hours = "30 minutes to 12 hours, usually 8 hours."
    assert fields_of(_profile(ranges=RANGES, images=["base", "r"]), {}) == [
        Field("small.image", "Image", "The usual one is the course's own, or else base.", "", choices=images),
        Field("small.cpus", "CPUs", "1 to 8, usually 2.", "2", 1, 8),
        Field("small.memory_gb", "Memory in GB", "1 GB to 16 GB, usually 4 GB.", "4", 1, 16),
        Field("small.gres", "Devices", "Usually none.", "none", choices=choices),
        Field("small.time_limit_minutes", "Time limit in minutes", hours, "480", 30, 720),
    ]


def test_memory_that_is_no_whole_number_of_gigabytes_is_asked_for_in_megabytes() -> None:
    (field,) = fields_of(_profile(ranges={"memory": {"min": "512M", "max": "8G"}}), {"memory": "1G"})
    assert (field.name, field.value, field.low, field.high) == ("small.memory_mb", "1024", 512, 8192)


def test_the_last_choice_is_filled_in() -> None:
    last = {"cpus": "8", "memory": "2048M", "time_limit_minutes": 60, "gres": "gpu:1", "image": "r"}
    found = fields_of(_profile(ranges=RANGES, images=["base", "r"]), last)
    assert [field.value for field in found] == ["r", "8", "2", "gpu:1", "60"]


@pytest.mark.parametrize(
    "last",
    [
        {"cpus": "9", "memory": "17G", "time_limit_minutes": 1, "gres": "gpu:2", "image": "ml"},
        {"cpus": "x", "memory": "1536M", "time_limit_minutes": True, "gres": ["none"], "image": {}},
        {"cpus": None, "memory": 4, "time_limit_minutes": 10**5000, "gres": None, "image": None},
    ],
)
def test_what_is_no_longer_on_offer_is_not_filled_in(last: dict[str, Any]) -> None:
    found = fields_of(_profile(ranges=RANGES, images=["base", "r"]), last)
    assert [field.value for field in found] == ["", "2", "4", "none", "480"]


@given(st.integers(1, 64), st.integers(0, 64), st.integers(0, 64), st.sampled_from("MG"))
def test_a_form_sent_as_it_is_shown_gives_the_profile_itself(usual: int, below: int, above: int, unit: str) -> None:
    low, high = max(1, usual - below), usual + above
    ranges = {
        "cpus": {"min": low, "max": high},
        "memory": {"min": f"{low}{unit}", "max": f"{high}G"},
        "time_limit_minutes": {"min": low, "max": high},
        "gres": ["gpu:2", "none"],
    }
    made = _site(
        ranges=ranges, images=["base"], cpus=usual, memory=f"{usual}{unit}", time_limit_minutes=usual, gres="gpu:2"
    )
    fields = fields_of(made.profiles["small"], {})
    sent = {"profile": ["small"], **{field.name: [field.value] for field in fields}}
    assert choose(made, "eve", from_form(sent, made.profiles)) == choose(made, "eve", {})
    for field in fields:
        assert field.choices or field.low <= int(field.value) <= field.high
