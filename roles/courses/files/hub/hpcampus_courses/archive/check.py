# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Holds an archive of a course against its own manifest. Needs nothing but Python, so it stands alone."""

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
FORMAT = 1
_MANIFEST_MAX = 1 << 30
_PIECE = 1024 * 1024


class ArchiveError(ValueError):
    """An archive is not whole, or is none; the text says what is wrong with it."""


def check(path: Path) -> dict[str, Any]:
    """Check that every file of the manifest is there, unchanged, and that there is no other.

    Returns:
        The manifest. Its ``missing`` names what the hub had lost before the archive was made.

    Raises:
        ArchiveError: It is not so.
        OSError: It cannot be read.
    """
    try:
        with tarfile.open(path, "r:") as archive:
            return _checked(archive)
    except tarfile.TarError as error:
        raise ArchiveError(f"It is no tar, or only the beginning of one: {error}") from error


def _checked(archive: tarfile.TarFile) -> dict[str, Any]:
    manifest = _manifest(archive, archive.next())
    left = {one["path"]: one for one in manifest["files"]}
    while (entry := archive.next()) is not None:
        # tarfile keeps every header that it has read; only the one at hand is needed.
        archive.members = []  # type: ignore[attr-defined]
        wanted = left.pop(entry.name, None)
        if wanted is None:
            raise ArchiveError(f"{entry.name} is not in its manifest, or is there twice.")
        if (_digest(archive, entry), entry.size) != (wanted["sha256"], wanted["size"]):
            raise ArchiveError(f"{entry.name} is not what the manifest says: it was changed or damaged.")
    if left:
        raise ArchiveError(f"{len(left)} files of the manifest are missing, such as {next(iter(left))}.")
    return manifest


def _manifest(archive: tarfile.TarFile, entry: tarfile.TarInfo | None) -> dict[str, Any]:
    file = archive.extractfile(entry) if entry is not None and entry.isreg() and entry.name == MANIFEST else None
    if file is None or entry is None or entry.size > _MANIFEST_MAX:
        raise ArchiveError(f"It does not begin with {MANIFEST}.")
    try:
        found = json.loads(file.read())
    except ValueError as error:
        raise ArchiveError(f"Its {MANIFEST} is not JSON: {error}") from error
    if isinstance(found, dict) and found.get("format", FORMAT) != FORMAT:
        raise ArchiveError(f"Its format is {found['format']}, and this program knows {FORMAT}.")
    if not _is_manifest(found):
        raise ArchiveError(f"Its {MANIFEST} is not that of a course.")
    return dict(found)


def _is_manifest(found: Any) -> bool:
    try:
        kinds = {(type(one["path"]), type(one["size"]), type(one["sha256"])) for one in found["files"]}
        return kinds <= {(str, int, str)} and isinstance(found["missing"], list) and "slug" in found
    except (KeyError, TypeError):
        return False


def _digest(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> str:
    file = archive.extractfile(entry) if entry.isreg() else None
    if file is None:
        raise ArchiveError(f"{entry.name} is no plain file.")
    digest, left = hashlib.sha256(), entry.size
    while piece := file.read(_PIECE):
        digest.update(piece)
        left -= len(piece)
    return digest.hexdigest() if not left else ""
