# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Images, and where the program that runs them comes from."""

from __future__ import annotations

import re
import typing as t

from .findings import SLUG, SLUG_WORDS, Record, line, matches, records, unique

PACKAGE = re.compile(r"[a-z0-9][a-z0-9.+-]+")
DEB_URL = re.compile(r"https://[^ ]+\.deb")
DEB_CHECKSUM = re.compile(r"sha256:[0-9a-f]{64}")


def image_problems(site: Record) -> t.Iterator[str]:
    """Check the images."""
    yield from unique(site, "site_images", "name")
    for where, record in records(site, "site_images"):
        yield from matches(f"{where}.name", record["name"], SLUG, SLUG_WORDS)
        if record.get("label") is not None:
            yield from line(f"{where}.label", record["label"])
        for name in record.get("apt_packages", []):
            yield from matches(f"{where}.apt_packages", name, PACKAGE, "the name of a Debian package")


def apptainer_problems(variables: Record) -> t.Iterator[str]:
    """Check where Apptainer comes from when it is a package file."""
    if variables.get("apptainer_source") == "deb":
        yield from matches(
            "apptainer_deb_url", variables.get("apptainer_deb_url", ""), DEB_URL, "the https address of a .deb file"
        )
        yield from matches(
            "apptainer_deb_checksum",
            variables.get("apptainer_deb_checksum", ""),
            DEB_CHECKSUM,
            "its checksum as 'sha256:' and 64 hexadecimal digits",
        )
