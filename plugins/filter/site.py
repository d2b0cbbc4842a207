# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters of the playbooks: the findings of an inventory, and the nodes of a cluster."""

from __future__ import annotations

import pathlib
import typing as t

import yaml
from ansible_collections.hpcampus.platform.plugins.module_utils import site_problems as checks
from ansible_collections.hpcampus.platform.plugins.module_utils.site_problems import course_files
from ansible_collections.hpcampus.platform.plugins.module_utils.spec_problems import shape_problems
from jinja2.exceptions import TemplateError, UndefinedError
from jinja2.runtime import Undefined

Variables = t.Mapping[str, t.Any]


def site_problems(
    hosts: t.Mapping[str, Variables],
    site: Variables,
    groups: t.Mapping[str, t.Sequence[str]],
    roles: str,
) -> list[str]:
    """Find everything that is wrong with an inventory, without contacting a host.

    Args:
        hosts: The variables of every host.
        site: The ``site_`` variables with their defaults filled in, as one host sees them.
        groups: Host names of each group.
        roles: Directory of the roles, whose argument_specs say which variables there are.

    Returns:
        One message for each problem; empty when all is well. What relies on shapes is checked only when these hold.
    """
    options = _options(pathlib.Path(roles))
    own = sorted({name for host in groups["all"] for name in hosts[host] if course_files.is_course_variable(name)})
    # Each is a record as those of the list are.
    options |= {name: {"type": "dict", "options": options[course_files.LIST]["options"]} for name in own}
    known = {host: _known_values(hosts[host], options) for host in groups["all"]}
    site = {**site, **{name: values[name] for values in known.values() for name in own if name in values}}
    found = [finding for values in [*known.values(), site] for finding in _shape_findings(values, options)]
    if found:
        unknown = [text for host in groups["all"] for text in checks.unknown_problems(hosts[host], site)]
        texts = [*checks.group_problems(groups), *unknown, *(checks.problem(*finding) for finding in found)]
    else:
        # How the login nodes of centres are reached is no variable of a role.
        reach = {
            host: {key: hosts[host].get(key) for key in ("ansible_host", "ansible_user")} for host in groups["all"]
        }
        texts = [
            text
            for host, values in known.items()
            for text in checks.site_problems(values, site, groups, reach, hosts[host].get("inventory_dir"))
        ]
        texts += [text for host in groups["all"] for text in checks.unknown_problems(hosts[host], site)]
    texts += _scattered(own, known)
    # What a group or the whole site sets is told once.
    return list(dict.fromkeys(texts))


def _scattered(names: t.Sequence[str], known: t.Mapping[str, Variables]) -> t.Iterator[str]:
    """Find courses that some hosts know and others do not: the hub would start servers without directories."""
    for name in names:
        without = [host for host, values in known.items() if name not in values]
        if without:
            yield checks.problem(
                name, "set", f"{', '.join(without)} cannot see it", "Move its file to group_vars/all/courses/"
            )


def _options(roles: pathlib.Path) -> dict[str, t.Any]:
    """Read the options of all roles, by the name of the variable."""
    options: dict[str, t.Any] = {}
    for path in sorted(roles.glob("*/meta/argument_specs.yml")):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"].values():
            options.update(entry.get("options") or {})
    return options


def _shape_findings(values: Variables, options: t.Mapping[str, t.Any]) -> list[t.Any]:
    return [
        finding for name in values if name in options for finding in shape_problems(name, values[name], options[name])
    ]


def _known_values(variables: Variables, options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Take the variables of the roles; those that wait for something that a host will tell are left out."""
    values = {}
    for name in variables:
        if name in options:
            try:
                values[name] = _settled(variables[name])
            except TemplateError:
                continue
    return values


def _settled(value: t.Any) -> t.Any:
    """Resolve a value to its depth; templates are otherwise resolved where somebody looks.

    Raises:
        TemplateError: A part of it is not defined yet.
    """
    if isinstance(value, Undefined):
        raise UndefinedError
    if isinstance(value, t.Mapping):
        return {key: _settled(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_settled(part) for part in value]
    return value


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
