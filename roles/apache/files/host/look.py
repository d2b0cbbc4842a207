# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Compare the web server with what is wanted, in one pass.

Reads JSON from standard input: packages, files [{path, sha256}], links [paths], certificate {path, key, names}. Writes
JSON: packages and files that differ, links that are there, whether the certificate holds, whether Debian's default site
is as delivered, and the state of the unit.
"""

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

RENEW_SECONDS = 30 * 24 * 3600
DEFAULT_SITE = "/etc/apache2/sites-available/000-default.conf"


def run(*argv: str) -> str:
    """Output of a program, nothing when it fails."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


def packages_missing(names: list[str]) -> list[str]:
    """Packages that are not installed."""
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status} ${Package}\n", *names]
    known = subprocess.run(query, capture_output=True, text=True, check=False).stdout.split("\n")
    return [name for name in names if f"installed {name}" not in known]


def differs(path: Path, sha256: str) -> bool:
    """Say whether a file is missing or has other content."""
    return not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != sha256


def certificate_holds(path: str, key: str, names: list[str]) -> bool:
    """Say whether a certificate is for these names and this key and is good for another month."""
    text = run(
        "openssl", "x509", "-in", path, "-noout", "-pubkey", "-ext", "subjectAltName", "-checkend", str(RENEW_SECONDS)
    )
    found = {name.strip() for line in text.splitlines() if line.startswith(" ") for name in line.split(",")}
    public = run("openssl", "pkey", "-in", key, "-pubout")
    return bool(public) and public in text and found == {f"DNS:{name}" for name in names}


def unit_state(reads: list[str]) -> dict[str, bool]:
    """Tell whether Apache runs, comes up at boot, and was last started or reloaded before something it reads changed."""
    names = "LoadState,ActiveState,UnitFileState,NeedDaemonReload,StateChangeTimestampMonotonic"
    state = dict(line.split("=", 1) for line in run("systemctl", "show", "--property", names, "apache2").splitlines())
    since = time.time() - time.monotonic() + int(state.get("StateChangeTimestampMonotonic") or 0) / 1e6
    changes = [Path(path).lstat().st_mtime for path in reads if Path(path).is_symlink() or Path(path).exists()]
    up = state.get("ActiveState") in {"active", "reloading"}
    return {
        "up": up and state.get("UnitFileState") == "enabled",
        "outdated": up and any(change > since for change in changes),
        "unread": up and state.get("NeedDaemonReload") == "yes",
    }


def main() -> None:
    """Read what is wanted, write what differs."""
    wanted: dict[str, Any] = json.load(sys.stdin)
    delivered = run("dpkg-query", "--show", "--showformat=${Conffiles}", "apache2")
    site = Path(DEFAULT_SITE)
    digest = hashlib.md5(site.read_bytes()).hexdigest() if site.is_file() else ""  # noqa: S324 (dpkg keeps MD5 sums)
    certificate = wanted["certificate"]
    paths = [item["path"] for item in wanted["files"]]
    answer = {
        "packages": packages_missing(wanted["packages"]),
        "package_lists": any(Path("/var/lib/apt/lists").glob("*_Packages*")),
        "cryptography": bool(run("/usr/bin/python3", "-c", "import cryptography; print(1)")),
        "files": [item["path"] for item in wanted["files"] if differs(Path(item["path"]), item["sha256"])],
        "links": [path for path in wanted["links"] if Path("/etc/apache2", path).is_symlink()],
        "certificate_holds": certificate_holds(certificate["path"], certificate["key"], certificate["names"]),
        "default_site_as_delivered": not digest or f" {DEFAULT_SITE} {digest}" in delivered,
        "unit": unit_state(
            [*paths, certificate["path"], certificate["key"], *(f"/etc/apache2/{link}" for link in wanted["links"])]
        ),
    }
    sys.stdout.write(json.dumps(answer))


main()
