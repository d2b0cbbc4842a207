# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Failures as they read in real life, and the cause each is told to have."""

from __future__ import annotations

from typing import Any

import pytest

from hpcampus.causes import CAUSES, likely_cause

REAL = [
    ("inventory-problems", "The inventory has 2 problem(s); nothing was changed."),
    ("host-key-changed", "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @ Host key verification failed."),
    (
        "host-key-unknown",
        "No ED25519 host key is known for hub and you have requested strict checking.\nHost key verification failed.",
    ),
    ("ssh-refused", "Failed to connect to the host via ssh: root@hub: Permission denied (publickey,password)."),
    ("become-password", "Task failed: Incorrect sudo password"),
    ("become-missing", "Missing sudo password"),
    ("become-missing", "sudo: a password is required"),
    ("not-sudoer", "alice is not in the sudoers file."),
    ("no-sudo", "/bin/sh: 1: sudo: not found"),
    ("vault-key", "Decryption failed (no vault secrets were found that could decrypt)"),
    ("dns", "Temporary failure resolving 'deb.debian.org'"),
    ("dns", "ssh: Could not resolve hostname jupyter.example.org: Name or service not known"),
    (
        "dns-here",
        "Task failed: Failed to connect to the host via ssh: ssh: Could not resolve hostname n2: Name or service not known",
    ),
    (
        "dns-here",
        (
            "Failed to connect to the host via ssh: Warning: no such identity: /k\n"
            "ssh: Could not resolve hostname n2: Temporary failure in name resolution"
        ),
    ),
    (
        "dns-here",
        (
            'Data could not be sent to remote host "n2". Make sure this host can be reached over ssh: '
            "ssh: Could not resolve hostname n2: Name or service not known"
        ),
    ),
    (
        "tls-authority",
        "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed",
    ),
    ("tls-authority", "npm error code SELF_SIGNED_CERT\nself-signed certificate in certificate chain"),
    ("host-unreachable", "Failed to connect to the host via ssh: ssh: connect to host c1 port 22: Connection refused"),
    ("host-unreachable", "ssh: connect to host c1 port 22: No route to host"),
    ("no-python", "/bin/sh: 1: /usr/bin/python3: not found"),
    ("disk-full", "OSError: [Errno 28] No space left on device"),
    ("disk-full", "E: You don't have enough free space in /var/cache/apt/archives/."),
    ("out-of-memory", "fork: Cannot allocate memory"),
    ("apt-lock", "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 812 (unattended-upgr)"),
    ("apt-lock", "E: dpkg was interrupted, you must manually run 'dpkg --configure -a'"),
    ("apt-package", "No package matching 'apptainer' is available"),
    ("apt-fetch", "E: Failed to fetch http://mirror.example.org/debian/pool/x.deb  404  Not Found"),
    ("hash-mismatch", "THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE."),
    ("munge", "slurm_load_partitions: Protocol authentication error"),
    ("munge", "error: Munge decode failed: Rewound credential"),
    ("node-down", "srun: Required node not available (down, drained or reserved)"),
    ("slurm-controller", "Unable to contact slurm controller (connect failure)"),
    ("partition", "sbatch: error: invalid partition specified: jupyter"),
    ("fuse", "FATAL: fuse: device not found, try 'modprobe fuse' first"),
    ("user-namespaces", "newuidmap: write to uid_map failed"),
    ("port-in-use", "(98)Address already in use: AH00072: make_sock: could not bind to address [::]:443"),
    (
        "service-failed",
        "Unable to start service jupyterhub: Job for jupyterhub.service failed because the control process exited",
    ),
    ("permission", "[Errno 13] Permission denied: '/opt/hpcampus'"),
    ("undefined-variable", "'slurm_munge_key' is undefined"),
    ("wrong-variable", "value of apache_certificate must be one of: selfsigned, provided, got: acme"),
    ("check-failed", "Assertion failed"),
]


@pytest.mark.parametrize(("name", "message"), REAL)
def test_real_messages(name: Any, message: Any) -> None:
    cause = likely_cause(message.splitlines())
    assert cause is not None
    assert cause.name == name


def test_who_cannot_resolve_a_name_is_named() -> None:
    cause = likely_cause(
        ["Failed to connect to the host via ssh: ssh: Could not resolve hostname n2: Name or service not known"]
    )
    assert cause is not None
    assert "this machine" in cause.title("n2")
    assert "resolv.conf on n2" not in cause.cure("n2")
    for place in ("hosts.yml", "ansible_host", "/etc/hosts of this machine"):
        assert place in cause.cure("n2")


@pytest.mark.parametrize("message", ["", "all is well", "changed: [c1]", "certificate written"])
def test_no_cause_is_invented(message: Any) -> None:
    assert likely_cause([message]) is None


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.name)
def test_each_has_texts_that_name_the_host(cause: Any) -> None:
    assert cause.title("c7")
    assert cause.cure("c7").endswith((".", "true"))
    assert "{" not in cause.title("c7") + cause.cure("c7")


def test_each_is_seen_in_a_real_message() -> None:
    assert {cause.name for cause in CAUSES} - {name for name, _ in REAL} <= {"apache-config"}
