# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The work of a course, as one archive: brought from the hub, and held against its manifest."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpcampus.catalogue import Step
from hpcampus.course_modules import course_module
from hpcampus.errors import UsageProblemError, VerifyFailedError
from hpcampus.files import PRIVATE_FILE
from hpcampus.texts import t

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hpcampus.apply import Installer, Options, StepReport


def archive_step() -> Step:
    """Describe the playbook as a step."""
    return Step(
        name="course_archive",
        title=t("work.title"),
        playbook="hpcampus.platform.course_archive",
        hosts=("hub",),
        description=t("work.description"),
    )


@contextmanager
def room_for(target: Path) -> Iterator[Path]:
    """Give a file in a new private directory beside the target, where an archive may come; whatever is left there goes.

    Raises:
        UsageProblemError: The target is there already, or its directory cannot be written.
    """
    if os.path.lexists(target):
        raise UsageProblemError("work-there", path=target)
    try:
        room = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.absolute().parent))
    except OSError as error:
        raise UsageProblemError("work-place", path=target.parent, problem=error.strerror) from error
    try:
        yield room / "archive.tar"
    finally:
        shutil.rmtree(room, ignore_errors=True)


def bring(installer: Installer, options: Options, slug: str, file: Path) -> StepReport:
    """Bring the archive of a course from the hub; how it went is the caller's to judge."""
    variables = {"course_slug": slug, "course_archive": str(file.absolute())}
    return installer.run_alone(archive_step(), replace(options, variables=variables))


def check_archive(collection: Path, file: Path, slug: str = "", shown: Path | None = None) -> dict[str, Any]:
    """Hold an archive against its manifest, and give that.

    Args:
        collection: Root of the collection.
        file: The archive.
        slug: Of the course that it must be of; "" for any.
        shown: How the file is called in errors, if not by its own path.

    Raises:
        VerifyFailedError: It is not whole.
        UsageProblemError: It cannot be read.
    """
    checker = course_module(collection, "archive/check")
    try:
        manifest: dict[str, Any] = checker.check(file)
    except checker.ArchiveError as error:
        raise VerifyFailedError("work-wrong", path=shown or file, problem=error) from error
    except OSError as error:
        raise UsageProblemError("work-unreadable", path=file, problem=error.strerror) from error
    if slug and manifest["slug"] != slug:
        raise VerifyFailedError("work-wrong", path=shown or file, problem=t("work.of-another", slug=manifest["slug"]))
    return manifest


def keep(file: Path, target: Path) -> None:
    """Give an archive its place in one move that survives a power cut, for its owner alone.

    Raises:
        UsageProblemError: Meanwhile there is something.
    """
    file.chmod(PRIVATE_FILE)
    with file.open("rb") as written:
        os.fsync(written.fileno())
    try:
        # Unlike a move, this never replaces what somebody has put there meanwhile.
        target.hardlink_to(file)
    except FileExistsError:
        raise UsageProblemError("work-there", path=target) from None
    except OSError:
        # A file system without second names, such as that of a memory stick.
        file.replace(target)
    directory = os.open(target.absolute().parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
