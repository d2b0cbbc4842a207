# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Look at what only Apache has: its certificate and Debian's default site.

Reads JSON from standard input: path, key and names of the certificate. Writes JSON: whether the certificate holds, and whether
the default site is as delivered.
"""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

RENEW_SECONDS = 30 * 24 * 3600
DEFAULT_SITE = "/etc/apache2/sites-available/000-default.conf"


def run(*argv: str) -> str:
    """Output of a program, nothing when it fails."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


def certificate_holds(path: str, key: str, names: list[str]) -> bool:
    """Say whether a certificate is for these names and this key and is good for another month."""
    text = run(
        "openssl", "x509", "-in", path, "-noout", "-pubkey", "-ext", "subjectAltName", "-checkend", str(RENEW_SECONDS)
    )
    found = {name.strip() for line in text.splitlines() if line.startswith(" ") for name in line.split(",")}
    public = run("openssl", "pkey", "-in", key, "-pubout")
    return bool(public) and public in text and found == {f"DNS:{name}" for name in names}


def main() -> None:
    """Read what is wanted, write what was seen."""
    certificate: dict[str, Any] = json.load(sys.stdin)
    delivered = run("dpkg-query", "--show", "--showformat=${Conffiles}", "apache2")
    site = Path(DEFAULT_SITE)
    digest = hashlib.md5(site.read_bytes()).hexdigest() if site.is_file() else ""  # noqa: S324 (dpkg keeps MD5 sums)
    answer = {
        "certificate_holds": certificate_holds(certificate["path"], certificate["key"], certificate["names"]),
        "default_site_as_delivered": not digest or f" {DEFAULT_SITE} {digest}" in delivered,
    }
    sys.stdout.write(json.dumps(answer))


main()
