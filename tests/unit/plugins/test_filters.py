# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Compute nodes as slurm.conf needs them."""

import datetime as dt
import sys

import pytest
from ansible.errors import AnsibleFilterError
from ansible.plugins.loader import filter_loader, init_plugin_loader

from tests.contract.checkout import load

DUE = dt.datetime(2026, 11, 3, 23, 59, tzinfo=dt.timezone(dt.timedelta(hours=1)))
FACTS = {"hostname": "c1", "processor_vcpus": 4, "memtotal_mb": 1000}


@pytest.fixture(scope="module")
def slurm_nodes():
    """Load the filter the way ansible does: through the collection's name."""
    init_plugin_loader()
    return filter_loader.get("hpcampus.platform.slurm_nodes").j2_function


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        ({"ansible_facts": FACTS}, {"name": "c1", "cpus": 4, "memory_mb": 900, "gres": ""}),
        (
            {"ansible_facts": FACTS, "site_node_cpus": 8, "site_node_memory_mb": 8000, "site_node_gres": "gpu:1"},
            {"name": "c1", "cpus": 8, "memory_mb": 8000, "gres": "gpu:1"},
        ),
        (
            {"ansible_facts": FACTS, "site_node_cpus": 0, "site_node_memory_mb": 0},
            {"name": "c1", "cpus": 4, "memory_mb": 900, "gres": ""},
        ),
    ],
)
def test_a_node(slurm_nodes, host, wanted):
    assert slurm_nodes([host]) == [wanted]


@pytest.fixture(scope="module")
def filters():
    """Load a filter by its short name."""
    init_plugin_loader()
    return lambda name: filter_loader.get(f"hpcampus.platform.{name}").j2_function


CENTRE = {
    "name": "physics",
    "login": "login",
    "host_key": "ssh-ed25519 AAAA root@login",
    "base_dir": "/p/a",
    "partitions": ["x"],
}


def test_a_centre_is_completed_from_its_login_node(filters):
    (centre,) = filters("centres")([CENTRE], {"login": {"ansible_host": "192.0.2.1", "ansible_user": "p1"}})
    assert (centre["address"], centre["account"], centre["data_path"], centre["port"]) == (
        "192.0.2.1",
        "p1",
        "auto",
        22,
    )
    named = {**CENTRE, "address": "login.example.net", "account": "p2", "module": None}
    (centre,) = filters("centres")([named], {"login": {"ansible_host": "192.0.2.1"}})
    assert (centre["address"], centre["account"], centre["module"]) == ("login.example.net", "p2", "")
    (centre,) = filters("centres")([CENTRE], {"login": {}})
    assert centre["address"] == "login"


def test_the_gateway_of_a_centre_is_reached_with_its_key_alone(filters):
    (centre,) = filters("centres")(
        [{**CENTRE, "port": 2222}], {"login": {"ansible_host": "192.0.2.1", "ansible_user": "p1"}}
    )
    assert CENTRE["host_key"] != "ssh-ed25519 AAAA"
    assert centre["link"] == {
        "name": "physics",
        "host": "192.0.2.1",
        "port": 2222,
        "user": "p1",
        "host_key": "ssh-ed25519 AAAA",
    }


def test_the_hub_is_told_of_a_centre_what_it_knows_of_clusters(filters):
    complete = filters("centres")([{**CENTRE, "max_servers": 3, "webdav": False}], {"login": {"ansible_user": "p1"}})
    (cluster,) = filters("centre_clusters")(complete)
    assert cluster == {
        "name": "physics",
        "host": "login",
        "port": 22,
        "user": "p1",
        "host_key": "ssh-ed25519 AAAA",
        "base_dir": "/p/a",
        "data_path": "auto",
        "max_servers": 3,
        "webdav": False,
    }


def test_every_profile_names_its_cluster(filters):
    profiles = [{"name": "a"}, {"name": "b", "cluster": "physics"}, {"name": "c", "cluster": None}]
    assert [profile["cluster"] for profile in filters("with_cluster")(profiles, "own")] == ["own", "physics", "own"]


def test_a_centres_every_key_has_a_default_or_is_required(filters):
    """The filter and the argument_specs know the same keys with the same defaults."""
    specs = load("roles/site/meta/argument_specs.yml")["argument_specs"]["main"]["options"]["site_centres"]["options"]
    wanted = {name: option["default"] for name, option in specs.items() if not option.get("required")}
    assert wanted == sys.modules[filters("centres").__module__].DEFAULTS


def test_courses_of_files_come_after_those_of_the_list(filters):
    listed = [{"slug": "z", "title": "Z"}]
    variables = {
        "site_course_b": {"slug": "b", "title": "B", "start": dt.date(2026, 10, 12), "end": None},
        "site_course_a": {"slug": "a", "title": "A", "calendar": {"deadlines": [{"due": DUE}]}},
        "site_courses": listed,
        "site_course": {"slug": "no", "title": "no"},
        "site_profile": "demo",
    }
    assert filters("with_course_files")(listed, variables) == [
        {"slug": "z", "title": "Z"},
        {"slug": "a", "title": "A", "calendar": {"deadlines": [{"due": "2026-11-03T23:59:00+01:00"}]}},
        {"slug": "b", "title": "B", "start": "2026-10-12"},
    ]
    assert filters("with_course_files")([], {}) == []


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (
            {"site_course_z": {"slug": "z", "title": "Z"}},
            r"site_course_z and site_courses\[0\] have the same slug, 'z'",
        ),
        ({"site_course_a": None}, "site_course_a is no record of a course"),
        ({"site_course_a": {"title": "A"}}, "site_course_a is no record of a course"),
        ({"site_course_a": ["slug"]}, "site_course_a is no record of a course"),
    ],
)
def test_what_is_no_course_or_is_there_twice_stops_a_play(filters, variables, message):
    with pytest.raises(AnsibleFilterError, match=message):
        filters("with_course_files")([{"slug": "z", "title": "Z"}], variables)
