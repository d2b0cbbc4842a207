# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What does not have the shape of its argument_specs is named with its place and a cure."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
_spec = importlib.util.spec_from_file_location("spec_problems", ROOT / "plugins/module_utils/spec_problems.py")
assert _spec
assert _spec.loader
checks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(checks)

OPTIONS = yaml.safe_load((ROOT / "roles/site/meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
DEFAULTS = yaml.safe_load((ROOT / "roles/site/defaults/main.yml").read_text())
PROFILE = DEFAULTS["site_profiles"][0]
COURSE = {"slug": "a1", "title": "A", "instructors": ["eve"]}


def findings(variable: str, value: object) -> list[Any]:
    return list(checks.shape_problems(variable, value, OPTIONS[variable]))


@pytest.mark.parametrize("variable", DEFAULTS)
def test_defaults_have_their_shape(variable: str) -> None:
    assert findings(variable, DEFAULTS[variable]) == []


@pytest.mark.parametrize(
    ("variable", "value", "place", "words"),
    [
        ("site_profiles", [{**PROFILE, "cpus": "two"}], "site_profiles[0].cpus", "whole number"),
        ("site_profiles", [{**PROFILE, "cpus": True}], "site_profiles[0].cpus", "whole number"),
        ("site_profiles", [PROFILE, {**PROFILE, "cpu": 2}], "site_profiles[1].cpu", "perhaps 'cpus' is meant"),
        ("site_profiles", {"small": PROFILE}, "site_profiles", "a list"),
        ("site_profiles", ["small"], "site_profiles[0]", "a mapping"),
        (
            "site_profiles",
            [{key: value for key, value in PROFILE.items() if key != "label"}],
            "site_profiles[0].label",
            "has to be one",
        ),
        ("site_courses", [{**COURSE, "instructors": "mcurie"}], "site_courses[0].instructors", "a list"),
        ("site_courses", [{**COURSE, "open": "no"}], "site_courses[0].open", "true or false"),
        ("site_courses", [{**COURSE, "students": [["a"]]}], "site_courses[0].students[0]", "a text"),
        ("site_profile", "singel", "site_profile", "perhaps 'single' is meant"),
        ("site_hub_ssh_port", "22", "site_hub_ssh_port", "whole number"),
    ],
)
def test_what_has_another_shape_is_named(variable: str, value: object, place: str, words: str) -> None:
    (found,) = findings(variable, value)
    assert found.variable == place
    assert words in found.what
    assert found.cure


def test_a_secret_is_not_repeated() -> None:
    accounts = [{"name": "eve", "password_hash": ["hunter2"]}]
    (found,) = findings("site_accounts", accounts)
    assert "hunter2" not in str(found)
    (found,) = findings("site_verify_password", ["hunter2"])
    assert "hunter2" not in str(found)


@pytest.mark.parametrize("accounts", [{"eve": "hunter2"}, ["hunter2"], "hunter2"])
def test_a_secret_in_a_record_of_another_shape_is_not_repeated(accounts: object) -> None:
    (found,) = findings("site_accounts", accounts)
    assert "hunter2" not in str(found)
