# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Run the notebook with which a course tests an image; inside that image, in a directory with the notebook and its data.

Usage: course_notebook.py NOTEBOOK SECONDS REPORT

Ends with 0 when every cell ran. Otherwise it ends with 1, and the file REPORT says which cell did not, and why. What cells put
out is not kept.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbclient
import nbformat
from jupyter_client.kernelspec import NoSuchKernel
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

if TYPE_CHECKING:
    from collections.abc import Sequence

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
RULE = re.compile(r"^-{70,}$", re.MULTILINE)
LINES_MAX = 12
LINE_MAX = 200


class UnfitError(Exception):
    """The notebook does not run here; the message says where and why."""


class _Client(nbclient.NotebookClient):
    """Runs cells and forgets what they put out, so that a gigabyte of it does no harm."""

    def output(self, outs: list[Any], msg: dict[str, Any], display_id: str, cell_index: int) -> None:
        """Drop an output."""


def run(notebook: Path, seconds: int) -> None:
    """Run all cells in turn, in the kernel that the notebook names.

    Args:
        notebook: Its directory is the one that it runs in.
        seconds: Limit for all cells together.

    Raises:
        UnfitError: One failed, took too long or ended the kernel; or there is no such kernel.
    """
    try:
        book = nbformat.read(notebook, as_version=4)
    except (ValueError, nbformat.ValidationError) as error:
        raise UnfitError(f"it cannot be read: {_tail(str(error))}") from None
    deadline = time.monotonic() + seconds
    client = _Client(book, resources={"metadata": {"path": str(notebook.parent)}})
    try:
        with client.setup_kernel():
            for index, cell in enumerate(book.cells):
                client.timeout = max(1, int(deadline - time.monotonic()))
                try:
                    client.execute_cell(cell, index)
                except CellTimeoutError:
                    raise UnfitError(f"{_place(cell, index)} was not done after {seconds} seconds in all") from None
                except DeadKernelError:
                    raise UnfitError(f"{_place(cell, index)} ended the kernel") from None
                except CellExecutionError as error:
                    raise UnfitError(f"{_place(cell, index)} raised {error.ename}:\n{_told(error)}") from None
    except NoSuchKernel as error:
        raise UnfitError(f"it asks for the kernel {error.name!r}, which this image does not have") from None


def _place(cell: Any, index: int) -> str:
    begins = cell.source.strip().splitlines()[0][:60]
    return f"cell {index + 1}, which begins with {begins!r},"


def _told(error: CellExecutionError) -> str:
    """Give the end of what a kernel says of an exception; the cell itself, which stands above a rule, is left out."""
    return _tail(RULE.split(COLOURS.sub("", error.traceback))[-1])


def _tail(text: str) -> str:
    """Give the last lines of a text, as plain ones of a bearable length."""
    lines = [line.rstrip() for line in COLOURS.sub("", text).splitlines() if line.strip()]
    return "\n".join(line[:LINE_MAX] for line in lines[-LINES_MAX:])


def main(arguments: Sequence[str]) -> int:
    """Run the notebook; gives the exit status."""
    notebook, seconds, report = arguments
    try:
        run(Path(notebook).resolve(), int(seconds))
    except UnfitError as error:
        Path(report).write_text(f"{error}\n", encoding="utf-8")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
