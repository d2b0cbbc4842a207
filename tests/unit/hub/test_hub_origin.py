# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a script on a notebook server's page can do with the hub, whose origin it shares, in the browser of who opens it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright, expect
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from hpcampus_hub.origin import refusal
from tests.quiet_chromium import PATIENCE_MS, PROGRAM
from tests.unit.hub import shared
from tests.unit.hub.hub_process import PASSWORD, HubProcess

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.processes]
login_node, signer, hub = shared.FIXTURES

expect.set_options(timeout=PATIENCE_MS)
HOSTILE = "/user/alice/files/hostile.html"
SECRET = ("xsrf_token", '"name": "alice"', "csrf")
"""What a page or an answer of the hub holds that a script must not read."""

# A worker of the hostile page's own path: it fetches what its pages ask for and tells what it got.
WORKER = """
addEventListener('install', () => skipWaiting())
addEventListener('activate', event => event.waitUntil(clients.claim()))
addEventListener('fetch', event => {
    const path = new URL(event.request.url).pathname
    if (!path.startsWith('/hub/')) return
    event.respondWith(fetch(event.request).then(async answer => {
        const text = await answer.clone().text()
        for (const client of await clients.matchAll()) client.postMessage(text)
        return answer
    }))
})
"""


class HubPages(RequestHandler):
    """The hub, with all its headers."""

    def initialize(self, hub: HubProcess) -> None:
        self.hub = hub

    async def _pass(self) -> None:
        headers = {name: value for name, value in self.request.headers.items() if name not in ("Host", "Connection")}
        method, body = self.request.method or "GET", self.request.body or None
        answer = await self.hub.fetch(
            method, self.request.uri or "/", body=body, headers=headers, decompress_response=True
        )
        self.set_status(answer.code)
        self.clear_header("Content-Type")
        for name, value in answer.headers.get_all():
            if name not in ("Content-Length", "Transfer-Encoding", "Connection", "Content-Encoding"):
                self.add_header(name, value)
        if answer.body:
            self.write(answer.body)

    get = post = _pass

    def compute_etag(self) -> None:
        """The hub's own is passed on."""

    def check_xsrf_cookie(self) -> None:
        """The hub does."""


class NotebookPages(RequestHandler):
    """A notebook server whose pages are as its student wants them."""

    def get(self, name: str) -> None:
        if name.endswith("redirect"):
            self.redirect("/hub/home")
        elif name.endswith("worker.js"):
            self.set_header("Content-Type", "text/javascript")
            self.write(WORKER)
        else:
            self.write("<!doctype html><title>Look at this</title><body>plot")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(hub: HubProcess) -> AsyncIterator[Page]:
    """A browser in which alice has logged in and looked at the hub's pages, and a hostile page of a notebook server."""
    sockets = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(Application([(r"/hub/.*", HubPages, {"hub": hub}), (r"/user/alice/(.*)", NotebookPages)]))
    server.add_sockets(sockets)
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox", "--disable-gpu"])
        page = await chromium.new_page(base_url=f"http://127.0.0.1:{sockets[0].getsockname()[1]}")
        page.set_default_timeout(PATIENCE_MS)
        await page.goto("/hub/login?next=%2Fhub%2Fhome")
        await page.fill("#username_input", "alice")
        await page.fill("#password_input", PASSWORD)
        await page.click("#login_submit")
        await page.wait_for_url("**/hub/home")
        await page.goto("/hub/token")
        await page.goto(HOSTILE)
        yield page
        await chromium.close()
    server.stop()


READ = """async ([path, options]) => {
    try { return await (await fetch(path, options)).text() } catch (problem) { return '' }
}"""
PATHS = ("/hub/home", "/hub/token", "/hub/api/user", "/user/alice/redirect")
MODES = ("no-cors", "same-origin", "cors")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("cache", ["default", "force-cache", "only-if-cached"])
async def test_no_fetch_reads_the_hub(page: Page, path: str, mode: str, cache: str) -> None:
    text = await page.evaluate(READ, [path, {"mode": mode, "cache": cache, "credentials": "include"}])
    assert not [word for word in SECRET if word in text], text[:300]


async def test_the_hostile_page_can_read_its_own_server(page: Page) -> None:
    """What the tests above use does read where it may."""
    for mode in MODES:
        assert "Look at this" in await page.evaluate(READ, [HOSTILE, {"mode": mode}])


@pytest.mark.parametrize("element", ["img", "link", "script", "iframe", "object", "embed"])
async def test_no_element_puts_a_page_of_the_hub_where_a_script_reads_it(page: Page, element: str) -> None:
    """It would lie in the browser's cache, from which a later fetch takes it, or show in a frame."""
    script = """async ([name, path]) => {
        const element = document.createElement(name)
        if (name === 'link') { element.rel = 'prefetch'; element.href = path }
        else if (name === 'object') element.data = path
        else element.src = path
        document.body.append(element)
        await new Promise(done => setTimeout(done, 500))
        let text = ''
        try { text += element.contentDocument.documentElement.innerHTML } catch (problem) {}
        for (const mode of ['same-origin', 'no-cors'])
            try { text += await (await fetch(path, {cache: 'force-cache', mode})).text() } catch (problem) {}
        element.remove()
        return text
    }"""
    text = await page.evaluate(script, [element, f"/hub/home?from={element}"])
    assert not [word for word in SECRET if word in text], text[:300]


async def test_the_hubs_tokens_are_in_no_cookie_that_a_script_sees(page: Page) -> None:
    script = """async () => {
        const frame = document.createElement('iframe')
        frame.src = '/hub/static/favicon.ico'
        document.body.append(frame)
        await new Promise(done => { frame.onload = done })
        let found = document.cookie
        try { found += ' ' + frame.contentDocument.cookie } catch (problem) {}
        frame.remove()
        const before = location.pathname
        history.pushState(null, '', '/hub/home')
        found += ' ' + document.cookie
        history.pushState(null, '', before)
        return found
    }"""
    assert {cookie["name"] for cookie in await page.context.cookies()} >= {"_xsrf", "jupyterhub-hub-login"}
    found = await page.evaluate(script)
    assert "_xsrf" not in found
    assert "jupyterhub" not in found


async def test_no_token_is_made(page: Page, hub: HubProcess) -> None:
    """The whole way: read a token of the hub's pages where one can, and ask for an API token with it."""
    script = """async paths => {
        let seen = document.cookie
        for (const path of paths)
            for (const cache of ['default', 'force-cache'])
                try { seen += await (await fetch(path, {mode: 'no-cors', cache})).text() } catch (problem) {}
        const found = seen.match(/xsrf_token: "([^"]+)"/) || seen.match(/_xsrf=([^;]+)/)
        const headers = {'Content-Type': 'application/json', 'X-XSRFToken': found ? found[1] : 'none'}
        return (await fetch('/hub/api/users/alice/tokens', {method: 'POST', headers, body: '{}'})).status
    }"""
    before = json.loads((await hub.api("GET", "/users/alice/tokens")).body)["api_tokens"]
    assert await page.evaluate(script, list(PATHS)) == 403
    assert json.loads((await hub.api("GET", "/users/alice/tokens")).body)["api_tokens"] == before


async def test_a_worker_reads_no_more_than_its_page(page: Page) -> None:
    script = """async () => {
        const heard = []
        navigator.serviceWorker.onmessage = event => heard.push(event.data)
        const refused = await navigator.serviceWorker.register('/user/alice/worker.js', {scope: '/hub/'}).then(
            () => 'registered', () => 'refused')
        const worker = await navigator.serviceWorker.register('/user/alice/worker.js')
        const sleep = seconds => new Promise(done => setTimeout(done, seconds * 1000))
        for (let n = 0; n < 200 && !navigator.serviceWorker.controller; n++) await sleep(0.1)
        for (const name of ['img', 'script', 'iframe']) {
            const element = document.createElement(name)
            element.src = '/hub/home?worker=' + name
            document.body.append(element)
        }
        try { await fetch('/hub/home?worker=fetch', {mode: 'no-cors'}) } catch (problem) {}
        for (let n = 0; n < 200 && heard.length < 2; n++) await sleep(0.1)
        await sleep(1)
        await worker.unregister()
        return [refused, heard]
    }"""
    await page.goto("/user/alice/page.html")
    refused, heard = await page.evaluate(script)
    assert refused == "refused"
    assert len(heard) >= 2, "the worker must have been asked"
    assert not [word for word in SECRET if any(word in text for text in heard)], heard


async def test_the_hubs_own_pages_work(page: Page) -> None:
    """Their scripts, styles and logo come, and what they ask of the API is answered."""
    problems: list[Any] = []
    page.on("response", lambda answer: problems.append((answer.status, answer.url)) if answer.status >= 400 else None)
    await page.goto("/hub/home")
    await page.goto("/hub/token")
    await page.click("#request-token-form button[type=submit]")
    await expect(page.locator("#token-result")).to_be_visible()
    assert not problems


@pytest.mark.parametrize(
    ("path", "mode", "status"),
    [
        ("/hub/home", "navigate", None),
        ("/hub/home", "", None),
        ("/hub/home", "cors", 403),
        ("/hub/home", "same-origin", 403),
        ("/hub/home", "no-cors", 403),
        ("/hub", "cors", 403),
        ("/hub/", "cors", 403),
        ("/hub/staticx", "no-cors", 403),
        ("/hub/static/js/home.js", "no-cors", None),
        ("/hub/logo", "no-cors", None),
        ("/hub/api", "cors", None),
        ("/hub/api/user", "cors", None),
        ("/hub/api/user", "no-cors", 403),
        ("/hub/api/oauth2/authorize", "cors", 403),
        ("/hub/api/oauth2/authorize", "navigate", None),
        ("/hub/user/alice/api/kernels", "cors", 424),
        ("/hub/user/alice/lab", "no-cors", 424),
        ("/user/alice/lab", "cors", None),
        ("/hubx/home", "cors", None),
    ],
)
async def test_who_is_refused(path: str, mode: str, status: int | None) -> None:
    assert refusal(path, mode, "/hub/") == status
