# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The questions of setup repeat nothing that the roles say of their variables, and leave nothing out that a site must decide."""

from __future__ import annotations

from typing import Any

import pytest

from hpcampus import validators
from hpcampus.questions import FILE, Place, load_questions
from hpcampus.yaml_files import read_plain
from tests.contract.checkout import ROOT

DATA = read_plain(FILE)
RECORDS: list[dict[str, Any]] = DATA["questions"]
QUESTIONS = load_questions(ROOT)
SPECS = QUESTIONS.specs
PLACES = {place.value for place in Place}
FIELDS = PLACES | {
    "name", "section", "offer", "when", "validator", "prober", "default", "ask", "needed", "kept_if", "meets_hosts",
}  # fmt: skip


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record["name"])
def test_a_question_says_what_it_decides_and_nothing_twice(record: dict[str, Any]) -> None:
    assert set(record) <= FIELDS
    assert len(PLACES & set(record)) == 1
    assert record["section"] in DATA["sections"]
    assert record.get("validator", "user") in validators.BY_NAME
    if "option" not in record:
        return
    variable = SPECS.variable(record["option"])
    if "offer" in record:
        assert set(record["offer"]) < set(variable.choices), "offer what the variable has, or leave it out"
    if "default" in record:
        assert variable.default in {None, ""}, "the variable has a default of its own"
    if "needed" in record:
        assert variable.default == "", "without an empty default an answer is needed anyway"


def test_conditions_look_at_earlier_answers_only() -> None:
    seen: set[str] = set()
    for record in RECORDS:
        conditions = record.get("when") or []
        for condition in conditions if isinstance(conditions, list) else [conditions]:
            assert set(condition) <= seen, record["name"]
            for key, values in condition.items():
                choices = QUESTIONS.by_key[key].choices
                assert set(values if isinstance(values, list) else [values]) <= set(choices), record["name"]
        default = record.get("default")
        assert not isinstance(default, dict) or default["same_as"] in seen
        seen.add(record["name"])


def test_names_are_given_once() -> None:
    names = [record["name"] for record in RECORDS]
    assert len(set(names)) == len(names)
    assert set(DATA["sections"]) == {record["section"] for record in RECORDS}
    assert not set(names) & set(SPECS.options), (
        "an answer and a variable of the same name would be one and the same in a file"
    )


def test_what_a_site_must_decide_is_asked_or_derived() -> None:
    asked = {question.target.partition("[")[0] for question in QUESTIONS if question.place is Place.OPTION}
    without_default = {
        name for name, option in SPECS.options.items() if option.get("required") or "default" not in option
    }
    assert without_default <= asked | SPECS.derived
    for parent in ("site_centres", "site_courses", "site_images", "site_partitions"):
        fields = SPECS.options[parent]["options"]
        needed = {f"{parent}[].{name}" for name, option in fields.items() if option.get("required")}
        targets = {question.target.removesuffix("[]") for question in QUESTIONS}
        assert needed <= targets


def test_every_other_variable_can_be_reached() -> None:
    settable = {variable.path for variable in SPECS.settable()}
    assert settable == set(SPECS.options) - SPECS.derived
    assert "site_max_servers" in settable
    assert "jupyterhub_accounts" not in settable
