# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Speak to the web server of this host as a browser would. Arguments: server name, certificate, port of jobs. Writes JSON."""

import http.client
import json
import re
import socket
import ssl
import subprocess
import sys
import warnings
from typing import Any


def context(certificate: str, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """A client that checks name and certificate; with a version, one that speaks no other."""
    result = ssl.create_default_context()
    result.load_verify_locations(certificate)
    result.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if version is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            result.set_ciphers("ALL:@SECLEVEL=0")
            result.minimum_version = result.maximum_version = version
    return result


def handshake(name: str, client: ssl.SSLContext) -> str:
    """Version of TLS that was agreed on, or why none was."""
    try:
        with (
            socket.create_connection(("127.0.0.1", 443), timeout=10) as plain,
            client.wrap_socket(plain, server_hostname=name) as secure,
        ):
            return str(secure.version())
    except OSError as error:
        return f"{type(error).__name__}: {error}"


def get(name: str, client: ssl.SSLContext | None) -> dict[str, Any]:
    """Status and headers of the front page."""
    connection = http.client.HTTPConnection("127.0.0.1", 80, timeout=30)
    if client is not None:
        connection = http.client.HTTPConnection("127.0.0.1", 443, timeout=30)
        connection.sock = client.wrap_socket(
            socket.create_connection(("127.0.0.1", 443), timeout=30), server_hostname=name
        )
    connection.request("GET", "/hub/health", headers={"Host": name})
    answer = connection.getresponse()
    return {"status": answer.status, "headers": {key.lower(): value for key, value in answer.getheaders()}}


PLACES = ("/hub/health", "/services/courses/api/v1/health", "/", "/user/x/", "/hub/%2e%2e/user/x/")


def job(port: int, path: str) -> int:
    """Status that a job gets; 0 without an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0


def main() -> None:
    """Write what the server answered."""
    name, certificate, port = sys.argv[1:]
    client = context(certificate)
    old = {
        f"TLSv1.{minor}": context(certificate, version)
        for minor, version in enumerate(
            (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
        )
    }
    english = {"LC_ALL": "C", "PATH": "/usr/bin"}
    analyse = ["systemd-analyze", "security", "--no-pager", "apache2.service"]
    analysis = subprocess.run(analyse, capture_output=True, text=True, check=False, env=english).stdout
    exposure = re.search(r"exposure level for \S+: ([0-9.]+)", analysis)
    answer = {
        "tls": {version: handshake(name, one) for version, one in old.items()},
        "https": get(name, client) if handshake(name, client).startswith("TLS") else {"status": 0, "headers": {}},
        "http": get(name, None),
        "api": {path: job(int(port), path) for path in PLACES},
        "exposure": float(exposure[1]) if exposure else 10.0,
    }
    sys.stdout.write(json.dumps(answer))


main()
