# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""All probes, in the order in which their proposals count."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from hpcampus.probes import centre, certificate, name, nodes, server
from hpcampus.probes.finding import Probe
from hpcampus.probes.ssh import Host

if TYPE_CHECKING:
    from collections.abc import Hashable

    from hpcampus.questions import Answers

Stamp = tuple[int, int]


def _stamp(path: str) -> Stamp:
    """Give what changes when a file is written again."""
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


def _builds(known: Answers) -> bool:
    """Tell whether the hub's server is where Apptainer must be; with an own cluster, that is its nodes."""
    return known.get("profile") != "own-cluster"


def _pins(path: object, *hosts: str) -> tuple[str, ...]:
    """Give the lines of a file of pinned keys that are for certain hosts; none when it cannot be read.

    A probe depends on these alone, and not on the file, which grows with every host that is met.
    """
    try:
        text = Path(str(path)).read_text(encoding="utf-8") if path else ""
    except (OSError, ValueError):
        return ()
    return tuple(line for line in text.splitlines() if line.partition(" ")[0] in hosts)


def _machine(known: Answers) -> Hashable | None:
    if not (known.get("profile") and known.get("hub_connection") == "local"):
        return None
    return known.get("hub_name") or "", _builds(known)


def _hub(known: Answers) -> Hashable | None:
    host, user, keys = (known.get(key) for key in ("hub_name", "ssh_user", "known_hosts"))
    if not (known.get("profile") and known.get("hub_connection") == "ssh" and host and user):
        return None
    pins = _pins(keys, host)
    return (Host(host, user, str(keys)), _builds(known), pins) if pins else None


def _name(known: Answers) -> Hashable | None:
    return known.get("hub_name") or None


def _certificate(known: Answers) -> Hashable | None:
    files = (known.get("tls_certificate"), known.get("tls_key"))
    if known.get("tls") != "provided" or not known.get("hub_name") or not all(files):
        return None
    return *files, known["hub_name"], *(_stamp(str(file)) for file in files)


def _nodes(known: Answers) -> tuple[nodes.Cluster, tuple[str, ...]] | None:
    keys, user = known.get("known_hosts"), known.get("ssh_user")
    controller, login, compute = (known.get(key) for key in ("controller", "login", "compute"))
    if known.get("profile") != "own-cluster" or not (user and controller and login and compute):
        return None
    cluster = nodes.Cluster(controller, login, tuple(compute), user, str(keys))
    pins = _pins(keys, *cluster.hosts)
    return (cluster, pins) if pins else None


def _shared(known: Answers) -> Hashable | None:
    found, path = _nodes(known), known.get("shared_dir")
    return (*found, path) if found and path else None


def _centre(known: Answers) -> Hashable | None:
    host, user, keys = (known.get(key) for key in ("centre_login", "centre_account", "known_hosts"))
    if known.get("profile") != "remote-centre" or not (host and user):
        return None
    pins = _pins(keys, host)
    return (Host(host, user, str(keys)), pins) if pins else None


ALL: Final[tuple[Probe, ...]] = (
    Probe(server.MACHINE, server.SECONDS, _machine, lambda inputs: server.look_here(inputs[0], propose=inputs[1])),
    Probe(server.HUB, server.SECONDS, _hub, lambda inputs: server.look_there(inputs[0], propose=inputs[1])),
    Probe(name.NAME, name.SECONDS, _name, name.look),
    Probe(certificate.NAME, certificate.SECONDS, _certificate, lambda inputs: certificate.look(*inputs[:3])),
    Probe(nodes.NAME, nodes.SECONDS, _nodes, lambda inputs: nodes.look(inputs[0])),
    # Beside the one before, not in it: what that proposes must not depend on an answer that it proposes.
    Probe(nodes.SHARED, nodes.SECONDS, _shared, lambda inputs: nodes.look_shared(inputs[0], inputs[2])),
    Probe(centre.NAME, centre.SECONDS, _centre, lambda inputs: centre.look(inputs[0])),
)
