# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a Moodle says of itself: from a server of https on this machine, and odd ones."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus.probes import Finding, Level, moodle
from hpcampus.probes.moodle import Answer
from tests.unit.wizard.conftest import write_certificate

BASE = "https://moodle.example.org"
KEYS = {"keys": [{"kty": "RSA"}]}
GOOD = {
    "issuer": BASE,
    "authorization_endpoint": f"{BASE}/mod/lti/auth.php",
    "token_endpoint": f"{BASE}/mod/lti/token.php",
    "jwks_uri": f"{BASE}/mod/lti/certs.php",
    "https://purl.imsglobal.org/spec/lti-platform-configuration": {"product_family_code": "moodle", "version": "4.5"},
}
MISSING = Answer(error="404 Not Found", missing=True)


def examined(pages: Mapping[str, object], url: str = BASE) -> list[str]:
    def get(address: str) -> Answer:
        data = pages.get(address.removeprefix(BASE), MISSING)
        return data if isinstance(data, Answer) else Answer(data)  # type: ignore[arg-type]

    return [f"{line.level.value}: {line.text}" for line in moodle.examine(url, get).lines]


def test_a_good_one():
    pages = {"/mod/lti/openid-configuration.php": GOOD, "/mod/lti/certs.php": KEYS}
    assert examined(pages) == [
        f"ok: Issuer: {BASE}",
        "ok: Keys to check its tokens with: 1.",
        "ok: Product: moodle 4.5",
    ]
    assert examined({"/.well-known/openid-configuration": GOOD, "/mod/lti/certs.php": KEYS})[0] == f"ok: Issuer: {BASE}"


def test_one_that_does_not_tell_its_addresses():
    assert [line.partition(":")[0] for line in examined({"/mod/lti/certs.php": KEYS})] == ["ok", "note"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"issuer": "https://www.example.org"}, "calls itself 'https://www.example.org'"),
        ({"issuer": None}, "calls itself None"),
        ({"token_endpoint": None}, "does not say: token_endpoint"),
        ({"token_endpoint": "http://moodle.example.org/token"}, "not https://: http://moodle"),
        ({"jwks_uri": f"{BASE}/none"}, "gives no keys"),
    ],
)
def test_what_is_a_problem(change: dict[str, object], words: str):
    pages = {"/mod/lti/openid-configuration.php": {**GOOD, **change}, "/mod/lti/certs.php": KEYS}
    problems = [line for line in examined(pages) if line.startswith("problem")]
    assert len(problems) == 1
    assert words in problems[0]


@pytest.mark.parametrize(
    ("url", "pages", "words"),
    [
        ("http://moodle.example.org", {}, "no address of https"),
        ("moodle.example.org", {}, "no address of https"),
        ("https://[x", {}, "no address of https"),
        (BASE, {}, "says nothing of OpenID Connect"),
        (BASE, {"/mod/lti/openid-configuration.php": Answer(error="timed out")}, "timed out"),
        (BASE, {"/mod/lti/openid-configuration.php": Answer(error="503 Service Unavailable")}, "503"),
    ],
)
def test_one_that_is_not_there(url: str, pages: dict[str, object], words: str):
    found = examined(pages, url)
    assert len(found) == 1
    assert found[0].startswith("problem")
    assert words in found[0]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(list(GOOD)) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(list(GOOD)), JSON), JSON)
def test_garbage(data: dict[str, Any], keys: Any):
    def get(address: str) -> Answer:
        return Answer(data if "openid" in address else {"keys": keys})

    found = moodle.examine(BASE, get)
    assert all(line.text.isprintable() for line in found.lines)


class Pages(BaseHTTPRequestHandler):
    pages: Mapping[str, bytes] = {}

    def do_GET(self) -> None:
        body = self.pages.get(self.path)
        if body is not None and body.startswith(b"to "):
            self.send_response(302)
            self.send_header("Location", body[3:].decode())
        else:
            self.send_response(404 if body is None else 200)
        self.end_headers()
        if body is not None:
            self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, ssl.SSLContext, dict[str, bytes]]]:
    """A server of https on this machine: its address, whom to trust, and its pages."""
    certificate, key = write_certificate(tmp_path, "server", "localhost")
    pages: dict[str, bytes] = {}
    web = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Pages,), {"pages": pages}))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    web.socket = context.wrap_socket(web.socket, server_side=True)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    yield f"https://localhost:{web.server_port}", ssl.create_default_context(cafile=certificate), pages
    web.shutdown()
    web.server_close()


def levels(finding: Finding) -> list[Level]:
    return [line.level for line in finding.lines]


def test_a_real_server(server: tuple[str, ssl.SSLContext, dict[str, bytes]]):
    url, context, pages = server
    data = {name: str(value).replace(BASE, url) for name, value in GOOD.items() if isinstance(value, str)}
    assert "says nothing" in moodle.look(url, context).lines[0].text
    pages["/.well-known/openid-configuration"] = b"<html>"
    assert "says nothing" in moodle.look(url, context).lines[0].text
    pages["/mod/lti/openid-configuration.php"] = json.dumps(data).encode()
    pages["/mod/lti/certs.php"] = json.dumps(KEYS).encode()
    found = moodle.look(f"{url}/", context)
    assert levels(found) == [Level.OK, Level.OK]
    assert found.facts["issuer"] == url
    pages["/mod/lti/openid-configuration.php"] = b"to http://127.0.0.1:9/"
    assert "not https" in moodle.look(url, context).lines[0].text


def test_a_certificate_that_nobody_knows(server: tuple[str, ssl.SSLContext, dict[str, bytes]]):
    found = moodle.look(server[0])
    assert levels(found) == [Level.PROBLEM]
    assert "certificate verify failed" in found.lines[0].text
