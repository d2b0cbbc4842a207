# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The clusters of others."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from .findings import HOST, SLUG, SLUG_WORDS, UNIX_USER, Record, known, matches, problem, records, unique
from .groups import CENTRES, has_own_cluster

HOST_KEY = re.compile(
    r"(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) AAAA[A-Za-z0-9+/]{36,2000}={0,2}(?: .*)?"
)
CENTRE_DIR = re.compile(r"(?:/[A-Za-z0-9_][A-Za-z0-9._-]{0,63}){2,8}")
CENTRE_PARTITION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
PROGRAM_PATH = re.compile(r"(?:/[A-Za-z0-9._+-]{1,64}){1,12}")
PROGRAM = re.compile(rf"[a-z][a-z0-9-]{{0,31}}|{PROGRAM_PATH.pattern}")
MODULE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}(?:/[A-Za-z0-9][A-Za-z0-9._+-]{0,63}){0,4}")
KEY_FROM = re.compile(r"[A-Za-z0-9:./*-]{1,100}")


def centre_problems(
    site: Record, groups: t.Mapping[str, t.Sequence[str]], hosts: t.Mapping[str, Record]
) -> t.Iterator[str]:
    """Check the clusters of others against the login nodes of the inventory.

    Args:
        site: The ``site_`` variables.
        groups: Host names of each group.
        hosts: What is known of the variables of every host.
    """
    yield from unique(site, "site_centres", "name")
    yield from unique(site, "site_centres", "login")
    logins = list(groups.get(CENTRES, []))
    for where, record in records(site, "site_centres"):
        yield from matches(f"{where}.name", record["name"], SLUG, SLUG_WORDS)
        if has_own_cluster(groups) and record["name"] == site["site_cluster_name"]:
            yield problem(
                f"{where}.name",
                record["name"],
                "the own cluster has this name (site_cluster_name)",
                "Give each its own",
            )
        yield from known(f"{where}.login", record["login"], logins, f"group {CENTRES}")
        yield from _centre_value_problems(where, record)
        account = record.get("account") or hosts.get(record["login"], {}).get("ansible_user")
        yield from matches(
            f"{where}.account", account, UNIX_USER, "a Unix user name, or ansible_user of the login node"
        )
    named = [record["login"] for record in site["site_centres"]]
    for host in logins:
        if host not in named:
            yield problem(
                f"host {host}", CENTRES, "no record of site_centres names it", "Describe the centre, or remove the host"
            )


def _centre_value_problems(where: str, record: Record) -> t.Iterator[str]:
    """Check the values of one centre that stand for themselves."""
    yield from matches(
        f"{where}.host_key", record["host_key"], HOST_KEY, "a public host key such as 'ssh-ed25519 AAAA...'"
    )
    yield from matches(f"{where}.base_dir", record["base_dir"], CENTRE_DIR, "a path such as /project/p123/hpcampus")
    if not record["partitions"]:
        yield problem(f"{where}.partitions", [], "no notebook could run there", "Name at least one")
    for name in record["partitions"]:
        yield from matches(f"{where}.partitions", name, CENTRE_PARTITION, "the name of a partition, as sinfo prints it")
    if record.get("address"):
        yield from matches(f"{where}.address", record["address"], HOST, "a host name or an IPv4 address")
    if not 1 <= int(record.get("port") or 22) <= 65535:
        yield problem(f"{where}.port", record["port"], "this is not a port", "Write a number from 1 to 65535")
    if int(record.get("max_servers") or 0) < 0:
        yield problem(f"{where}.max_servers", record["max_servers"], "this is no number of servers", "Write 0 or more")
    for key, pattern, wanted in (
        ("apptainer", PROGRAM, "the path of a program, or its name"),
        ("module", MODULE, "the name of an environment module, such as apptainer/1.4"),
        ("python", PROGRAM_PATH, "the absolute path of a Python"),
        ("slurm_dir", PROGRAM_PATH, "an absolute path"),
    ):
        if record.get(key):
            yield from matches(f"{where}.{key}", record[key], pattern, wanted)
    yield from _source_problems(where, record)


def _source_problems(where: str, record: Record) -> t.Iterator[str]:
    """Check from where the centre sees the hub, and the hub the centre."""
    for source in record.get("key_from") or []:
        yield from matches(f"{where}.key_from", source, KEY_FROM, "an address or a network")
    for network in record.get("networks") or []:
        try:
            ipaddress.ip_network(network)
        except ValueError:
            yield problem(f"{where}.networks", network, "this is not a network", "Write one such as 192.0.2.0/24")
