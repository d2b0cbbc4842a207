# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A course to give on: its released assignments as students got them, with a licence and the packages that they need.

Sources never come to the exchange, so they cannot be in it. All the same every file is searched for what students must not get:
somebody may have released a notebook that was not made by "Generate".
"""

import io
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .licences import licence_text
from .settings import Course
from .store.releases import Release
from .store.requirements import Requirements

PIECE = 1024 * 1024

_SECRETS = {
    b"BEGIN HIDDEN TESTS": "a hidden test",
    b"BEGIN SOLUTION": "a solution",
    b"BEGIN MARK SCHEME": "a mark scheme",
}
_LONGEST_SECRET = max(map(len, _SECRETS))


class SecretError(ValueError):
    """An assignment is not fit to be given on; the text says which file, and why."""


@dataclass(frozen=True)
class Assignment:
    """A released assignment; ``archive`` is the tar that students get."""

    release: Release
    needed: Requirements | None
    archive: Path

    @property
    def name(self) -> str:
        """Its name, and that of its directory."""
        return self.release.assignment


def examine(assignments: Sequence[Assignment]) -> None:
    """Search all files for what students must not get.

    Raises:
        SecretError: there is some, or a file that could leave its directory.
        OSError: a file cannot be read.
    """
    for assignment in assignments:
        try:
            with tarfile.open(assignment.archive, "r:") as archive:
                for entry in _entries(archive):
                    _examine(assignment.name, archive, entry)
        except tarfile.TarError as error:
            raise SecretError(f"{assignment.name} is no tar ({error}). Release the assignment again.") from error


def _examine(assignment: str, archive: tarfile.TarFile, entry: tarfile.TarInfo) -> None:
    where, path = f"{assignment}/{entry.name}", PurePosixPath(entry.name)
    if path.is_absolute() or ".." in path.parts or not (entry.isreg() or entry.isdir()):
        raise SecretError(f"{where} is no plain file within the assignment. Release the assignment again.")
    if (found := _secret(archive, entry)) is not None:
        raise SecretError(
            f'{where} has {found}. Generate the assignment again in the formgrader ("Generate"), release it, and look at what'
            " students got."
        )


def pieces_of(course: Course, assignments: Sequence[Assignment]) -> Iterator[bytes]:
    """The copy as a zip file, in pieces; :func:`examine` comes before.

    Raises:
        OSError: a file cannot be read.
    """
    written = _Written()
    top = course.slug
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as target:
        for name, text in documents(course, assignments).items():
            target.writestr(f"{top}/{name}", text)
        for assignment in assignments:
            with tarfile.open(assignment.archive, "r:") as archive:
                for entry in _entries(archive):
                    file = archive.extractfile(entry)
                    if file is None:
                        continue
                    about = zipfile.ZipInfo(
                        f"{top}/{assignment.name}/{PurePosixPath(entry.name)}", assignment.release.time.timetuple()[:6]
                    )
                    about.compress_type, about.external_attr = zipfile.ZIP_DEFLATED, 0o100644 << 16
                    with target.open(about, "w", force_zip64=True) as copy:
                        while piece := file.read(PIECE):
                            copy.write(piece)
                            yield from written.taken()
    yield from written.taken(0)


def documents(course: Course, assignments: Sequence[Assignment]) -> dict[str, str]:
    """Texts of the files that stand beside the assignments, by their names."""
    people = ", ".join(sorted(course.instructors)) or "its instructors"
    return {
        "README.md": _readme(course, assignments),
        "LICENSE": licence_text(course.licence, course.title, people),
        "requirements.txt": requirements_text(assignments),
    }


def requirements_text(assignments: Sequence[Assignment]) -> str:
    """The packages of all assignments as pip takes them, those of the assignment that was released last where two differ."""
    lines, packages = [], dict[str, dict[str, list[str]]]()
    pythons = dict[str, None]()
    for one in sorted(assignments, key=lambda one: one.release.time, reverse=True):
        if one.needed is None:
            lines.append(f"# It is not known what {one.name} needs.")
            continue
        pythons[one.needed.python] = None
        lines += [f"# {one.name} imports {module}, which came from no package." for module in one.needed.missing]
        for name, version in one.needed.packages.items():
            packages.setdefault(name, {}).setdefault(version, []).append(one.name)
    for name, versions in sorted(packages.items(), key=lambda one: one[0].lower()):
        (newest, users), *others = versions.items()
        lines += [f"# {', '.join(older)}: made with {name} {version}" for version, older in others]
        lines.append(f"{name}=={newest}  # {', '.join(users)}")
    head = [f"# Made with Python {', '.join(pythons)}."] if pythons else []
    return "\n".join([*head, *lines]) + "\n"


def _readme(course: Course, assignments: Sequence[Assignment]) -> str:
    listed = "\n".join(f"- `{one.name}`: {', '.join(one.release.notebooks) or 'no notebook'}" for one in assignments)
    return f"""# {course.title}

The assignments of this course as students got them: without solutions, and without tests that are not shown to them.

{listed or "Nothing has been released."}

To open them:

```
python3 -m venv .venv
.venv/bin/pip install jupyterlab -r requirements.txt
.venv/bin/jupyter lab
```

`requirements.txt` has the packages that the notebooks import, in the versions they were made with.
`LICENSE` says what you may do with it all.
"""


def _entries(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (entry := archive.next()) is not None:
        # tarfile keeps every header that it has read; only the one at hand is needed.
        archive.members = []  # type: ignore[attr-defined]
        yield entry


def _secret(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> str | None:
    """What of the secrets is in a file."""
    file, before = archive.extractfile(entry), b""
    while file is not None and (piece := file.read(PIECE)):
        text = before + piece
        for mark, name in _SECRETS.items():
            if mark in text:
                return name
        before = text[-_LONGEST_SECRET:]
    return None


class _Written(io.RawIOBase):
    """Takes what is written until somebody takes it away; cannot seek, so what is gone need not be changed."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._waiting += data
        return len(data)

    def taken(self, least: int = PIECE) -> Iterator[bytes]:
        """What has been written, if it is more than this many bytes."""
        if len(self._waiting) > least:
            yield bytes(self._waiting)
            self._waiting.clear()
