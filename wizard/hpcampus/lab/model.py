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
class Host:
    """One test host.

    Attributes:
        name: Short host name, also its name in the inventory.
        image: Operating system, one of `debian-12` and `debian-13`.
        shared: Whether the lab's shared file system is mounted at /shared.
        groups: Inventory groups the host belongs to.
        aliases: Further names that the other hosts of the lab can reach it by.
        publish: Ports also reachable on 127.0.0.1 of this machine.
    """

    name: str
    image: str = "debian-13"
    shared: bool = False
    groups: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    publish: tuple[Publish, ...] = field(default=())

    def __post_init__(self) -> None:
        _check(_NAME, self.name, "host name", "lower-case letters, digits and hyphens, at most 32")
        if self.image not in IMAGE_NAMES:
            msg = f"Host {self.name} asks for the image {self.image!r}, which does not exist."
            raise LabError(msg, cure=f"Use one of {', '.join(IMAGE_NAMES)}.")
        for group in self.groups:
            _check(_GROUP, group, "group", "lower-case letters, digits and underscores")
        for alias in self.aliases:
            _check(_ALIAS, alias, "alias", "a host name in lower case")

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
        )

    def digest(self) -> str:
        """Return a short digest of everything a container of this host is made from."""
        text = json.dumps({k: v for k, v in asdict(self).items() if k != "groups"}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Spec:
    """A lab's name and its hosts."""

    name: str
    hosts: tuple[Host, ...]

    def __post_init__(self) -> None:
        check_lab_name(self.name)
        if not self.hosts:
            msg = f"Lab {self.name} has no hosts."
            raise LabError(msg)
        names = [name for host in self.hosts for name in (host.name, *host.aliases)]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            msg = f"Lab {self.name} names {', '.join(doubled)} more than once."
            raise LabError(msg)

    @classmethod
    def from_data(cls, name: str, hosts: Sequence[Mapping[str, Any]]) -> Spec:
        """Build a specification from plain data; see `Host.from_data`."""
        return cls(name, tuple(Host.from_data(host) for host in hosts))

    @property
    def network(self) -> str:
        """Name of the lab's podman network."""
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
