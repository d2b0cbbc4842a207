# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the hub's certificate for a student may do at the login node's sshd, and what it may not.

Data and small functions as in :mod:`.refusals`. It needs a hub with the signer of accounts, a login node with the role ``gateway`` in
mode ``students``, and another host, each as a function that runs an argument list there as root::

    kit = account_refusals.prepare(on_hub, on_login, on_other, login="login")   # accounts, keys, certificates, pinned host key
    for attempt in account_refusals.ATTEMPTS:
        outcome = account_refusals.run(attempt, kit)
        assert outcome.as_expected, outcome.story
    account_refusals.clean(kit)

The accounts ``alice`` and ``bob`` are made in the students' group, ``carol`` outside of it. What the signer would never make is made
with ssh-keygen and the authority's own key, as by somebody who has stolen it.
"""

import re
from dataclasses import dataclass

from . import ssh_attempts
from .ssh_attempts import NO_LISTENING, NO_OPENING, NOT_LET_IN, Result, Run, must

SIGNER_SOCKET = "/run/hpcampus/accounts-signer.sock"
CA_KEY = "/etc/hpcampus/account-ca/key"
STUDENTS = "hpcampus-students"
FOLDER = "/root/hpcampus-account-refusals"
SERVED = r'"account": "alice".*\n.*"ok": true'
NOT_SERVED = "refused: this account serves the notebook hub only"
NO_ACCOUNT = "not one that a student may have"


@dataclass(frozen=True)
class Attempt:
    """One ssh command with a certificate.

    Attributes:
        name: what is tried, in words.
        expected: a pattern that what comes out must match.
        arguments: ssh's arguments before ``USER@``.
        command: what it asks for.
        credential: which certificate it shows, see :func:`prepare`; ``bare`` shows none.
        user: whom it logs in as.
        elsewhere: whether it comes from another host than the hub.
        program: ssh or sftp.
    """

    name: str
    expected: str
    arguments: tuple[str, ...] = ()
    command: str = "session"
    credential: str = "alice"
    user: str = "alice"
    elsewhere: bool = False
    program: str = "ssh"

    def __str__(self) -> str:
        """Name of the test."""
        return self.name


ATTEMPTS: tuple[Attempt, ...] = (
    Attempt("the gateway's session is allowed", SERVED),
    Attempt("a command", NOT_SERVED, command="id"),
    Attempt("a command behind the allowed word", NOT_SERVED, command="session; id"),
    Attempt("a shell", NOT_SERVED, command=""),
    Attempt("a shell with a terminal", r"PTY allocation request failed", ("-tt",), command=""),
    Attempt("sftp", r"\A\s*(?:Connection closed\.?\s*)+\Z", command="", program="sftp"),
    Attempt("a forward to the login node", NO_OPENING, ("-W", "127.0.0.1:22"), command=""),
    Attempt("a port that listens", NO_LISTENING, ("-N", "-R", "127.0.0.1:20017:127.0.0.1:22"), command=""),
    Attempt("another student with one's certificate", NOT_LET_IN, user="bob"),
    Attempt("root with a student's certificate", NOT_LET_IN, user="root"),
    Attempt("the service account with a student's certificate", NOT_LET_IN, user="hpcampus"),
    Attempt("an account outside the group", NOT_LET_IN, user="carol", credential="carol"),
    Attempt("the key without certificate", NOT_LET_IN, credential="bare"),
    Attempt("an expired certificate", NOT_LET_IN, credential="expired"),
    Attempt("a stranger's certificate", NOT_LET_IN, credential="stranger"),
    Attempt("a stolen certificate from another host", NOT_LET_IN, elsewhere=True),
    Attempt("a certificate for root by the authority's own key", NOT_LET_IN, user="root", credential="root"),
    Attempt("the service account by the authority's own key", NOT_LET_IN, user="hpcampus", credential="service"),
    Attempt("a certificate without a command runs the gateway", NOT_SERVED, command="id", credential="free"),
    Attempt("a certificate with permissions gets no terminal", r"PTY allocation request failed", ("-tt",), "", "free"),
)
NOT_SIGNED = (
    "root",
    "hpcampus",
    "daemon",
    "munge",
    "systemd-network",
    "_apt",
    "Alice",
    "a b",
    "-oProxyCommand=id",
    "",
    7,
    None,
)
"""Accounts that the signer refuses."""


@dataclass(frozen=True)
class Kit:
    """Three hosts with everything prepared."""

    on_hub: Run
    on_login: Run
    on_other: Run
    login: str


@dataclass(frozen=True)
class Outcome:
    """What an attempt came to."""

    attempt: Attempt
    result: Result

    @property
    def as_expected(self) -> bool:
        """A refusal counts only with its message; what is let in where it must not be has the greeting of the gateway."""
        text = self.result.text
        let_in = '"hello"' in text or "uid=" in text
        allowed = self.attempt.expected == SERVED
        return re.search(self.attempt.expected, text) is not None and let_in == allowed

    @property
    def story(self) -> str:
        """One line for people."""
        return f"{self.attempt.name}: got exit {self.result.status}: {self.result.text.strip()[-300:]!r}"


def ask_signer(on_hub: Run, request: object) -> dict[str, str]:
    """Send one request to the signer of accounts as the hub's user and return its answer."""
    return ssh_attempts.ask_signer(on_hub, SIGNER_SOCKET, request)


def _mint(on_hub: Run, account: str, pubkey: str) -> str:
    return ssh_attempts.mint(on_hub, SIGNER_SOCKET, {"account": account, "pubkey": pubkey})


def _sign_by_hand(on_hub: Run, pubkey: str, ca_key: str, account: str, *options: str) -> str:
    return ssh_attempts.sign_by_hand(on_hub, pubkey, ca_key, "by-hand", account, *options)


# So many refused logins would lock the hub out, and the last refusals would come without their message.
_PENALTIES = "/etc/ssh/sshd_config.d/10-attempts.conf"
_NO_PENALTIES = f"""
if /usr/sbin/sshd -T | grep -q '^persourcepenalties '; then
    echo 'PerSourcePenalties no' >{_PENALTIES} && systemctl reload ssh
fi
"""


def prepare(on_hub: Run, on_login: Run, on_other: Run, login: str) -> Kit:
    """Make the accounts on the login node, one key, every certificate that the attempts show, and pin the login node's key."""
    kit = Kit(on_hub, on_login, on_other, login)
    for account, groups in (("alice", STUDENTS), ("bob", STUDENTS), ("carol", "users")):
        must(on_login, ["sh", "-c", 'id "$1" || useradd -m -s /bin/sh -p "*" -G "$2" "$1"', "sh", account, groups])
    must(on_login, ["sh", "-c", _NO_PENALTIES])
    ssh_attempts.make_folder(on_hub, FOLDER)
    ssh_attempts.make_key(on_hub, f"{FOLDER}/key")
    ssh_attempts.make_key(on_hub, f"{FOLDER}/other-ca")
    pubkey = ssh_attempts.public_key(on_hub, f"{FOLDER}/key.pub")
    host_key = ssh_attempts.public_key(on_login, "/etc/ssh/ssh_host_ed25519_key.pub")
    long = ("-V", "-1h:+1h")
    files = {
        "known_hosts": f"{login} {host_key}",
        "key.pub": pubkey,
        "alice-cert.pub": _mint(on_hub, "alice", pubkey),
        "carol-cert.pub": _mint(on_hub, "carol", pubkey),
        "expired-cert.pub": _sign_by_hand(on_hub, pubkey, CA_KEY, "alice", "-V", "-2h:-1h", "-O", "clear"),
        "stranger-cert.pub": _sign_by_hand(on_hub, pubkey, f"{FOLDER}/other-ca", "alice", *long),
        "root-cert.pub": _sign_by_hand(on_hub, pubkey, CA_KEY, "root", *long),
        "service-cert.pub": _sign_by_hand(on_hub, pubkey, CA_KEY, "hpcampus", *long),
        "free-cert.pub": _sign_by_hand(on_hub, pubkey, CA_KEY, "alice", *long),
        "key": must(on_hub, ["cat", f"{FOLDER}/key"]),
    }
    ssh_attempts.make_folder(on_other, FOLDER)
    for run_there in (on_hub, on_other):
        for name, text in files.items():
            ssh_attempts.write(run_there, f"{FOLDER}/{name}", text)
    return kit


def ssh_argv(attempt: Attempt, login: str) -> list[str]:
    """The attempt's command line."""
    argv = ssh_attempts.ssh_argv(attempt.program, FOLDER, attempt.credential, seconds=15)
    argv += [*attempt.arguments, f"{attempt.user}@{login}"]
    return [*argv, attempt.command] if attempt.command else argv


def run(attempt: Attempt, kit: Kit) -> Outcome:
    """Make one attempt; a ping stands ready for a gateway that answers."""
    script = 'echo \'{"id": 1, "op": "ping"}\' | "$@" 2>&1'
    where = kit.on_other if attempt.elsewhere else kit.on_hub
    return Outcome(attempt, where(["sh", "-c", script, "sh", *ssh_argv(attempt, kit.login)]))


def own_directories(kit: Kit) -> str:
    """Rights and owner of what the gateway made for alice, sorted by path."""
    script = 'find /home/alice/hpcampus -printf "%m %u %p\\n" | sort -k3'
    return must(kit.on_login, ["sh", "-c", script])


def clean(kit: Kit) -> None:
    """Remove what :func:`prepare` made."""
    for run_there in (kit.on_hub, kit.on_other):
        must(run_there, ["rm", "-rf", FOLDER])
    must(kit.on_login, ["sh", "-c", f"rm -f {_PENALTIES}; systemctl reload ssh"])
    for account in ("alice", "bob", "carol"):
        must(kit.on_login, ["sh", "-c", 'pkill -KILL -u "$1"; sleep 1; userdel -r "$1"', "sh", account])
