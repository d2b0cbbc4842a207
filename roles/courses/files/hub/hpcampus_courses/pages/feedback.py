# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The pages in a feedback archive, found without unpacking it."""

import tarfile
from pathlib import Path, PurePosixPath

LONGEST_PAGE = 50 * 1024 * 1024
"""Bytes of the longest page that is shown; a longer one can be fetched with the whole archive in the notebook."""


class FeedbackError(ValueError):
    """The archive cannot be read, or has no such page; the text says it."""


def names(archive: Path) -> list[str]:
    """Names of the HTML pages in the archive, as paths relative to it.

    Raises:
        FeedbackError: it cannot be read.
    """
    try:
        with tarfile.open(archive) as tar:
            return sorted({member.name for member in tar if _is_page(member)})
    except (OSError, tarfile.TarError) as error:
        raise FeedbackError(f"The feedback cannot be read: {error}") from error


def page(archive: Path, name: str) -> bytes:
    """One of the pages.

    Args:
        archive: the archive.
        name: as :func:`names` gives it; it is compared, never taken for a path.

    Raises:
        FeedbackError: the archive cannot be read, has no such page, or the page is too long.
    """
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                if member.name == name and _is_page(member):
                    if member.size > LONGEST_PAGE:
                        raise FeedbackError("This page is too long to show. Fetch the feedback in the notebook.")
                    file = tar.extractfile(member)
                    return file.read() if file is not None else b""
    except (OSError, tarfile.TarError) as error:
        raise FeedbackError(f"The feedback cannot be read: {error}") from error
    raise FeedbackError("There is no such page in the feedback.")


def _is_page(member: tarfile.TarInfo) -> bool:
    return member.isreg() and PurePosixPath(member.name).suffix.lower() in {".html", ".htm"}
