# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters of the playbooks: the findings of an inventory, and the nodes of a cluster."""

from __future__ import annotations

import typing as t

from ansible_collections.hpcampus.platform.plugins.module_utils.site_problems import site_problems


def slurm_nodes(hosts: t.Iterable[t.Mapping[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Describe compute nodes for slurm.conf from the variables and facts of their hosts.

    Args:
        hosts: For each host its variables, with ``ansible_facts`` gathered.

    Returns:
        For each host ``name``, ``cpus``, ``memory_mb`` and ``gres``. A tenth of the memory stays with the system.
    """
    nodes = []
    for host in hosts:
        facts = host["ansible_facts"]
        nodes.append(
            {
                "name": facts["hostname"],
                "cpus": int(host.get("site_node_cpus") or 0) or facts["processor_vcpus"],
                "memory_mb": int(host.get("site_node_memory_mb") or 0) or facts["memtotal_mb"] * 9 // 10,
                "gres": host.get("site_node_gres", ""),
            }
        )
    return nodes


class FilterModule:
    """Names under which playbooks call the filters."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return each filter under its name."""
        return {"site_problems": site_problems, "slurm_nodes": slurm_nodes}
