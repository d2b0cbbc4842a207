# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Every leg in its order, with what it needs.

A new leg is a function, a line here, its cases in ``words`` and a line in docs/troubleshooting.md.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hpcampus_hub.paths.base import REVERSE
from hpcampus_hub.settings import AUTO, Tunnel

from .carrier import carrier, is_wanted
from .cluster import Visit
from .finding import Said
from .host import CA_FILE, Host, Look, database, disk
from .notebook import Notebook
from .site import NO_CLUSTER, Hub
from .tunnel import WayBack
from .walk import Leg
from .web import Web
from .words import say


@dataclass(frozen=True)
class Patient:
    """What is examined.

    Args:
        hub: its configuration, or why it cannot be loaded.
        look: what was asked before root was given up.
        visits: the clusters, by name.
        notebook: the run of the probe.
        ca_file: a further file of certificates to trust.
        tunnel_ca: file with the authority that sshd trusts.
        paths: try the data paths, each cluster's with a short job.
    """

    hub: Hub | str
    look: Look
    visits: dict[str, Visit]
    notebook: Notebook
    ca_file: Path | None = None
    tunnel_ca: Path = Path(CA_FILE)
    paths: bool = False


def visits_of(hub: Hub) -> dict[str, Visit]:
    """A visit to each cluster, with what the hub will ask of it."""
    site = hub.site
    found = {}
    for name, cluster in site.clusters.items():
        if cluster.host == NO_CLUSTER:
            continue
        profiles = [profile for profile in site.profiles.values() if profile.cluster == name]
        names = {profile.name for profile in profiles}
        courses = [course for course in site.courses.values() if not course.profile or course.profile in names]
        wanted = [image for profile in profiles for image in (profile.image, *profile.images)]
        wanted += [course.image for course in courses if course.image]
        found[name] = Visit(cluster, profiles, list(dict.fromkeys(wanted)), site.hub_id)
    return found


def legs_of(patient: Patient) -> list[Leg]:
    """All legs of a walk."""
    hub = patient.hub
    if isinstance(hub, str):
        return [Leg("settings", _known(say("settings.broken", error=hub))), *_host_legs(patient)]
    tunnel = hub.site.tunnel if patient.paths else None
    return [
        Leg("settings", _known(_settings(hub))),
        *_web_legs(hub, patient),
        *_host_legs(patient),
        *_path_legs(hub, patient),
        *(leg for name, visit in patient.visits.items() for leg in cluster_legs(name, visit, tunnel)),
        *notebook_legs(patient.notebook),
    ]


def _known(said: Said) -> Callable[[], Awaitable[Said]]:
    """A look whose result is known already."""

    async def look() -> Said:
        return said

    return look


def _settings(hub: Hub) -> Said:
    clusters = [name for name, cluster in hub.site.clusters.items() if cluster.host != NO_CLUSTER]
    if not clusters:
        return say("settings.no-cluster")
    return say("settings.good", clusters=", ".join(clusters), profiles=", ".join(hub.site.profiles))


def _web_legs(hub: Hub, patient: Patient) -> list[Leg]:
    web = Web(hub, patient.ca_file)
    return [
        Leg("name", web.name),
        Leg("port", web.port, ("name",)),
        Leg("certificate", web.certificate, ("port",)),
        Leg("apache", web.apache, ("port",)),
        Leg("proxy", web.proxy),
        Leg("hub", web.hub_itself),
        Leg("api-port", web.api_port, ("hub",)),
        Leg("courses", web.courses),
    ]


def _host_legs(patient: Patient) -> list[Leg]:
    host, hub = Host(patient.look), patient.hub
    legs = [Leg("services", host.services)]
    if not isinstance(hub, str):
        legs += [
            Leg("database", lambda: database(hub)),
            Leg("disk", lambda: disk(hub)),
        ]
    return legs


def _path_legs(hub: Hub, patient: Patient) -> list[Leg]:
    """Legs of the data paths that some cluster uses."""
    site = hub.site
    way_back, host = WayBack(site.tunnel, patient.tunnel_ca), Host(patient.look)
    legs = [Leg("ports", way_back.ports)]
    if any(cluster.data_path in {AUTO, REVERSE} for cluster in site.clusters.values()):
        legs += [
            Leg("signer", way_back.signer, ("ports",)),
            Leg("sshd", lambda: host.sshd(site.tunnel.user)),
            Leg("tunnel", way_back.login, ("signer",), seconds=20.0),
        ]
    if is_wanted(site):
        legs.append(Leg("carrier", lambda: carrier(site.carrier_dir)))
    return legs


def cluster_legs(name: str, visit: Visit, tunnel: Tunnel | None = None) -> list[Leg]:
    """The legs of one cluster; its data path is tried, by a job, when the tunnel is given."""
    path = partial(visit.path, tunnel) if tunnel else _known(say("path.not-asked"))
    return [
        Leg("login-name", visit.name, (), name),
        Leg("login-port", visit.port, ("login-name",), name),
        Leg("host-key", visit.host_key, ("login-port",), name),
        Leg("account", visit.account, ("host-key",), name),
        Leg("gateway", visit.gateway, ("account",), name),
        Leg("clock", visit.clock, ("gateway",), name),
        Leg("slurm", visit.slurm, ("gateway",), name),
        Leg("partitions", visit.partitions, ("slurm",), name),
        Leg("queue", visit.queue, ("gateway",), name),
        Leg("images", visit.images, ("gateway",), name),
        Leg("storage", visit.storage, ("gateway",), name),
        Leg("path", path, ("partitions", "storage"), name, seconds=200.0),
    ]


def notebook_legs(notebook: Notebook) -> list[Leg]:
    """The legs of a notebook."""
    needs = {
        "sign-in": ("certificate", "apache", "hub"),
        "job": ("sign-in",),
        "way-back": ("job",),
        "server": ("way-back",),
        "api": ("server",),
        "websocket": ("api",),
        "cell": ("websocket",),
        "stop": ("cell",),
    }
    legs = [Leg("sign-in", notebook.sign_in, needs.pop("sign-in"), seconds=notebook.seconds)]
    return legs + [Leg(leg, partial(notebook.leg, leg), needed) for leg, needed in needs.items()]


def names(legs: Sequence[Leg]) -> list[str]:
    """Names of legs, each once, in their order."""
    return list(dict.fromkeys(leg.name for leg in legs))
