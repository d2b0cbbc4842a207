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
    ("old-python", "SyntaxError: future feature annotations is not defined"),
    ("old-python", "Ansible requires Python 3.8 or newer on the target. Current version: 3.6.8 (default)"),
    ("old-python", "ansible-core requires a minimum of Python version 3.8. Current version: 3.6.8"),
    ("quota", "OSError: [Errno 122] Disk quota exceeded: '/shared/hpcampus/images/notebook.sif'"),
    ("quota", "cp: error writing '/home/alice/x': Disk quota exceeded"),
    (
        "image-space",
        "FATAL:   While performing build: conveyor failed to get: writing blob: write /tmp/bundle-temp-1/oci-put-2 no space left on device",
    ),
    (
        "image-space",
        (
            "FATAL:   While performing build: while creating squashfs: create command failed: exit status 1: Write failed because "
            "No space left on device\nFATAL ERROR: Failed to write to output filesystem"
        ),
    ),
    ("disk-full", "OSError: [Errno 28] No space left on device"),
    ("disk-full", "E: You don't have enough free space in /var/cache/apt/archives/."),
    ("out-of-memory", "fork: Cannot allocate memory"),
    (
        "out-of-memory",
        "slurmstepd: error: Detected 1 oom_kill event in StepId=17.batch. Some of the step tasks have been OOM Killed.",
    ),
    ("apt-lock", "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 812 (unattended-upgr)"),
    ("apt-lock", "E: dpkg was interrupted, you must manually run 'dpkg --configure -a'"),
    ("apt-package", "No package matching 'apptainer' is available"),
    (
        "apt-fetch",
        "E: Failed to fetch http://mirror.example.org/debian/pool/x.deb  503  Service Unavailable [IP: 192.0.2.7 80]",
    ),
    (
        "mirror-404",
        "E: Failed to fetch http://mirror.example.org/debian/pool/main/c/curl/curl_7.88.1-10_amd64.deb  404  Not Found [IP: 192.0.2.7 80]",
    ),
    (
        "mirror-404",
        "Failed to update apt cache: E:The repository 'http://mirror.example.org/debian trixie Release' does not have a Release file.",
    ),
    (
        "mirror-404",
        "ERROR: HTTP error 404 while getting https://mirror.example.org/simple/jupyterhub/",
    ),
    (
        "proxy-refuses",
        "Err:1 http://mirror.example.org/debian trixie InRelease\n  407  Proxy Authentication Required [IP: 192.0.2.8 3128]",
    ),
    ("proxy-refuses", "curl: (56) Received HTTP code 407 from proxy after CONNECT"),
    (
        "proxy-refuses",
        "connection broken by 'ProxyError('Cannot connect to proxy.', OSError('Tunnel connection failed: 403 Forbidden'))'",
    ),
    (
        "apt-clock",
        (
            "Failed to update apt cache: E:Release file for http://mirror.example.org/debian/dists/trixie/InRelease is not valid yet "
            "(invalid for another 17d 11h 5min 38s). Updates for this repository will not be applied."
        ),
    ),
    (
        "apt-clock",
        (
            "OpenPGP signature verification failed: http://mirror.example.org/debian trixie InRelease: Sub-process /usr/bin/sqv returned "
            "an error code (1), error message is: Verifying signature:            Not live until 2026-05-28T11:35:34Z"
        ),
    ),
    (
        "mirror-stale",
        (
            "E: Release file for http://mirror.example.org/debian/dists/trixie-updates/InRelease is expired (invalid since 3d 4h 12min). "
            "Updates for this repository will not be applied."
        ),
    ),
    (
        "repository-key",
        (
            "W: GPG error: http://r.example x InRelease: The following signatures were invalid: EXPKEYSIG ED75B5A4483DA07C A <a@b>\n"
            "E: The repository 'http://repo.example trixie InRelease' is not signed."
        ),
    ),
    (
        "repository-key",
        (
            "OpenPGP signature verification failed: http://repo all InRelease: Sub-process /usr/bin/sqv returned an error code (1), "
            "error message is: Missing key 827C8569F2518CC677FECA1AED65462EC8D5E4C5, which is needed to verify signature."
        ),
    ),
    ("hash-mismatch", "THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE."),
    ("munge", "slurm_load_partitions: Protocol authentication error"),
    ("munge", "error: Munge decode failed: Invalid credential"),
    ("munge", "slurmd: error: If munged is up, restart with --num-threads=10"),
    ("munge-clock", "slurmstepd: error: Munge decode failed: Expired credential"),
    ("munge-clock", "error: Munge decode failed: Rewound credential\nerror: Check for out of sync clocks"),
    ("munge-clock", "unmunge: Error: Rewound credential"),
    ("node-name", "slurmd[21031]: fatal: Unable to determine this slurmd's NodeName"),
    ("node-name", "slurmctld: error: This host (ctl2/ctl2) not a valid controller"),
    ("node-name", "scontrol: error: Invalid node name specified"),
    ("node-down", "srun: Required node not available (down, drained or reserved)"),
    ("slurm-controller", "Unable to contact slurm controller (connect failure)"),
    ("partition", "sbatch: error: invalid partition specified: jupyter"),
    ("fuse", "FATAL: fuse: device not found, try 'modprobe fuse' first"),
    ("user-namespaces", "newuidmap: write to uid_map failed"),
    ("user-namespaces", "ERROR  : Failed to create user namespace: not allowed to create user namespace"),
    (
        "user-namespaces",
        "ERROR  : Failed to create mount namespace: mount namespace requires privileges, check Apptainer installation",
    ),
    (
        "apptainer-missing",
        "apptainer_source is present, but n1 has no /usr/bin/apptainer. Install Apptainer, or set apptainer_source to",
    ),
    ("apptainer-missing", "/bin/sh: 1: apptainer: not found"),
    ("apptainer-missing", "[Errno 2] No such file or directory: b'/usr/bin/apptainer'"),
    (
        "apptainer-missing",
        'Error for command "exec": unknown flag: --no-mount\n\nUsage:\n  singularity [global options...]',
    ),
    (
        "certificate",
        "AH02565: Certificate and private key app.example:443:0 from /etc/ssl/certs/a.pem and /etc/ssl/private/a.key do not match",
    ),
    ("certificate", "AH02312: error:05800074:x509 certificate routines::key values mismatch"),
    (
        "certificate",
        'The key in apache_certificate_key_file "/k" does not belong to the certificate in apache_certificate_file "/c"; give the key',
    ),
    ("certificate", 'The certificate in apache_certificate_file "/c" expired at 20260101000000Z; renew it.'),
    (
        "certificate",
        'The certificate in apache_certificate_file "/c" is for DNS:a.example.org, not for b.example.org; request one',
    ),
    ("read-only", "OSError: [Errno 30] Read-only file system: '/etc/apt/sources.list.d/x.list'"),
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
