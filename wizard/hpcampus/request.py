# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The page for the administrators of a centre: who asks, for what, what will run there, and how to end it. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hpcampus.errors import UsageProblemError
from hpcampus.texts import t

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 79
# The order in which `auto` tries them.
WAYS = ("reverse", "direct", "forward", "relay")
AUTO = "auto"
# Where a job listens on a node, unless the site moves it.
FIRST_PORT, LAST_PORT = 20000, 24999


@dataclass(frozen=True)
class Facts:
    """What the page is made of; what is not known yet is empty, and is asked for.

    Attributes:
        hub_name: Name that people type.
        hub_id: Mark of the hub's jobs.
        hub_address: Name or address under which the nodes reach the hub.
        hub_port: Port of the hub's sshd.
        login: The login node.
        port: Port of its sshd.
        account: The account there.
        base_dir: Directory of the platform there.
        partitions: Partitions for notebooks.
        data_path: Way between hub and notebooks.
        apptainer: Program that runs containers.
        module: Environment module that brings it.
        python: Python on login and compute nodes.
        max_servers: Most notebooks at a time; 0 for no limit.
        key_from: Addresses from which the hub's key works.
        ports: The first and the last port that jobs may listen on.
    """

    hub_name: str
    hub_id: str
    hub_address: str
    hub_port: int = 22
    login: str = ""
    port: int = 22
    account: str = ""
    base_dir: str = ""
    partitions: tuple[str, ...] = ()
    data_path: str = AUTO
    apptainer: str = "apptainer"
    module: str = ""
    python: str = "/usr/bin/python3"
    max_servers: int = 0
    key_from: tuple[str, ...] = ()
    ports: tuple[int, int] = (FIRST_PORT, LAST_PORT)


@dataclass(frozen=True)
class Connection:
    """A row of the table of connections."""

    source: str
    target: str
    port: str
    purpose: str


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        title: Its heading.
        text: One paragraph; may be empty.
        points: A list.
        connections: A table.
        after: What stands below the table.
    """

    title: str
    text: str = ""
    points: tuple[str, ...] = ()
    connections: tuple[Connection, ...] = ()
    after: str = ""


def facts_of(main: Mapping[str, Any], hosts: Mapping[str, Mapping[str, Any]], name: str | None) -> Facts:
    """Take the facts about a centre from an inventory.

    Args:
        main: Variables that count, defaults included.
        hosts: Variables of the centres' login nodes.
        name: Of the centre; may be left out if there is one.

    Raises:
        UsageProblemError: There is no centre, none of that name, or several of which none was named.
    """
    centres = {str(centre["name"]): centre for centre in main["site_centres"]}
    if not centres:
        raise UsageProblemError("request-without-centre")
    if name is None and len(centres) > 1:
        raise UsageProblemError("request-which-centre", names=", ".join(centres))
    if name is not None and name not in centres:
        raise UsageProblemError("record-unknown", kind="cluster", name=name, names=", ".join(centres))
    centre = centres[name or next(iter(centres))]
    tunnel = main.get("jupyterhub_tunnel")
    limits = tunnel if isinstance(tunnel, Mapping) else {}
    return Facts(
        **_hub(str(main["site_hub_name"]), main),
        login=str(centre.get("address") or centre["login"]),
        port=centre.get("port", 22),
        account=str(centre.get("account") or hosts.get(str(centre["login"]), {}).get("ansible_user", "")),
        partitions=tuple(map(str, centre["partitions"])),
        key_from=tuple(map(str, centre.get("key_from", ()))),
        ports=(limits.get("port_min", FIRST_PORT), limits.get("port_max", LAST_PORT)),
        **{
            field: centre[field]
            for field in ("base_dir", "data_path", "apptainer", "module", "python", "max_servers")
            if field in centre
        },
    )


def facts_of_answers(answers: Mapping[str, Any], defaults: Mapping[str, Any]) -> Facts:
    """Take the facts from answers that setup could be given; a centre that nobody knows yet is asked for the rest.

    Args:
        answers: By name of the question.
        defaults: What the roles take by themselves.

    Raises:
        UsageProblemError: They are about another profile.
    """
    if answers.get("profile") != "remote-centre" or not answers.get("hub_name"):
        raise UsageProblemError("request-without-centre")
    known = {
        field: answers[f"centre_{field}"]
        for field in ("login", "account", "base_dir", "data_path", "apptainer", "module", "python", "max_servers")
        if answers.get(f"centre_{field}") is not None
    }
    partition = answers.get("centre_partition")
    return Facts(**_hub(answers["hub_name"], defaults), partitions=(partition,) if partition else (), **known)


def _hub(name: str, main: Mapping[str, Any]) -> dict[str, Any]:
    address = str(main["site_hub_address"])
    return {
        "hub_name": name,
        "hub_id": str(main["site_hub_id"]),
        "hub_address": name if "{{" in address else address,
        "hub_port": main["site_hub_ssh_port"],
    }


def sections(facts: Facts, contact: str) -> list[Section]:
    """Give the parts of the page, in order.

    Args:
        facts: About the centre.
        contact: Whom to call; empty leaves a line to fill in.
    """
    values = {
        "hub": facts.hub_name,
        "id": facts.hub_id,
        "account": facts.account or t("request.account"),
    }
    return [
        Section(t("request.who"), t("request.who-text", **values, contact=contact or t("request.blank"))),
        Section(t("request.what"), points=tuple(_wanted(facts))),
        Section(
            t("request.connections"),
            connections=tuple(_connections(facts)),
            after=" ".join(_remarks(facts)),
        ),
        Section(t("request.runs"), points=tuple(_running(facts, values))),
        Section(t("request.limits"), points=tuple(_limits(facts))),
        Section(t("request.end"), t("request.end-text", **values)),
    ]


def _wanted(facts: Facts) -> list[str]:
    told = t("request.tell")
    partitions = ", ".join(facts.partitions)
    key = {"addresses": ", ".join(facts.key_from)}
    return [
        t("request.want-account", name=facts.account or told),
        t("request.want-partition", names=partitions or told),
        t("request.want-directory", path=facts.base_dir or told),
        t("request.want-nodes", apptainer=_runtime(facts), python=facts.python),
        t("request.want-host-key", login=facts.login or t("request.the-login")),
        t("request.key-from", **key) if facts.key_from else t("request.want-address"),
    ]


def _runtime(facts: Facts) -> str:
    if facts.module:
        return t("request.module", module=facts.module, program=facts.apptainer)
    return facts.apptainer if facts.apptainer != "apptainer" else t("request.apptainer")


def _ways(facts: Facts) -> tuple[str, ...]:
    return WAYS if facts.data_path == AUTO else (facts.data_path,)


def _connections(facts: Facts) -> list[Connection]:
    hub, nodes, login = t("request.hub"), t("request.nodes"), t("request.login")
    ports = f"{facts.ports[0]}-{facts.ports[1]}"
    rows = [
        Connection(t("request.our-machine"), login, str(facts.port), t("request.for-installation")),
        Connection(hub, login, str(facts.port), t("request.for-jobs")),
    ]
    ways = {
        "reverse": Connection(nodes, f"{hub} ({facts.hub_address})", str(facts.hub_port), t("request.for-reverse")),
        "direct": Connection(hub, nodes, ports, t("request.for-direct")),
        "forward": Connection(login, nodes, ports, t("request.for-forward")),
    }
    return rows + [ways[way] for way in _ways(facts) if way in ways]


def _remarks(facts: Facts) -> list[str]:
    ways = _ways(facts)
    remarks = []
    if len(ways) > 1:
        remarks.append(t("request.one-is-enough"))
    if ways == ("relay",):
        remarks.append(t("request.relay-alone"))
    if ways == ("direct",):
        remarks.append(t("request.names"))
    remarks.append(_by_way(ways, "request.ssh", "request.sshd", "request.ssh-or-sshd"))
    remarks.append(t("request.not-the-world"))
    return remarks


def _by_way(ways: Sequence[str], reverse: str, others: str, several: str) -> str:
    """Give the text for the way that it is, by key: on `reverse` the job connects, on all others it is connected to."""
    return t(several if len(ways) > 1 else reverse if "reverse" in ways else others)


def _running(facts: Facts, values: Mapping[str, Any]) -> list[str]:
    carrier = _by_way(_ways(facts), "request.carrier-ssh", "request.carrier-sshd", "request.carrier-any")
    return [
        t("request.run-files", **values),
        t("request.run-key", **values),
        t("request.run-jobs", **values),
        t("request.run-container", carrier=carrier, **values),
        t("request.run-nothing", **values),
    ]


def _limits(facts: Facts) -> list[str]:
    return [
        t("request.limit-servers", count=facts.max_servers) if facts.max_servers else t("request.limit-none"),
        t("request.limit-partition"),
        t("request.limit-account"),
    ]


def as_text(title: str, parts: Sequence[Section]) -> str:
    """Write the page as plain text of at most 80 columns."""
    lines = [*textwrap.wrap(title, WIDTH), ""]
    for part in parts:
        lines.append(part.title.upper())
        lines += textwrap.wrap(part.text, WIDTH) if part.text else []
        for point in part.points:
            lines += textwrap.wrap(point, WIDTH, initial_indent="- ", subsequent_indent="  ")
        lines += _table(part.connections)
        lines += textwrap.wrap(part.after, WIDTH) if part.after else []
        lines.append("")
    return "\n".join(lines[:-1]) + "\n"


def _table(rows: Sequence[Connection]) -> list[str]:
    first = max((len(row.source) for row in rows), default=0)
    second = max((len(f"{row.target}:{row.port}") for row in rows), default=0)
    return [f"  {row.source:<{first}} -> {f'{row.target}:{row.port}':<{second}}  {row.purpose}" for row in rows]


def as_markdown(title: str, parts: Sequence[Section]) -> str:
    """Write the page as Markdown."""
    lines = [f"# {title}", ""]
    for part in parts:
        lines += [f"## {part.title}", ""]
        lines += [part.text, ""] if part.text else []
        lines += [*(f"- {point}" for point in part.points), ""] if part.points else []
        if part.connections:
            lines += [t("request.table-head"), "|---|---|---|---|"]
            lines += [f"| {row.source} | {row.target} | {row.port} | {row.purpose} |" for row in part.connections]
            lines.append("")
        lines += [part.after, ""] if part.after else []
    return "\n".join(lines[:-1]) + "\n"
