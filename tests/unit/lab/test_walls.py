# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Walls as data: who stands where, what is opened, and what is refused before anything is made."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus.lab.errors import LabError
from hpcampus.lab.lab import parse_spec
from hpcampus.lab.model import Host, Opening, Spec
from hpcampus.lab.walls import closed, machine_only, opened, plan, silenced

HOSTS = (
    Host("hub", network="campus", aliases=("hub.example.org",)),
    Host("login", network="centre"),
    Host("node", network="centre"),
)
SPEC = Spec("x", HOSTS, (Opening("node", "hub", 22),))
PLAN = plan(SPEC, {"campus": "10.1.0.0/24", "centre": "10.2.0.0/24"})


def test_every_host_has_its_address_and_the_router_one_in_each_network():
    assert PLAN.addresses == {"hub": "10.1.0.10", "login": "10.2.0.10", "node": "10.2.0.11"}
    assert (PLAN.router("campus"), PLAN.router("centre")) == ("10.1.0.2", "10.2.0.2")


def test_a_host_learns_the_names_of_all_and_the_way_to_the_other_networks():
    files = {path: text for path, text, _mode in PLAN.files("node")}
    assert "10.1.0.10 hub hub.example.org\n10.2.0.10 login\n10.2.0.11 node\n" in files["/etc/hosts"]
    unit = files["/etc/systemd/system/lab-routes.service"]
    assert [line for line in unit.splitlines() if "ip route" in line] == [
        "ExecStart=/usr/sbin/ip route replace 10.1.0.0/24 via 10.2.0.2"
    ]


def test_what_is_opened_and_closed():
    assert opened(SPEC.openings, PLAN.addresses) == "add element inet wall opened { 10.2.0.11 . 10.1.0.10 . 22 }\n"
    assert closed(SPEC.openings[0], PLAN.addresses).splitlines()[-1] == (
        "delete element inet wall opened { 10.2.0.11 . 10.1.0.10 . 22 }"
    )


def test_a_cut_is_dropped_where_it_comes_in():
    assert "hook prerouting" in silenced("10.2.0.11", silent=True)
    assert "delete element" not in silenced("10.2.0.11", silent=True)
    assert silenced("10.2.0.11", silent=False).endswith("delete element inet cuts silenced { 10.2.0.11 }\n")


def test_on_the_network_of_this_machine_only_this_machine_is_heard():
    assert "ip saddr 10.0.0.0/24 ip saddr != 10.0.0.1 drop" in machine_only("10.0.0.0/24", "10.0.0.1")


def test_names_of_the_networks():
    assert SPEC.networks == ("campus", "centre")
    assert SPEC.walled_network("campus") == "hpcampus-x.campus"
    assert Spec("x", (Host("a"),)).networks == ()


@pytest.mark.parametrize(
    ("hosts", "openings", "problem"),
    [
        ((Host("a", network="n"), Host("b")), (), "b stands in none"),
        ((Host("router", network="n"),), (), "router more than once"),
        (HOSTS, (Opening("node", "moon", 22),), "no host moon"),
        (HOSTS, (Opening("node", "login", 22),), "No wall of lab x stands between node and login"),
        ((Host("a"), Host("b")), (Opening("a", "b", 22),), "No wall of lab x"),
    ],
)
def test_walls_that_cannot_be(hosts: tuple[Host, ...], openings: tuple[Opening, ...], problem: str):
    with pytest.raises(LabError, match=problem):
        Spec("x", hosts, openings)


@pytest.mark.parametrize(
    "text", ["", "a->b:1", "a -> b", "a -> b:x", "a -> b:1 ", "a b -> c:1", "a -> b:99999", "a -> b:0"]
)
def test_what_is_no_opening(text: str):
    with pytest.raises(LabError, match=r"opening|opens no port"):
        Opening.from_text(text)


@given(st.text())
def test_an_opening_that_is_read_is_written_the_same(text: str):
    try:
        opening = Opening.from_text(text)
    except LabError:
        return
    assert Opening.from_text(str(opening)) == opening


@pytest.mark.parametrize("name", ["Campus", "a b", "a,ip=10.0.0.1", "a:ip=10.0.0.1", "../a"])
def test_a_hostile_network_name_is_refused(name: str):
    with pytest.raises(LabError, match="network name"):
        Host("a", network=name)


def test_a_specification_is_saved_and_read_as_it_is():
    assert parse_spec("x", json.dumps(SPEC.data())) == SPEC
    for wrong in ('{"hosts": [{"name": "a"}], "open": 1}', '{"hosts": [{"name": "a"}], "open": [1]}'):
        with pytest.raises(LabError, match="list of texts"):
            parse_spec("x", wrong)
