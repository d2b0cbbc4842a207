# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters of the playbooks that complete what an inventory says of clusters."""

from __future__ import annotations

import typing as t

Record = t.Mapping[str, t.Any]

DEFAULTS: dict[str, t.Any] = {
    "address": "",
    "port": 22,
    "account": "",
    "data_path": "auto",
    "apptainer": "apptainer",
    "module": "",
    "python": "/usr/bin/python3",
    "slurm_dir": "",
    "max_servers": 0,
    "webdav": True,
    "key_from": [],
    "networks": [],
}


def centres(records: t.Iterable[Record], hosts: t.Mapping[str, Record]) -> list[dict[str, t.Any]]:
    """Complete the records of ``site_centres``.

    Args:
        records: The records as the inventory gives them.
        hosts: The variables of every host, for address and account of the login nodes.

    Returns:
        The records in the same order, each with every key, and with ``link``: how the hub reaches the gateway there, with
        ``name``, ``host``, ``port``, ``user`` and ``host_key`` (type and key, without a comment).
    """
    complete = []
    for record in records:
        login = hosts[record["login"]]
        full = {**DEFAULTS, **{key: value for key, value in record.items() if value is not None}}
        full["address"] = str(full["address"] or login.get("ansible_host") or record["login"])
        full["account"] = str(full["account"] or login.get("ansible_user") or "")
        full["link"] = {
            "name": full["name"],
            "host": full["address"],
            "port": full["port"],
            "user": full["account"],
            "host_key": " ".join(str(full["host_key"]).split()[:2]),
        }
        complete.append(full)
    return complete


def centre_clusters(complete: t.Iterable[Record]) -> list[dict[str, t.Any]]:
    """Tell the hub of centres: the records of ``jupyterhub_clusters`` from complete ones."""
    return [
        {
            **centre["link"],
            "base_dir": centre["base_dir"],
            "data_path": centre["data_path"],
            "max_servers": centre["max_servers"],
            "webdav": centre["webdav"],
        }
        for centre in complete
    ]


def with_cluster(profiles: t.Iterable[Record], default: str) -> list[dict[str, t.Any]]:
    """Name the cluster of every profile: its own word, or the default."""
    return [{**profile, "cluster": profile.get("cluster") or default} for profile in profiles]


class FilterModule:
    """Names under which playbooks call the filters."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return each filter under its name."""
        return {"centre_clusters": centre_clusters, "centres": centres, "with_cluster": with_cluster}
