# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Names, addresses and the shared directory, and variables that do not exist."""

from __future__ import annotations

import difflib
import re
import typing as t

from .findings import HOST, SLUG, SLUG_WORDS, UNIX_USER, Record, matches, problem

_LOWER_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
WEBDAV_HOST = re.compile(rf"{_LOWER_LABEL}(?:\.{_LOWER_LABEL})+(?::[1-9][0-9]{{0,4}})?")
PUBLIC_URL = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?/")


def name_problems(site: Record) -> t.Iterator[str]:
    """Check single values: names, addresses, the shared directory."""
    yield from matches("site_hub_id", site["site_hub_id"], SLUG, SLUG_WORDS)
    yield from matches("site_cluster_name", site["site_cluster_name"], SLUG, SLUG_WORDS)
    yield from matches("site_account", site["site_account"], UNIX_USER, "a Unix user name")
    for name in ("site_hub_name", "site_hub_address", "site_login_address"):
        yield from matches(name, site[name], HOST, "a host name or an IPv4 address")
    if str(site["site_hub_name"]) != str(site["site_hub_name"]).lower():
        yield problem("site_hub_name", site["site_hub_name"], "it has upper case letters", "Write it in lower case")
    yield from matches(
        "site_public_url", site["site_public_url"], PUBLIC_URL, "an address such as https://hub.example.org/"
    )
    for name in site["site_webdav_hosts"]:
        yield from matches(
            "site_webdav_hosts",
            name,
            WEBDAV_HOST,
            "a host name in lower case such as cloud.example.org, with a port if not 443",
        )
    for name in ("site_hub_ssh_port", "site_login_ssh_port"):
        if not 1 <= int(site[name]) <= 65535:
            yield problem(name, site[name], "this is not a port", "Write a number from 1 to 65535")
    if not 1000 <= int(site["site_account_uid"]) < 60000:
        yield problem(
            "site_account_uid",
            site["site_account_uid"],
            "this is not an ordinary user id",
            "Write a number from 1000 to 59999",
        )
    shared = str(site["site_shared_dir"])
    if not re.fullmatch(r"(/[A-Za-z0-9._-]+)+", shared) or "/.." in shared:
        yield problem(
            "site_shared_dir",
            shared,
            "this is not a plain absolute path",
            "Write a path such as /srv/hpcampus, without spaces and '..'",
        )


def unknown_problems(variables: t.Iterable[str], site: Record) -> t.Iterator[str]:
    """Find site_ variables that do not exist: almost always a typing error."""
    for name in sorted(variables):
        if name.startswith("site_") and name not in site:
            near = difflib.get_close_matches(name, list(site), 1)
            yield problem(name, "set", "there is no such variable", f"Did you mean {near[0]}?" if near else "Remove it")
