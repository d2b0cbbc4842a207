# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A lab as data: what is refused before anything is made."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus.lab.errors import LabError
from hpcampus.lab.lab import parse_spec
from hpcampus.lab.model import Host, Publish, Spec, check_lab_name


def test_names_of_what_belongs_to_a_lab():
    spec = Spec("demo", (Host("hub"), Host("c1", image="debian-12")))
    assert spec.container("hub") == "hpcampus-demo-hub"
    assert (spec.network, spec.volume) == ("hpcampus-demo", "hpcampus-demo-shared")
    assert spec.images() == ("debian-13", "debian-12")


@pytest.mark.parametrize(
    "name", ["", "Demo", "-x", "x-", "a b", "a;reboot", "../x", "a\n", "ä", "x" * 33, "1a", "a_b", "a/b"]
)
def test_hostile_lab_and_host_names_are_refused(name: str):
    with pytest.raises(LabError, match="no valid"):
        check_lab_name(name)
    with pytest.raises(LabError, match="no valid"):
        Host(name)


@given(st.text())
def test_a_name_that_is_taken_is_harmless(name: str):
    try:
        check_lab_name(name)
    except LabError:
        return
    assert name.isascii()
    assert name.replace("-", "").isalnum()
    assert name == name.lower().strip("-")


@pytest.mark.parametrize(
    ("data", "word"),
    [
        ({"name": "a", "image": "debian-11"}, "debian-11"),
        ({"name": "a", "privileged": True}, "privileged"),
        ({"image": "debian-13"}, "no name"),
        ({"name": "a", "shared": "yes"}, "shared"),
        ({"name": "a", "groups": ["x y"]}, "x y"),
        ({"name": "a", "aliases": ["--network=host"]}, "--network"),
        ({"name": "a", "publish": [{"port": 443, "on": 99999}]}, "99999"),
    ],
)
def test_a_wrong_host_is_named(data: dict[str, Any], word: str):
    with pytest.raises(LabError, match=word):
        Host.from_data(data)


def test_a_host_from_data():
    data = {
        "name": "hub",
        "image": "debian-12",
        "shared": True,
        "groups": ["hub"],
        "publish": [{"port": 443, "on": 8443}],
    }
    assert Host.from_data(data) == Host("hub", "debian-12", shared=True, groups=("hub",), publish=(Publish(443, 8443),))


def test_doubled_names_are_refused_aliases_included():
    with pytest.raises(LabError, match="a more than once"):
        Spec("demo", (Host("a"), Host("b", aliases=("a",))))
    with pytest.raises(LabError, match="no hosts"):
        Spec("demo", ())


def test_a_host_is_made_anew_when_what_it_is_made_from_changes_and_not_for_its_groups():
    host = Host("a", groups=("x",))
    assert host.digest() == Host("a", groups=("y",)).digest()
    assert host.digest() != Host("a", shared=True).digest()
    assert host.digest() != Host("a", publish=(Publish(443, 8443),)).digest()


@pytest.mark.parametrize("text", ["", "{", "3", '{"hosts": 1}', "[1]", "{}"])
def test_what_is_no_specification(text: str):
    with pytest.raises(LabError, match="demo"):
        parse_spec("demo", text)


def test_a_specification_is_a_list_or_has_one():
    assert parse_spec("demo", '[{"name": "a"}]') == parse_spec("demo", '{"hosts": [{"name": "a"}]}')


def test_an_error_says_what_and_what_to_do():
    error = LabError("It failed.", detail="line 1\nline 2", cure="Do this.")
    assert str(error) == "It failed.\n    line 1\n    line 2\nDo this."
