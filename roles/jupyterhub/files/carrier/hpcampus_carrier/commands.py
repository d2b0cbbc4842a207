# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Argument lists of the two ssh programs of a connection: the outer to the login node, the inner, through it, to the job.

The inner one is given its way by ``ProxyCommand=-``: it then speaks over its own standard input and output, one end of a socket pair
whose other end is the outer one's. Any other ``ProxyCommand`` is run by a shell. The word is not in the manual, but in OpenSSH since
2013; the tests run it. For ``direct`` there is no outer one.
"""

from .orders import DIRECT, RELAY, Order

PRIVATE_ROOT = "/tmp/hpcampus-"  # noqa: S108 (on the compute node, where the job makes it)
LOGIN, JOB = "login", "job"


def _options(known_hosts: str, alias: str, *more: str) -> list[str]:
    """What both have in common: one pinned key, no question, no file of the account's, an end when the other side is silent."""
    options = [
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        "BatchMode=yes",
        "PreferredAuthentications=publickey",
        f"HostKeyAlias={alias}",
        f"UserKnownHostsFile={known_hosts}",
        "GlobalKnownHostsFile=/dev/null",
        "StrictHostKeyChecking=yes",
        "UpdateHostKeys=no",
        "ForwardAgent=no",
        "ForwardX11=no",
        "ControlMaster=no",
        "ControlPath=none",
        "ServerAliveInterval=10",
        "ServerAliveCountMax=3",
        "LogLevel=ERROR",
        *more,
    ]
    return [part for option in options for part in ("-o", option)]


def known_hosts(order: Order) -> str:
    """Content of the file with the two keys that an order pins."""
    return f"{LOGIN} {order.host_key}\n{JOB} {order.door_key}\n"


def outer_argv(order: Order, known_hosts_file: str) -> list[str]:
    """To the gateway on the login node, with its word for this job."""
    word = RELAY if order.way == RELAY else "forward"
    return [
        "ssh",
        *("-T", "-F", "none", "-i", order.key_file, "-p", str(order.host_port), "-l", order.user),
        *_options(known_hosts_file, LOGIN, "ConnectTimeout=10", "ClearAllForwardings=yes"),
        order.host,
        f"{word} {order.job_id} {order.spawn_id}",
    ]


def inner_argv(order: Order, known_hosts_file: str, key_file: str, nonce: str) -> list[str]:
    """To the job's sshd, with the two forwards.

    Args:
        order: the order.
        known_hosts_file: file with the pinned keys.
        key_file: the private key that jobs let in.
        nonce: hex digits that no other connection has: the job's end of the way to the hub's API is named for them.
    """
    private = PRIVATE_ROOT + order.door_name
    way = ("-p", str(order.node_port)) if order.way == DIRECT else ("-o", "ProxyCommand=-")
    return [
        "ssh",
        *("-N", "-T", "-F", "none", "-i", key_file, "-l", order.user, *way),
        *_options(known_hosts_file, JOB, "ConnectTimeout=20", "ExitOnForwardFailure=yes"),
        *("-L", f"127.0.0.1:{order.port}:{private}/notebook.sock"),
        *("-R", f"{private}/h/{nonce}.sock:127.0.0.1:{order.hub_api_port}"),
        order.node if order.way == DIRECT else JOB,
    ]
