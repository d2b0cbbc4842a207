# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Sockets and ports of the node, of other hosts and of the hub."""

import os
import pathlib
import socket

from tests.e2e.hostile.attempts import KNOWN, attempt


def answer(address, port, question=b"GET /hub/api/ HTTP/1.0\r\n\r\n"):
    """What a port answers to a request: its first bytes; None when there is no connection."""
    try:
        with socket.create_connection((address, port), 3) as client:
            client.settimeout(3)
            client.sendall(question)
            try:
                return client.recv(64)
            except OSError:
                return b""
    except OSError:
        return None


def connects(address, ports):
    """Those of the ports that take a connection."""
    found = []
    for port in ports:
        try:
            socket.create_connection((address, port), 2).close()
            found.append(port)
        except OSError:
            pass
    return found


@attempt("the hub's API answers")
def _():
    """The own way to the hub: what the next one tries does work"""
    port = int(os.environ["JUPYTERHUB_API_URL"].split(":")[2].split("/")[0])
    said = answer("127.0.0.1", port)
    return bool(said) and said.startswith(b"HTTP/"), said


@attempt("closed without a byte")
def _():
    """The other job's way to the hub, with her token"""
    head = f"GET /hub/api/user HTTP/1.0\r\nAuthorization: token {KNOWN['token']}\r\n\r\n".encode()
    said = answer("127.0.0.1", KNOWN["api_port"], head)
    return not said, said or "closed"


@attempt("names only: none of them can be reached")
def _():
    """Unix sockets of the node with a path, as /proc/net/unix names them"""
    paths = {line.split()[-1] for line in pathlib.Path("/proc/net/unix").read_text().splitlines()[1:] if "/" in line}
    own = {str(path) for path in pathlib.Path("/tmp/jupyter-runtime").iterdir()} | {"/run/hpcampus/notebook.sock"}
    strange = [path for path in paths - own if path.startswith("/")]
    reached = []
    for path in [*strange, "/run/munge/munge.socket.2", "/run/dbus/system_bus_socket", *KNOWN["sockets"]]:
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(path)
                reached.append(path)
        except OSError:
            pass
    return not reached, f"{len(strange)} names, reached: {reached or 'none'}"


@attempt(
    "none of the platform's; what another student opens on purpose is open to all on the node, as the security page says"
)
def _():
    """Abstract unix sockets, which belong to the node's network"""
    names = {
        line.split()[-1]
        for line in pathlib.Path("/proc/net/unix").read_text().splitlines()[1:]
        if "@" in line.split()[-1]
    }
    of_others = {name for name in names if "hpcampus" in name or "jupyter" in name or "kernel" in name}
    return of_others <= {"@hpcampus-victim"}, f"{len(names)} on the node, of notebooks: {sorted(of_others) or 'none'}"


@attempt("connects: a port that a student opens is open to all on the node, as the security page says")
def _():
    """A port that the other student's program opened on purpose"""
    return True, "connects" if connects("127.0.0.1", [KNOWN["port"]]) else "refused"


@attempt(
    "only Slurm's daemon and sshd, which want a key, beside what students opened and ways to the hub, which are closed to others"
)
def _():
    """Every port on which the node listens"""
    allowed = {22, 6818, KNOWN["port"], *KNOWN["api_ports"]}
    found = set(connects("127.0.0.1", KNOWN["listening"]["node"]))
    return found <= allowed, sorted(found - set(KNOWN["api_ports"]) - {KNOWN["port"]})


@attempt("only sshd and the web server")
def _():
    """Every port on which the hub's host listens"""
    found = connects(KNOWN["addresses"]["campus"], KNOWN["listening"]["campus"])
    return set(found) <= {22, 80, 443}, f"{len(KNOWN['listening']['campus'])} tried: {found}"


@attempt("only sshd and Slurm's controller, which want a key")
def _():
    """Every port on which the login node listens"""
    found = connects(KNOWN["addresses"]["login"], KNOWN["listening"]["login"])
    return set(found) <= {22, 6817}, f"{len(KNOWN['listening']['login'])} tried: {found}"


@attempt("a fact, no limit: a notebook reaches what its node reaches; a site closes it on the node")
def _():
    """The address of a cloud's metadata service"""
    said = answer("169.254.169.254", 80)
    return True, said or "no answer"


@attempt("no connection to the tunnel's ports")
def _():
    """Other notebooks through the hub's end of the tunnels"""
    found = connects(KNOWN["addresses"]["campus"], KNOWN["tunnel_ports"])
    return not found and bool(KNOWN["tunnel_ports"]), f"{KNOWN['tunnel_ports']} tried: {found or 'none'}"
