# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Orders are checked field by field, and what becomes of them is an argument list that pins both host keys."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus_carrier import commands, keeper, orders
from tests.unit.hostile import NOT_INT, NOT_TEXT, TEXTS

KEY = "ssh-ed25519 " + "A" * 68
DOOR_KEY = "ssh-ed25519 " + "B" * 68
GOOD: dict[str, Any] = {
    "port": 20017,
    "spawn_id": "0" * 32,
    "way": "relay",
    "host": "login.example.org",
    "host_port": 2222,
    "host_key": KEY,
    "key_file": "/var/lib/jupyterhub/link/id_ed25519",
    "user": "hpcampus",
    "job_id": 7,
    "node": "c1",
    "node_port": 0,
    "door_name": "f" * 32,
    "door_key": DOOR_KEY,
    "hub_api_port": 8081,
}
HOSTILE = st.sampled_from((*TEXTS, "-oProxyCommand=id", "a/../b", "%h", "a" * 400))


def order(**changes: Any) -> orders.Order:
    return orders.check({**GOOD, **changes}, 20017)


@pytest.mark.parametrize("field", sorted(name for name, value in GOOD.items() if isinstance(value, str)))
@given(value=HOSTILE | NOT_TEXT)
def test_texts_that_break_their_rule_are_refused(field: str, value: object) -> None:
    with pytest.raises(orders.OrderError, match=field):
        order(**{field: value})


@pytest.mark.parametrize("field", sorted(name for name, value in GOOD.items() if isinstance(value, int)))
@given(value=NOT_INT | st.integers(max_value=-1) | st.integers(min_value=10**18))
def test_numbers_out_of_range_are_refused(field: str, value: object) -> None:
    with pytest.raises(orders.OrderError, match=field):
        order(**{field: value})


@pytest.mark.parametrize(
    "data", [None, [], "x", {}, {**GOOD, "more": 1}, {k: v for k, v in GOOD.items() if k != "way"}]
)
def test_another_shape_is_refused(data: object) -> None:
    with pytest.raises(orders.OrderError, match="expected an object"):
        orders.check(data, 20017)


def test_a_file_is_for_its_own_port_and_a_way_has_its_port_or_none() -> None:
    with pytest.raises(orders.OrderError, match="in a file for 20018"):
        orders.check(GOOD, 20018)
    for changes in ({"node_port": 20017}, {"way": "forward"}, {"way": "direct"}):
        with pytest.raises(orders.OrderError, match="node_port"):
            order(**changes)


@pytest.mark.parametrize("text", ["", "{", "[" * 100000, '"' + "x" * 20000 + '"', "\xff"])
def test_a_file_that_is_no_order_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "20017.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(orders.OrderError, match=r"JSON|too long"):
        orders.read(path, 20017)
    with pytest.raises(FileNotFoundError):
        orders.read(tmp_path / "20018.json", 20018)


def options(argv: list[str]) -> set[str]:
    return {value for flag, value in itertools.pairwise(argv) if flag == "-o"}


@pytest.mark.parametrize(("way", "word"), [("relay", "relay"), ("forward", "forward")])
def test_the_outer_ssh_says_one_word_to_the_gateway(way: str, word: str) -> None:
    argv = commands.outer_argv(order(way=way, node_port=0 if way == "relay" else 20017), "/s/20017.known_hosts")
    assert argv[-2:] == ["login.example.org", f"{word} 7 {'0' * 32}"]
    assert argv[argv.index("-p") + 1] == "2222"
    assert argv[argv.index("-i") + 1] == GOOD["key_file"]
    assert {"StrictHostKeyChecking=yes", "HostKeyAlias=login", "BatchMode=yes", "ClearAllForwardings=yes"} <= options(
        argv
    )


@pytest.mark.parametrize("way", ["relay", "forward", "direct"])
def test_the_inner_ssh_pins_the_job_and_has_two_forwards(way: str) -> None:
    argv = commands.inner_argv(
        order(way=way, node_port=0 if way == "relay" else 20017), "/s/20017.known_hosts", "/c/key", "0a1b"
    )
    private = "/tmp/hpcampus-" + "f" * 32
    assert argv[argv.index("-L") + 1] == f"127.0.0.1:20017:{private}/notebook.sock"
    assert argv[argv.index("-R") + 1] == f"{private}/h/0a1b.sock:127.0.0.1:8081"
    assert {"StrictHostKeyChecking=yes", "HostKeyAlias=job", "ExitOnForwardFailure=yes"} <= options(argv)
    assert ("ProxyCommand=-" in options(argv)) == (way != "direct")
    assert argv[-1] == ("c1" if way == "direct" else "job")
    assert "-N" in argv
    for option in options(argv):
        assert not option.startswith("StrictHostKeyChecking") or option.endswith("=yes")


def test_both_keys_are_pinned_under_names_of_their_own() -> None:
    assert commands.known_hosts(order()) == f"login {KEY}\njob {DOOR_KEY}\n"


def test_pauses_grow_to_a_bound_and_jitter_shortens_them() -> None:
    times = keeper.Times()
    assert [round(keeper.pause(n, times, 0.0), 1) for n in (0, 1, 2, 5, 50)] == [0.4, 0.8, 1.6, 12.8, 15.0]
    assert keeper.pause(2, times, 1.0) == keeper.pause(2, times, 0.0) / 2
