# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Which account a person has, and which jobs count: a comment that anybody can write proves nothing."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus_hub.accounts import RESERVED, UNIX_USER, AccountError, Accounts, is_reserved
from hpcampus_hub.leases import LeaseError
from hpcampus_hub.names import slug_of
from hpcampus_hub.protocol import Job
from hpcampus_hub.settings import SettingsError, read_site
from tests.unit.hub.sites import cluster, profile, settings

SPAWN = "a" * 32


def accounts(tmp_path: Path | None = None, **rules: Any) -> Accounts:
    if tmp_path is not None:
        rules["leases_dir"] = str(tmp_path / "accounts")
    values = settings(clusters=[cluster(accounts=rules)], courses=[])
    return Accounts(read_site(**values).clusters["lab"])


def job(account: str, user_id: str) -> Job:
    return Job(7, "RUNNING", "None", "n1", None, "hub", user_id, "", SPAWN, account)


# --- one


def test_one_account_for_everybody() -> None:
    one = accounts()
    assert one.account_of("alice") == one.account_of("course-py1") == "hpcampus"
    assert one.mounts_courses
    assert one.trusts(job("hpcampus", "alice"))
    assert one.trusts(job("", "alice"))  # an older gateway
    assert not one.trusts(job("mallory", "alice"))
    assert one.may_submit("alice", "hpcampus")
    assert not one.keep("alice", "p1")


# --- pool


@pytest.fixture
def pool(tmp_path: Path) -> Accounts:
    return accounts(tmp_path, mode="pool", pool=["p1", "p2"])


def test_a_pool_leases(pool: Accounts) -> None:
    assert pool.account_of("alice@uni.example") == "p1"
    assert pool.account_of("bob") == "p2"
    with pytest.raises(LeaseError, match="all 2 accounts"):
        pool.account_of("carol")
    assert pool.may_submit("bob", "p2")
    assert not pool.may_submit("bob", "p1")
    assert not pool.may_submit("bob", "hpcampus")
    assert not pool.mounts_courses


@pytest.mark.parametrize(
    ("account", "user_id", "counts"),
    [
        ("p1", slug_of("alice"), True),
        ("p1", slug_of("bob"), False),  # alice broke out and writes bob's name
        ("p2", slug_of("alice"), False),
        ("p3", slug_of("alice"), False),
        ("mallory", slug_of("alice"), False),  # another user of the cluster
        ("root", slug_of("alice"), False),
        ("", slug_of("alice"), False),
        ("hpcampus", slug_of("alice"), True),  # submitted before there was a pool
    ],
)
def test_a_job_in_a_pool_counts_under_its_persons_account(
    pool: Accounts, account: str, user_id: str, counts: bool
) -> None:
    assert [pool.account_of("alice"), pool.account_of("bob")] == ["p1", "p2"]
    assert pool.trusts(job(account, user_id)) is counts


def test_a_lost_list_makes_nothing_untrue(pool: Accounts, tmp_path: Path) -> None:
    assert pool.trusts(job("p1", "alice"))  # nobody holds p1: found again, or reaped
    assert pool.keep("alice", "p1")
    assert not pool.trusts(job("p1", "bob"))
    (tmp_path / "accounts" / "lab.json").write_text("{")
    with pytest.raises(LeaseError, match="damaged"):
        pool.trusts(job("p1", "alice"))


# --- students


@pytest.fixture
def students() -> Accounts:
    return accounts(mode="students", pattern="[a-z][a-z0-9_-]{2,7}")


def test_a_student_has_the_account_of_the_same_name(students: Accounts) -> None:
    assert students.account_of("alice") == "alice"
    assert students.trusts(job("alice", "alice"))
    assert students.trusts(job("a_b", slug_of("a_b")))
    assert not students.trusts(job("mallory", "alice"))
    assert not students.trusts(job("alice", "bob"))
    assert not students.trusts(job("", "alice"))
    assert students.keep("alice", "alice")
    assert not students.keep("alice", "bob")
    assert students.may_submit("alice", "alice")
    assert not students.may_submit("alice", "bob")


def test_a_prefix_keeps_students_apart_from_others() -> None:
    prefixed = accounts(mode="students", prefix="s-")
    assert prefixed.account_of("alice") == "s-alice"
    assert prefixed.trusts(job("s-alice", "alice"))
    assert not prefixed.trusts(job("alice", "alice"))
    assert prefixed.account_of("daemon") == "s-daemon"


@pytest.mark.parametrize(
    "name",
    ["root", "hpcampus", "daemon", "munge", "tunnel", "_apt", "systemd-network", "al", "toolongname", "Alice", "é" * 4],
)
def test_accounts_of_the_system_and_outside_the_pattern_are_refused(students: Accounts, name: str) -> None:
    with pytest.raises(AccountError, match="gives no account"):
        students.account_of(name)
    assert students.trusts(job(name, slug_of(name))) is (name == "hpcampus")  # where the hub alone submits


def test_courses_have_no_account_where_students_have_their_own(students: Accounts, pool: Accounts) -> None:
    for found in (students, pool):
        with pytest.raises(AccountError, match="courses are not offered on cluster lab"):
            found.account_of("course-py1")


@given(name=st.text(min_size=1) | st.sampled_from(sorted(RESERVED)) | st.from_regex(UNIX_USER, fullmatch=True))
def test_no_name_gives_more_than_an_ordinary_account(name: str) -> None:
    wide = accounts(mode="students", pattern=".*")
    try:
        account = wide.account_of(name)
    except AccountError:
        return
    assert account == name
    assert UNIX_USER.fullmatch(account)
    assert not is_reserved(account)
    assert account not in ("root", "hpcampus")


@given(account=st.from_regex(UNIX_USER, fullmatch=True), user=st.from_regex(UNIX_USER, fullmatch=True))
def test_only_ones_own_comment_counts(account: str, user: str) -> None:
    found = accounts(mode="students")
    if found.trusts(job(account, slug_of(user))) and account != "hpcampus":
        assert account == user


# --- settings


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        ({"mode": "two"}, "accounts.mode"),
        ({"mode": "pool"}, "accounts.pool"),
        ({"pool": ["p1"]}, "accounts.pool"),
        ({"mode": "pool", "pool": ["p1", "p1"]}, "accounts.pool"),
        ({"mode": "pool", "pool": ["root"]}, "accounts.pool"),
        ({"mode": "pool", "pool": ["p 1"]}, "accounts.pool"),
        ({"mode": "pool", "pool": ["hpcampus"]}, "accounts.pool"),
        ({"mode": "students", "pattern": "é"}, "accounts.pattern"),
        ({"mode": "students", "pattern": 7}, "accounts.pattern"),
        ({"mode": "students", "pattern": "["}, "accounts.pattern"),
        ({"mode": "students", "prefix": "S"}, "accounts.prefix"),
        ({"sessions_max": 0}, "accounts.sessions_max"),
        ({"more": 1}, "accounts"),
        ("pool", "accounts"),
    ],
)
def test_wrong_rules_are_refused_by_name(rules: object, named: str) -> None:
    with pytest.raises(SettingsError, match=named.replace(".", r"\.")):
        read_site(**settings(clusters=[cluster(accounts=rules)], courses=[]))


def test_a_course_needs_a_cluster_that_can_mount_it() -> None:
    with pytest.raises(SettingsError, match=r"courses\[py1\]\.profile: runs on cluster lab with accounts.mode 'pool'"):
        read_site(**settings(clusters=[cluster(accounts={"mode": "pool", "pool": ["p1"]})]))


@pytest.mark.parametrize("rules", [{"mode": "pool", "pool": ["p1"]}, {"mode": "students"}])
def test_what_needs_one_account_for_all_is_refused(rules: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"clusters\[lab\]\.data_path: is 'relay'"):
        read_site(**settings(clusters=[cluster(accounts=rules, data_path="relay")], courses=[]))
    with pytest.raises(SettingsError, match=r"profiles\[small\]\.standby"):
        read_site(**settings(clusters=[cluster(accounts=rules)], courses=[], profiles=[profile(standby=1)]))
