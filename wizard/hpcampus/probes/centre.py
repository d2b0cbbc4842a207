# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The login node of somebody else's cluster: what the account finds there. Pure but for `look`."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hpcampus.probes import ssh
from hpcampus.probes.amounts import gigabytes, span
from hpcampus.probes.clocks import clock_lines
from hpcampus.probes.directories import KINDS, describe_place, parse_places, parse_quotas
from hpcampus.probes.finding import Finding, Line, Option, note, ok, one_line, problem
from hpcampus.probes.sections import Sections, fields, marked, release
from hpcampus.probes.slurm import (
    Association,
    Partition,
    gpus,
    parse_associations,
    parse_config,
    parse_reservations,
    parse_sinfo,
    parse_version,
    restrict,
)
from hpcampus.texts import t
from hpcampus.validators import CENTRE_DIR, CENTRE_PARTITION, MODULE, PROGRAM, PROGRAM_PATH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

NAME = "centre"
SECONDS = 50.0
OLDEST_SLURM = (22, 5)
OLDEST_PYTHON = (3, 6)
USUAL_PYTHON = "/usr/bin/python3"
USUAL_SLURM = ("/usr/bin", "/usr/local/bin")
FEW_GIGABYTES = 20
# Names that a centre gives to what it means for notebooks, the best first.
FITTING_NAMES = ("jupyter", "notebook", "interactive", "inter", "course", "teach", "train")

# What a site could have; whatever else a host says is not proposed.
RULES: Mapping[str, re.Pattern[str]] = {
    "centre_base_dir": CENTRE_DIR,
    "centre_partition": CENTRE_PARTITION,
    "centre_apptainer": PROGRAM,
    "centre_module": MODULE,
    "centre_slurm_dir": PROGRAM_PATH,
    "centre_python": PROGRAM_PATH,
}


@dataclass
class Found:
    """A finding in the making."""

    lines: list[Line]
    proposals: dict[str, Any]
    options: dict[str, tuple[Option, ...]]
    facts: dict[str, Any]

    def propose(self, key: str, value: str) -> None:
        """Propose a value unless a site could not have it."""
        if RULES[key].fullmatch(value):
            self.proposals[key] = value

    def offer(self, key: str, options: Iterable[tuple[str, str]]) -> None:
        """Offer values and what to say of each."""
        fitting = tuple(Option(value, one_line(text)) for value, text in options if RULES[key].fullmatch(value))
        if fitting:
            self.options[key] = fitting


def look(host: ssh.Host) -> Finding:
    """Look at the login node of a centre with one connection.

    Raises:
        SshError: It cannot be reached.
    """
    before = time.time()
    sections = ssh.look(host, NAME, SECONDS - 3)
    return examine(sections, host.user, before, time.time())


def examine(sections: Sections, user: str, before: float, after: float) -> Finding:
    """Give the finding of what the script printed.

    Args:
        sections: That.
        user: The account.
        before: When the script was started here, in seconds since 1970.
        after: When it had ended.
    """
    found = Found([], {}, {}, {})
    parts: tuple[Callable[[Sections, Found], None], ...] = (
        _system,
        lambda given, into: _slurm(given, user, into),
        _python,
        _container,
        lambda given, into: _places(given, user, into),
        _quotas,
    )
    for part in parts:
        part(sections, found)
    found.lines += clock_lines("", sections, before, after)
    if sections["sinfo"].good:
        found.lines.append(note("centre.data-path"))
    if not sections.complete:
        found.lines.append(problem("centre.incomplete"))
    return Finding(NAME, tuple(found.lines), found.proposals, found.options, found.facts)


def _system(sections: Sections, found: Found) -> None:
    name = release(sections["release"]).get("PRETTY_NAME", "")
    if name:
        found.facts["release"] = name
        found.lines.append(ok("centre.system", name=name))


def _slurm(sections: Sections, user: str, found: Found) -> None:
    directory = sections["slurm_dir"].first
    if not directory:
        found.lines.append(problem("centre.no-slurm"))
        return
    if directory not in USUAL_SLURM:
        found.propose("centre_slurm_dir", directory)
    version = parse_version(sections["version"].text)
    if version is None or not sections["sinfo"].good:
        said = sections["sinfo"].first or sections["version"].first
        found.lines.append(problem("centre.slurm-silent", directory=directory, problem=said))
        return
    found.facts["slurm_version"] = version[0]
    if version[1] < OLDEST_SLURM:
        found.lines.append(problem("centre.slurm-old", version=version[0]))
    else:
        found.lines.append(ok("centre.slurm", version=version[0], directory=directory))
    associations = parse_associations(sections["associations"].text) if sections["associations"].good else []
    _accounts(sections, associations, found)
    _partitions(sections, found)
    _reservations(sections, user, associations, found)


def _accounts(sections: Sections, associations: list[Association], found: Found) -> None:
    config = parse_config(sections["config"].text)
    found.facts["srun_ports"] = config.get("SrunPortRange", "")
    accounts = list(dict.fromkeys(association.account for association in associations))
    qos = list(dict.fromkeys(name for association in associations for name in association.qos))
    found.facts |= {"accounts": accounts, "qos": qos}
    if accounts:
        found.lines.append(ok("centre.accounts", accounts=", ".join(accounts), qos=", ".join(qos) or "-"))
    elif sections["associations"].good and "associations" in config.get("AccountingStorageEnforce", ""):
        found.lines.append(problem("centre.no-account"))
    limits = [limit for one in associations for limit in (one.max_jobs, one.max_submit) if limit is not None]
    if limits:
        found.facts["max_jobs"] = min(limits)
        found.lines.append(note("centre.limit", jobs=min(limits)))


def _partitions(sections: Sections, found: Found) -> None:
    partitions = restrict(
        parse_sinfo(sections["sinfo"].text),
        sections["partitions"].text,
        found.facts["accounts"],
        sections["groups"].first.split(),
        found.facts["qos"],
    )
    ranked = sorted(partitions, key=_rank)
    found.offer("centre_partition", ((partition.name, describe(partition)) for partition in ranked))
    found.facts["partitions"] = {partition.name: partition_facts(partition) for partition in ranked}
    usable = [partition for partition in ranked if partition.usable and CENTRE_PARTITION.fullmatch(partition.name)]
    if not usable:
        found.lines.append(problem("centre.no-partition", seen="; ".join(map(describe, ranked)) or "-"))
        return
    best = usable[0]
    found.propose("centre_partition", best.name)
    found.facts |= {"cpus": best.cpus, "memory_mb": best.memory_mb}
    found.lines.append(ok("centre.partition", text=describe(best)))
    others = [partition.name for partition in usable[1:]]
    if others:
        found.lines.append(ok("centre.partitions", names=", ".join(others)))


def _rank(partition: Partition) -> tuple[bool, int, bool, str]:
    """Give the place of a partition among others: usable, named for notebooks, the default."""
    name = partition.name.lower()
    fitting = next((place for place, part in enumerate(FITTING_NAMES) if part in name), len(FITTING_NAMES))
    return (not partition.usable, fitting, not partition.default, partition.name)


def describe(partition: Partition) -> str:
    """Say in one line what a partition offers: interactive (default, up, 2 nodes, at most 4 h, 64 cores, gpu:2)."""
    words = [t("probe.partition.default")] if partition.default else []
    words.append(t("probe.partition.up" if partition.up else "probe.partition.down"))
    if not partition.allowed:
        words.append(t("probe.partition.closed"))
    words.append(t("probe.partition.node" if partition.count == 1 else "probe.partition.nodes", count=partition.count))
    if partition.max_minutes is not None:
        words.append(t("probe.partition.limit", time=span(partition.max_minutes)))
    words.append(t("probe.partition.cores", count=partition.cpus))
    words += [found for gres in partition.gres if (found := gpus(gres))]
    return f"{partition.name} ({', '.join(words)})"


def partition_facts(partition: Partition) -> dict[str, Any]:
    """Give what profiles need to know of a partition; times in minutes, None without a limit."""
    return {
        "cpus": partition.cpus,
        "memory_mb": partition.memory_mb,
        "nodes": partition.count,
        "max_minutes": partition.max_minutes,
        "default_minutes": partition.default_minutes,
        "gres": list(partition.gres),
        "default": partition.default,
        "usable": partition.usable,
    }


def _reservations(sections: Sections, user: str, associations: list[Association], found: Found) -> None:
    accounts = [association.account for association in associations]
    reservations = parse_reservations(sections["reservations"].text, user, accounts)
    found.facts["reservations"] = [reservation.name for reservation in reservations]
    if reservations:
        found.lines.append(note("centre.reservations", names=", ".join(found.facts["reservations"])))


def _python(sections: Sections, found: Found) -> None:
    versions: dict[str, tuple[int, ...]] = {}
    for path, version in fields(sections["pythons"]).items():
        if re.fullmatch(r"[0-9]{1,3}\.[0-9]{1,3}", version):
            versions.setdefault(path, tuple(map(int, version.split("."))))
    fitting = [path for path, version in versions.items() if version >= OLDEST_PYTHON and PROGRAM_PATH.fullmatch(path)]
    if not fitting:
        seen = ", ".join(f"{path} {'.'.join(map(str, version))}" for path, version in versions.items())
        found.lines.append(problem("centre.no-python", seen=seen or "-"))
        return
    best = USUAL_PYTHON if USUAL_PYTHON in fitting else fitting[0]
    found.propose("centre_python", best)
    found.lines.append(ok("centre.python", path=best, version=".".join(map(str, versions[best]))))


def _container(sections: Sections, found: Found) -> None:
    """Find Apptainer or Singularity: as a program, or else as a module that was loaded and had one."""
    said: dict[str, list[str]] = {}
    for name, value in marked(sections["profile"]):
        said.setdefault(name, []).append(value)
    modules = [*module_names(said.get("avail", ())), *module_names(said.get("spider", ()))]
    found.offer("centre_module", ((name, name) for name in dict.fromkeys(modules)))
    program = _last(said, "container")
    loaded = _last(said, "loaded_path")
    if program:
        found.propose("centre_apptainer", program)
        found.lines.append(ok("centre.container", path=program, version=_last(said, "version")))
    elif loaded:
        module = _loaded_module(said)
        found.propose("centre_apptainer", loaded.rpartition("/")[2])
        found.propose("centre_module", module)
        found.lines.append(ok("centre.module", module=module, version=_last(said, "loaded_version")))
    elif modules:
        found.lines.append(problem("centre.module-unloaded", names=", ".join(dict.fromkeys(modules))))
    else:
        found.lines.append(problem("centre.no-container"))
    kernel = fields(sections["subordinate"])
    if "0" in {kernel.get("namespaces"), kernel.get("clone")}:
        found.lines.append(note("centre.no-namespaces"))
    found.facts["subuid"] = kernel.get("subuid", "0") not in {"", "0"}


def _last(said: Mapping[str, list[str]], name: str) -> str:
    return next((value for value in reversed(said.get(name, [])) if value), "")


def _loaded_module(said: Mapping[str, list[str]]) -> str:
    """Give the module that was loaded with its version, if the list of loaded ones tells it."""
    name = _last(said, "loaded")
    versions = [module for module in module_names(said.get("loaded_list", ())) if module.startswith(f"{name}/")]
    return versions[-1] if versions else name


def module_names(lines: Iterable[str]) -> list[str]:
    """Read the terse list of modules: those of Apptainer and Singularity, without marks such as (default)."""
    names = []
    for line in lines:
        name = re.sub(r"[(<].*", "", line.strip()).strip()
        if MODULE.fullmatch(name) and re.search(r"apptainer|singularity", name, re.IGNORECASE):
            names.append(name)
    return list(dict.fromkeys(names))


def _places(sections: Sections, user: str, found: Found) -> None:
    places = sorted(parse_places(sections["places"].text), key=lambda place: KINDS.index(place.kind))
    fitting = [place for place in places if place.owner in {"", user} and CENTRE_DIR.fullmatch(place.base_dir)]
    found.offer("centre_base_dir", ((place.base_dir, describe_place(place)) for place in fitting))
    if not fitting:
        found.lines.append(problem("centre.no-place"))
        return
    roomy = [place for place in fitting if place.free_gb is not None and place.free_gb >= FEW_GIGABYTES]
    best = (roomy or fitting)[0]
    found.propose("centre_base_dir", best.base_dir)
    text = describe_place(best)
    found.lines.append(ok("centre.place", text=text) if roomy else note("centre.place-small", text=text))


def _quotas(sections: Sections, found: Found) -> None:
    for file_system, used, limit in parse_quotas(sections["quotas"].text):
        key = "centre.quota-full" if used >= limit * 0.9 else "centre.quota"
        make = problem if used >= limit * 0.9 else note
        found.lines.append(make(key, place=file_system, used=gigabytes(used), limit=gigabytes(limit)))
