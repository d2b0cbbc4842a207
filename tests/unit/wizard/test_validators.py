# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Right answers come back in their proper form; wrong ones say what is wrong; none breaks the wizard."""

from __future__ import annotations

import re
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus import validators
from hpcampus.collection_checks import load_checks
from tests.unit.wizard.conftest import ANSWERS, QUESTIONS, ROOT

CHECKS = load_checks(ROOT)

HOSTILE: list[object] = [
    "; rm -rf /", "$(reboot)", "`id`", "a b", "a\nb", "a\x00b", "../etc", "{{ lookup('pipe', 'id') }}", "{% raw %}", "' or 1=1",
    "ünïcödé", "\u202e", "a" * 300, "", " ", "-rf", "--help", "\\", "|", "a,b;c", "\x1b[31m", None, 7, 1.5, True, [], {}, ["a", 3], b"x",
]  # fmt: skip


def attempt(parse: Any, value: object) -> tuple[Any, str]:
    """Give the answer, or what is said about it."""
    try:
        return parse(value), ""
    except ValueError as error:
        return None, str(error)


@pytest.mark.parametrize("question", QUESTIONS.all, ids=lambda question: question.key)
def test_hostile_answers_are_refused_or_harmless(question: Any) -> None:
    free_text = question.key in {"admin_password", "course_title", "tls_certificate", "tls_key"}
    for value in HOSTILE:
        answer, complaint = attempt(question.parse, value)
        assert complaint.isprintable()
        assert (answer is None) == bool(complaint)
        for text in answer if isinstance(answer, list) else [str(answer or "")]:
            assert text.isprintable()
            # A password is hashed before anything else sees it.
            assert "{{" not in text or question.key == "admin_password"
            assert free_text or not set(text) & set("$;|`'\" \\")


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    max_leaves=5,
)


@given(st.sampled_from(QUESTIONS.all), anything)
def test_nothing_but_valueerror_is_raised(question: Any, value: Any) -> None:
    assert len(attempt(question.parse, value)[1]) < 400


@given(st.sampled_from(QUESTIONS.all), st.text(string.printable, max_size=60))
def test_what_is_taken_is_taken_again_unchanged(question: Any, value: Any) -> None:
    try:
        answer = question.parse(value)
    except ValueError:
        return
    assert question.parse(answer) == answer


def test_rules_are_those_of_the_collection() -> None:
    assert validators.SLUG.pattern == CHECKS.findings.SLUG.pattern
    assert validators.UNIX_USER.pattern == CHECKS.findings.UNIX_USER.pattern
    assert validators.PARTITION.pattern == CHECKS.partitions.PARTITION.pattern
    for name in ("HOST_KEY", "CENTRE_DIR", "CENTRE_PARTITION", "PROGRAM_PATH", "PROGRAM", "MODULE"):
        assert getattr(validators, name).pattern == getattr(CHECKS.centres, name).pattern


NAMES = [
    "a", "7", "c1", "anna", "anna.", ".anna", "anna-", "-anna", "a+b", "a_b", "a@b.org", "a..b", "Anna", "1234567", "1anna", "course-x",
    "jupyter.example.org", "Jupyter.Example.org", "a-.b", "a.-b", "-a.b", "a.b-", "a.b.", "10.0.0.7", "c_1", "a b", "a\n", "x" * 63,
    "x" * 64, "x" * 65, ".".join(["x" * 49] * 5), ".".join(["x" * 60] * 5), "a-" + "b" * 61, "a-" + "b" * 62,
]  # fmt: skip
SITE = {
    "site_hub_id": "hub", "site_cluster_name": "c", "site_account": "hpcampus", "site_hub_name": "h", "site_hub_address": "h",
    "site_login_address": "l", "site_public_url": "https://h/", "site_hub_ssh_port": 22, "site_login_ssh_port": 22,
    "site_account_uid": 2900, "site_shared_dir": "/srv", "site_admins": [], "site_webdav_hosts": [],
}  # fmt: skip
HASH = "$2b$12$" + "a" * 53


PARSERS = {"site_hub_name": validators.hub_name, "site_login_address": validators.host, "user": validators.user}


def collection_refuses(key: str, name: str) -> bool:
    """Ask the collection itself, through what it checks and not through the spelling of its patterns."""
    if key == "user":
        found = CHECKS.account_problems({**SITE, "site_accounts": [{"name": name, "password_hash": HASH}]})
    else:
        found = CHECKS.name_problems({**SITE, key: name})
    return bool(list(found))


def compare_with_the_collection(key: str, name: str) -> None:
    answer, _ = attempt(PARSERS[key], name)
    # Spaces around an answer, and capitals in the hub's name, are mended before they are written.
    mended = name.strip().lower() if key == "site_hub_name" else name.strip()
    reserved = key == "user" and mended in validators.RESERVED_USERS
    assert (answer is None) == (reserved or collection_refuses(key, mended))
    assert answer in {None, mended}


@pytest.mark.parametrize("key", PARSERS)
@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[:20])
def test_names_are_taken_exactly_where_the_collection_takes_them(key: Any, name: Any) -> None:
    compare_with_the_collection(key, name)


@given(
    st.sampled_from(list(PARSERS)),
    st.text("aZ7.-_@+", max_size=6) | st.from_regex(validators.USER) | st.text(max_size=9),
)
def test_no_name_at_all_is_taken_by_one_side_only(key: Any, name: Any) -> None:
    compare_with_the_collection(key, name)


def role_pattern(role: str, before: str) -> str:
    """Take a pattern out of a role's own check."""
    text = (ROOT / f"roles/{role}/tasks/preflight.yml").read_text()
    found = re.search(re.escape(before) + r"'(?P<pattern>[^']+)'", text)
    assert found is not None, f"{role} checks no {before} any more"
    return found["pattern"]


def test_user_names_are_those_of_the_hub() -> None:
    assert validators.USER.pattern == role_pattern("jupyterhub", "__jupyterhub_names | reject('match', ")


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[:20])
def test_a_hub_name_is_one_the_web_server_takes(name: Any) -> None:
    answer, _ = attempt(validators.hub_name, name)
    assert answer is None or re.match(role_pattern("apache", "__apache_names | reject('match', "), answer)


URLS = ["https://example.org/a.deb", "https://example.org:8443/p/a_1.4-1%2B1_amd64.deb", "http://example.org/a.deb",
        "https://example.org/a.rpm", "https://example.org/a.deb.asc", "https://example.org/", "https://example.org/a deb.deb",
        "https:///a.deb"]  # fmt: skip


@pytest.mark.parametrize("url", URLS)
def test_a_package_is_one_the_role_takes(url: Any) -> None:
    answer, complaint = attempt(QUESTIONS.by_key["apptainer_url"].parse, url)
    taken = bool(re.match(role_pattern("apptainer", "apptainer_deb_url is match("), url))
    assert (answer is not None) == (taken and url != "https:///a.deb")
    assert answer or ".deb" in complaint


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("c1", ["c1"]),
        ("c1, c2 c3,c4", ["c1", "c2", "c3", "c4"]),
        ("node[01-03]", ["node01", "node02", "node03"]),
        ("node[9:11].hpc", ["node9.hpc", "node10.hpc", "node11.hpc"]),
        (["a", "b[1-2]"], ["a", "b1", "b2"]),
        ("10.0.0.7", ["10.0.0.7"]),
        ("Node[1-2]", ["Node1", "Node2"]),
    ],
)
def test_host_lists(given: Any, names: Any) -> None:
    assert validators.hosts(given) == names


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("", "name at least one host"),
        (", ,", "name at least one host"),
        ("c1, c1", "named twice"),
        ("c1, C1", "named twice"),
        ("c[3-1]", "not a range"),
        ("c[1-999999]", "at most 4000"),
        ("c[1-2", "not a range"),
        ("c[a-b]", "not a range"),
        ("c[1-2][3-4]", "not a range"),
        ("https://c1", "write the name alone"),
        ("c_1", "not a host name"),
        ({"c1": None}, "expected a list"),
        ([3], "expected text"),
    ],
)
def test_wrong_host_lists(given: Any, says: Any) -> None:
    with pytest.raises(ValueError, match=says):
        validators.hosts(given)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("profile", "demo", "hpcampus demo up"),
        ("profile", "x", "single, own-cluster"),
        ("hub_name", "https://jupyter.example.org", "the name alone"),
        ("hub_name", "a..b", "host name"),
        ("hub_name", "a-.example.org", "no hyphen"),
        ("controller", "-ctl", "no hyphen"),
        ("hub_name", "x" * 254, "host name"),
        ("course_slug", "Physics", "lower case"),
        ("course_slug", "a-", "hyphen at the ends"),
        ("course_slug", "x" * 33, "at most 32"),
        ("course_title", "a\nb", "one line"),
        ("admin_name", "verify", "platform itself"),
        ("admin_name", "course-x", "platform itself"),
        ("admin_name", "Alice", "lower case"),
        ("admin_name", "anna.", "at both ends"),
        ("course_instructor", "anna-", "at both ends"),
        ("partition", "1st", "letter first"),
        ("shared_dir", "srv", "absolute path"),
        ("shared_dir", "/srv/../etc", "absolute path"),
        ("shared_dir", "/srv/my dir", "absolute path"),
        ("apptainer_url", "http://example.org/a.deb", "https://"),
        ("apptainer_url", "https://example.org/a.rpm", "ends in .deb"),
        ("apptainer_checksum", "sha256:abc", "64 hexadecimal"),
        ("admin_password", "short", "at least 10"),
        ("admin_password", "ä" * 40, "72 bytes"),
        ("admin_password", "tab\tin the middle", "control character"),
    ],
)
def test_messages_say_what_is_wrong(key: Any, value: Any, says: Any) -> None:
    with pytest.raises(ValueError, match=says):
        QUESTIONS.by_key[key].parse(value)


def test_a_hub_name_is_written_in_lower_case_and_a_number_is_a_user_name() -> None:
    assert validators.hub_name("Jupyter.Example.org") == "jupyter.example.org"
    assert validators.user("1234567") == "1234567"


@given(st.text(min_size=3).map("QZ".__add__))  # no message has these letters of its own
def test_a_password_is_never_repeated(value: str) -> None:
    assert value not in attempt(validators.password, value)[1]


@pytest.mark.parametrize("key", ANSWERS)
def test_the_answers_of_the_tests_are_right(key: Any) -> None:
    assert QUESTIONS.by_key[key].parse(ANSWERS[key]) == ANSWERS[key]
