# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Files on the controller that an inventory names."""

from __future__ import annotations

import pathlib
import typing as t

from .findings import Record, problem, records


def is_file(path: str) -> bool:
    """Tell whether a file is there; the text of a certificate in place of its path is too long for a question."""
    try:
        return pathlib.Path(path).is_file()
    except OSError:
        return False


def file_problems(site: Record) -> t.Iterator[str]:
    """Check that the files an inventory names are on the controller."""
    for index, path in enumerate(site["site_ca_certificates"]):
        if not is_file(path):
            yield problem(
                f"site_ca_certificates[{index}]",
                path,
                "there is no such file on the controller",
                "Give the path of a PEM file",
            )
    for where, record in records(site, "site_images"):
        if record.get("lock") and not is_file(record["lock"]):
            yield problem(
                f"{where}.lock",
                record["lock"],
                "there is no such file on the controller",
                "Give the path of a pip lock file with hashes",
            )
