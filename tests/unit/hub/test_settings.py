# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The administrator's settings are checked before anything starts, and every message names the place."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus_hub.settings import SettingsError, parse_gres, parse_memory_mb, read_site
from tests.unit.hub.sites import HOST_KEY, cluster, course, profile, settings, site, tunnel


@pytest.mark.parametrize(
    ("text", "megabytes"), [("1G", 1024), ("512M", 512), ("2048K", 2), ("2T", 2097152), ("1025K", 1), ("100G", 102400)]
)
def test_memory_sizes(text: str, megabytes: int) -> None:
    assert parse_memory_mb(text) == megabytes


@pytest.mark.parametrize(
    "text", ["", "4", 4, "4g", "4GB", "0G", "-1G", "1.5G", " 1G", "1G\n", "512K", None, "٤G", "1G;id"]
)
def test_what_is_no_memory_size(text: object) -> None:
    with pytest.raises(SettingsError):
        parse_memory_mb(text)


@given(st.integers(1, 10**6), st.sampled_from("MGT"))
def test_memory_sizes_grow_with_their_numbers(number: int, unit: str) -> None:
    assert parse_memory_mb(f"{number}{unit}") < parse_memory_mb(f"{number + 1}{unit}")


@pytest.mark.parametrize("text", ["", "gpu", "gpu:1", "gpu:a100:2", "gpu:1,shard:4"])
def test_gres_requests(text: str) -> None:
    assert parse_gres(text) == text


@pytest.mark.parametrize(
    "text", ["gpu:", ":1", "gpu:1 --exclusive", "gpu:1\n", "$(id)", None, 1, "gpu:1,,gpu:2", "-gpu"]
)
def test_what_is_no_gres_request(text: object) -> None:
    with pytest.raises(SettingsError):
        parse_gres(text)


def test_a_good_configuration() -> None:
    good = site()
    assert good.default_profile.name == "small"
    assert good.profiles["small"].memory_mb == 4096
    assert list(good.courses) == ["py1", "ml", "intro"]
    assert good.tunnel.known_hosts == (f"hub.example.org {HOST_KEY}",)
    assert replace(good.tunnel, port=2222).known_hosts == (f"[hub.example.org]:2222 {HOST_KEY}",)
    assert (good.tunnel.port_min, good.tunnel.port_max) == (20000, 24999)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"hub_id": "My Hub"}, "HpcHub.hub_id"),
        ({"clusters": []}, "HpcHub.clusters"),
        ({"clusters": "lab"}, "HpcHub.clusters"),
        ({"clusters": [cluster(), cluster()]}, r"clusters\[1\]\.name.*used twice"),
        ({"clusters": [cluster(host_key="ssh-ed25519")]}, "host_key"),
        ({"clusters": [cluster(key_file="~/.ssh/id")]}, "key_file"),
        ({"clusters": [cluster(user="root;id")]}, "user"),
        ({"clusters": [cluster(port=True)]}, "port"),
        ({"clusters": [cluster(password="x")]}, "unknown setting password"),
        ({"profiles": []}, "HpcHub.profiles"),
        ({"profiles": [profile(memory="4")]}, r"profiles\[0\]\.memory.*unit"),
        ({"profiles": [profile(cluster="other")]}, r"profiles\[small\]\.cluster.*lab"),
        ({"profiles": [profile(cpus=0)]}, "cpus"),
        ({"profiles": [profile(label="a\nb")]}, "label"),
        ({"profiles": [profile(qos="a b")]}, "qos"),
        ({"profiles": [{"name": "small"}]}, "label: is missing"),
        ({"profiles": [profile(partition="a,b")]}, "partition"),
        ({"tunnel": {}}, "HpcHub.tunnel.host: is missing"),
        ({"tunnel": tunnel(host_keys=[])}, "host key"),
        ({"tunnel": tunnel(port_min=2000, port_max=1999)}, "above port_max"),
        ({"tunnel": tunnel(port_min=30000, port_max=33000)}, "32768"),
        ({"tunnel": None}, "HpcHub.tunnel"),
        ({"courses": [course(slug="Py 1")]}, r"courses\[0\]\.slug"),
        ({"courses": [course(slug="x" * 60)]}, "too long"),
        ({"courses": [course(profile="none")]}, r"courses\[py1\]\.profile.*small, gpu"),
        ({"courses": [course(students="alice")]}, "students"),
        ({"courses": [course(open="yes")]}, "open"),
    ],
)
def test_a_wrong_setting_is_named(changes: dict[str, Any], place: str) -> None:
    with pytest.raises(SettingsError, match=place):
        read_site(**settings(**changes))
