# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A course from the release to the feedback, every step in a real browser; pictures are kept in artifacts/screens."""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import TimeoutError as BrowserTimeoutError
from playwright.sync_api import expect

from tests.e2e.conftest import SCREENS
from tests.e2e.teaching import COURSE, OWNER, new_assignment, teaching, write_assignment
from tests.e2e.test_browser import log_in, new_page, stop_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.e2e.conftest import Platform

STUDENT = "student3"
HERE = f"services/courses/course/{COURSE}"
FORMGRADER = f"user/{OWNER}/formgrader"
START_MS = 120_000
ANSWER = "def half(x):\n    return x / 2"


async def stop_servers(platform: Platform) -> None:
    """Stop the servers that the browser starts."""
    for notebook in (platform.notebook(STUDENT), platform.notebook("instructor", owner=OWNER)):
        await notebook.login()
        await notebook.close()


@pytest.fixture
def assignment(platform: Platform) -> Iterator[str]:
    """Write the source of an assignment; the browser starts the course's server anew."""
    name = new_assignment()

    async def write() -> None:
        await stop_servers(platform)
        async with teaching(platform) as course:
            await write_assignment(course, name)

    asyncio.run(write())
    yield name
    asyncio.run(stop_servers(platform))


@contextlib.contextmanager
def browser_of(platform: Platform, user: str) -> Iterator[Page]:
    """Log somebody in."""
    with new_page(platform) as page:
        log_in(page, platform, user)
        page.wait_for_url(re.compile("/hub/"))
        yield page


def picture(page: Page, name: str) -> None:
    """Keep what is seen."""
    page.screenshot(path=SCREENS / f"course-{name}.png", full_page=True)


def visit(page: Page, path: str) -> None:
    """Open a page of the courses or of another's server; the hub asks once whether it may know who she is."""
    page.goto(path)
    with contextlib.suppress(BrowserTimeoutError):
        page.wait_for_load_state("networkidle")
    if "oauth2/authorize" in page.url:
        page.get_by_role("button", name="Authorize").click()


def formgrader_does(page: Page, assignment: str, column: str, said: str) -> None:
    """Press what stands in a column of the formgrader's list, and read the answer."""
    visit(page, FORMGRADER)
    page.locator("tr", has_text=assignment).locator(f"td.{column} a").first.click(timeout=START_MS)
    dialog = page.locator(".modal-dialog")
    expect(dialog).to_contain_text(said, timeout=START_MS)
    picture(page, f"formgrader-{column}")
    dialog.get_by_role("button", name="OK").click()


def open_assignments(page: Page) -> None:
    """Open the list of assignments in the student's notebook."""
    page.get_by_role("menuitem", name="Nbgrader").click(timeout=START_MS)
    page.get_by_role("menuitem", name="Assignment List").click()
    expect(page.locator("#course_list_default")).to_have_text(COURSE)


def assignment_does(page: Page, assignment: str, before: str, button: str, after: str) -> None:
    """Press a button of an assignment in one part of the list, and find it in another."""
    page.locator(f"#{before}_assignments_list .list_item", has_text=assignment).get_by_role(
        "button", name=button
    ).click()
    expect(page.locator(f"#{after}_assignments_list .list_item", has_text=assignment).first).to_be_visible(
        timeout=START_MS
    )
    picture(page, f"student-{after}")


def solve_in_the_notebook(page: Page, assignment: str) -> None:
    """Type the answer, and have the notebook validated."""
    page.goto(f"user/{STUDENT}/lab/tree/{COURSE}/{assignment}/half.ipynb?reset")
    cell = page.locator(".jp-Notebook .cm-content").first
    # A kernel that comes later writes its language into the notebook, which then is unsaved again.
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle", timeout=START_MS)
    cell.click(timeout=START_MS)
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(ANSWER)  # the editor adds no indentation of its own to it
    page.keyboard.press("Control+s")
    # Two savings at once, this one and that of the validation, would ask her which version to keep.
    expect(page.locator(".lm-TabBar-tab.jp-mod-dirty")).to_have_count(0, timeout=START_MS)
    picture(page, "student-solved")
    page.locator(".validate-button").get_by_text("Validate").click()
    dialog = page.locator(".jp-Dialog")
    expect(dialog).to_contain_text("Your notebook passes all the tests", timeout=START_MS)
    picture(page, "student-validated")
    dialog.get_by_role("button", name="Ok").click()


def test_a_course_through_the_browser(platform: Platform, assignment: str):
    with browser_of(platform, "instructor") as page:
        page.goto("hub/home")
        page.get_by_role("link", name=re.compile("Physics 101")).first.click()
        page.get_by_role("button", name="Authorize").click(timeout=START_MS)
        page.wait_for_url(re.compile("/formgrader"), timeout=START_MS)
        formgrader_does(page, assignment, "assign", "Successfully created the student version")
        formgrader_does(page, assignment, "release", "Successfully released")

    with browser_of(platform, STUDENT) as page:
        visit(page, HERE)
        card = page.locator("article", has_text=assignment)
        expect(card).to_contain_text("open")
        picture(page, "student-page-open")
        page.get_by_role("link", name="Start the notebook").click()
        page.wait_for_url(re.compile(f"/user/{STUDENT}/lab"), timeout=START_MS)
        open_assignments(page)
        assignment_does(page, assignment, "released", "Fetch", "fetched")
        solve_in_the_notebook(page, assignment)
        open_assignments(page)
        assignment_does(page, assignment, "fetched", "Submit", "submitted")
        stop_server(page)
        visit(page, HERE)
        expect(card).to_contain_text("handed in")

    with browser_of(platform, "instructor") as page:
        visit(page, FORMGRADER)
        formgrader_does(page, assignment, "collect", "Successfully collected")
        visit(page, HERE)
        page.get_by_role("button", name=f"Autograde {assignment}").click()
        run = page.locator("[data-run]", has_text=assignment)
        expect(run).to_contain_text("1 of 1", timeout=START_MS)
        picture(page, "instructor-page-graded")
        visit(page, f"{HERE}/assignment/{assignment}")
        expect(page.get_by_role("row", name=re.compile(STUDENT))).to_contain_text("2 of 2")
        picture(page, "instructor-assignment")
        formgrader_does(page, assignment, "generate-feedback", "Successfully generated feedback")
        formgrader_does(page, assignment, "release-feedback", "Successfully released feedback")
        visit(page, f"{HERE}/activity")
        expect(page.get_by_role("row", name=re.compile(assignment)).first).to_contain_text("instructor")
        picture(page, "instructor-activity")

    with browser_of(platform, STUDENT) as page:
        visit(page, HERE)
        card = page.locator("article", has_text=assignment)
        expect(card).to_contain_text("2 of 2")
        picture(page, "student-page-graded")
        card.get_by_role("link", name=re.compile("Feedback on")).first.click()
        page.get_by_role("link", name="half.html", exact=True).click()
        expect(page.locator("body")).to_contain_text("2.0 / 2")
        picture(page, "student-feedback")
