# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Layers of answers: the first that counts wins, memory is forgiving, people are told."""

from __future__ import annotations

from typing import Any, Never

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus.answers import Layer, misplaced_secrets, parse_assignments, resolve, without_secrets
from hpcampus.questions import KNOWN_ADMIN
from tests.unit.wizard.conftest import ANSWERS, CENTRE, QUESTIONS, SINGLE

COMPLETE = {**ANSWERS, "admin_password": "correct horse"}


def keys(problems: Any) -> Any:
    return [problem.key for problem in problems]


def test_complete_answers_have_no_problem() -> None:
    resolved = resolve(QUESTIONS, [Layer("file", COMPLETE)], {})
    assert resolved.problems == []
    assert resolved.values == COMPLETE


@pytest.mark.parametrize("answers", [SINGLE, CENTRE], ids=["single", "remote-centre"])
def test_so_it_is_for_every_profile(answers: Any) -> None:
    resolved = resolve(QUESTIONS, [Layer("file", {**answers, "admin_password": "correct horse"})], {})
    assert resolved.problems == []
    assert resolved.values == {**answers, "admin_password": "correct horse"}


def test_the_strongest_layer_wins_and_names_its_source() -> None:
    resolved = resolve(QUESTIONS, [Layer("--set", {"hub_name": "b"}), Layer("file", COMPLETE)], {})
    assert (resolved.values["hub_name"], resolved.sources["hub_name"], resolved.sources["login"]) == (
        "b",
        "--set",
        "file",
    )


def test_a_wrong_answer_of_a_person_does_not_fall_through() -> None:
    resolved = resolve(QUESTIONS, [Layer("--set", {"hub_name": "a b"}), Layer("file", COMPLETE)], {})
    assert keys(resolved.problems) == ["hub_name"]
    assert "hub_name" not in resolved.values
    assert str(resolved.problems[0]).startswith("hub_name (--set): ")


def test_a_remembered_answer_that_is_not_valid_any_more_is_only_noticed() -> None:
    resolved = resolve(QUESTIONS, [Layer("inventory", {**COMPLETE, "login": "a b"}, lenient=True)], {})
    assert resolved.problems == []
    assert keys(resolved.notices) == ["login"]
    assert resolved.values["login"] == "ctl"


def test_defaults_come_from_other_answers() -> None:
    given = {"profile": "own-cluster", "hub_name": "h", "controller": "ctl", "compute": "c1", "course_slug": "s"}
    resolved = resolve(QUESTIONS, [Layer("file", given)], {KNOWN_ADMIN: "admin"})
    assert resolved.problems == []
    assert resolved.values["login"] == "ctl"
    assert resolved.values["course_title"] == "s"
    assert resolved.values["course_instructor"] == "admin"
    assert "admin_password" not in resolved.values


def test_questions_that_do_not_apply_have_no_answer() -> None:
    resolved = resolve(QUESTIONS, [Layer("file", {**COMPLETE, "profile": "single", "tls_key": "/x"})], {})
    assert not {"controller", "login", "compute", "tls_key"} & set(resolved.values)


def test_nothing_given_names_everything_that_is_missing() -> None:
    problems = resolve(QUESTIONS, [], {}).problems
    assert keys(problems) == [
        "hub_name",
        "controller",
        "login",
        "compute",
        "admin_password",
        "course_slug",
        "course_title",
    ]
    assert all(problem.missing for problem in problems)


def test_another_administrator_needs_a_password() -> None:
    given = {**ANSWERS, "admin_name": "boss"}
    assert keys(resolve(QUESTIONS, [Layer("file", given)], {KNOWN_ADMIN: "admin"}).problems) == ["admin_password"]


def test_typing_errors_in_names_are_found() -> None:
    (problem,) = resolve(QUESTIONS, [Layer("file", {**COMPLETE, "hub_nam": "x"})], {}).problems
    assert "did you mean hub_name?" in problem.text


def test_inspectors_speak_for_the_world() -> None:
    def refuse(_value: Any, _known: Any) -> Never:
        raise ValueError("there is no such file")

    given = {**COMPLETE, "tls": "provided", "tls_certificate": "/c", "tls_key": "/k"}
    assert keys(resolve(QUESTIONS, [Layer("file", given)], {}, {"tls_key": refuse}).problems) == ["tls_key"]


def test_secrets_in_the_wrong_place_are_found_and_never_drafted() -> None:
    assert keys(misplaced_secrets(QUESTIONS, Layer("--set", {"admin_password": "x", "hub_name": "h"}))) == [
        "admin_password"
    ]
    assert without_secrets(QUESTIONS, {"admin_password": "x", "hub_name": "h", "odd": 1}) == {"hub_name": "h"}


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("site_max_servers", "040", 40),
        ("site_max_servers", 40, 40),
        ("jupyterhub_idle_timeout_seconds", "30", 30),
        ("site_ca_certificates", "[/a.pem, /b.pem]", ["/a.pem", "/b.pem"]),
        ("apache_sandbox", "false", False),
        ("site_data_path", "auto", "auto"),
    ],
)
def test_any_variable_can_be_given_by_its_own_name(name: Any, raw: Any, value: Any) -> None:
    resolved = resolve(QUESTIONS, [Layer("--set", {name: raw}), Layer("file", COMPLETE)], {})
    assert resolved.problems == []
    assert resolved.variables == {name: value}


@pytest.mark.parametrize(
    ("name", "raw", "says"),
    [
        ("site_max_servers", "many", "not of the type int"),
        ("site_max_servers", True, "not of the type int"),
        ("site_max_server", "1", "did you mean site_max_servers"),
        ("site_data_path", "tunnel", "is not one of"),
        ("site_hub_name", "h", "decided by the answers to hub_name"),
        ("site_centres", "[]", "decided by the answers to centre_login"),
        ("site_webdav_hosts", "{", "not of the type list"),
        ("site_profiles", "[]", "list of records"),
        ("site_verify_password", "x", "is a secret"),
        ("gateway_uid", "1", "set this variable themselves"),
        ("site_cluster_name", "{{ x }}", "holds a template"),
    ],
)
def test_a_variable_of_the_wrong_kind_is_refused(name: Any, raw: Any, says: Any) -> None:
    problems = resolve(QUESTIONS, [Layer("--set", {name: raw}), Layer("file", COMPLETE)], {}).problems
    assert [says in problem.text for problem in problems] == [True]


@pytest.mark.parametrize(
    ("texts", "values", "bad"),
    [
        (["a=b"], {"a": "b"}, []),
        (["a=b=c", "d="], {"a": "b=c", "d": ""}, []),
        (["a"], {}, ["a"]),
        (["=b"], {}, ["=b"]),
    ],
)
def test_assignments(texts: Any, values: Any, bad: Any) -> None:
    assert parse_assignments(texts) == (values, bad)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    max_leaves=4,
)
some_answers = st.dictionaries(st.sampled_from([question.key for question in QUESTIONS]) | st.text(), anything)


@given(some_answers, some_answers)
def test_no_answers_at_all_break_it(first: Any, second: Any) -> None:
    resolved = resolve(QUESTIONS, [Layer("one", first), Layer("two", second, lenient=True)], {})
    for question in QUESTIONS:
        if question.key in resolved.values:
            assert question.parse(resolved.values[question.key]) == resolved.values[question.key]
