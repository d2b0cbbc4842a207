# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Files on the controller that an inventory names."""

from __future__ import annotations

import pathlib
import typing as t

from .findings import Record, problem, records


def file_problems(site: Record) -> t.Iterator[str]:
    """Check that the files an inventory names are on the controller."""
    for index, path in enumerate(site["site_ca_certificates"]):
        if not pathlib.Path(path).is_file():
            yield problem(
                f"site_ca_certificates[{index}]",
                path,
                "there is no such file on the controller",
                "Give the path of a PEM file",
            )
    for where, record in records(site, "site_images"):
        if record.get("lock") and not pathlib.Path(record["lock"]).is_file():
            yield problem(
                f"{where}.lock",
                record["lock"],
                "there is no such file on the controller",
                "Give the path of a pip lock file with hashes",
            )
