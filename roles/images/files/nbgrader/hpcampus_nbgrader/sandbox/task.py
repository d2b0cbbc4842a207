# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a sandbox is given: an archive with ``task.json`` first, then the submission's files below ``files/``.

``task.json`` is an object with ``limits`` (the fields of :class:`Limits`), ``isolate`` (whether tests run in a process of their own)
and ``notebooks``, a list of objects with ``name``, ``language``, ``kernel`` and ``cells``; a cell has ``source``, ``test`` and
``quiet``, see :class:`Cell`.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import IO, Any

TASK_NAME = "task.json"
FILES_PREFIX = "files/"
TASK_MAX_BYTES = 64 * 1024 * 1024


class TaskError(Exception):
    """The archive is not what a sandbox is given; the message says why."""


@dataclass(frozen=True)
class Limits:
    """What a submission may use.

    Attributes:
        cell_seconds: of one cell; then it is interrupted, and the process is killed when it does not care.
        total_seconds: of all cells together.
        memory_mb: that the process may allocate.
        processes: and threads, all together.
        file_mb: size of a file.
        output_kb: of one output.
        result_kb: of all outputs together.
        processes_before: processes that the account has on the node already; they count where a user is counted for the whole host.
    """

    cell_seconds: float = 30.0
    total_seconds: float = 240.0
    memory_mb: int = 1024
    processes: int = 128
    file_mb: int = 64
    output_kb: int = 512
    result_kb: int = 4096
    processes_before: int = 0

    @classmethod
    def from_json(cls, value: object) -> Limits:
        """Read limits; what is missing has its default.

        Raises:
            TaskError: a field is unknown or no positive number.
        """
        if not isinstance(value, dict):
            raise TaskError("limits: expected an object")
        known = {one.name: one.type for one in fields(cls)}
        for name, number in value.items():
            if name not in known:
                raise TaskError(f"limits: unknown field {name!r}")
            if type(number) not in (int, float) or not 0 <= number < 10**9:
                raise TaskError(f"limits.{name}: expected a number that is not negative")
        given: dict[str, Any] = {name: float(n) if known[name] == "float" else int(n) for name, n in value.items()}
        return cls(**given)

    def to_json(self) -> dict[str, float]:
        """The limits as an object."""
        return asdict(self)


@dataclass(frozen=True)
class Cell:
    """One code cell: its text, whether it is a test of the course's, and whether it leaves no trace in the numbers of cells."""

    source: str
    test: bool = False
    quiet: bool = False


@dataclass(frozen=True)
class Notebook:
    """The code cells of one notebook, in order; ``kernel`` is the name of its kernel."""

    name: str
    cells: tuple[Cell, ...]
    language: str = "python"
    kernel: str = "python3"


@dataclass(frozen=True)
class Task:
    """What to run, and what it may use."""

    notebooks: tuple[Notebook, ...]
    limits: Limits = field(default_factory=Limits)
    isolate: bool = False

    def to_json(self) -> dict[str, Any]:
        """The task as ``task.json`` holds it."""
        return {
            "notebooks": [asdict(one) for one in self.notebooks],
            "limits": self.limits.to_json(),
            "isolate": self.isolate,
        }

    @classmethod
    def from_json(cls, value: object) -> Task:
        """Read ``task.json``.

        Raises:
            TaskError: it is not of the form that the module's text describes.
        """
        try:
            assert isinstance(value, dict)  # noqa: S101 (told as a TaskError like every other difference)
            notebooks = tuple(
                Notebook(
                    str(one["name"]),
                    tuple(Cell(str(cell["source"]), bool(cell["test"]), bool(cell["quiet"])) for cell in one["cells"]),
                    str(one["language"]),
                    str(one["kernel"]),
                )
                for one in value["notebooks"]
            )
            return cls(notebooks, Limits.from_json(value["limits"]), bool(value["isolate"]))
        except (AssertionError, KeyError, TypeError) as error:
            raise TaskError(f"{TASK_NAME}: {type(error).__name__}: {error}") from None


def write_task(sink: IO[bytes], task: Task, files: dict[str, bytes | str]) -> None:
    """Write the archive; the same task and files give the same bytes.

    Args:
        sink: where to.
        task: what to run.
        files: by their names in the working directory, the content, or the path of a file that holds it.
    """
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.PAX_FORMAT) as archive:
        _add(archive, TASK_NAME, json.dumps(task.to_json(), sort_keys=True).encode())
        for name, content in sorted(files.items()):
            if isinstance(content, str):
                with Path(content).open("rb") as stream:
                    info = tarfile.TarInfo(FILES_PREFIX + name)
                    info.size, info.mode = os.fstat(stream.fileno()).st_size, 0o644
                    archive.addfile(info, stream)
            else:
                _add(archive, FILES_PREFIX + name, content)


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), 0o644
    archive.addfile(info, io.BytesIO(content))


def read_task(source: IO[bytes], directory: str) -> Task:
    """Read the archive from a stream; the files go into a directory, the notebooks stay in memory.

    Raises:
        TaskError: it is no such archive, or the files do not fit.
    """
    try:
        with tarfile.open(fileobj=source, mode="r|") as archive:
            first = archive.next()
            if first is None or first.name != TASK_NAME or not first.isreg() or first.size > TASK_MAX_BYTES:
                raise TaskError(f"the archive does not begin with {TASK_NAME}")
            stream = archive.extractfile(first)
            task = Task.from_json(json.loads(stream.read() if stream is not None else b""))
            while (member := archive.next()) is not None:
                _extract(archive, member, directory)
            return task
    except (tarfile.TarError, ValueError, EOFError, RecursionError) as error:
        raise TaskError(f"the archive cannot be read: {error}") from None
    except OSError as error:
        raise TaskError(f"the files of the submission cannot be put into the sandbox: {error.strerror}") from None


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo, directory: str) -> None:
    """Extract a plain file; nothing else is ever put into such an archive."""
    parts = member.name.removeprefix(FILES_PREFIX).split("/")
    if not member.isreg() or not member.name.startswith(FILES_PREFIX) or {"", ".", ".."} & set(parts):
        raise TaskError(f"{member.name[:100]!r} is not a plain file below {FILES_PREFIX}")
    path = Path(directory, *parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    stream = archive.extractfile(member)
    with path.open("wb") as sink:
        while stream is not None and (data := stream.read(1 << 20)):
            sink.write(data)
