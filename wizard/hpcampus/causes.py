# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Likely causes of failures: what the message looks like, what it usually means, what to do. Pure.

Patterns are tried in order, so that the particular stands before the general.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hpcampus.texts import t

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Cause:
    """A likely cause.

    Attributes:
        name: Key of its texts: `cause.<name>` and `cure.<name>`.
        pattern: What the message of the failure contains.
    """

    name: str
    pattern: re.Pattern[str]

    def title(self, host: str) -> str:
        """Say what probably happened on `host`."""
        return t(f"cause.{self.name}", host=host)

    def cure(self, host: str) -> str:
        """Say what to do about it."""
        return t(f"cure.{self.name}", host=host)


def _cause(name: str, *patterns: str) -> Cause:
    return Cause(name, re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE))


CAUSES: tuple[Cause, ...] = (
    _cause("inventory-problems", r"the inventory has \d+ problem"),
    _cause("host-key-changed", r"remote host identification has changed", r"host key for .* has changed"),
    _cause("host-key-unknown", r"host key verification failed", r"no .* host key is known for"),
    _cause(
        "ssh-refused", r"permission denied \((publickey|password|keyboard|gssapi)", r"too many authentication failures"
    ),
    _cause(
        "become-password",
        r"incorrect sudo password",
        r"sorry, try again",
        r"incorrect su password",
        r"incorrect become password",
    ),
    _cause(
        "become-missing",
        r"missing sudo password",
        r"sudo: a password is required",
        r"a terminal is required to read the password",
    ),
    _cause("not-sudoer", r"is not in the sudoers file", r"is not allowed to (run|execute)"),
    _cause("no-sudo", r"sudo: (command )?not found", r"/bin/sh: .*sudo: not found"),
    _cause(
        "vault-key",
        r"decryption failed",
        r"attempting to decrypt but no vault secrets found",
        r"vault password file .* was not found",
    ),
    _cause("undefined-variable", r"is undefined", r"has no attribute"),
    _cause(
        "wrong-variable",
        r"value of .* must be one of",
        r"validation of arguments failed",
        r"missing required arguments",
        r"unable to convert to",
    ),
    # Ansible's own ssh says this, on the machine that runs hpcampus; the same words from a task are about its host.
    _cause(
        "dns-here",
        r"(failed to connect to the host via|can be reached over) ssh:[\s\S]*could not resolve hostname",
    ),
    _cause(
        "dns",
        r"could not resolve host",
        r"name or service not known",
        r"temporary failure (in name resolution|resolving)",
        r"could not resolve '",
        r"getaddrinfo",
        r"nodename nor servname",
    ),
    _cause(
        "tls-authority",
        r"certificate[_ ]verify[_ ]failed",
        r"self[- ]signed certificate in certificate chain",
        r"unable to get local issuer certificate",
        r"certificate is not trusted",
        r"certificate verification failed",
        r"unable_to_get_issuer_cert",
        r"server certificate verification failed",
    ),
    # Before what says only that something could not be fetched: why it could not.
    _cause(
        "proxy-refuses",
        r"proxy authentication required",
        r"http code \d+ from proxy",
        r"tunnel connection failed",
        r"cannot connect to proxy",
        r"could not resolve proxy",
    ),
    _cause("apt-clock", r"is not valid yet", r"not live until", r"certificate is not yet valid"),
    _cause("mirror-stale", r"release file .* (is )?expired"),
    _cause(
        "repository-key",
        r"\b(EXPKEYSIG|NO_PUBKEY|KEYEXPIRED|REVKEYSIG)\b",
        r"missing key .*needed to verify signature",
        r"sub-process /usr/bin/sqv returned an error",
        r"signatures (were invalid|couldn't be verified)",
        r"repository .* is not signed",
    ),
    _cause(
        "mirror-404",
        r"\b404\s+not found",
        r"does not have a release file",
        r"http error 404",
        r"404 client error",
    ),
    _cause(
        "host-unreachable",
        r"connection refused",
        r"connection timed out",
        r"no route to host",
        r"network is unreachable",
        r"operation timed out",
        r"connection closed by",
        r"connection reset by peer",
        r"failed to connect to the host via ssh",
    ),
    _cause(
        "no-python",
        r"python3?: not found",
        r"the module interpreter .* was not found",
        r"no such file or directory.*python3",
    ),
    _cause(
        "old-python",
        r"future feature annotations is not defined",
        r"requires (a minimum of )?python",
        r"ansible-core requires a minimum",
        r"unsupported python version",
    ),
    _cause("quota", r"quota exceeded"),
    _cause(
        "image-space",
        r"while (performing build|making image)[\s\S]*no space left on device",
        r"(mksquashfs|creating squashfs|build-temp|bundle-temp|\.sif)\b[\s\S]*no space left on device",
    ),
    _cause("disk-full", r"no space left on device", r"you don't have enough free space"),
    _cause("out-of-memory", r"cannot allocate memory", r"out of memory", r"memoryerror", r"oom.?kill"),
    _cause(
        "apt-lock",
        r"could not get lock",
        r"unable to (acquire|lock).*(dpkg|apt|administration)",
        r"is another process using it",
        r"dpkg was interrupted",
        r"failed to lock apt",
    ),
    _cause("apt-package", r"no package matching", r"unable to locate package", r"has no installation candidate"),
    _cause(
        "apt-fetch",
        r"failed to fetch",
        r"unable to fetch some archives",
        r"failed to update apt cache",
    ),
    _cause(
        "hash-mismatch",
        r"do not match the hashes",
        r"hash(es)? mismatch",
        r"checksum.*(mismatch|did not match)",
        r"eintegrity",
    ),
    _cause(
        "munge-clock",
        r"(expired|rewound) credential",
        r"credential (has )?(expired|rewound)",
        r"check for out of sync clocks",
    ),
    _cause("munge", r"\bmunged?\b", r"zero bytes were transmitted", r"protocol authentication error"),
    _cause(
        "node-name",
        r"unable to determine this slurmd's nodename",
        r"not a valid controller",
        r"invalid node name specified",
        r"unable to resolve \"[^\"]+\": unknown host",
    ),
    _cause(
        "node-down",
        r"required node not available",
        r"reqnodenotavail",
        r"node(s)? .*(down|drain)",
        r"slurmd.*(inactive|failed)",
        r"invalid job credential",
        r"node configuration differs",
        r"low (realmemory|cpus|socket)",
    ),
    _cause("slurm-controller", r"unable to contact slurm controller", r"slurm_load", r"slurmctld"),
    _cause(
        "partition",
        r"invalid partition",
        r"partition .* (is )?(down|inactive)",
        r"more processors requested than permitted",
    ),
    _cause("fuse", r"/dev/fuse", r"fuse: device not found", r"squashfuse", r"failed to mount.*squashfs"),
    _cause(
        "user-namespaces",
        r"user namespace",
        r"mount namespace requires privileges",
        r"newuidmap",
        r"subuid",
        r"fakeroot",
    ),
    _cause(
        "apptainer-missing",
        r"has no /usr/bin/apptainer",
        r"(apptainer|singularity): (command )?not found",
        r"no such file or directory: b?'[^']*(apptainer|singularity)'",
        r"unknown (flag|command)[\s\S]*(apptainer|singularity)",
        r"(apptainer|singularity) \S+ is too old",
    ),
    _cause("port-in-use", r"address already in use", r"could not bind to address", r"port .* is already"),
    _cause(
        "certificate",
        r"certificate and private key \S+ from .* do not match",
        r"key values mismatch",
        r"does not belong to the certificate",
        r"the certificate in \S+ .*(expired at|is for)",
        r"is not in pem form",
    ),
    _cause("apache-config", r"syntax error on line", r"apachectl|apache2ctl"),
    _cause(
        "service-failed",
        r"unable to start service",
        r"job for .*\.service failed",
        r"control process exited with error",
    ),
    _cause("read-only", r"read-only file system"),
    _cause("permission", r"permission denied", r"operation not permitted"),
    _cause("check-failed", r"assertion failed", r"evaluated to false"),
)


def likely_cause(lines: Iterable[str]) -> Cause | None:
    """Give the first cause whose pattern is in the message of a failure, or None."""
    text = "\n".join(lines)
    return next((cause for cause in CAUSES if cause.pattern.search(text)), None)
