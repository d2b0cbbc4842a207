# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The certificate that a person gave: the collection's own check of it, and what it says."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING

from hpcampus.collection_checks import load_checks
from hpcampus.places import find_collection
from hpcampus.probes.amounts import days
from hpcampus.probes.finding import Finding, Level, Line, note, ok, one_line

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

NAME = "certificate"
SECONDS = 15.0
SOON_DAYS = 30
PEM_CERTIFICATE = re.compile(rb"-----BEGIN (?:X509 )?CERTIFICATE-----")


def look(certificate: str, key: str, hub_name: str) -> Finding:
    """Look at a certificate and its key.

    Args:
        certificate: Path of the certificates, the server's own first.
        key: Path of its key.
        hub_name: The name that it must be for.

    Raises:
        OSError: A file cannot be read.
        CollectionError: The collection is missing.
    """
    problems = load_checks(find_collection()).certificate_problems(certificate, key, hub_name)
    lines = [Line(Level.PROBLEM, one_line(text)) for text in problems]
    return Finding(NAME, (*lines, *_said(certificate)))


def _said(certificate: str) -> list[Line]:
    from cryptography import x509  # noqa: PLC0415 -- for certificates only

    data = Path(certificate).read_bytes() if Path(certificate).is_file() else b""
    try:
        found = x509.load_pem_x509_certificate(data)
    except ValueError:
        # The check above has said so.
        return []
    left = (found.not_valid_after_utc - dt.datetime.now(dt.UTC)).days
    issuer = found.issuer.rfc4514_string()
    lines = [ok("certificate.read", names=", ".join(_names(found)), issuer=issuer)]
    if left >= 0:
        make = note if left < SOON_DAYS else ok
        lines.append(make("certificate.left", date=f"{found.not_valid_after_utc:%Y-%m-%d}", left=days(left)))
    if found.issuer == found.subject:
        lines.append(note("certificate.self-signed"))
    elif len(PEM_CERTIFICATE.findall(data)) == 1:
        lines.append(note("certificate.alone"))
    return lines


def _names(found: Certificate) -> list[str]:
    from cryptography import x509  # noqa: PLC0415

    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    return names.get_values_for_type(x509.DNSName)
