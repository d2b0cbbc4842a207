# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The pages in Chromium: at the width of a phone, by keyboard, in both colour schemes, with hostile texts, beside a hostile server.

Pictures of the pages are kept in artifacts/screens.
"""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from hpcampus_courses.store.grades import Check, Score
from hpcampus_courses.store.submissions import Submission
from hpcampus_hub.sync.record import Order
from hpcampus_hub.sync.state import CourseState, Person, save
from tests.quiet_chromium import PATIENCE_MS, PROGRAM
from tests.unit.courses.pages_site import HOSTILE, PREFIX, SCORE, Site, course

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.processes]

expect.set_options(timeout=PATIENCE_MS)
SCREENS = Path(__file__).parents[3] / "artifacts" / "screens"
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}
ODD = "'; drop -- <b>&amp;"
"""A name that an assignment may have."""

HOSTILE_COURSE = course(
    slug="hostile",
    title=HOSTILE,
    graders=[HOSTILE],
    students=["alice", HOSTILE],
    profiles=[HOSTILE],
    grading={"similarity": True},
)
FEEDBACK = b"""<!doctype html><meta http-equiv="refresh" content="1;url=/hub/home"><style>h1{color:rgb(1,2,3)}</style><h1>Well done</h1>
<script>document.title='hacked'</script><img src=x onerror="document.title='hacked'">
<form action="/services/courses/course/physics101/autograde" method="post"><button>Win</button></form>
<iframe src="/services/courses/"></iframe><img src="/hub/logo?from=feedback">"""


def bring_to_homes(site: Site) -> None:
    """What came of bringing files to homes, with a text of its own in every place."""
    now = datetime.now(UTC)
    state = CourseState("hostile", error=HOSTILE)
    order = state.of(Order(now, HOSTILE))
    order.tried, order.files, order.bytes, order.error = now.isoformat(), 3, 4000, HOSTILE
    order.note(Person("alice", HOSTILE, HOSTILE, new=3, kept=1, skipped=[HOSTILE], skipped_more=2), now)
    order.missing, order.clusters, order.left_out = [HOSTILE], {HOSTILE: HOSTILE}, [HOSTILE]
    site.settings.sync_dir.mkdir()
    save(site.settings.sync_dir, state, now)


async def fill(site: Site) -> Submission:
    """A course in the middle of its term, and one whose every text is hostile; gives a submission with feedback."""
    await site.release("ps1", "problem1", "problem2")
    await site.release("ps2", "problem1")
    await site.hand_in("bob", "ps1", -1.5)
    await site.hand_in("alice", "ps1", -4, b"first try")
    handed = await site.hand_in("alice", "ps1", -3)
    await site.give_feedback(handed, {"problem1.html": FEEDBACK})
    flagged = Score("bob", 3, 10, 0, True, ("The code looks for the tests: get_ipython()",), SCORE.checks)
    await site.grade("ps1", SCORE, flagged)
    await site.run("ps1", 2, 3, "running")
    await site.note("ida", "release", "ps1", "version 1")
    await site.note("tom", "grade", "ps1")
    await site.release(ODD, HOSTILE, slug="hostile")
    odd = await site.hand_in("alice", ODD, -1, slug="hostile")
    await site.hand_in(HOSTILE, ODD, -1, slug="hostile")
    await site.give_feedback(odd, {f"{HOSTILE}.html": FEEDBACK})
    bad = Score("alice", 1, 2, 0, True, (HOSTILE,), (Check(HOSTILE, 0, 2, HOSTILE, HOSTILE),))
    await site.grade(ODD, bad, slug="hostile")
    await site.run(HOSTILE, 0, 1, "queued", HOSTILE, slug="hostile")
    await site.note(HOSTILE, HOSTILE, ODD, HOSTILE, slug="hostile")
    bring_to_homes(site)
    return handed


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    site = Site(tmp_path_factory.mktemp("courses"), course(), HOSTILE_COURSE)
    yield site
    await site.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def handed(site: Site) -> Submission:
    return await fill(site)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    SCREENS.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        await browser.close()


async def opened(chromium: Browser, site: Site, name: str, **options: Any) -> Page:
    """A page of a new browser profile in which somebody is logged in."""
    context = await chromium.new_context(base_url=site.url, **{"viewport": DESK, **options})
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    site.hub.visitor = name
    await page.goto(PREFIX)
    await expect(page.locator("h1")).to_have_text("Courses")
    return page


def places(handed: Submission) -> dict[str, list[str]]:
    """All pages that each of them can open."""
    base = f"{PREFIX}course/physics101"
    feedback = f"{base}/submission/{handed.id}/feedback"
    return {
        "alice": [PREFIX, base, feedback, f"{PREFIX}nothing"],
        "tom": [PREFIX, base, f"{base}/assignment/ps1"],
        "ida": [
            PREFIX,
            base,
            f"{base}?repo=https%3A%2F%2Fgit.example.org%2Fphysics%2Fexercises&branch=main&path=a.ipynb&profile=&image=",
            f"{base}?repo=x",
            f"{base}/assignment/ps1",
            f"{base}/activity",
        ],
    }


def listen(page: Page) -> list[str]:
    """What the browser finds wrong with the page from now on: refused files, errors of scripts."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


def named(path: str) -> str:
    """A file name for the picture of a page."""
    return (
        re.sub(r"[^a-z0-9]+", "-", re.sub(r"[0-9a-f]{32}", "one", path.removeprefix(PREFIX))[:60]).strip("-")
        or "courses"
    )


# What every page must have, and what none may have: the list of problems.
EXAMINE = """() => {
    const problems = []
    const seen = element => element.checkVisibility() && !element.closest('.hidden')
    const text = element => (element.getAttribute('aria-label') || element.textContent || element.alt || '').trim()
    if (document.documentElement.lang !== 'en') problems.push('no language')
    if (!document.title) problems.push('no title')
    if (document.querySelectorAll('h1').length !== 1) problems.push('not one h1')
    for (const name of ['main', 'nav', 'header']) if (!document.querySelector(name)) problems.push('no ' + name)
    let level = 1
    for (const heading of document.querySelectorAll('h1, h2, h3, h4')) {
        const now = Number(heading.tagName[1])
        if (now > level + 1) problems.push('heading level jumps at ' + heading.textContent)
        level = now
    }
    const ids = [...document.querySelectorAll('[id]')].map(each => each.id)
    if (new Set(ids).size !== ids.length) problems.push('an id is there twice')
    for (const element of document.querySelectorAll('[aria-labelledby], [aria-describedby], label[for]'))
        for (const name of ['aria-labelledby', 'aria-describedby', 'for'])
            for (const id of (element.getAttribute(name) || '').split(' ').filter(Boolean))
                if (!document.getElementById(id)) problems.push(name + ' leads nowhere: ' + id)
    for (const link of document.querySelectorAll('a, button'))
        if (!text(link) && !link.querySelector('img[alt]:not([alt=""])')) problems.push('no name: ' + link.outerHTML)
    for (const field of document.querySelectorAll('input:not([type=hidden]), textarea, select'))
        if (!field.labels.length) problems.push('no label: ' + field.outerHTML)
    for (const image of document.querySelectorAll('img')) if (!image.alt) problems.push('no alt')
    for (const bar of document.querySelectorAll('progress')) if (!bar.getAttribute('aria-label')) problems.push('bar without a name')
    for (const section of document.querySelectorAll('section'))
        if (!section.hasAttribute('aria-labelledby')) problems.push('section without a name')

    const rgba = colour => {
        const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number)
        return [r, g, b, a]
    }
    const light = ([r, g, b]) => [r, g, b].map(each => {
        const c = each / 255
        return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
    }).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0)
    const page = element => {
        for (let each = element; each; each = each.parentElement) {
            const colour = rgba(getComputedStyle(each).backgroundColor)
            if (colour[3] === 1) return colour
            if (colour[3] !== 0) problems.push('a page colour that shines through')
        }
        return [255, 255, 255, 1]
    }
    const contrast = (one, other) => {
        const [low, high] = [light(one), light(other)].sort((a, b) => a - b)
        return (high + 0.05) / (low + 0.05)
    }
    for (const element of document.querySelectorAll('body *')) {
        if (!seen(element)) continue
        const own = [...element.childNodes].some(each => each.nodeType === 3 && each.textContent.trim())
        const style = getComputedStyle(element)
        if (own && contrast(rgba(style.color), page(element)) < 4.5)
            problems.push('contrast of ' + element.outerHTML.slice(0, 80) + ' is ' + contrast(rgba(style.color), page(element)))
        if (element.matches('input, textarea, button, .button')
            && contrast(rgba(style.borderTopColor), page(element.parentElement)) < 3)
            problems.push('contrast of the border of ' + element.outerHTML.slice(0, 80))
    }
    if (document.documentElement.scrollWidth > document.documentElement.clientWidth)
        problems.push('it scrolls sideways: ' + document.documentElement.scrollWidth)
    return problems
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_every_page_has_headings_names_contrast_and_fits(
    site: Site, chromium: Browser, handed: Submission, size: dict[str, int], scheme: str
) -> None:
    for name, paths in places(handed).items():
        page = await opened(chromium, site, name, viewport=size, color_scheme=scheme)
        said = listen(page)
        for path in paths:
            await page.goto(path)
            for details in await page.locator("details > summary").all():
                await details.click()
            found = await page.evaluate(EXAMINE)
            assert not found, (path, found)
            width = "phone" if size is PHONE else "desk"
            await page.screenshot(path=SCREENS / f"course-{name}-{named(path)}-{width}-{scheme}.png", full_page=True)
        assert not [text for text in said if "404" not in text]  # the page that is not there is looked at too
        await page.context.close()


@pytest.mark.usefixtures("handed")
async def test_what_looks_for_problems_finds_some(site: Site, chromium: Browser) -> None:
    page = await opened(chromium, site, "alice", viewport=PHONE, bypass_csp=True)
    await page.goto(f"{PREFIX}course/physics101")
    await page.evaluate(
        """() => {
            document.body.insertAdjacentHTML('beforeend',
                '<h1>x</h1><p style="color:#999">pale</p><input><a href="#"></a><div style="width:500px">wide</div>')
        }"""
    )
    found = " ".join(await page.evaluate(EXAMINE))
    for problem in ("not one h1", "contrast of <p", "no label", "no name", "sideways"):
        assert problem in found
    await page.context.close()


@pytest.mark.usefixtures("handed")
async def test_a_student_sees_deadlines_points_hints_and_feedback(site: Site, chromium: Browser) -> None:
    page = await opened(chromium, site, "alice")
    await page.get_by_role("link", name="Physics 101").click()
    assert await page.locator("article h3").all_text_contents() == ["ps2", "ps1"]
    ps1 = page.get_by_role("article", name="ps1")
    await expect(ps1).to_contain_text("graded")
    await expect(ps1).to_contain_text("6 of 10")
    await expect(ps1).to_contain_text("1 taken off because it was late")
    await expect(ps1).to_contain_text("the newest counts")
    hint = ps1.get_by_text("Hint: Divide by the number of values.")
    await expect(hint).to_be_hidden()
    await ps1.get_by_text("Where points are missing").click()
    await expect(hint).to_be_visible()
    await expect(ps1).to_contain_text("AssertionError: mean([1, 2, 3]) gave 3, not 2")
    await expect(ps1).not_to_contain_text("test_sum")
    await expect(page.get_by_role("article", name="ps2")).to_contain_text("in 2 days")
    assert "get_ipython" not in await page.content()
    start = await page.get_by_role("link", name="Start the notebook").get_attribute("href")
    assert start is not None
    assert start.startswith(f"{site.url}/hub/spawn?opt-")
    assert "opt-course=physics101" in start
    assert "git-pull" in start
    await page.get_by_role("link", name=re.compile("Feedback on ps1")).click()
    await page.get_by_role("link", name="problem1.html", exact=True).click()
    await expect(page.locator("h1")).to_have_text("Well done")
    await page.context.close()


async def test_feedback_has_no_script_no_form_and_nothing_from_elsewhere(
    site: Site, chromium: Browser, handed: Submission
) -> None:
    page = await opened(chromium, site, "alice")
    requests: list[str] = []
    await page.goto(f"{PREFIX}course/physics101/submission/{handed.id}/feedback")
    page.on("response", lambda answer: requests.append(answer.url))
    await page.get_by_role("link", name="problem1.html", exact=True).click()
    await expect(page.locator("h1")).to_have_css("color", "rgb(1, 2, 3)")
    await page.get_by_role("button", name="Win").click()
    await page.wait_for_timeout(1500)
    assert page.url.endswith("/feedback/problem1.html")
    assert await page.title() != "hacked"
    assert [url for url in requests if not url.endswith("favicon.ico")] == [page.url]
    assert await page.evaluate("() => window.origin") == "null"
    await page.context.close()


@pytest.mark.usefixtures("handed")
async def test_hostile_texts_are_texts(site: Site, chromium: Browser) -> None:
    """Everything that people give names to is shown as it is written, and nothing of it becomes an element."""
    base = f"{PREFIX}course/hostile"
    for name, paths in {
        "alice": [PREFIX, base],
        "ida": [PREFIX, base, f"{base}/assignment/{quote(ODD, safe='')}", f"{base}/activity"],
    }.items():
        page = await opened(chromium, site, name)
        for path in paths:
            answer = await page.goto(path)
            assert answer is not None
            assert answer.status == 200
            await page.wait_for_timeout(300)
            assert await page.evaluate("() => typeof hacked") == "undefined"
            source = (await answer.body()).decode()
            assert "<script>hacked" not in source
            assert "<img src=x" not in source
            assert "{{7*7}}" in source or "49" not in source
        await page.context.close()
    page = await opened(chromium, site, "alice")
    await page.goto(base)
    await expect(page.locator("h1")).to_have_text(HOSTILE)
    await expect(page.get_by_role("heading", name=ODD)).to_be_visible()
    await page.get_by_role("link", name=re.compile("Feedback on")).click()
    await expect(page.locator("h1")).to_have_text(f"Feedback on {ODD}")
    await page.get_by_role("link", name=f"{HOSTILE}.html", exact=True).click()
    await expect(page.locator("h1")).to_have_text("Well done")
    await page.context.close()


async def test_an_instructor_sees_numbers_and_autogrades(site: Site, chromium: Browser, handed: Submission) -> None:
    page = await opened(chromium, site, "ida")
    await page.goto(f"{PREFIX}course/physics101")
    row = page.get_by_role("row", name=re.compile("^ps1"))
    for words in ("2 of 3", "1 late", "1 by hand", "1 flag"):
        await expect(row).to_contain_text(words)
    await row.get_by_role("button", name="Autograde ps1").click()
    await expect(page.get_by_text("Autograding of ps1 has begun.")).to_be_visible()
    assert site.hub.asked[-1] == ("hpcampus/autograde/ps1", "ida")
    await page.get_by_role("link", name="ps1", exact=True).click()
    await expect(page.get_by_role("row", name=re.compile("^bob"))).to_contain_text("The code looks for the tests")
    await expect(page.get_by_role("row", name=re.compile("^Zoé"))).to_contain_text("nothing")
    await expect(page.get_by_role("link", name="Feedback for alice")).to_have_attribute("href", re.compile(handed.id))
    await page.context.close()


@pytest.mark.usefixtures("handed")
async def test_an_instructor_compares_submissions_and_sees_what_came_to_homes(site: Site, chromium: Browser) -> None:
    page = await opened(chromium, site, "ida", viewport=PHONE)
    await page.goto(f"{PREFIX}course/hostile")
    section = page.get_by_role("region", name="Files for all homes")
    await section.get_by_text("left alone in 1 home").click()
    await expect(section.get_by_text("1 left as people have them")).to_be_visible()
    await page.get_by_role("button", name="Compare submissions of ps1", exact=True).click()
    await expect(page.get_by_text("The submissions of ps1 are being compared.")).to_be_visible()
    assert site.hub.asked[-1] == ("hpcampus/similarity/ps1", "ida")
    await page.get_by_role("link", name="ps1", exact=True).click()
    link = page.get_by_role("link", name="Similar submissions")
    await expect(link).to_have_attribute("href", re.compile("similarity"))
    await page.context.close()


@pytest.mark.usefixtures("handed")
async def test_a_grader_sees_less(site: Site, chromium: Browser) -> None:
    page = await opened(chromium, site, "tom")
    await page.goto(f"{PREFIX}course/physics101")
    await expect(page.get_by_role("link", name="Open the formgrader")).to_be_visible()
    await expect(page.get_by_role("link", name="ps1", exact=True)).to_be_visible()
    for words in (
        "Autograde",
        "Grades as CSV",
        "Who did what",
        "Link that brings files",
        "Progress",
        "course's server",
    ):
        await expect(page.get_by_text(words)).to_have_count(0)
    await page.context.close()


@pytest.mark.usefixtures("handed")
async def test_progress_moves_while_the_page_is_open(site: Site, chromium: Browser) -> None:
    await site.run("ps1", 2, 3, "running")
    page = await opened(chromium, site, "ida")
    await page.goto(f"{PREFIX}course/physics101")
    run = page.locator(".runs li", has_text="ps1").first
    await expect(run).to_contain_text("runs on the cluster: 2 of 3")
    await site.run("ps1", 3, 3, "done", "All are scored.")
    await expect(run).to_contain_text("done: 3 of 3", timeout=15_000)
    await expect(run).to_contain_text("All are scored.")
    await expect(run.locator("progress")).to_have_attribute("value", "3")
    await expect(page.locator("[data-told]")).to_have_text("Autograding of ps1: done: 3 of 3")
    await expect(run.locator("b")).to_have_text("ps1")
    await site.run(HOSTILE, 0, 5, "queued", HOSTILE, number=2)
    await expect(page.locator(".runs li").first).to_contain_text(HOSTILE, timeout=15_000)
    assert await page.evaluate("() => typeof hacked") == "undefined"
    assert await page.locator(".runs img, .runs script").count() == 0
    await site.run("ps2", 5, 5, "done", number=2)
    await page.context.close()


@pytest.mark.usefixtures("handed")
async def test_a_link_is_made_and_copied(site: Site, chromium: Browser) -> None:
    page = await opened(chromium, site, "ida", permissions=["clipboard-read", "clipboard-write"])
    await page.goto(f"{PREFIX}course/physics101")
    await expect(page.get_by_label("Repository")).to_have_value("https://git.example.org/physics/exercises")
    await page.get_by_label("Size").fill("large")
    await page.get_by_role("button", name="Make the link").click()
    made = await page.get_by_label("The link").input_value()
    assert "opt-profile=large" in made
    assert "opt-course=physics101" in made
    await page.get_by_role("button", name="Copy").click()
    await expect(page.get_by_text("Copied.")).to_be_visible()
    assert await page.evaluate("() => navigator.clipboard.readText()") == made
    await page.get_by_label("Repository").fill("https://me:secret@git.example.org/x")
    await page.get_by_role("button", name="Make the link").click()
    await expect(page.get_by_role("alert")).to_contain_text("leave name and password out")
    await page.context.close()


@pytest.mark.usefixtures("handed")
async def test_the_pages_work_without_scripts(site: Site, chromium: Browser) -> None:
    page = await opened(chromium, site, "ida", java_script_enabled=False)
    await page.goto(f"{PREFIX}course/physics101")
    await page.get_by_role("button", name="Make the link").click()
    await expect(page.get_by_label("The link")).to_have_value(re.compile("git-pull"))
    await expect(page.get_by_role("button", name="Copy")).to_be_hidden()
    await page.get_by_role("button", name="Autograde ps1").click()
    await expect(page.get_by_text("Autograding of ps1 has begun.")).to_be_visible()
    await expect(page.get_by_text("Load the page again")).to_be_visible()
    await page.context.close()


async def _focused(page: Page) -> str:
    script = """() => {
        const element = document.activeElement
        return (element.getAttribute('aria-label') || element.labels?.[0]?.textContent || element.textContent).trim()
    }"""
    return str(await page.evaluate(script))


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.usefixtures("handed")
async def test_an_instructor_needs_no_mouse(site: Site, chromium: Browser, size: dict[str, int]) -> None:
    page = await opened(chromium, site, "ida", viewport=size)
    await page.goto(f"{PREFIX}course/physics101")
    await page.keyboard.press("Tab")
    assert await _focused(page) == "Skip to the content"
    await expect(page.get_by_text("Skip to the content")).to_be_in_viewport()
    await page.keyboard.press("Enter")
    reached = []
    for _ in range(40):
        await page.keyboard.press("Tab")
        reached.append(await _focused(page))
        box = "() => { const s = getComputedStyle(document.activeElement); return s.outlineStyle !== 'none' && s.outlineWidth !== '0px' }"
        if await page.evaluate("() => document.activeElement === document.body"):
            break
        assert await page.evaluate(box), reached[-1]
    expected = [
        "Open the formgrader",
        "Open the course's server",
        "Grades as CSV",
        "Who did what",
        "ps1",
        "Autograde ps1",
        "ps2",
        "Autograde ps2",
        "Repository",
        "Branch",
        "File that opens",
        "Size",
        "Image",
        "Make the link",
        "Archive",
        "Public copy",
        "3 students",
    ]
    assert reached[: len(expected)] == expected
    await page.get_by_role("button", name="Autograde ps2").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Autograding of ps2 has begun.")).to_be_visible()
    await page.context.close()


READ = """async ([path, options]) => {
    try { return await (await fetch(path, options)).text() } catch (problem) { return '' }
}"""
SECRET = ("Physics 101", "_xsrf", "alice")


async def test_a_script_of_a_notebook_server_reads_no_page(site: Site, chromium: Browser, handed: Submission) -> None:
    """An instructor opens a hostile page of a student's server, which shares the origin."""
    page = await opened(chromium, site, "ida")
    base = f"{PREFIX}course/physics101"
    await page.goto(base)
    paths = [
        PREFIX,
        base,
        f"{base}/progress",
        f"{base}/activity",
        f"{base}/submission/{handed.id}/feedback/problem1.html",
    ]
    await page.goto("/user/mallory/files/hostile.html")
    assert "title" in await page.evaluate(READ, ["/user/mallory/files/hostile.html", {}])
    for path in paths:
        for mode in ("same-origin", "cors", "no-cors"):
            for cache in ("default", "force-cache", "only-if-cached"):
                text = await page.evaluate(READ, [path, {"mode": mode, "cache": cache, "credentials": "include"}])
                assert not [word for word in SECRET if word in text], (path, mode, text)
        for element in ("iframe", "object", "embed", "img", "script", "link"):
            text = await page.evaluate(_PUT, [element, path])
            assert not [word for word in SECRET if word in text], (path, element, text)
        async with page.expect_popup() as popup:
            text = await page.evaluate(_POPUP, path)
        assert text == "out of reach"
        await (await popup.value).close()
    assert "_xsrf" not in await page.evaluate(
        "() => { history.pushState(null, '', '/services/courses/'); return document.cookie }"
    )
    before = len(site.hub.asked)
    status = await page.evaluate(
        """async path => (await fetch(path, {method: 'POST', body: new URLSearchParams({assignment: 'ps1'})})).status""",
        f"{base}/autograde",
    )
    assert status == 403
    await page.context.close()
    page = await opened(chromium, site, "ida")
    await page.goto("/user/mallory/files/hostile.html")
    async with page.expect_navigation():
        await page.evaluate(
            """path => {
                const fields = '<input name=assignment value=ps1><input name=_xsrf value=x>'
                document.body.innerHTML = `<form method=post action="${path}">${fields}</form>`
                document.forms[0].submit()
            }""",
            f"{base}/autograde",
        )
    await expect(page.locator("h1")).to_have_text("This is not for you")
    assert len(site.hub.asked) == before
    await page.context.close()


_PUT = """async ([name, path]) => {
    const element = document.createElement(name)
    if (name === 'link') { element.rel = 'prefetch'; element.href = path }
    else if (name === 'object') element.data = path
    else element.src = path
    document.body.append(element)
    await new Promise(done => setTimeout(done, 250))
    let text = ''
    try { text = element.contentDocument.documentElement.innerHTML } catch (problem) {}
    element.remove()
    return text
}"""
_POPUP = """async path => {
    window.opened = window.open(path)
    await new Promise(done => setTimeout(done, 700))
    try { return window.opened.document.documentElement.innerHTML.length > 40 ? 'read' : 'empty' }
    catch (problem) { return 'out of reach' }
}"""


async def test_archive_and_public_copy_are_saved_by_a_click(
    chromium: Browser, site: Site, handed: Submission, tmp_path: Path
) -> None:
    del handed
    page = await opened(chromium, site, "ida")
    await page.goto(f"{PREFIX}course/physics101")
    for name, begins in (("Archive", b"manifest.json\0"), ("Public copy", b"PK")):
        async with page.expect_download() as saved:
            await page.get_by_role("link", name=name, exact=True).click()
        file = await saved.value
        assert file.suggested_filename in {"physics101-archive.tar", "physics101.zip"}
        await file.save_as(tmp_path / file.suggested_filename)
        assert (tmp_path / file.suggested_filename).read_bytes().startswith(begins)
    await expect(page.get_by_role("heading", name="Physics 101", level=1)).to_be_visible()
