# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The accounts of the cluster that notebooks run under."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from .course_files import courses
from .findings import UNIX_USER, Record, matches, problem, records, unique
from .partitions import runs_on_own_cluster


def cluster_account_problems(site: Record, groups: t.Mapping[str, t.Sequence[str]]) -> t.Iterator[str]:
    """Check under which accounts of the cluster notebooks run."""
    mode, pool = site["site_account_mode"], site["site_account_pool"]
    if (mode == "pool") != bool(pool):
        what, cure = (
            ("there is nothing to lease", "Add accounts, each with name and uid")
            if mode == "pool"
            else (f"site_account_mode is {mode!r}", "Set site_account_mode to pool, or empty the list")
        )
        yield problem("site_account_pool", [record["name"] for record in pool], what, cure)
    yield from unique(site, "site_account_pool", "name")
    yield from unique(site, "site_account_pool", "uid")
    for where, record in records(site, "site_account_pool"):
        yield from matches(f"{where}.name", record["name"], UNIX_USER, "a Unix user name")
        if record["name"] in ("root", site["site_account"]):
            yield problem(f"{where}.name", record["name"], "this account cannot be leased", "Choose another name")
        if not 1000 <= int(record["uid"]) < 60000 or int(record["uid"]) == int(site["site_account_uid"]):
            yield problem(
                f"{where}.uid",
                record["uid"],
                "this is not an ordinary user id, or it is that of site_account",
                "Write another number from 1000 to 59999",
            )
    if mode != "one":
        yield from _unshared_problems(site, groups)
    if mode == "students":
        yield from _own_account_problems(site)


def authenticator_problems(site: Record, variables: Record) -> t.Iterator[str]:
    """Check that nobody can choose whose account of the cluster they get."""
    if site["site_account_mode"] == "students" and variables.get("jupyterhub_authenticator") == "native":
        yield problem(
            "jupyterhub_authenticator",
            "native",
            "people choose their names there, and with site_account_mode 'students' a name is an account of the cluster",
            "Choose a login that knows the cluster's names, or another site_account_mode",
        )


def _unshared_problems(site: Record, groups: t.Mapping[str, t.Sequence[str]]) -> t.Iterator[str]:
    """Check what needs one account for all: a way through the service account, courses, and jobs that wait for nobody in particular."""
    mode = site["site_account_mode"]
    if site["site_data_path"] != "reverse":
        yield problem(
            "site_data_path",
            site["site_data_path"],
            f"with site_account_mode {mode!r} the hub's account cannot enter the jobs of students",
            "Set it to reverse, or site_account_mode to one",
        )
    unshared = {
        record["name"]: (where, record)
        for where, record in records(site, "site_profiles")
        if runs_on_own_cluster(record, site, groups)
    }
    for where, course in courses(site):
        if course.get("profile", "small") in unshared:
            yield problem(
                f"{where}.profile",
                course.get("profile", "small"),
                f"it runs on cluster {site['site_cluster_name']}, where with site_account_mode {mode!r} no job can mount the"
                " directories of courses, which belong to the service account",
                "Choose a profile of a centre, set site_account_mode to one, or remove the course",
            )
    for where, record in unshared.values():
        if record.get("standby"):
            yield problem(
                f"{where}.standby",
                record["standby"],
                f"with site_account_mode {mode!r} a job needs its student's account before it starts",
                "Set it to 0, or site_account_mode to one",
            )


def _own_account_problems(site: Record) -> t.Iterator[str]:
    """Check the rule that leads from a student's name on the hub to the account on the cluster."""
    pattern = site["site_account_pattern"]
    try:
        re.compile(pattern)
    except re.error as error:
        yield problem("site_account_pattern", pattern, f"this is not a regular expression ({error})", "Mend it")
    if not re.fullmatch(r"[!-~]+", pattern):
        yield problem(
            "site_account_pattern", pattern, "it is empty, or has spaces", "Write printable ASCII without spaces"
        )
    yield from matches("site_account_group", site["site_account_group"], UNIX_USER, "a Unix group name")
    if site["site_account_prefix"]:
        yield from matches(
            "site_account_prefix",
            site["site_account_prefix"],
            re.compile(r"[a-z_][a-z0-9_-]{0,15}"),
            "up to 16 lower case letters, digits, '-' and '_'",
        )
    for address in site["site_account_source_addresses"]:
        try:
            ipaddress.ip_network(address)
        except ValueError:
            yield problem(
                "site_account_source_addresses", address, "this is not an address", "Write it as 192.0.2.10/32"
            )
