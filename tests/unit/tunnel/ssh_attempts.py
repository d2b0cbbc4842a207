# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What both lists of refusals need: commands on hosts, keys, certificates by a signer and by hand, ssh's command line and its messages.

Standard library only, as :mod:`.refusals` is for whoever wants to try a real site.
"""

import json
import shlex
from collections.abc import Callable, Sequence
from typing import NamedTuple

SIGNER_USER = "jupyterhub"
SIGNER_GROUP = "hpcampus-link"

NOT_LET_IN = r"Permission denied \(publickey"
NO_LISTENING = r"remote port forwarding failed|forwarding failed for listen"
NO_OPENING = r"administratively prohibited"


class Result(NamedTuple):
    """Exit status, and what came out on stdout and stderr."""

    status: int
    text: str


Run = Callable[[Sequence[str]], Result]


def must(run: Run, argv: Sequence[str]) -> str:
    """Run a command that has to work."""
    status, text = run(argv)
    if status != 0:
        raise RuntimeError(f"{shlex.join(argv)[:200]} ended with {status}: {text[-500:]}")
    return text


def make_folder(run: Run, path: str) -> None:
    """Make a private directory, empty."""
    must(run, ["sh", "-c", f"rm -rf {path}; umask 077; mkdir {path}"])


def write(run: Run, path: str, text: str) -> None:
    """Write a private file."""
    must(run, ["sh", "-c", 'umask 077; printf "%s\\n" "$2" >"$1"', "sh", path, text.strip()])


def make_key(run: Run, path: str) -> None:
    """Make a key pair that is not there yet."""
    must(run, ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path])


def public_key(run: Run, path: str) -> str:
    """Read a public key, without its comment."""
    return " ".join(must(run, ["cat", path]).split()[:2])


_ASK = """
import json, socket, sys
with socket.socket(socket.AF_UNIX) as client:
    client.settimeout(20)
    client.connect(sys.argv[1])
    client.sendall(sys.argv[2].encode() + b"\\n")
    print(client.makefile().readline())
"""


def ask_signer(on_hub: Run, socket: str, request: object) -> dict[str, str]:
    """Send one request to a signer as the hub's user and return its answer."""
    as_user = ["setpriv", "--reuid", SIGNER_USER, "--regid", SIGNER_GROUP, "--clear-groups"]
    argv = [*as_user, "/usr/bin/python3", "-I", "-c", _ASK, socket, json.dumps(request)]
    answer = json.loads(must(on_hub, argv))
    return {str(key): str(value) for key, value in answer.items()}


def mint(on_hub: Run, socket: str, request: object) -> str:
    """Give the certificate that a signer makes; it must make one."""
    answer = ask_signer(on_hub, socket, request)
    if "cert" not in answer:
        raise RuntimeError(f"the signer refused: {answer}")
    return answer["cert"]


def sign_by_hand(on_hub: Run, pubkey: str, ca_key: str, identity: str, principal: str, *options: str) -> str:
    """Give a certificate that no signer would make: ssh-keygen signs with an authority's key."""
    keygen = ["ssh-keygen", "-q", "-s", ca_key, "-I", identity, "-n", principal, *options]
    script = 'd=$(mktemp -d); echo "$1" >"$d/k.pub"; shift; "$@" "$d/k.pub" && cat "$d/k-cert.pub"; rm -r "$d"'
    return must(on_hub, ["sh", "-c", script, "sh", pubkey, *keygen])


def ssh_argv(
    program: str, folder: str, credential: str, *, known_hosts: str = "known_hosts", seconds: int
) -> list[str]:
    """The command line up to the attempt's own arguments: a pinned host key, one key and its certificate, an end after some seconds.

    Args:
        program: ssh or sftp.
        folder: directory with ``key``, ``known_hosts`` and ``CREDENTIAL-cert.pub``.
        credential: which certificate it shows; ``bare`` shows none.
        known_hosts: file in the folder with the host key that the other side is to have.
        seconds: when it is cut short.
    """
    options = [
        "IdentitiesOnly=yes",
        "BatchMode=yes",
        f"UserKnownHostsFile={folder}/{known_hosts}",
        "GlobalKnownHostsFile=/dev/null",
        "StrictHostKeyChecking=yes",
        "ConnectTimeout=8",
        "ExitOnForwardFailure=yes",
    ]
    if credential != "bare":
        options.append(f"CertificateFile={folder}/{credential}-cert.pub")
    argv = ["timeout", str(seconds), program, "-F", "none", "-i", f"{folder}/key"]
    for option in options:
        argv += ["-o", option]
    return argv
