# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The notebook of a course that has to run in an image before jobs get it: where it lies, what goes with it, which image it is for.

It lies with the inventory, so that it needs no network and the administrator has seen it. Ansible reads every file of an inventory's
directory as hosts, and those below ``group_vars`` as variables, but passes by directories whose name begins with a dot.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import pathlib
import typing as t
import zipfile

from .course_material import INSIDE
from .findings import Record, problem

ENDING = ".ipynb"
FILES_MAX = 200
MB_MAX = 5
FORMAT_MIN = 4
FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip file can hold: an archive depends on nothing but names and contents."""


class UnfitTestError(ValueError):
    """A test cannot be used.

    Attributes:
        what: What is wrong.
        cure: What to do about it.
    """

    def __init__(self, what: str, cure: str) -> None:
        super().__init__(f"{what}. {cure}.")
        self.what = what
        self.cure = cure


def image_of(course: Record, profiles: t.Sequence[Record]) -> str:
    """Give the image in which servers of a course start unless somebody chooses another one, as the hub finds it.

    Args:
        course: The record.
        profiles: ``site_profiles``, in the order of the menu; one at least.
    """
    allowed = [one for one in profiles if not course.get("profiles") or one["name"] in course["profiles"]]
    usual = [one for one in allowed if one["name"] == course.get("profile")] or allowed or list(profiles)
    return str(course.get("image") or usual[0]["image"])


def image_test_problems(where: str, record: Record, inventory: str | None) -> t.Iterator[str]:
    """Check the test that a record names.

    Args:
        where: The record, as messages call it.
        record: Of the course.
        inventory: Directory of the inventory; None leaves files out of the question.
    """
    path = str(record.get("image_test") or "")
    if not path:
        return
    try:
        _require_place(path)
        if inventory is not None:
            check_notebook(notebook_of(inventory, path))
    except UnfitTestError as error:
        yield problem(f"{where}.image_test", path, error.what, error.cure)


def _require_place(path: str) -> None:
    if not INSIDE.fullmatch(path):
        raise UnfitTestError("this does not lie inside the inventory", "Write its path from there, without '..'")
    *directories, name = path.split("/")
    if not name.endswith(ENDING) or name.startswith("."):
        raise UnfitTestError("this is no notebook", f"Name a file such as test{ENDING}")
    if not any(directory.startswith(".") for directory in directories):
        raise UnfitTestError(
            "Ansible would take what lies there for hosts or variables",
            f"Put it below a directory whose name begins with a dot, such as .tests/physics101/test{ENDING}",
        )


def notebook_of(inventory: str, path: str) -> pathlib.Path:
    """Give the file of a test.

    Args:
        inventory: Directory of the inventory.
        path: As the record has it.

    Raises:
        UnfitTestError: It is not there, or a link leads out of the inventory.
    """
    _require_place(path)
    root = pathlib.Path(inventory).resolve()
    found = root / path
    if not found.is_file():
        raise UnfitTestError(f"there is no file {found} on the controller", "Put it there, or correct the path")
    if not found.resolve().is_relative_to(root):
        raise UnfitTestError("a link leads out of the inventory", "Put a copy in its place")
    return found


def check_notebook(notebook: pathlib.Path) -> None:
    """Look at a test as a whole: its notebook can be run, and what goes with it is not too much.

    Raises:
        UnfitTestError: It is not so.
    """
    try:
        book = json.loads(files_of(notebook)[notebook.name])
    except ValueError as error:
        if isinstance(error, UnfitTestError):
            raise
        book = None
    if not isinstance(book, dict) or not isinstance(book.get("nbformat"), int):
        raise UnfitTestError(f"{notebook.name} is not what Jupyter calls a notebook", "Save it with JupyterLab")
    if book["nbformat"] < FORMAT_MIN:
        raise UnfitTestError("the notebook is of an old format", "Open it in JupyterLab and save it again")
    cells = book.get("cells")
    kinds = [cell.get("cell_type") for cell in cells if isinstance(cell, dict)] if isinstance(cells, list) else []
    if "code" not in kinds:
        raise UnfitTestError("the notebook has no cell with code", "Add one that fails when the image is unfit")


def files_of(notebook: pathlib.Path) -> dict[str, bytes]:
    """Read a notebook and what lies beside it, hidden files left out.

    Returns:
        Contents by path, relative to the directory of the notebook, sorted.

    Raises:
        UnfitTestError: A link is among them, a file cannot be read, or they are too many or too large.
    """
    found: dict[str, bytes] = {}
    left = MB_MAX * 1_000_000
    try:
        for path in _walk(notebook.parent):
            # No more is read than may go with a test.
            with path.open("rb") as file:
                content = file.read(left + 1)
            left -= len(content)
            found[str(path.relative_to(notebook.parent))] = content
            if left < 0 or len(found) > FILES_MAX:
                raise UnfitTestError(
                    f"{notebook.parent} holds more than {FILES_MAX} files or {MB_MAX} MB, and all of it goes with the test",
                    "Give the test a directory of its own, with the data that it needs",
                )
    except OSError as error:
        raise UnfitTestError(f"{error.filename} cannot be read: {error.strerror}", "Make it readable") from error
    return dict(sorted(found.items()))


def _walk(top: pathlib.Path) -> t.Iterator[pathlib.Path]:
    for entry in sorted(os.scandir(top), key=lambda entry: entry.name):
        if entry.name.startswith(".") or entry.name == "__pycache__":
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(pathlib.Path(entry.path))
        elif entry.is_file(follow_symlinks=False):
            yield pathlib.Path(entry.path)
        else:
            raise UnfitTestError(f"{entry.path} is a link, or no file at all", "Put a copy in its place")


def digest_of(notebook: pathlib.Path) -> str:
    """Give sixteen digits that change with the notebook's name and with any file that goes with it.

    Raises:
        UnfitTestError: They cannot be read.
    """
    listed = [(name, hashlib.sha256(content).hexdigest()) for name, content in files_of(notebook).items()]
    return hashlib.sha256(json.dumps([notebook.name, listed]).encode()).hexdigest()[:16]


def archive_of(notebook: pathlib.Path) -> bytes:
    """Pack a notebook and what goes with it as a zip file, which is the same for the same files.

    Raises:
        UnfitTestError: They cannot be read.
    """
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files_of(notebook).items():
            archive.writestr(zipfile.ZipInfo(name, FIRST_DAY), content, zipfile.ZIP_DEFLATED)
    return file.getvalue()
