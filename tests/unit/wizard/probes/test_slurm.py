# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What Slurm's programs of several versions say is read; garbage gives less, and never an error."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus.probes.slurm import (
    Association,
    Nodes,
    Partition,
    gpus,
    parse_associations,
    parse_config,
    parse_line,
    parse_minutes,
    parse_reservations,
    parse_sinfo,
    parse_version,
    restrict,
)
from tests.unit.wizard.probes.conftest import VERSIONS, answering, commands

PIECES = st.lists(
    st.one_of(
        st.text(max_size=12),
        st.sampled_from(
            [
                "|",
                "=",
                "PartitionName=",
                "idle",
                "up",
                "64",
                "\n",
                " ",
                "AllowAccounts=",
                "gpu:a100:4(S:0-1)",
                "*",
                "1-00:00:00",
                ",",
            ]
        ),
    ),
    max_size=40,
).map("".join)


@pytest.mark.parametrize("version", VERSIONS)
def test_partitions(version: str):
    said = answering(commands(version))
    found = restrict(
        parse_sinfo(said["sinfo"]), said["scontrol show partition"], ["teaching", "p123"], ["hpcteach"], ["normal"]
    )
    assert [(p.name, p.default, p.up, p.allowed, p.usable) for p in found] == [
        ("batch", True, True, True, True),
        ("interactive", False, True, True, True),
        ("gpu", False, True, False, False),
        ("staff", False, True, False, False),
        ("test", False, False, True, False),
        ("hidden", False, True, False, False),
    ]
    batch, interactive, gpu, staff = found[:4]
    assert (batch.max_minutes, batch.default_minutes, batch.count, batch.cpus, batch.memory_mb) == (
        10080,
        60,
        5,
        64,
        257000,
    )
    assert (interactive.max_minutes, interactive.default_minutes, interactive.count) == (240, 30, 2)
    assert (gpu.gres, gpu.count, gpu.default_minutes) == (("gpu:a100:4",), 1, None)
    assert staff.max_minutes is None


@pytest.mark.parametrize("version", VERSIONS)
def test_nodes_that_do_not_answer(version: str):
    found = parse_sinfo(commands(version)["sinfo"])
    assert not any(partition.usable for partition in found)
    assert [nodes.state for nodes in found[0].nodes] == ["idle", "idle", "drained"]
    assert (found[0].cpus, found[0].count) == (64, 0)


@pytest.mark.parametrize(
    ("state", "working"),
    [
        ("idle", True), ("mixed", True), ("allocated", True), ("completing", True), ("planned", True), ("idle~", True),
        ("idle#", True), ("idle%", True), ("mixed-", True), ("idle*", False), ("down", False), ("down*", False), ("drained", False),
        ("draining", False), ("idle$", False), ("maint", False), ("reserved", False), ("unknown", False), ("fail", False), ("", False),
    ],
)  # fmt: skip
def test_states_of_nodes(state: str, working: bool):
    found = parse_sinfo(f"a|up|1:00:00|n/a|3|4|5|(null)|{state}")
    assert found[0].nodes[0].working is working


@pytest.mark.parametrize(
    ("rules", "accounts", "groups", "qos", "allowed"),
    [
        ("AllowAccounts=ml,p123", ["p123"], [], [], True),
        ("AllowAccounts=ml", ["p123"], [], [], False),
        ("AllowAccounts=ml", [], [], [], True),
        ("DenyAccounts=p123", ["p123"], [], [], False),
        ("DenyAccounts=p123", ["p123", "other"], [], [], True),
        ("AllowGroups=staff", [], ["users", "staff"], [], True),
        ("AllowGroups=staff", [], ["users"], [], False),
        ("AllowQos=teaching", ["x"], [], ["normal"], False),
        ("AllowQos=teaching", ["x"], [], ["normal", "teaching"], True),
        ("RootOnly=YES", [], [], [], False),
        ("ReqResv=YES", [], [], [], False),
        ("", [], [], [], True),
    ],
)  # fmt: skip
def test_who_may_use_a_partition(rules: str, accounts: list[str], groups: list[str], qos: list[str], allowed: bool):
    partition = parse_sinfo("a*|up|1:00:00|n/a|3|4|5|(null)|idle")
    found = restrict(partition, f"PartitionName=a {rules} State=UP", accounts, groups, qos)
    assert found == [replace(partition[0], allowed=allowed)]


def test_a_state_that_sinfo_does_not_tell():
    partition = parse_sinfo("a|up|1:00:00|n/a|3|4|5|(null)|idle")
    assert not restrict(partition, "PartitionName=a State=DRAIN", [], [])[0].up


@pytest.mark.parametrize("version", VERSIONS)
def test_associations_reservations_and_configuration(version: str):
    said = commands(version)
    assert parse_associations(said["sacctmgr show assoc"]) == [
        Association("p123", "", ("normal",), "", None, None, None),
        Association("teaching", "", ("normal", "teaching"), "teaching", 40, 100, None),
    ]
    reservations = said["scontrol show reservation"]
    assert [found.name for found in parse_reservations(reservations, "nobody", ["teaching"])] == ["course"]
    assert parse_reservations(reservations, "nobody", ["p123"]) == []
    config = parse_config(said["scontrol show config"])
    assert (config["SrunPortRange"], config["AccountingStorageEnforce"]) == ("60001-63000", "associations,limits,qos")
    full = parse_version(said["sinfo --version"])
    assert full is not None
    assert full[0].startswith(version)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("slurm 23.11.10", ("23.11.10", (23, 11))),
        ("slurm-wlm 22.05.8\n", ("22.05.8", (22, 5))),
        ("slurm 25.05.0rc1", ("25.05.0rc1", (25, 5))),
        ("sinfo: error: resolve_ctls_from_dns_srv", None),
        ("", None),
    ],
)
def test_versions(text: str, version: object):
    assert parse_version(text) == version


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("1-02:03:04", 1564),
        ("12:00:00", 720),
        ("30:00", 30),
        ("0:30", 1),
        ("infinite", None),
        ("UNLIMITED", None),
        ("n/a", None),
        ("NONE", None),
        ("", None),
    ],
)
def test_times(text: str, minutes: int | None):
    assert parse_minutes(text) == minutes


def test_values_with_spaces_and_equal_signs():
    line = "NodeName=a Reason=Not responding [root@2026-01-01] State=DOWN CfgTRES=cpu=2,mem=1G,gres/gpu=4 OS=Linux 6.1 #1 SMP"
    found = parse_line(line)
    assert found["Reason"] == "Not responding [root@2026-01-01]"
    assert (found["State"], found["CfgTRES"], found["OS"]) == ("DOWN", "cpu=2,mem=1G,gres/gpu=4", "Linux 6.1 #1 SMP")


@pytest.mark.parametrize(
    ("gres", "text"),
    [
        ("gpu:a100:4", "gpu:a100:4"),
        ("gpu:2", "gpu:2"),
        ("shard:8,gpu:nvidia_h100-80gb:8", "gpu:nvidia_h100-80gb:8"),
        ("lscratch:9", ""),
        ("", ""),
    ],
)
def test_gpus(gres: str, text: str):
    assert gpus(gres) == text


@given(PIECES, st.lists(st.text(max_size=5), max_size=3))
def test_garbage(text: str, names: list[str]):
    partitions = parse_sinfo(text)
    for partition in restrict(partitions, text, names, names, names):
        assert isinstance(partition, Partition)
        assert partition.count >= 0 and partition.cpus >= 0 and partition.memory_mb >= 0  # noqa: PT018
        assert all(isinstance(nodes, Nodes) for nodes in partition.nodes)
    parse_associations(text)
    parse_reservations(text, "user", names)
    parse_config(text)
    parse_version(text)
    parse_minutes(text)
    gpus(text)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["up", "down", "inact"]),
            st.integers(0, 9999),
            st.integers(1, 512),
            st.integers(1, 4 * 10**6),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_what_sinfo_writes_is_read(rows: list[tuple[str, int, int, int]]):
    text = "\n".join(
        f"p{n}|{up}|4:00:00|30:00|{count}|{cpus}|{memory}|(null)|idle"
        for n, (up, count, cpus, memory) in enumerate(rows)
    )
    found = parse_sinfo(text)
    assert [(p.up, p.count) for p in found] == [(up == "up", count) for up, count, _, _ in rows]
    assert [(p.cpus, p.memory_mb) for p in found if p.count] == [(c, m) for _, count, c, m in rows if count]
