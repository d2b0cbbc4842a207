# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Leases of a pool: exclusive, kept for ever, on disk before anybody hears of them."""

import json
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hpcampus_hub.leases import LeaseBook, LeaseError, lease_row, read_leases

POOL = ("p1", "p2", "p3")
USERS = st.sampled_from(["alice", "bob", "carol@uni.example", "dave", "x" * 200])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "accounts" / "lab.json"


def test_a_person_keeps_the_account_and_nobody_shares_it(path: Path) -> None:
    book = LeaseBook(str(path), POOL)
    assert [book.take(user) for user in ("alice", "bob", "alice")] == ["p1", "p2", "p1"]
    assert LeaseBook(str(path), POOL).take("alice") == "p1"  # another hub process
    assert LeaseBook(str(path), ("p9", *POOL)).take("alice") == "p1"  # a pool in another order
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_full_pool_says_what_to_do(path: Path) -> None:
    book = LeaseBook(str(path), ("p1",))
    book.take("alice")
    with pytest.raises(LeaseError, match=r"all 1 accounts of the pool are leased.*hpcampus-accounts release"):
        book.take("bob")
    assert book.take("alice") == "p1"


def test_release_keeps_out_both_until_it_is_done(path: Path) -> None:
    book = LeaseBook(str(path), ("p1",))
    book.take("alice")
    assert book.begin_release("p1").user == "alice"
    assert not book.is_leased("alice", "p1")
    with pytest.raises(LeaseError, match="being released"):
        book.take("alice")
    with pytest.raises(LeaseError, match="are leased"):
        book.take("bob")
    book.end_release("p1", done=False)
    assert book.is_leased("alice", "p1")
    book.begin_release("p1")
    book.end_release("p1", done=True)
    assert book.take("bob") == "p1"


def test_nothing_is_released_that_nobody_holds(path: Path) -> None:
    with pytest.raises(LeaseError, match="nobody holds p1"):
        LeaseBook(str(path), POOL).begin_release("p1")


def test_an_account_that_left_the_pool_is_not_given_to_another(path: Path) -> None:
    LeaseBook(str(path), ("p1", "p2")).take("alice")
    smaller = LeaseBook(str(path), ("p2",))
    with pytest.raises(LeaseError, match="p1 is no longer in the pool"):
        smaller.take("alice")
    assert smaller.take("bob") == "p2"


def test_a_lost_lease_is_entered_again_unless_another_holds_the_account(path: Path) -> None:
    book = LeaseBook(str(path), POOL)
    assert book.restore("alice", "p2")
    assert book.take("alice") == "p2"
    assert not book.restore("bob", "p2")
    assert not book.restore("alice", "p3")
    assert not book.restore("bob", "p9")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"version": 2, "leases": {}}',
        '{"version": 1, "leases": {"p1": {"user": "a"}}}',
        '{"version": 1, "leases": {"p1": {"user": "", "since": 1, "releasing": false}}}',
        '{"version": 1, "leases": {"p1": {"user": "a", "since": "1", "releasing": false}}}',
        '{"version": 1, "leases": {"p1": {"user": "a", "since": 1, "releasing": 0}}}',
        (
            '{"version": 1, "leases": {"p1": {"user": "a", "since": 1, "releasing": false},'
            ' "p2": {"user": "a", "since": 1, "releasing": false}}}'
        ),
    ],
)
def test_a_damaged_file_leases_nothing(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    book = LeaseBook(str(path), POOL)
    with pytest.raises(LeaseError, match=r"damaged.*backup"):
        book.take("alice")
    with pytest.raises(LeaseError, match="damaged"):
        book.holder("p1")
    assert path.read_text() == text


def test_a_file_that_cannot_be_written_leases_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = LeaseBook(str(path), POOL)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(LeaseError, match="No space left"):
            book.take("alice")
    assert [found.name for found in path.parent.iterdir()] == ["lab.lock"]
    assert book.take("bob") == "p1"


@pytest.mark.processes
def test_many_processes_at_once_never_lease_twice(path: Path) -> None:
    script = (
        "import sys\nfrom hpcampus_hub.leases import LeaseBook\n"
        "pool = [f'p{n}' for n in range(40)]\n"
        "for n in range(10):\n    print(LeaseBook(sys.argv[1], pool).take(f'{sys.argv[2]}-{n}'))\n"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(path), str(number)],
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": ":".join(sys.path)},
        )
        for number in range(4)
    ]
    taken = [line for process in running for line in process.communicate()[0].split()]
    assert len(taken) == len(set(taken)) == 40
    assert len(read_leases(path.read_text())) == 40


def test_rows_for_a_person_to_read(path: Path) -> None:
    book = LeaseBook(str(path), POOL)
    book.take("alice")
    assert lease_row("p2", book.leases().get("p2")) == {"account": "p2", "state": "free", "user": "", "since": ""}
    assert lease_row("p1", book.leases()["p1"])["state"] == "leased"


class Leasing(RuleBasedStateMachine):
    """Any order of leases, releases and restarts: the file agrees with a plain dictionary, and no account has two holders."""

    @initialize(directory=st.just(None))
    def begin(self, directory: None) -> None:
        del directory
        self.folder = tempfile.TemporaryDirectory()
        self.book = LeaseBook(self.folder.name + "/lab.json", POOL)
        self.model: dict[str, str] = {}
        self.releasing: set[str] = set()

    @rule(user=USERS)
    def take(self, user: str) -> None:
        mine = [account for account, holder in self.model.items() if holder == user]
        free = [account for account in POOL if account not in self.model]
        if (mine and mine[0] in self.releasing) or not (mine or free):
            with pytest.raises(LeaseError):
                self.book.take(user)
        else:
            expected = mine[0] if mine else free[0]
            assert self.book.take(user) == expected
            self.model[expected] = user

    @rule(account=st.sampled_from(POOL))
    def begin_release(self, account: str) -> None:
        if account in self.model:
            assert self.book.begin_release(account).user == self.model[account]
            self.releasing.add(account)

    @rule(account=st.sampled_from(POOL), done=st.booleans())
    def end_release(self, account: str, done: bool) -> None:
        if account in self.releasing:
            self.book.end_release(account, done=done)
            self.releasing.discard(account)
            if done:
                del self.model[account]

    @rule(user=USERS, account=st.sampled_from(POOL))
    def restore(self, user: str, account: str) -> None:
        free = account not in self.model and user not in self.model.values()
        kept = self.model.get(account) == user and account not in self.releasing
        assert self.book.restore(user, account) is (free or kept)
        if free:
            self.model[account] = user

    @rule()
    def restart(self) -> None:
        self.book = LeaseBook(self.folder.name + "/lab.json", POOL)

    @invariant()
    def agrees(self) -> None:
        assert {account: lease.user for account, lease in self.book.leases().items()} == self.model
        assert {account for account, lease in self.book.leases().items() if lease.releasing} == self.releasing
        assert len(set(self.model.values())) == len(self.model)

    def teardown(self) -> None:
        self.folder.cleanup()


TestLeasing = Leasing.TestCase


def test_the_file_is_for_people_too(path: Path) -> None:
    LeaseBook(str(path), POOL).take("alice")
    record = json.loads(path.read_text())
    assert record["leases"]["p1"]["user"] == "alice"
