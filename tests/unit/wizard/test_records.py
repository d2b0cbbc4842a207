# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Records that are added later: what becomes of fields, names and files. No inventory is touched."""

from __future__ import annotations

from typing import Any

import pytest

from hpcampus.apply import load_steps
from hpcampus.errors import UsageProblemError
from hpcampus.record_kinds import CLUSTER, COURSE, IMAGE, KINDS, LOGIN
from hpcampus.records import (
    centre_profile,
    course_directories,
    fields,
    find,
    make_record,
    missing,
    refuse_known,
    rows,
    with_login,
)
from hpcampus.render import SSH_ARGUMENTS
from hpcampus.specs import load_specs
from tests.unit.wizard.conftest import ROOT

SPECS = load_specs(ROOT)
SMALLEST = {"slug": "s", "title": "T", "instructors": ["a"]}
RECORD = {
    "name": "phys",
    "login": "login",
    "host_key": "ssh-ed25519 A",
    "base_dir": "/p/a",
    "partitions": ["gpu", "cpu"],
}


@pytest.mark.parametrize("kind", [*KINDS.values(), LOGIN])
def test_kinds_fit_the_specs_and_the_steps(kind: Any) -> None:
    known = fields(SPECS, kind)
    assert {kind.key, *kind.asked, *kind.shown, *(kind.needed or ())} <= set(known)
    assert set(kind.steps) <= {step.name for step in load_steps(ROOT)}
    assert kind.variable in SPECS.options


@pytest.mark.parametrize(
    ("kind", "given", "wanted"),
    [
        (COURSE, {}, ["slug", "title", "instructors"]),
        (COURSE, {"slug": "a", "title": "A"}, ["instructors"]),
        (IMAGE, {}, ["name"]),
        (CLUSTER, {"name": "a", "login": "b"}, ["host_key", "base_dir", "partitions"]),
        (LOGIN, {"login": "b"}, ["name", "account"]),
    ],
)
def test_what_is_missing(kind: Any, given: Any, wanted: Any) -> None:
    assert missing(SPECS, kind, given) == wanted


@pytest.mark.parametrize(
    ("kind", "given", "wanted"),
    [
        (COURSE, {"open": True, "title": "T", "slug": "s", "instructors": ["a"]}, {**SMALLEST, "open": True}),
        (COURSE, {**SMALLEST, "open": False, "students": [], "image": "notebook"}, SMALLEST),
        (IMAGE, {"name": "n", "suite": "trixie", "apt_packages": ["x"]}, {"name": "n", "apt_packages": ["x"]}),
        (
            COURSE,
            {**SMALLEST, "late": {"policy": "mark", "percent": 0}, "grading": {"slots": 4, "minutes": 10}},
            {**SMALLEST, "grading": {"slots": 4}},
        ),
        (CLUSTER, {**RECORD, "port": 22, "webdav": True, "data_path": "auto"}, RECORD),
        (CLUSTER, {**RECORD, "port": 2222, "webdav": False}, {**RECORD, "port": 2222, "webdav": False}),
    ],
)  # fmt: skip
def test_a_record_holds_only_what_differs(kind: Any, given: Any, wanted: Any) -> None:
    assert make_record(SPECS, kind, given) == wanted


def test_names_are_found_and_refused() -> None:
    records = [{"slug": "a"}, {"slug": "b"}, {}]
    assert find(records, COURSE, "b") == 1
    with pytest.raises(UsageProblemError) as caught:
        find(records, COURSE, "c")
    assert "a, b" in caught.value.why
    with pytest.raises(UsageProblemError, match="already"):
        refuse_known(records, COURSE, "a")
    refuse_known(records, COURSE, "c")


@pytest.mark.parametrize(
    ("cluster", "taken", "name"),
    [
        ("phys", [], "phys-small"),
        ("phys", ["phys-small"], "phys-small-2"),
        ("phys", ["phys-small", "phys-small-2"], "phys-small-3"),
        ("a" * 32, [], "a" * 26 + "-small"),
    ],
)
def test_a_profile_for_a_new_cluster(cluster: str, taken: list[str], name: str) -> None:
    profile = centre_profile({**RECORD, "name": cluster}, "notebook", [{"name": other} for other in taken])
    assert (profile["name"], profile["cluster"], profile["partition"], profile["image"]) == (
        name,
        cluster,
        "gpu",
        "notebook",
    )
    assert len(profile["name"]) <= 32


@pytest.mark.parametrize(
    ("before", "args"),
    [
        ({}, SSH_ARGUMENTS),
        ({"all": None}, SSH_ARGUMENTS),
        ({"all": {"vars": {"ansible_ssh_common_args": "mine"}}}, "mine"),
        (
            {"all": {"children": {"hub": {"hosts": {"h": None}}, "centre_login": {"hosts": {"other": {"x": 1}}}}}},
            SSH_ARGUMENTS,
        ),
        ({"all": {"children": {"centre_login": None}}}, SSH_ARGUMENTS),
    ],
)
def test_a_login_node_comes_beside_what_is_there(before: Any, args: str) -> None:
    after = with_login(before, "login", "p1")
    group = after["all"]["children"]["centre_login"]["hosts"]
    assert group["login"] == {"ansible_user": "p1"}
    assert after["all"]["vars"]["ansible_ssh_common_args"] == args
    old = ((before.get("all") or {}).get("children") or {}).get("centre_login") or {}
    assert old.get("hosts", {}).items() <= group.items()
    assert with_login(after, "login", "p1") == after


def test_without_an_account_nothing_is_said_of_it() -> None:
    after = with_login(
        {"all": {"children": {"centre_login": {"hosts": {"login": {"ansible_user": "a", "b": 1}}}}}}, "login", ""
    )
    assert after["all"]["children"]["centre_login"]["hosts"] == {"login": {"ansible_user": "a", "b": 1}}


@pytest.mark.parametrize(
    ("groups", "centres", "wanted"),
    [
        ({"slurm_login": ["l1", "l2"]}, [], ["l1:/srv/h/courses/a"]),
        ({}, [RECORD], ["login:/p/a/courses/a"]),
        ({"slurm_login": ["l1"]}, [RECORD], ["l1:/srv/h/courses/a", "login:/p/a/courses/a"]),
    ],
)
def test_where_the_files_of_a_course_stay(groups: Any, centres: Any, wanted: Any) -> None:
    assert course_directories("a", {"site_shared_dir": "/srv/h", "site_centres": centres}, groups) == wanted


def test_the_table() -> None:
    records: list[dict[str, Any]] = [
        {"slug": "a", "title": "A", "instructors": ["x", "y"], "open": True},
        {"slug": "b", "title": "B", "instructors": ["x"], "students": ["s"], "image": "i"},
    ]
    assert rows(COURSE, records, SPECS) == [
        ["slug", "title", "instructors", "students", "image", "profile"],
        ["a", "A", "x, y", "(everybody)", "notebook", "small"],
        ["b", "B", "x", "s", "i", "small"],
    ]
