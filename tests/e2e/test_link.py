# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A course's link in a browser: it logs in, starts the notebook, brings the repository, opens the file, and keeps a student's work."""

from __future__ import annotations

import asyncio
import re
import secrets
from typing import TYPE_CHECKING

import nbformat
import pytest
from playwright.sync_api import expect

from hpcampus_courses.links import course_link
from tests.e2e.conftest import COMPUTE, SCREENS
from tests.e2e.teaching import COURSE
from tests.e2e.test_browser import new_page
from tests.unit.hub.git_server import GitServer, git

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.e2e.conftest import Platform

STUDENT = "student3"
FILE = "week1/start.ipynb"
LINES = "".join(f"{number}\n" for number in range(40))

# What the student does between two clicks: an answer in the notebook, a line in a text, and a file that .gitignore names.
WORK = """
import nbformat, pathlib
copy = pathlib.Path.home() / {copy!r}
book = nbformat.read(copy / "week1/start.ipynb", 4)
book.cells[1].source = "answer = 42"
nbformat.write(book, copy / "week1/start.ipynb")
(copy / "notes.txt").write_text((copy / "notes.txt").read_text() + "my own line\\n")
(copy / "results.csv").write_text("my own results\\n")
print("done")
"""
# What of it is there: cells, the text, and the file by whatever name.
SEEN = """
import json, nbformat, pathlib
copy = pathlib.Path.home() / {copy!r}
book = nbformat.read(copy / "week1/start.ipynb", 4)
nbformat.validate(book)
print(json.dumps([
    [cell.source for cell in book.cells],
    (copy / "notes.txt").read_text(),
    {{path.name: path.read_text() for path in copy.glob("results*.csv")}},
]))
"""


def notebook(title: str) -> bytes:
    """The exercise: what it says, and a cell for the answer."""
    cells = [
        nbformat.v4.new_markdown_cell(f"# {title}", id="title"),
        nbformat.v4.new_code_cell("# your answer", id="answer"),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return str(nbformat.writes(nbformat.v4.new_notebook(cells=cells, metadata=kernel))).encode()


@pytest.fixture
def server(platform: Platform, tmp_path: Path) -> Iterator[GitServer]:
    """A git server beside the demo's hosts, where jobs reach it."""
    beside = platform.on(COMPUTE[0], "ip", "route", "show", "default").split()[2]
    server = GitServer(tmp_path / "git", beside)
    yield server
    server.close()


def open_link(platform: Platform, link: str, copy: str, title: str, picture: str = "") -> None:
    """Follow a link in a browser that has never been here, log in when asked, and wait until the file is open."""
    with new_page(platform) as page:
        page.goto(link)
        page.fill("#username_input", STUDENT)
        page.fill("#password_input", platform.passwords[STUDENT])
        page.click("#login_submit")
        page.wait_for_url(re.compile(rf"/user/{STUDENT}/lab/.*{copy}/{FILE}"), timeout=240_000)
        shows(page, title)
        expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle", timeout=90_000)
        if picture:
            page.screenshot(path=SCREENS / picture)


def shows(page: Page, title: str) -> None:
    """JupyterLab has the notebook open, in front."""
    heading = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-MarkdownOutput h1")
    expect(heading).to_contain_text(title, timeout=120_000)


async def test_a_link_brings_the_file_and_a_second_click_keeps_the_work(platform: Platform, server: GitServer) -> None:
    copy = f"exercises-{secrets.token_hex(4)}"
    teacher = server.make(copy)
    teacher.publish(
        {
            FILE: notebook("Start here"),
            "notes.txt": LINES.encode(),
            "table.txt": LINES.encode(),
            ".gitignore": b"*.csv\n",
        }
    )
    link = course_link(platform.url, COURSE, server.url(copy), branch="main", path=FILE, profile="small")
    student = platform.notebook(STUDENT)
    try:
        await student.login()
        await student.stop()
        await asyncio.to_thread(open_link, platform, link, copy, "Start here", "student3-link.png")
        assert platform.jobs(), "the link started a job"
        assert await student.cell(WORK.format(copy=copy)) == "done"
        (teacher.directory / "table.txt").rename(teacher.directory / "results.csv")
        git(teacher.directory, "add", "--force", "results.csv")
        teacher.publish({FILE: notebook("Start here, corrected"), "notes.txt": b"for week 1\n" + LINES.encode()})
        await asyncio.to_thread(open_link, platform, link, copy, "Start here, corrected")
        sources, notes, results = await student.json_cell(SEEN.format(copy=copy))
        assert sources == ["# Start here, corrected", "answer = 42"]
        assert notes == "for week 1\n" + LINES + "my own line\n"
        assert results.pop("results.csv") == LINES
        assert list(results.values()) == ["my own results\n"], "a file that git does not know moves aside"
        await student.cell(f"import pathlib, shutil; shutil.rmtree(pathlib.Path.home() / {copy!r})")
    finally:
        await student.close()
