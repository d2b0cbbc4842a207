# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The account file: who may log in, and what is refused."""

import json
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus_hub.auth import (
    AccountsError,
    AccountsFile,
    AccountsFileAuthenticator,
    check_password,
    is_username,
    password_fits,
    read_accounts,
    refuse_reserved_names,
)

HASH = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()


def write(path: Path, names: list[str], mode: int = 0o640) -> Path:
    path.write_text(json.dumps({name: {"password_hash": HASH} for name in names}))
    path.chmod(mode)
    return path


@pytest.fixture
def accounts(tmp_path: Path) -> Path:
    return write(tmp_path / "accounts.json", ["alice"])


def authenticator(path: Path) -> AccountsFileAuthenticator:
    return AccountsFileAuthenticator(accounts_file=str(path))


async def log_in(using: Any, name: str, password: str) -> Any:
    user = await using.get_authenticated_user(None, {"username": name, "password": password})
    return user and user["name"]


async def test_name_and_password(accounts: Path) -> None:
    using = authenticator(accounts)
    using.check_allow_config()
    assert await log_in(using, "alice", "secret") == "alice"
    assert await log_in(using, "Alice", "secret") == "alice"
    for name, password in [("alice", "Secret"), ("alice", ""), ("bob", "secret"), ("", ""), ("alice\n", "secret")]:
        assert await log_in(using, name, password) is None


async def test_allowed_users_narrow_the_file(accounts: Path) -> None:
    write(accounts, ["alice", "bob"])
    using = authenticator(accounts)
    using.allowed_users = {"bob", "eve"}
    assert await log_in(using, "alice", "secret") is None
    assert await log_in(using, "bob", "secret") == "bob"
    assert await log_in(using, "eve", "secret") is None


async def test_passwords_that_bcrypt_would_cut_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "accounts.json"
    hashed = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()
    path.write_text(json.dumps({"alice": {"password_hash": hashed}}))
    path.chmod(0o640)
    using = authenticator(path)
    assert await log_in(using, "alice", "x" * 72) == "alice"
    assert await log_in(using, "alice", "x" * 73) is None
    assert await log_in(using, "alice", "x" * 5000) is None
    assert not password_fits("é" * 37)
    assert not password_fits("a\x00b")


async def test_an_unknown_name_costs_as_much_as_a_wrong_password(tmp_path: Path) -> None:
    path = tmp_path / "accounts.json"
    hashed = bcrypt.hashpw(b"secret", bcrypt.gensalt(9)).decode()
    path.write_text(json.dumps({"alice": {"password_hash": hashed}, "bob": {"password_hash": HASH}}))
    path.chmod(0o640)
    assert read_accounts(json.loads(path.read_text())).decoy.startswith("$2b$09$")
    calls: list[str] = []

    def spy(password: str, hashed: str) -> bool:
        calls.append(hashed[:7])
        return check_password(password, hashed)

    using = authenticator(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hpcampus_hub.auth.check_password", spy)
        assert await log_in(using, "nobody", "secret") is None
        assert await log_in(using, "alice", "wrong") is None
    assert calls == ["$2b$09$", "$2b$09$"]


async def test_the_file_is_read_again_when_it_changes(accounts: Path) -> None:
    using = authenticator(accounts)
    assert await log_in(using, "bob", "secret") is None
    write(accounts, ["alice", "bob"])
    assert await log_in(using, "bob", "secret") == "bob"
    write(accounts, ["bob"])
    assert await log_in(using, "alice", "secret") is None
    assert await using.refresh_user(SimpleNamespace(name="alice")) is False
    assert await using.refresh_user(SimpleNamespace(name="bob")) is True
    assert await using.refresh_user(SimpleNamespace(name="course-py1")) is True


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o602, 0o641])
async def test_a_file_that_others_can_read_lets_nobody_in(accounts: Path, mode: int) -> None:
    using = authenticator(accounts)
    assert await log_in(using, "alice", "secret") == "alice"
    write(accounts, ["alice"], mode)
    assert await log_in(using, "alice", "secret") is None
    with pytest.raises(AccountsError, match="0640"):
        using.check_allow_config()
    write(accounts, ["alice"], 0o600)
    assert await log_in(using, "alice", "secret") == "alice"


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"alice": "x"}', '{"alice": {}}', '{"alice": {"password_hash": "plain"}}']
)
def test_a_broken_file_is_told(accounts: Path, text: str) -> None:
    accounts.write_text(text)
    with pytest.raises(AccountsError, match=r"accounts\.json"):
        AccountsFile(str(accounts)).load()


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(AccountsError, match="No such file"):
        AccountsFile(str(tmp_path / "none")).load()


def test_messages_hold_no_hash() -> None:
    with pytest.raises(AccountsError) as refused:
        read_accounts({"alice": {"password_hash": HASH + "x"}})
    assert HASH not in str(refused.value)


HOSTILE = [
    "",
    ".",
    "..",
    "a..b",
    "a/b",
    "a b",
    "a\nb",
    "$(id)",
    "a;b",
    "a'b",
    "é",
    "-a",
    "a-",
    "A",
    "x" * 65,
    "a\x00",
    "a%2fb",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_refused(name: str, accounts: Path) -> None:
    assert not is_username(name)
    assert not authenticator(accounts).validate_username(name)
    with pytest.raises(AccountsError):
        read_accounts({name: {"password_hash": HASH}})


@pytest.mark.parametrize("name", ["alice", "a", "alice.smith", "a_b-c", "alice@example.org", "a+b", "x" * 64, "007"])
def test_ordinary_names_are_good(name: str) -> None:
    assert is_username(name)


@given(st.text(max_size=80))
def test_a_good_name_has_only_harmless_signs(name: str) -> None:
    if is_username(name):
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789._@+-")


def test_a_course_cannot_have_an_account() -> None:
    with pytest.raises(AccountsError, match="belong to courses"):
        read_accounts({"course-py1": {"password_hash": HASH}})


async def test_nobody_logs_in_as_a_course_and_the_sites_own_hook_still_runs(accounts: Path) -> None:
    using = authenticator(accounts)
    seen = []

    async def hook(_authenticator: Any, _handler: Any, authentication: dict[str, Any]) -> dict[str, Any]:
        seen.append(authentication["name"])
        return authentication

    using.post_auth_hook = hook
    refuse_reserved_names(using)
    assert await using.run_post_auth_hook(None, {"name": "alice"}) == {"name": "alice"}
    assert await using.run_post_auth_hook(None, {"name": "course-py1"}) is None
    assert seen == ["alice"]


def test_a_file_that_did_not_change_is_not_parsed_again(accounts: Path) -> None:
    file = AccountsFile(str(accounts))
    assert file.load() is file.load()
    os.utime(accounts, (time.time() + 5,) * 2)
    assert file.load() is not None
