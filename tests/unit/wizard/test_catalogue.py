# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The step catalogue: ours is readable, wrong ones are refused with a reason, steps are chosen by name."""

from __future__ import annotations

from typing import Any

import pytest

from hpcampus.apply import load_steps
from hpcampus.catalogue import needing, parse_catalogue, select_steps
from hpcampus.errors import CollectionError, UsageProblemError
from tests.unit.wizard.conftest import ROOT

GOOD = {"name": "a", "title": "A", "playbook": "n.c.a", "hosts": ["hub"], "description": "d"}
STEPS = parse_catalogue({"steps": [{**GOOD, "name": name} for name in ("base", "slurm", "hub")]}, "test")


def test_ours_is_readable() -> None:
    steps = load_steps(ROOT)
    assert [step.name for step in steps] == [
        "base", "slurm", "apptainer", "tunnel", "hub", "gateway", "images", "courses", "apache",
    ]  # fmt: skip
    assert all(step.playbook == f"hpcampus.platform.steps.{step.name}" for step in steps)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (None, "no list"),
        ([], "no list"),
        ({"steps": {}}, "no list"),
        ({"steps": []}, "no list"),
        ({"steps": ["base"]}, "entry 1 is not a mapping"),
        ({"steps": [GOOD, {**GOOD, "name": ""}]}, "entry 2 has no text in 'name'"),
        ({"steps": [{**GOOD, "playbook": 7}]}, "'playbook'"),
        ({"steps": [{key: value for key, value in GOOD.items() if key != "title"}]}, "'title'"),
        ({"steps": [{**GOOD, "hosts": "hub"}]}, "'hosts'"),
        ({"steps": [{**GOOD, "hosts": []}]}, "'hosts'"),
        ({"steps": [GOOD, GOOD]}, "listed twice"),
        ({"steps": [{**GOOD, "needs": "b"}]}, "'needs'"),
        ({"steps": [{**GOOD, "needs": [7]}]}, "'needs'"),
        ({"steps": [{**GOOD, "needs": ["a"]}]}, "needs 'a', which does not come before it"),
        ({"steps": [{**GOOD, "needs": ["b"]}, {**GOOD, "name": "b"}]}, "needs 'b', which does not come before it"),
    ],
)
def test_wrong_shapes_are_refused(data: Any, says: Any) -> None:
    with pytest.raises(CollectionError) as caught:
        parse_catalogue(data, "steps.yml")
    assert says in caught.value.why
    assert "steps.yml" in caught.value.what


@pytest.mark.parametrize(
    ("only", "start", "chosen"),
    [
        ((), None, ["base", "slurm", "hub"]),
        (("slurm",), None, ["slurm"]),
        (("hub", "base", "hub"), None, ["base", "hub"]),
        ((), "slurm", ["slurm", "hub"]),
        ((), "base", ["base", "slurm", "hub"]),
    ],
)
def test_steps_are_chosen(only: Any, start: Any, chosen: Any) -> None:
    assert [step.name for step in select_steps(STEPS, only, start)] == chosen


@pytest.mark.parametrize(("only", "start"), [(("slrm",), None), ((), "slrm"), (("base", "slrm"), None)])
def test_an_unknown_step_names_the_nearest(only: Any, start: Any) -> None:
    with pytest.raises(UsageProblemError) as caught:
        select_steps(STEPS, only, start)
    assert "Did you mean 'slurm'?" in caught.value.what
    assert "base, slurm, hub" in caught.value.why


def test_one_choice_excludes_the_other() -> None:
    with pytest.raises(UsageProblemError):
        select_steps(STEPS, ("base",), "hub")


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("base", ["slurm", "apptainer", "tunnel", "hub", "gateway", "images", "courses", "apache"]),
        ("slurm", ["gateway", "images", "courses"]),
        ("apptainer", ["images"]),
        ("images", []),
        ("apache", []),
    ],
)
def test_who_needs_a_step_is_known_by_way_of_others_too(name: Any, wanted: Any) -> None:
    assert [step.name for step in needing(load_steps(ROOT), name)] == wanted
