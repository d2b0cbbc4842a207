# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Walls between the networks of a lab, and silent cuts between two hosts.

A lab whose hosts name networks has one internal podman network for each, which this machine itself has no address in.
Only the router stands in all of them, and it forwards what is opened and refuses the rest. This machine reaches the hosts
by a network of its own, on which they hear nobody but this machine. Their names mean their addresses behind the walls.

Everything here is done from outside, in the network namespaces of the containers: no host has to have a program for it.
"""

from __future__ import annotations

import ipaddress
import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hpcampus.lab.errors import LabError
from hpcampus.lab.model import LABEL, ROUTER, Host, Opening, Spec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hpcampus.lab.podman import Podman

_FIRST_HOST = 10
_HOSTS_FILE = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"

# An empty table first: removing one that is not there is an error.
_POLICY = """\
table inet wall
delete table inet wall
table inet wall {
  set opened { type ipv4_addr . ipv4_addr . inet_service; }
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    ip saddr . ip daddr . tcp dport @opened accept
    counter reject with icmpx admin-prohibited
  }
}
"""
# Dropped where it comes in, for what is dropped where it goes out is told to the sender.
_CUTS = """\
add table inet cuts
add set inet cuts silenced { type ipv4_addr; }
add chain inet cuts incoming { type filter hook prerouting priority -300; policy accept; }
flush chain inet cuts incoming
add rule inet cuts incoming ip saddr @silenced drop
"""
_NO_FENCE = "table inet fence\ndelete table inet fence\n"


@dataclass(frozen=True)
class Plan:
    """Where everything stands in a lab with networks.

    Attributes:
        subnets: Subnet of every network, by name.
        addresses: Address of every host behind the walls, by name.
        names: Names that mean each address.
        networks: Network of every host.
    """

    subnets: Mapping[str, ipaddress.IPv4Network]
    addresses: Mapping[str, str]
    names: Mapping[str, tuple[str, ...]]
    networks: Mapping[str, str]

    def router(self, network: str) -> str:
        """Return the router's address in a network."""
        return str(self.subnets[network][2])

    def hosts_file(self) -> str:
        """Return /etc/hosts for every host of the lab."""
        lines = [f"{address} {' '.join(self.names[name])}\n" for name, address in self.addresses.items()]
        return _HOSTS_FILE + "".join(lines)

    def routes_unit(self, host: str) -> str:
        """Return the systemd unit that makes a host reach the other networks through the router, after every boot."""
        network = self.networks[host]
        others = [subnet for name, subnet in self.subnets.items() if name != network]
        lines = [f"ExecStart=/usr/sbin/ip route replace {subnet} via {self.router(network)}" for subnet in others]
        return "\n".join(
            [
                "[Unit]",
                "Description=Routes of the test host to the other networks",
                "DefaultDependencies=no",
                "Before=network.target sshd.service ssh.service",
                "[Service]",
                "Type=oneshot",
                *lines,
                "",
            ]
        )

    def files(self, host: str) -> list[tuple[str, str, int]]:
        """Return path, text and mode of the files that a host gets before its first boot."""
        return [
            ("/etc/hosts", self.hosts_file(), 0o644),
            ("/etc/systemd/system/lab-routes.service", self.routes_unit(host), 0o644),
            ("/etc/systemd/system/sysinit.target.d/lab.conf", "[Unit]\nWants=lab-routes.service\n", 0o644),
        ]


def plan(spec: Spec, subnets: Mapping[str, str]) -> Plan:
    """Give every host its address: the same one for as long as the lab's networks stand.

    Args:
        spec: The lab.
        subnets: Subnet of every network in CIDR form, by name.
    """
    parsed = {name: ipaddress.IPv4Network(subnet) for name, subnet in subnets.items()}
    places: dict[str, list[Host]] = {name: [h for h in spec.hosts if h.network == name] for name in parsed}
    return Plan(
        subnets=parsed,
        addresses={
            host.name: str(parsed[name][_FIRST_HOST + number])
            for name, hosts in places.items()
            for number, host in enumerate(hosts)
        },
        names={host.name: (host.name, *host.aliases) for host in spec.hosts},
        networks={host.name: host.network for host in spec.hosts},
    )


def opened(openings: Iterable[Opening], addresses: Mapping[str, str]) -> str:
    """Return the nft commands that open walls."""
    return "".join(f"add element inet wall opened {{ {_gap(opening, addresses)} }}\n" for opening in openings)


def closed(opening: Opening, addresses: Mapping[str, str]) -> str:
    """Return the nft commands that close an opening, whether it is there or not."""
    return opened([opening], addresses) + f"delete element inet wall opened {{ {_gap(opening, addresses)} }}\n"


def _gap(opening: Opening, addresses: Mapping[str, str]) -> str:
    return f"{addresses[opening.source]} . {addresses[opening.destination]} . {opening.port}"


def silenced(address: str, *, silent: bool) -> str:
    """Return the nft commands by which a host hears nothing from an address, or hears it again."""
    element = f"element inet cuts silenced {{ {address} }}\n"
    return _CUTS + f"add {element}" + ("" if silent else f"delete {element}")


def machine_only(subnet: str, machine: str) -> str:
    """Return the nft commands by which a host hears nobody on this machine's network but this machine.

    Args:
        subnet: The network, in CIDR form.
        machine: This machine's address in it.
    """
    return (
        "table inet access\ndelete table inet access\ntable inet access {\n"
        "  chain incoming { type filter hook prerouting priority -310; policy accept;"
        f" ip saddr {subnet} ip saddr != {machine} drop; }}\n}}\n"
    )


def fenced(subnets: Iterable[object], ports: Iterable[int]) -> str:
    """Return the nft commands by which a host takes no new TCP connections from the lab's hosts but to these ports."""
    passed = "".join(f" tcp dport {port} accept;" for port in ports)
    sources = ", ".join(map(str, subnets))
    return (
        f"{_NO_FENCE}table inet fence {{\n"
        "  chain incoming { type filter hook input priority 0; policy accept;"
        f" iif lo accept; ct state established,related accept;{passed}"
        f" ip saddr {{ {sources} }} meta l4proto tcp reject with icmpx admin-prohibited; }}\n}}\n"
    )


class Walls:
    """The walls of one lab, on this machine.

    Args:
        spec: The lab.
        podman: Runs podman.
    """

    def __init__(self, spec: Spec, podman: Podman) -> None:
        self._spec = spec
        self._podman = podman

    def plan(self) -> Plan:
        """Return where everything stands; the networks must have been made."""
        return plan(
            self._spec, {name: self._subnet(self._spec.walled_network(name))[0] for name in self._spec.networks}
        )

    def ensure_networks(self) -> None:
        """Make the networks that are missing."""
        for name in self._spec.networks:
            network = self._spec.walled_network(name)
            if not self._podman.ask("network", "exists", network):
                label = f"{LABEL}={self._spec.name}"
                self._podman.run("network", "create", "--internal", "--disable-dns", "--label", label, network)

    def network_argv(self, host: Host) -> list[str]:
        """Return podman's options by which a host stands in its networks, with addresses that it keeps when it boots again."""
        subnet, _gateway = self._subnet(self._spec.network)
        own = f"ip={ipaddress.IPv4Network(subnet)[_FIRST_HOST + self._spec.hosts.index(host)]}"
        if host.network:
            walled = f"{self._spec.walled_network(host.network)}:ip={self.plan().addresses[host.name]}"
            return ["--network", f"{self._spec.network}:{own}", "--network", walled]
        aliases = ",".join(f"alias={name}" for name in (host.name, *host.aliases))
        return ["--network", f"{self._spec.network}:{own},{aliases}"]

    def ensure_router(self, image: str) -> None:
        """Start the router, unless it runs, with no wall open but those of the lab's description.

        Args:
            image: Image that has a shell; the router is an address in every network and needs no program of its own.
        """
        container = self._spec.container(ROUTER)
        found = self._podman.usable(container)
        if not found:
            where = self.plan()
            networks = [f"{self._spec.walled_network(n)}:ip={where.router(n)}" for n in self._spec.networks]
            argv = ["create", "--name", container, "--hostname", ROUTER, "--label", f"{LABEL}={self._spec.name}"]
            argv += [option for network in networks for option in ("--network", network)]
            self._podman.run(*argv, "--sysctl", "net.ipv4.ip_forward=1", image, "sleep", "infinity")
        if not found.get("State", {}).get("Running"):
            self._podman.run("start", container)
        self._nft(ROUTER, _POLICY + opened(self._spec.openings, self.plan().addresses))

    def guard(self, host: str) -> None:
        """Make a host deaf to the others on this machine's own network; to be done after every start of it."""
        subnet, gateway = self._subnet(self._spec.network)
        self._nft(host, machine_only(subnet, gateway))

    def open(self, source: str, destination: str, port: int) -> None:
        """Let TCP connections through from one host to a port of another.

        Raises:
            LabError: When no wall stands between them.
        """
        opening = Opening(source, destination, port)
        self._spec.check_opening(opening)
        self._nft(ROUTER, opened([opening], self.plan().addresses))

    def close(self, source: str, destination: str, port: int) -> None:
        """Let no new connection through; one that stands goes on, as through a firewall that keeps state.

        Raises:
            LabError: When no wall stands between them.
        """
        opening = Opening(source, destination, port)
        self._spec.check_opening(opening)
        self._nft(ROUTER, closed(opening, self.plan().addresses))

    def fence(self, host: str, ports: Iterable[int]) -> None:
        """Have a host refuse new TCP connections from other hosts, of its own network too, but to these ports.

        As the firewall of a single host does. This machine and connections that stand are not touched.

        Args:
            host: The host, of a lab with networks.
            ports: TCP ports that are let in; they take the place of those of an earlier fence.
        """
        self._nft(host, fenced(self.plan().subnets.values(), ports))

    def unfence(self, host: str) -> None:
        """Take a host's fence away; where there is none, nothing happens."""
        self._nft(host, _NO_FENCE)

    def cut(self, one: str, other: str) -> None:
        """Lose every packet between two hosts from now on, without a word to either; in labs without networks too."""
        self._silence(one, other, silent=True)

    def mend(self, one: str, other: str) -> None:
        """Take a cut away; where there is none, nothing happens."""
        self._silence(one, other, silent=False)

    def _silence(self, one: str, other: str, *, silent: bool) -> None:
        addresses = {name: self._address(name) for name in (one, other)}
        self._nft(one, silenced(addresses[other], silent=silent))
        self._nft(other, silenced(addresses[one], silent=silent))

    def _address(self, host: str) -> str:
        if self._spec.networks:
            return self.plan().addresses[host]
        found = self._podman.inspect(self._spec.container(host))
        return str(found["NetworkSettings"]["Networks"][self._spec.network]["IPAddress"])

    def _subnet(self, network: str) -> tuple[str, str]:
        found: list[dict[str, Any]] = json.loads(self._podman.run("network", "inspect", network).stdout)
        subnet = found[0]["subnets"][0]
        return str(subnet["subnet"]), str(subnet.get("gateway", ""))

    def _nft(self, host: str, commands: str) -> None:
        """Run nft commands in the network namespace of a container, all of them or none."""
        pid = self._podman.inspect(self._spec.container(host)).get("State", {}).get("Pid", 0)
        if not pid:
            msg = f"Host {host} of lab {self._spec.name} does not run, so that nothing can be changed in its network."
            raise LabError(msg, cure="Bring the lab up again.")
        argv = ["nsenter", f"--net=/proc/{pid}/ns/net", "nft", "-f", "-"]
        done = subprocess.run(argv, input=commands, capture_output=True, text=True, check=False)
        if done.returncode:
            msg = f"nft could not change the network of {host}."
            raise LabError(msg, detail=done.stderr, cure="It needs the package nftables.")
