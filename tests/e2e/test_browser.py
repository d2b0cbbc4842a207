# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The way of a student in a real browser; each page is kept as a picture in artifacts/screens."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.e2e.conftest import COMPUTE, SCREENS
from tests.quiet_chromium import PATIENCE_MS, PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.e2e.conftest import Platform

expect.set_options(timeout=PATIENCE_MS)
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextlib.contextmanager
def new_page(platform: Platform) -> Iterator[Page]:
    """Give a page of a new browser profile. The certificate is self-signed; the script tests check it, the browser does not."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=list(QUIET))
        page = browser.new_page(
            base_url=platform.url, ignore_https_errors=True, viewport={"width": 1280, "height": 800}
        )
        page.set_default_timeout(PATIENCE_MS)
        yield page
        browser.close()


@pytest.fixture
def page(platform: Platform) -> Iterator[Page]:
    """Give a page to a test."""
    with new_page(platform) as page:
        yield page


def log_in(page: Page, platform: Platform, user: str) -> None:
    """Fill in the login form."""
    page.goto("hub/login")
    page.fill("#username_input", user)
    page.fill("#password_input", platform.passwords[user])
    page.screenshot(path=SCREENS / f"{user}-1-login.png")
    page.click("#login_submit")


def opened_from_a_notebook(page: Page, path: str) -> str:
    """Open a page as a script of a notebook server's page would, and tell whether that script can read it."""
    script = """async path => {
        window.opened = window.open(path)
        for (let n = 0; n < 60; n++) {
            await new Promise(done => setTimeout(done, 500))
            try { if (window.opened.document.documentElement.innerHTML.length > 40) return 'read' }
            catch (problem) { return 'out of reach' }
        }
        return 'empty'
    }"""
    with page.expect_popup() as popup:
        result = str(page.evaluate(script, path))
    expect(popup.value).to_have_url(re.compile(path))
    popup.value.close()
    return result


def fetched_by_a_notebook(page: Page, path: str) -> list[int]:
    """Statuses with which a script of a notebook server's page is answered when it asks for a page of the hub in every way."""
    script = """async path => {
        const statuses = []
        for (const mode of ['no-cors', 'same-origin', 'cors'])
            for (const cache of ['default', 'force-cache'])
                statuses.push((await fetch(path, {mode, cache})).status)
        return statuses
    }"""
    return list(page.evaluate(script, path))


def stop_server(page: Page) -> None:
    """Stop the server on the home page."""
    page.goto("hub/home", wait_until="networkidle")  # before its scripts are there the button does nothing
    page.click("#stop")
    expect(page.locator("#start")).to_be_visible(timeout=90_000)
    expect(page.locator("#stop")).to_be_hidden(timeout=90_000)


def test_log_in_start_run_a_cell_read_its_output(platform: Platform, page: Page):
    log_in(page, platform, "student1")
    page.goto("hub/spawn")
    page.get_by_label(re.compile("Small")).check()
    page.screenshot(path=SCREENS / "student1-2-choose.png")
    page.click("input[type=submit], button[type=submit]")
    page.wait_for_selector("#progress-message, .jp-Launcher, #jupyterlab-splash")
    page.screenshot(path=SCREENS / "student1-3-progress.png")
    page.wait_for_url(re.compile("/user/student1/lab"), timeout=120_000)
    try:
        page.goto("user/student1/lab?reset")  # an earlier session's notebooks would open again instead of the launcher
        page.locator(".jp-LauncherCard[data-category=Notebook]").first.click(timeout=120_000)
        expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle", timeout=90_000)
        cell = page.locator(".jp-Notebook .cm-content").first
        cell.click()
        page.keyboard.type("import os; print('ran on', os.environ['HPCAMPUS_NODE'], sum(range(10)))")
        page.keyboard.press("Shift+Enter")
        output = page.locator(".jp-OutputArea-output").first
        expect(output).to_contain_text(re.compile(f"ran on ({'|'.join(COMPUTE)}) 45"), timeout=90_000)
        page.screenshot(path=SCREENS / "student1-4-cell.png")
        assert opened_from_a_notebook(page, "/user/student1/api") == "read"
        assert opened_from_a_notebook(page, "/hub/home") == "out of reach"
        assert set(fetched_by_a_notebook(page, "/user/student1/api")) == {200}
        for path in ("/hub/home", "/hub/token", "/hub/spawn", "/hub/api/user"):
            assert set(fetched_by_a_notebook(page, path)) == {403}, path
        cookies = {cookie["name"]: cookie["httpOnly"] for cookie in page.context.cookies() if cookie["path"] == "/hub/"}
        assert cookies["_xsrf"]
        assert all(cookies.values())
    finally:
        stop_server(page)
    page.screenshot(path=SCREENS / "student1-5-home.png")


def test_an_instructor_finds_the_formgrader(platform: Platform, page: Page):
    log_in(page, platform, "instructor")
    page.goto("hub/home")
    page.screenshot(path=SCREENS / "instructor-2-home.png")
    page.get_by_role("link", name=re.compile("Physics 101")).first.click()
    # The server is not her own, so the hub asks once whether it may know who she is.
    page.get_by_role("button", name="Authorize").click(timeout=120_000)
    page.wait_for_url(re.compile("/user/course-physics101/formgrader"), timeout=120_000)
    expect(page.locator("body")).to_contain_text(
        re.compile("Manage Assignments|Formgrader", re.IGNORECASE), timeout=120_000
    )
    page.screenshot(path=SCREENS / "instructor-3-formgrader.png")
