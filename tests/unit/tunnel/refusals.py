# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a job's certificate may do at the hub's sshd, and the long list of what it may not.

Data and small functions without a test framework: `tests/testinfra/tunnel` imports this module, and so may anybody who wants
to try a real site. It needs two hosts, a hub with the role ``tunnel`` and a client with OpenSSH, each given as a function that runs
an argument list there as root::

    def on_hub(argv: Sequence[str]) -> Result: ...      # Result(exit status, stdout and stderr together)
    def on_client(argv: Sequence[str]) -> Result: ...   # Result is that of ssh_attempts

    kit = refusals.prepare(on_hub, on_client, hub="hub")          # keys, certificates, registry files, pinned host key
    for attempt in refusals.ATTEMPTS:
        outcome = refusals.run(attempt, kit)
        assert outcome.as_expected, outcome.story
    assert refusals.revocation_ends_session(kit)
    refusals.clean(kit)

With testinfra: ``def on_hub(argv): done = host.run(shlex.join(argv)); return Result(done.rc, done.stdout + done.stderr)``.
The certificates come from the role's own signer, asked as ``ssh_attempts.SIGNER_USER`` (which must exist on the hub); only the
expired and the stranger's certificate are made with ssh-keygen, because the signer would never make them. Parametrize over
``ATTEMPTS`` with ``ids=str``.

The refused logins at the end of the list count against the client: give its network to the role (``tunnel_exempt_networks``), or sshd
9.8 and newer locks the client out and the last refusals come without their message.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from . import ssh_attempts
from .ssh_attempts import NO_LISTENING, NO_OPENING, NOT_LET_IN, SIGNER_USER, Result, Run, must

REGISTRY = "/run/hpcampus/tunnel"
SIGNER_SOCKET = "/run/hpcampus/signer.sock"
CA_KEY = "/etc/hpcampus/tunnel-ca/key"
FOLDER = "/root/hpcampus-refusals"
SERIAL = 4711
API_PORT, HUB_PORT = 8083, 8081
"""Where jobs find the hub's API and the course service, and where the hub itself listens."""
OWN_PORT, OTHER_PORT, UNREGISTERED_PORT, WRONG_SERIAL_PORT = 20017, 20018, 20019, 20020
STAYS_UP_SECONDS = 5
TIMED_OUT = 124

NOBODY_THERE = "open failed: connect failed: Connection refused"
NO_SESSION = (
    r"open failed: (connect failed: )?open failed|[Nn]o more sessions|session open refused|Connection closed|closed"
)


@dataclass(frozen=True)
class Attempt:
    """One ssh command of a job.

    Attributes:
        name: what is tried, in words.
        arguments: ssh's arguments after the options; ``USER@`` is the tunnel user.
        credential: which key and certificate it shows, see :func:`prepare`.
        refusal: a pattern that the refusal's message matches; empty when the attempt must be allowed.
        user: whom it logs in as.
        program: ssh or sftp.
        ends: the refusal ends ssh; a refused local forward does not.
        known_hosts: file with the host key that the hub is to have.
    """

    name: str
    arguments: tuple[str, ...]
    credential: str = "own"
    refusal: str = ""
    user: str = "tunnel"
    program: str = "ssh"
    ends: bool = True
    known_hosts: str = "known_hosts"

    def __str__(self) -> str:
        """Name of the test."""
        return self.name


def _listen(name: str, spec: str, refusal: str = NO_LISTENING, credential: str = "own") -> Attempt:
    return Attempt(name, ("-N", "-R", spec), credential, refusal)


def _open(name: str, target: str, refusal: str = NO_OPENING) -> Attempt:
    return Attempt(name, ("-W", target), refusal=refusal)


_LOCAL_SOCKET = f"{FOLDER}/local.sock"
_KNOCK_SCRIPT = f'import socket; socket.socket(socket.AF_UNIX).connect("{_LOCAL_SOCKET}")'
_KNOCK = ("-o", "PermitLocalCommand=yes", "-o", f"LocalCommand=(sleep 1; /usr/bin/python3 -c '{_KNOCK_SCRIPT}') &")
_OWN = f"127.0.0.1:{OWN_PORT}:127.0.0.1:22"
ATTEMPTS: tuple[Attempt, ...] = (
    _listen("own port on loopback is allowed", _OWN, refusal=""),
    _open("the hub's API is allowed", f"127.0.0.1:{API_PORT}", refusal=""),
    _listen("another port", f"127.0.0.1:{OTHER_PORT}:127.0.0.1:22"),
    _listen("own port on every address", f"0.0.0.0:{OWN_PORT}:127.0.0.1:22"),
    _listen("own port on the wildcard", f"*:{OWN_PORT}:127.0.0.1:22"),
    _listen("own port without address", f"{OWN_PORT}:127.0.0.1:22"),
    _listen("own port on localhost by name", f"localhost:{OWN_PORT}:127.0.0.1:22"),
    _listen("own port on IPv6 loopback", f"[::1]:{OWN_PORT}:127.0.0.1:22"),
    _listen("a port of the server's choice", "127.0.0.1:0:127.0.0.1:22"),
    _listen("a unix socket on the hub", "/tmp/refusals.sock:127.0.0.1:22"),
    _listen("SOCKS on another port", f"127.0.0.1:{OTHER_PORT}"),
    _open("the proxy's API", "127.0.0.1:8001"),
    _open("the hub's sshd", "127.0.0.1:22"),
    _open("the hub itself", f"127.0.0.1:{HUB_PORT}"),
    _open("the hub's API under another name", f"localhost:{API_PORT}"),
    _open("the hub's API on IPv6", f"[::1]:{API_PORT}"),
    _open("another notebook's port", f"127.0.0.1:{OTHER_PORT}"),
    _open("a host behind the hub", "192.0.2.1:22"),
    Attempt(
        "a unix socket of the hub",
        ("-N", "-L", f"{_LOCAL_SOCKET}:{SIGNER_SOCKET}", *_KNOCK),
        refusal=NO_SESSION,
        ends=False,
    ),
    Attempt("a command", ("id",), refusal=NO_SESSION),
    Attempt("a shell with a terminal", ("-tt",), refusal=NO_SESSION),
    Attempt("a shell with the agent forwarded", ("-A", "id"), refusal=NO_SESSION),
    Attempt("X11", ("-X", "id"), refusal=NO_SESSION),
    Attempt("sftp", (), refusal=NO_SESSION, program="sftp"),
    Attempt("a subsystem", ("-s", "sftp"), refusal=NO_SESSION),
    Attempt("a network device", ("-N", "-w", "any:any"), refusal=NO_SESSION),
    Attempt("root", ("-N",), refusal=NOT_LET_IN, user="root"),
    Attempt("the hub's user", ("-N",), refusal=NOT_LET_IN, user=SIGNER_USER),
    Attempt(
        "a hub that shows another host key",
        ("-N", "-R", _OWN),
        refusal="Host key verification failed",
        known_hosts="known_hosts-of-another",
    ),
    _listen("the key without certificate", _OWN, NOT_LET_IN, "bare"),
    _listen("an expired certificate", _OWN, NOT_LET_IN, "expired"),
    _listen("a stranger's certificate", _OWN, NOT_LET_IN, "stranger"),
    _listen("a port that is not registered", f"127.0.0.1:{UNREGISTERED_PORT}:127.0.0.1:22", NOT_LET_IN, "unregistered"),
    _listen(
        "a serial that is not the registered one",
        f"127.0.0.1:{WRONG_SERIAL_PORT}:127.0.0.1:22",
        NOT_LET_IN,
        "wrong-serial",
    ),
)


@dataclass(frozen=True)
class Kit:
    """Two hosts with everything prepared."""

    on_hub: Run
    on_client: Run
    hub: str


@dataclass(frozen=True)
class Outcome:
    """What an attempt came to."""

    attempt: Attempt
    result: Result

    @property
    def as_expected(self) -> bool:
        """A refusal counts only with its message: an attempt that fails for another reason proves nothing."""
        text = self.result.text
        if self.attempt.refusal:
            ended = self.result.status not in (0, TIMED_OUT)
            return ended == self.attempt.ends and re.search(self.attempt.refusal, text) is not None
        if self.attempt.arguments[0] == "-W":
            return self.result.status == 0 or NOBODY_THERE in text
        return self.result.status == TIMED_OUT

    @property
    def story(self) -> str:
        """One line for people."""
        wanted = "refused" if self.attempt.refusal else "allowed"
        return f"{self.attempt.name}: expected {wanted}, got exit {self.result.status}: {self.result.text.strip()[-200:]!r}"


def _mint(on_hub: Run, port: int, pubkey: str) -> str:
    request = {"port": port, "serial": SERIAL, "seconds": 3600, "pubkey": pubkey}
    return ssh_attempts.mint(on_hub, SIGNER_SOCKET, request)


def _sign_by_hand(on_hub: Run, pubkey: str, ca_key: str, validity: str) -> str:
    name = f"spawn-{OWN_PORT}"
    return ssh_attempts.sign_by_hand(on_hub, pubkey, ca_key, name, name, "-z", str(SERIAL), "-V", validity)


def register(kit: Kit, port: int, serial: int) -> None:
    """Write the registry file of a port, as the hub does for a running notebook."""
    script = 'umask 022; printf "%s\\n" "$2" >"$1"'
    must(kit.on_hub, ["sh", "-c", script, "sh", f"{REGISTRY}/{port}", str(serial)])


def prepare(on_hub: Run, on_client: Run, hub: str) -> Kit:
    """Make one key on the client and every certificate that the attempts show; register their ports; pin the hub's host key."""
    kit = Kit(on_hub, on_client, hub)
    ssh_attempts.make_folder(on_client, FOLDER)
    ssh_attempts.make_key(on_client, f"{FOLDER}/key")
    pubkey = ssh_attempts.public_key(on_client, f"{FOLDER}/key.pub")
    host_key = ssh_attempts.public_key(on_hub, "/etc/ssh/ssh_host_ed25519_key.pub")
    ssh_attempts.write(on_client, f"{FOLDER}/known_hosts", f"{hub} {host_key}")
    # The client's own key will do as one that the hub does not have.
    ssh_attempts.write(on_client, f"{FOLDER}/known_hosts-of-another", f"{hub} {pubkey}")
    stranger = f"{FOLDER}-stranger"
    must(on_hub, ["rm", "-f", stranger, f"{stranger}.pub"])
    ssh_attempts.make_key(on_hub, stranger)
    certificates = {
        "own": _mint(on_hub, OWN_PORT, pubkey),
        "unregistered": _mint(on_hub, UNREGISTERED_PORT, pubkey),
        "wrong-serial": _mint(on_hub, WRONG_SERIAL_PORT, pubkey),
        "expired": _sign_by_hand(on_hub, pubkey, CA_KEY, "-2h:-1h"),
        "stranger": _sign_by_hand(on_hub, pubkey, stranger, "-1h:+1h"),
    }
    for name, certificate in certificates.items():
        ssh_attempts.write(on_client, f"{FOLDER}/{name}-cert.pub", certificate)
    must(on_hub, ["rm", "-f", stranger, f"{stranger}.pub", f"{REGISTRY}/{UNREGISTERED_PORT}"])
    register(kit, OWN_PORT, SERIAL)
    register(kit, WRONG_SERIAL_PORT, SERIAL + 1)
    return kit


def ssh_argv(attempt: Attempt, hub: str) -> list[str]:
    """The attempt's command line: the job's own options, cut short after a few seconds."""
    argv = ssh_attempts.ssh_argv(
        attempt.program, FOLDER, attempt.credential, known_hosts=attempt.known_hosts, seconds=STAYS_UP_SECONDS
    )
    split = (
        1
        if attempt.arguments and not attempt.arguments[-1].startswith("-") and attempt.arguments[-1] in ("id", "sftp")
        else 0
    )
    before = attempt.arguments[: len(attempt.arguments) - split]
    after = attempt.arguments[len(attempt.arguments) - split :]
    return [*argv, *before, f"{attempt.user}@{hub}", *after]


def run(attempt: Attempt, kit: Kit) -> Outcome:
    """Make one attempt from the client."""
    return Outcome(attempt, kit.on_client(["sh", "-c", '"$@" </dev/null 2>&1', "sh", *ssh_argv(attempt, kit.hub)]))


def hub_listens(kit: Kit, port: int) -> bool:
    """Tell whether anybody listens on a port of the hub."""
    table = must(kit.on_hub, ["cat", "/proc/net/tcp", "/proc/net/tcp6"])
    return any(f":{port:04X} " in line and line.split()[3] == "0A" for line in table.splitlines() if ":" in line)


def revocation_ends_session(kit: Kit, within_seconds: float = 15) -> bool:
    """Open the own port, take its registry file away, and tell whether the session ends and cannot come back."""
    allowed = ATTEMPTS[0]
    argv = ssh_argv(allowed, kit.hub)
    argv[1] = "60"
    must(kit.on_client, ["sh", "-c", '"$@" </dev/null >/dev/null 2>&1 &', "sh", *argv])
    _wait(lambda: hub_listens(kit, OWN_PORT), within_seconds)
    must(kit.on_hub, ["rm", "-f", f"{REGISTRY}/{OWN_PORT}"])
    _wait(lambda: not hub_listens(kit, OWN_PORT), within_seconds)
    again = run(allowed, kit).result
    register(kit, OWN_PORT, SERIAL)
    return again.status not in (0, TIMED_OUT) and re.search(NOT_LET_IN, again.text) is not None


def _wait(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"nothing happened within {seconds} s")
        time.sleep(0.5)


def clean(kit: Kit) -> None:
    """Remove what :func:`prepare` made."""
    must(kit.on_client, ["rm", "-rf", FOLDER])
    must(kit.on_hub, ["sh", "-c", f"rm -f {REGISTRY}/{OWN_PORT} {REGISTRY}/{WRONG_SERIAL_PORT}"])
