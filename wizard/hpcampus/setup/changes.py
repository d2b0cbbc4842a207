# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What writing the inventory would change on disk, as text."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from hpcampus.yaml_files import dump_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hpcampus.inventory_files import Documents
    from hpcampus.places import Site


def differences(site: Site, documents: Documents) -> list[str]:
    found = []
    for path, new in (
        (site.main_file, dump_document(documents.main)),
        (site.hosts_file, dump_document(documents.hosts)),
        (site.known_hosts, documents.known_hosts),
    ):
        old = path.read_text() if path.exists() else ""
        found += list(difflib.unified_diff(old.splitlines(), new.splitlines(), str(path), str(path), lineterm="", n=1))
    return found


def describe(found: Sequence[str]) -> str:
    return "\n".join(found)
