# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A provided TLS certificate and its key, files on the controller."""

from __future__ import annotations

import datetime as dt
import pathlib
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from .findings import problem

CERTIFICATE = "apache_certificate_file"
KEY = "apache_certificate_key_file"


def certificate_problems(
    certificate: str, key: str, server_name: str, now: dt.datetime | None = None, aliases: t.Sequence[str] = ()
) -> list[str]:
    """Check a provided TLS certificate against its key, its names and the date.

    Args:
        certificate: Path of the PEM file with the server's certificate first.
        key: Path of the PEM file with the private key.
        server_name: DNS name that students type.
        now: The time to check against; the present when not given.
        aliases: Further names of the server.

    Returns:
        One message for each problem; empty when all is well.
    """
    for variable, path in ((CERTIFICATE, certificate), (KEY, key)):
        if not pathlib.Path(path).is_file():
            return [problem(variable, path, "there is no such file on the controller", "Give the path of a PEM file")]
    try:
        found = x509.load_pem_x509_certificate(pathlib.Path(certificate).read_bytes())
    except ValueError:
        return [
            problem(
                CERTIFICATE,
                certificate,
                "this is not a PEM certificate",
                "Export it as PEM, the server's certificate first",
            )
        ]
    try:
        private = load_pem_private_key(pathlib.Path(key).read_bytes(), password=None)
    except (ValueError, TypeError):
        return [
            problem(KEY, key, "this is not an unencrypted PEM key", "Export it as PEM without a passphrase"),
        ]
    problems = []
    if _public(found) != _public(private):
        problems.append(
            problem(
                KEY,
                key,
                f"it does not belong to the certificate {certificate}",
                "Give the key that the certificate was requested with",
            )
        )
    if (now or dt.datetime.now(dt.UTC)) > found.not_valid_after_utc:
        problems.append(
            problem(CERTIFICATE, certificate, f"it expired on {found.not_valid_after_utc:%Y-%m-%d}", "Renew it")
        )
    names = _names(found)
    missing = [
        name for name in (server_name, *aliases) if name not in names and "*." + name.partition(".")[2] not in names
    ]
    if missing:
        problems.append(
            problem(
                CERTIFICATE,
                certificate,
                f"it is for {', '.join(names) or 'no name'}, not for {', '.join(missing)}",
                "Request one for every name of the server",
            )
        )
    return problems


def _public(holder: t.Any) -> bytes:
    """Return the public key of a certificate or of a private key, as bytes that can be compared."""
    return t.cast("bytes", holder.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _names(certificate: x509.Certificate) -> list[str]:
    """Return the DNS names that a certificate is for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return found.value.get_values_for_type(x509.DNSName)
