# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Files that a reader sees all of or none of."""

import os
import secrets
from pathlib import Path


def write_whole(path: Path, text: str, *, lasting: bool = False, mode: int = 0o600) -> None:
    """Write a file in the place of an earlier one.

    Args:
        path: the file.
        text: all of it.
        lasting: wait until it would survive a loss of power.
        mode: who may read and write it.

    Raises:
        OSError: it cannot be written; the earlier file is still there.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            os.fchmod(descriptor, mode)
            stream.write(text)
            if lasting:
                stream.flush()
                os.fsync(descriptor)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    if lasting:
        _sync_directory(path.parent)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
