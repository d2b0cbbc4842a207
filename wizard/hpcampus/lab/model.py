# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a lab is: a name and hosts, as data. Nothing here touches the machine."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from hpcampus.lab.errors import LabError
from hpcampus.lab.recipes import IMAGE_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NAME = re.compile(r"[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?")
_ALIAS = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,120}[a-z0-9])?")
_GROUP = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_OPENING = re.compile(r"(?P<source>\S+) -> (?P<destination>\S+):(?P<port>[0-9]{1,5})")
ROUTER = "router"
LABEL = "hpcampus.lab"


@dataclass(frozen=True)
class Publish:
    """A port of a host that is also reachable on this machine's loopback address."""

    port: int
    on: int

    def __post_init__(self) -> None:
        if not (0 < self.port < 65536 and 0 < self.on < 65536):
            msg = f"Port {self.port} cannot be published on {self.on}: both must be between 1 and 65535."
            raise LabError(msg)


@dataclass(frozen=True)
class Opening:
    """A gap in the walls between two networks: TCP connections from one host to one port of another."""

    source: str
    destination: str
    port: int

    def __post_init__(self) -> None:
        if not 0 < self.port < 65536:
            msg = f"{self} opens no port: it must be between 1 and 65535."
            raise LabError(msg)

    def __str__(self) -> str:
        return f"{self.source} -> {self.destination}:{self.port}"

    @classmethod
    def from_text(cls, text: str) -> Opening:
        """Read the form that `str` gives, such as `c1 -> campus:22`.

        Raises:
            LabError: When the text is not of that form.
        """
        match = _OPENING.fullmatch(text)
        if match is None:
            msg = f"{text!r} is no opening in a wall."
            raise LabError(msg, cure="Write `source -> destination:port`, such as `c1 -> campus:22`.")
        return cls(match["source"], match["destination"], int(match["port"]))


@dataclass(frozen=True)
class Host:
    """One test host.

    Attributes:
        name: Short host name, also its name in the inventory.
        image: Operating system, one of `IMAGE_NAMES`.
        shared: Whether the lab's shared file system is mounted at /shared.
        groups: Inventory groups the host belongs to.
        aliases: Further names that the other hosts of the lab can reach it by.
        publish: Ports also reachable on 127.0.0.1 of this machine.
        network: Network of the lab that the host stands in; empty when the lab has only one.
    """

    name: str
    image: str = "debian-13"
    shared: bool = False
    groups: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    publish: tuple[Publish, ...] = field(default=())
    network: str = ""

    def __post_init__(self) -> None:
        _check(_NAME, self.name, "host name", "lower-case letters, digits and hyphens, at most 32")
        if self.image not in IMAGE_NAMES:
            msg = f"Host {self.name} asks for the image {self.image!r}, which does not exist."
            raise LabError(msg, cure=f"Use one of {', '.join(IMAGE_NAMES)}.")
        for group in self.groups:
            _check(_GROUP, group, "group", "lower-case letters, digits and underscores")
        for alias in self.aliases:
            _check(_ALIAS, alias, "alias", "a host name in lower case")
        if self.network:
            _check(_NAME, self.network, "network name", "lower-case letters, digits and hyphens, at most 32")

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Host:
        """Build a host from plain data as it stands in a specification file.

        Args:
            data: Mapping with the attributes' names as keys; only `name` is needed.

        Raises:
            LabError: When a key is unknown or a value has the wrong type or form.
        """
        unknown = sorted(set(data) - set(cls.__dataclass_fields__))
        if unknown or "name" not in data:
            problem = f"unknown keys {', '.join(unknown)}" if unknown else "no name"
            msg = f"A host of the lab has {problem}: {dict(data)!r}."
            raise LabError(msg, cure=f"Known keys are {', '.join(cls.__dataclass_fields__)}.")
        if not isinstance(data.get("shared", False), bool):
            msg = f"Host {data['name']}: shared must be true or false."
            raise LabError(msg)
        return cls(
            name=str(data["name"]),
            image=str(data.get("image", "debian-13")),
            shared=data.get("shared", False),
            groups=tuple(map(str, data.get("groups", ()))),
            aliases=tuple(map(str, data.get("aliases", ()))),
            publish=tuple(Publish(int(p["port"]), int(p["on"])) for p in data.get("publish", ())),
            network=str(data.get("network", "")),
        )

    def digest(self) -> str:
        """Return a short digest of everything a container of this host is made from."""
        made_of = {k: v for k, v in asdict(self).items() if k != "groups" and (k != "network" or v)}
        text = json.dumps(made_of, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Spec:
    """A lab's name, its hosts, and what the walls between its networks let through from the start."""

    name: str
    hosts: tuple[Host, ...]
    openings: tuple[Opening, ...] = ()

    def __post_init__(self) -> None:
        check_lab_name(self.name)
        if not self.hosts:
            msg = f"Lab {self.name} has no hosts."
            raise LabError(msg)
        names = [name for host in self.hosts for name in (host.name, *host.aliases)]
        names += [ROUTER] if self.networks else []
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            msg = f"Lab {self.name} names {', '.join(doubled)} more than once."
            raise LabError(msg, cure=f"The name {ROUTER} is taken in a lab with networks." if ROUTER in doubled else "")
        self._check_networks()

    def _check_networks(self) -> None:
        homeless = [host.name for host in self.hosts if not host.network]
        if self.networks and homeless:
            msg = f"Lab {self.name} has networks, and {', '.join(homeless)} stands in none."
            raise LabError(msg, cure="Give every host a network, or none.")
        for opening in self.openings:
            self.check_opening(opening)

    def check_opening(self, opening: Opening) -> None:
        """Refuse an opening that no wall of this lab can have.

        Raises:
            LabError: When one of its hosts does not exist, or both stand in the same network.
        """
        networks = {host.name: host.network for host in self.hosts}
        unknown = [name for name in (opening.source, opening.destination) if name not in networks]
        if unknown:
            msg = f"Lab {self.name} has no host {unknown[0]}, which {opening} names."
            raise LabError(msg, cure=f"Its hosts are {', '.join(networks)}.")
        if networks[opening.source] == networks[opening.destination]:
            msg = f"No wall of lab {self.name} stands between {opening.source} and {opening.destination}."
            raise LabError(msg, cure="An opening joins hosts of two networks.")

    @classmethod
    def from_data(cls, name: str, hosts: Sequence[Mapping[str, Any]], openings: Sequence[str] = ()) -> Spec:
        """Build a specification from plain data; see `Host.from_data` and `Opening.from_text`."""
        return cls(name, tuple(map(Host.from_data, hosts)), tuple(map(Opening.from_text, openings)))

    def data(self) -> dict[str, Any]:
        """Return the specification as plain data, as a specification file has it."""
        return {"hosts": [asdict(host) for host in self.hosts], "open": list(map(str, self.openings))}

    @property
    def networks(self) -> tuple[str, ...]:
        """Names of the networks that hosts stand in, each once; none in a lab that has only its own."""
        return tuple(dict.fromkeys(host.network for host in self.hosts if host.network))

    def walled_network(self, network: str) -> str:
        """Return the name of the podman network that is `network`."""
        return f"hpcampus-{self.name}.{network}"

    @property
    def network(self) -> str:
        """Name of the podman network by which this machine reaches every host."""
        return f"hpcampus-{self.name}"

    @property
    def volume(self) -> str:
        """Name of the podman volume that stands for the cluster's shared file system."""
        return f"hpcampus-{self.name}-shared"

    def container(self, host: str) -> str:
        """Return the name of the container that is `host`."""
        return f"hpcampus-{self.name}-{host}"

    def images(self) -> tuple[str, ...]:
        """Return the names of the images the hosts need, each once, in the order of the hosts."""
        return tuple(dict.fromkeys(host.image for host in self.hosts))


def check_lab_name(name: str) -> None:
    """Refuse a lab name that could not be part of a container's name.

    Raises:
        LabError: When it is not made of lower-case letters, digits and hyphens.
    """
    _check(_NAME, name, "lab name", "lower-case letters, digits and hyphens, at most 32")


def _check(pattern: re.Pattern[str], value: str, kind: str, rule: str) -> None:
    if not pattern.fullmatch(value):
        msg = f"{value!r} is no valid {kind}."
        raise LabError(msg, cure=f"Use {rule}, beginning with a letter.")
