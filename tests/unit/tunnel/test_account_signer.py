# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The signer of the hub's logins as students: which accounts, and what a certificate says; and its list of refusals judges well."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.tunnel import account_refusals, asking
from tests.unit.tunnel.account_refusals import ATTEMPTS, SERVED, Attempt, Outcome
from tests.unit.tunnel.asking import ME, PUBKEY, Authority
from tests.unit.tunnel.loading import load
from tests.unit.tunnel.ssh_attempts import Result

signer = load("account_signer")
signing = signer.signing

GATEWAY = "/usr/bin/python3 -I /usr/local/libexec/hpcampus/gateway.py"


def data(**changes: Any) -> dict[str, Any]:
    return {
        "ca_key": "/nowhere",
        "command": GATEWAY,
        "pattern": "[a-z][a-z0-9_-]{1,31}",
        "prefix": "",
        "refused": ["hpcampus", "daemon", "munge"],
        "seconds": 300,
        "source_addresses": ["192.0.2.10/32", "2001:db8::10"],
        "users": [ME],
        **changes,
    }


def line(**changes: object) -> bytes:
    return json.dumps({"account": "alice", "pubkey": PUBKEY, **changes}).encode() + b"\n"


def ask(request: bytes, rules: Any) -> dict[str, str]:
    return asking.ask(
        request,
        lambda connection: signing.answer(connection, rules.users, lambda text: signer.certify(text, rules)),
    )


def test_the_certificate_says_what_it_must(ca: Authority) -> None:
    answer = ask(line(pubkey=ca.pubkey), signer.read_rules(data(ca_key=ca.key)))
    assert set(answer) == {"cert"}
    shown = ca.show(answer["cert"])
    assert re.search(r'Key ID: "hub:alice"', shown)
    assert re.search(r"Principals: \n\s+alice\n\s+Critical Options: \n", shown)
    assert f"force-command {GATEWAY}\n" in shown
    assert "source-address 192.0.2.10/32,2001:db8::10/128\n" in shown
    assert shown.rstrip().endswith("Extensions: (none)")
    found = re.search(r"Valid: from (\S+) to (\S+)", shown)
    assert found is not None
    began, ended = (re.sub(r"[-:T]", "", part) for part in found.groups())
    assert int(ended) > int(began)
    assert re.search(r"Serial: [1-9]", shown)


@pytest.mark.parametrize("account", account_refusals.NOT_SIGNED)
def test_accounts_that_no_student_may_have(account: object) -> None:
    assert ask(line(account=account), signer.read_rules(data()))["error"].startswith("ValueError: account")


@given(account=st.text() | st.none() | st.integers() | st.lists(st.text()))
def test_anything_else_than_an_ordinary_name_is_refused(account: object) -> None:
    rules = signer.read_rules(data(pattern=".*"))
    try:
        found = signer.check_account(account, rules)
    except ValueError:
        return
    assert re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", found)
    assert found not in {"root", "hpcampus", "daemon", "munge"}


def test_the_prefix_is_kept() -> None:
    rules = signer.read_rules(data(prefix="s-"))
    assert signer.check_account("s-alice", rules) == "s-alice"
    for account in ("alice", "s-", "xs-alice"):
        with pytest.raises(ValueError, match="account"):
            signer.check_account(account, rules)


@pytest.mark.parametrize(
    "changes",
    [
        {"pubkey": PUBKEY + " x"},
        {"pubkey": "ssh-rsa AAAA"},
        {"seconds": 9},
        {"command": "id"},
        {"source_addresses": []},
    ],
)
def test_a_caller_chooses_nothing_else(changes: dict[str, object]) -> None:
    assert ask(line(**changes), signer.read_rules(data()))["error"].startswith("ValueError")


def test_others_are_refused() -> None:
    assert ask(line(), signer.read_rules(data(users=["somebody"])))["error"].startswith("PermissionError")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"source_addresses": []}, "source_addresses"),
        ({"source_addresses": ["hub.example.org"]}, "hub.example.org"),
        ({"command": "sh -c 'id'"}, "command"),
        ({"command": ""}, "command"),
        ({"seconds": 86400}, "seconds"),
        ({"seconds": "300"}, "seconds"),
    ],
)
def test_rules_without_a_bound_are_refused(changes: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        signer.read_rules(data(**changes))


def test_a_file_that_lacks_a_rule_is_refused() -> None:
    rules = data()
    del rules["refused"]
    with pytest.raises(ValueError, match="missing: refused"):
        signer.read_rules(rules)


def test_the_platforms_own_keys_in_the_file_do_no_harm() -> None:
    assert signer.read_rules({**data(), "_managed": "by"}).refused >= {"root", "hpcampus"}


# --- the list of refusals


def test_names_are_unique_and_both_kinds_are_there() -> None:
    assert len({attempt.name for attempt in ATTEMPTS}) == len(ATTEMPTS)
    assert [attempt.expected for attempt in ATTEMPTS].count(SERVED) == 1
    assert len(ATTEMPTS) >= 18


@pytest.mark.parametrize("attempt", [attempt for attempt in ATTEMPTS if attempt.expected != SERVED], ids=str)
@pytest.mark.parametrize(
    "text",
    [
        "",
        '{"hello": {"account": "alice"}}\n{"id": 1, "ok": true}',
        "uid=5001(alice)",
        "Host key verification failed.",
        "ssh: connect to host login port 22: Connection refused",
        "kex_exchange_identification: read: Connection reset by peer",
    ],
)
def test_success_and_other_failures_are_no_refusal(attempt: Attempt, text: str) -> None:
    assert not Outcome(attempt, Result(255, text)).as_expected


def test_command_lines_pin_the_host_key() -> None:
    for attempt in ATTEMPTS:
        argv = account_refusals.ssh_argv(attempt, "login")
        assert "StrictHostKeyChecking=yes" in argv
        assert f"{attempt.user}@login" in argv
