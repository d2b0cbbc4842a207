# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Small tars for tests."""

import io
import tarfile


def tar_of(**files: str | bytes) -> bytes:
    """A tar of plain files by their names."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return written.getvalue()


def files_of(tar: bytes) -> dict[str, bytes]:
    """The files of a tar by their names, in its order."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(tar), mode="r:") as archive:
        for entry in archive:
            file = archive.extractfile(entry)
            assert file is not None, entry
            assert entry.name not in found
            found[entry.name] = file.read()
    return found
