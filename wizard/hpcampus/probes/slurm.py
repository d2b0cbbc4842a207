# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Reads what Slurm's programs print: those of 22.05 and newer. Pure; garbage gives less, and never an error."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hpcampus.probes.sections import whole_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TIME = re.compile(r"(?:([0-9]{1,6})-)?(?:([0-9]{1,6}):)?([0-9]{1,6}):([0-9]{1,6})", re.ASCII)
FIELD = re.compile(r"([A-Za-z][A-Za-z0-9_/]*)=(.*)", re.DOTALL)
VERSION = re.compile(r"slurm(?:-wlm)? ([0-9]{2})\.([0-9]{2})\.([0-9A-Za-z.-]+)")
GPU = re.compile(r"(gpu(?::[A-Za-z0-9_.-]+)?):([0-9]{1,6})", re.ASCII)
# Of a node that runs jobs now or will by itself; the letters behind it are flags, of which these two say that it does not.
WORKING = {"idle", "mixed", "allocated", "completing", "planned", "comp", "alloc", "mix", "plnd"}
BAD_FLAGS = "*$"
NO_VALUE = {"", "(null)", "N/A", "n/a", "NONE", "None"}


@dataclass(frozen=True)
class Nodes:
    """Nodes of one partition that are alike.

    Attributes:
        count: How many.
        cpus: Of each.
        memory_mb: Of each.
        gres: As Slurm writes it, such as gpu:a100:4; empty when there is none.
        state: In full, without flags.
        working: Whether jobs run there, now or when they are asked to.
    """

    count: int
    cpus: int
    memory_mb: int
    gres: str
    state: str
    working: bool


@dataclass(frozen=True)
class Partition:
    """A partition as this account sees it.

    Attributes:
        name: Its name.
        default: Whether jobs go there that name none.
        up: Whether it takes jobs and starts them.
        max_minutes: Time limit; None when there is none.
        default_minutes: For jobs that ask for no time; None when that is the limit.
        nodes: Its nodes.
        allowed: Whether the account may use it, as far as can be seen.
    """

    name: str
    default: bool
    up: bool
    max_minutes: int | None
    default_minutes: int | None
    nodes: tuple[Nodes, ...]
    allowed: bool = True

    @property
    def working(self) -> tuple[Nodes, ...]:
        """The nodes that work."""
        return tuple(nodes for nodes in self.nodes if nodes.working)

    @property
    def usable(self) -> bool:
        """Whether a job of this account would start."""
        return self.up and self.allowed and bool(self.working)

    @property
    def count(self) -> int:
        """How many nodes work."""
        return sum(nodes.count for nodes in self.working)

    @property
    def cpus(self) -> int:
        """Cores that each node has; 0 when that is not known."""
        return min((nodes.cpus for nodes in self.working or self.nodes), default=0)

    @property
    def memory_mb(self) -> int:
        """Memory that each node has, in MB; 0 when that is not known."""
        return min((nodes.memory_mb for nodes in self.working or self.nodes), default=0)

    @property
    def gres(self) -> tuple[str, ...]:
        """The generic resources of its nodes, each once."""
        return tuple(dict.fromkeys(nodes.gres for nodes in self.working or self.nodes if nodes.gres))


@dataclass(frozen=True)
class Association:
    """A line of sacctmgr: what an account of the accounting offers to the user."""

    account: str
    partition: str
    qos: tuple[str, ...]
    default_qos: str
    max_jobs: int | None
    max_submit: int | None
    max_minutes: int | None


@dataclass(frozen=True)
class Reservation:
    """A reservation that this account may use or that keeps it out."""

    name: str
    users: tuple[str, ...]
    accounts: tuple[str, ...]
    nodes: str
    flags: tuple[str, ...]


def parse_version(text: str) -> tuple[str, tuple[int, int]] | None:
    """Read `sinfo --version`; gives it in full, and year and month."""
    found = VERSION.search(text)
    return (f"{found[1]}.{found[2]}.{found[3]}", (int(found[1]), int(found[2]))) if found else None


def parse_minutes(text: str) -> int | None:
    """Read a time limit such as 1-02:03:04, 02:03:04, 30:00; None when it is none."""
    found = TIME.fullmatch(text.strip())
    if not found:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return days * 1440 + hours * 60 + minutes + (1 if seconds else 0)


def parse_line(line: str) -> dict[str, str]:
    """Read one line of `scontrol show ... -o`; values may hold spaces."""
    values: dict[str, str] = {}
    name = ""
    for word in line.split():
        found = FIELD.fullmatch(word)
        if found:
            name = found[1]
            values[name] = found[2]
        elif name:
            values[name] = f"{values[name]} {word}"
    return values


def parse_sinfo(text: str) -> list[Partition]:
    """Read `sinfo -h -a -e -o %P|%a|%l|%L|%D|%c|%m|%G|%T`: one line for nodes that are alike."""
    seen: dict[str, list[list[str]]] = {}
    for line in text.split("\n"):
        parts = [part.strip() for part in line.split("|")]
        if len(parts) == 9 and parts[0].rstrip("*"):
            seen.setdefault(parts[0], []).append(parts)
    return [_partition(name, rows) for name, rows in seen.items()]


def _partition(name: str, rows: Sequence[Sequence[str]]) -> Partition:
    nodes = tuple(found for row in rows if (found := _nodes(row)) is not None)
    return Partition(
        name=name.removesuffix("*"),
        default=name.endswith("*"),
        up=rows[0][1] == "up",
        max_minutes=parse_minutes(rows[0][2]),
        default_minutes=parse_minutes(rows[0][3]),
        nodes=nodes,
    )


def _nodes(row: Sequence[str]) -> Nodes | None:
    count, cpus, memory = (whole_number(part) or 0 for part in row[4:7])
    if not count:
        return None
    state = row[8]
    word = re.match(r"[A-Za-z_]*", state)
    plain = word[0].lower() if word else ""
    working = plain in WORKING and not any(flag in state for flag in BAD_FLAGS)
    return Nodes(count, cpus, memory, "" if row[7] in NO_VALUE else _without_sockets(row[7]), plain, working)


def _without_sockets(gres: str) -> str:
    return re.sub(r"\([^()]*\)", "", gres)


def restrict(
    partitions: Sequence[Partition],
    text: str,
    accounts: Sequence[str],
    groups: Sequence[str],
    qos: Sequence[str] = (),
) -> list[Partition]:
    """Say of each partition whether the account may use it.

    Args:
        partitions: From sinfo.
        text: Of `scontrol show partition -a -o`.
        accounts: Of the user in the accounting; empty when they are not known.
        groups: Of the user.
        qos: Of the user; empty when they are not known.
    """
    rules = {
        values["PartitionName"]: values for line in text.split("\n") if "PartitionName" in (values := parse_line(line))
    }
    return [_restricted(partition, rules.get(partition.name, {}), accounts, groups, qos) for partition in partitions]


def _restricted(
    partition: Partition, rules: Mapping[str, str], accounts: Sequence[str], groups: Sequence[str], qos: Sequence[str]
) -> Partition:
    allowed = (
        rules.get("RootOnly") != "YES"
        and rules.get("ReqResv") != "YES"
        and _admits(rules, "Groups", groups)
        and (not accounts or _admits(rules, "Accounts", accounts))
        and (not qos or _admits(rules, "Qos", qos))
    )
    up = partition.up and rules.get("State", "UP") == "UP"
    return Partition(
        partition.name,
        partition.default or rules.get("Default") == "YES",
        up,
        partition.max_minutes,
        partition.default_minutes,
        partition.nodes,
        allowed,
    )


def _admits(rules: Mapping[str, str], kind: str, mine: Sequence[str]) -> bool:
    """Tell whether one of mine is among those that a partition allows, or not among those it denies."""
    allow, deny = rules.get(f"Allow{kind}", "ALL"), _names(rules.get(f"Deny{kind}", ""))
    if allow not in {"ALL", *NO_VALUE}:
        return bool(set(_names(allow)) & set(mine))
    return not deny or bool(set(mine) - set(deny))


def _names(text: str) -> tuple[str, ...]:
    return () if text.strip() in NO_VALUE else tuple(part for part in re.split(r"[,\s]+", text) if part)


def parse_associations(text: str) -> list[Association]:
    """Read `sacctmgr -nP show assoc format=Cluster,Account,Partition,QOS,DefaultQOS,MaxJobs,MaxSubmit,MaxWall`."""
    found = []
    for line in text.split("\n"):
        parts = [part.strip() for part in line.split("|")]
        if len(parts) == 8 and parts[1]:
            found.append(
                Association(
                    account=parts[1],
                    partition=parts[2],
                    qos=_names(parts[3]),
                    default_qos=parts[4],
                    max_jobs=whole_number(parts[5]),
                    max_submit=whole_number(parts[6]),
                    max_minutes=parse_minutes(parts[7]),
                )
            )
    return found


def parse_reservations(text: str, user: str, accounts: Sequence[str]) -> list[Reservation]:
    """Read `scontrol show reservation -o`; those that name the user or one of the accounts."""
    return [
        reservation
        for reservation in _reservations(text)
        if user in reservation.users or set(accounts) & set(reservation.accounts)
    ]


def _reservations(text: str) -> Iterator[Reservation]:
    for line in text.split("\n"):
        values = parse_line(line)
        if "ReservationName" in values:
            yield Reservation(
                name=values["ReservationName"],
                users=_names(values.get("Users", "")),
                accounts=_names(values.get("Accounts", "")),
                nodes=values.get("Nodes", ""),
                flags=_names(values.get("Flags", "")),
            )


def parse_config(text: str) -> dict[str, str]:
    """Read `scontrol show config`."""
    values = {}
    for line in text.split("\n"):
        name, equals, value = line.partition("=")
        if equals and name.strip().isidentifier():
            values[name.strip()] = value.strip()
    return values


def gpus(gres: str) -> str:
    """Give the GPUs among generic resources, such as gpu:a100:4; empty when there are none."""
    found = GPU.search(gres)
    return f"{found[1]}:{found[2]}" if found else ""
