# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Proves a running platform from outside: log in, start a server, run a cell on a compute node, stop the server.

``python -m hpcampus_hub.probe --url https://hub.example.org --user alice --password-file -`` reads the password from
its standard input, prints each leg with its seconds, and ends with 0 when all of it worked, else with 1.
"""

import argparse
import asyncio
import hashlib
import json
import ssl
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.iostream import StreamClosedError
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, websocket_connect

DEFAULT_CODE = "import platform\nprint('hello from', platform.node())"
_ASKED = {
    "node": "__import__('os').environ.get('HPCAMPUS_NODE', '')",
    "job_id": "__import__('os').environ.get('HPCAMPUS_JOB_ID', '')",
}
_REQUEST_SECONDS = 60.0


class ProbeError(Exception):
    """A step of the probe failed; the text says which, how, and what to look at."""


@dataclass
class ProbeResult:
    """What a probe found.

    Args:
        login_s: seconds until the login form let the user in.
        ready_s: seconds from the request for a server until it was ready.
        kernel_s: seconds from then until a kernel was there and its channel open.
        cell_s: seconds from sending the cell until its result.
        stop_s: seconds until the server was gone, 0 when it was left running.
        node: compute node that ran the cell, as the cell's own environment says.
        job_id: Slurm's id of the job, as the cell's own environment says.
        output: what the cell printed.
        legs: seconds of the legs of the start as the hub measured them.
        events: the progress events of the start.
        leg: the leg under way: ``login``, ``start``, ``api``, ``websocket``, ``cell`` or ``stop``.
    """

    login_s: float = 0.0
    ready_s: float = 0.0
    kernel_s: float = 0.0
    cell_s: float = 0.0
    stop_s: float = 0.0
    node: str = ""
    job_id: str = ""
    output: str = ""
    legs: dict[str, float] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    leg: str = "login"

    @property
    def total_s(self) -> float:
        """Seconds from the login to the cell's result."""
        return self.login_s + self.ready_s + self.kernel_s + self.cell_s


class Client:
    """Talks to the hub as a browser first and with a token of its own after the login.

    Args:
        base_url: the hub's public address.
        user: who logs in.
        context: how to check the hub's certificate; the system's way when None.
        owner: whose server to use when it is not the user's own, such as that of a course.
    """

    def __init__(self, base_url: str, user: str, context: ssl.SSLContext | None, owner: str = "") -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ProbeError(f"{base_url!r} is not the address of a hub; write it as https://hub.example.org/")
        self._base = base_url.rstrip("/")
        self._context = context
        self._user = user
        self._owner = owner or user
        self._cookies: dict[str, str] = {}
        self._token = ""
        self._token_id = ""
        self._http: AsyncHTTPClient = SimpleAsyncHTTPClient(force_instance=True, max_clients=10)

    def close(self) -> None:
        """Drop the connections."""
        self._http.close()

    @property
    def api_user(self) -> str:
        """Path of the server's owner in the API."""
        return f"/hub/api/users/{quote(self._owner, safe='@~')}"

    @property
    def server(self) -> str:
        """Path of the server."""
        return f"/user/{quote(self._owner, safe='@~')}"

    def request(self, method: str, path: str, **options: Any) -> HTTPRequest:
        """A request with what identifies the user."""
        headers = {**options.pop("headers", {})}
        if self._token:
            headers["Authorization"] = f"token {self._token}"
        elif self._cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
            headers["X-XSRFToken"] = self._cookies.get("_xsrf", "")
        options.setdefault("request_timeout", _REQUEST_SECONDS)
        return HTTPRequest(
            self._base + path,
            method=method,
            headers=headers,
            ssl_options=self._context,
            follow_redirects=False,
            allow_nonstandard_methods=True,
            **options,
        )

    async def fetch(self, what: str, method: str, path: str, good: tuple[int, ...], **options: Any) -> HTTPResponse:
        """One request; another status than the expected ones is an error that says what was tried."""
        body = options.pop("json", None)
        if body is not None:
            options["body"] = json.dumps(body)
            options["headers"] = {**options.get("headers", {}), "Content-Type": "application/json"}
        try:
            response = await self._http.fetch(self.request(method, path, **options), raise_error=False)
        except (OSError, HTTPClientError, StreamClosedError) as error:
            raise ProbeError(f"{what}: {self._base}{path} cannot be reached ({error})") from error
        for line in response.headers.get_list("Set-Cookie"):
            self._take_cookies(line)
        if response.code not in good:
            raise ProbeError(f"{what}: {method} {path} answered {response.code} {_words(response)}")
        return response

    def _take_cookies(self, line: str) -> None:
        try:
            jar = SimpleCookie(line)
        except CookieError:
            return
        for name, morsel in jar.items():
            self._cookies[name] = morsel.value

    @property
    def _tokens(self) -> str:
        """Path of the tokens of who logs in."""
        return f"/hub/api/users/{quote(self._user, safe='@~')}/tokens"

    async def login(self, password: str) -> None:
        """Log in with the form, then get a token that ends within the hour."""
        await self.fetch("login page", "GET", "/hub/login", (200,))
        form = urlencode({"username": self._user, "password": password, "_xsrf": self._cookies.get("_xsrf", "")})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        response = await self.fetch("login", "POST", "/hub/login", (302, 403), body=form, headers=headers)
        if response.code == 403:
            raise ProbeError(f"login: the hub refused user {self._user!r}; check name and password")
        await self.fetch("home page", "GET", "/hub/home", (200,))
        answer = await self.fetch(
            "token", "POST", self._tokens, (200, 201), json={"note": "hpcampus probe", "expires_in": 3600}
        )
        token = json.loads(answer.body)
        self._token, self._token_id = token["token"], token["id"]

    async def logout(self) -> None:
        """Give the token back."""
        if self._token_id:
            await self.fetch("token", "DELETE", f"{self._tokens}/{self._token_id}", (200, 204, 404))

    async def has_server(self) -> bool:
        """Whether the user has a server, ready or on its way."""
        answer = await self.fetch("user", "GET", self.api_user, (200,))
        return bool(json.loads(answer.body).get("servers", {}).get(""))

    async def spawn(
        self, options: Mapping[str, str], events: list[dict[str, Any]] | None = None
    ) -> list[dict[str, Any]]:
        """Ask for a server and follow its progress until it is ready; ``events`` is filled as they come."""
        events = [] if events is None else events
        await self.fetch("start", "POST", f"{self.api_user}/server", (201, 202), json={"user_options": dict(options)})
        await self._progress(events)
        last = events[-1] if events else {}
        if not last.get("ready"):
            raise ProbeError(f"start: {last.get('message', 'the hub told nothing about it')}")
        return events

    async def _progress(self, events: list[dict[str, Any]]) -> None:
        """Take in the progress events of a start until it ends, or until nobody waits for it any more."""
        rest, waiting = b"", True

        def take(chunk: bytes) -> None:
            nonlocal rest
            *lines, rest = (rest + chunk).split(b"\n")
            if waiting:
                events.extend(json.loads(line[5:]) for line in lines if line.startswith(b"data:"))

        path = f"{self.api_user}/server/progress"
        try:
            await self.fetch("progress", "GET", path, (200,), streaming_callback=take, request_timeout=0)
        finally:
            waiting = False

    async def open_kernel(self) -> tuple[str, WebSocketClientConnection]:
        """Start a kernel and open its channel."""
        kernel = await self.start_kernel()
        return kernel, await self.open_channel(kernel)

    async def start_kernel(self) -> str:
        """Start a kernel; gives its id."""
        answer = await self.fetch("kernel", "POST", f"{self.server}/api/kernels", (201,), json={"name": "python3"})
        return str(json.loads(answer.body)["id"])

    async def open_channel(self, kernel: str) -> WebSocketClientConnection:
        """Open the channel of a kernel."""
        request = self.request("GET", f"{self.server}/api/kernels/{kernel}/channels?session_id={uuid.uuid4().hex}")
        request.url = "ws" + request.url.removeprefix("http")
        try:
            return await websocket_connect(request)
        except (OSError, HTTPClientError, StreamClosedError) as error:
            raise ProbeError(
                f"kernel: its websocket cannot be opened ({error}); does the proxy pass websockets?"
            ) from error

    async def stop_server(self, timeout: float) -> None:  # noqa: ASYNC109
        """Stop the server and wait until the hub knows that it is gone."""
        await self.fetch("stop", "DELETE", f"{self.api_user}/server", (202, 204))
        deadline = time.monotonic() + timeout
        while await self.has_server():
            if time.monotonic() > deadline:
                raise ProbeError(f"stop: the server is still there after {timeout:g} s")
            await asyncio.sleep(0.2)


def _words(response: HTTPResponse) -> str:
    """The hub's own words on an error, in short."""
    try:
        message = json.loads(response.body or b"{}").get("message", "")
    except (ValueError, AttributeError):
        message = ""
    return str(message or response.reason)[:400]


def execute_request(code: str, user: str) -> tuple[str, str]:
    """Id and text of the message that runs a cell and asks where it ran."""
    number = uuid.uuid4().hex
    header = {"msg_id": number, "msg_type": "execute_request", "username": user, "session": uuid.uuid4().hex}
    content = {
        "code": code,
        "silent": False,
        "store_history": False,
        "user_expressions": _ASKED,
        "allow_stdin": False,
        "stop_on_error": True,
    }
    message = {
        "header": {**header, "date": "2000-01-01T00:00:00Z", "version": "5.3"},
        "parent_header": {},
        "metadata": {},
        "channel": "shell",
        "buffers": [],
        "content": content,
    }
    return number, json.dumps(message)


@dataclass
class Cell:
    """What has come back of a cell."""

    number: str
    output: str = ""
    reply: dict[str, Any] | None = None
    idle: bool = False

    def take(self, message: Mapping[str, Any]) -> None:
        """Take in one message of the kernel."""
        if message.get("parent_header", {}).get("msg_id") != self.number:
            return
        kind, content = message.get("msg_type") or message["header"]["msg_type"], message["content"]
        if kind == "stream":
            self.output += content["text"]
        elif kind == "execute_result":
            self.output += content["data"].get("text/plain", "") + "\n"
        elif kind == "execute_reply":
            self.reply = content
        elif kind == "status":
            self.idle = self.idle or content["execution_state"] == "idle"

    @property
    def done(self) -> bool:
        """Whether reply and output are complete."""
        return self.reply is not None and self.idle

    def asked(self, name: str) -> str:
        """Value of one of the expressions that were asked along with the cell."""
        value = (self.reply or {}).get("user_expressions", {}).get(name, {}).get("data", {}).get("text/plain", "")
        return str(value).strip("'\"")


async def run_in(channel: WebSocketClientConnection, code: str, user: str) -> Cell:
    """Run one cell in a kernel whose channel is open.

    Args:
        channel: the kernel's websocket.
        code: the cell.
        user: name that the message carries.

    Raises:
        ProbeError: the cell failed, or the channel closed before its result came.
    """
    number, text = execute_request(code, user)
    cell = Cell(number)
    try:
        await channel.write_message(text)
    except WebSocketClosedError as error:
        raise ProbeError("cell: the kernel's channel closed before the cell was sent") from error
    while not cell.done:
        message = await channel.read_message()
        if message is None:
            raise ProbeError("cell: the kernel's channel closed before the result came")
        cell.take(json.loads(message))
    if (cell.reply or {}).get("status") != "ok":
        reply = cell.reply or {}
        raise ProbeError(f"cell: it failed with {reply.get('ename', '?')}: {reply.get('evalue', '')}")
    return cell


async def run_cell(  # noqa: PLR0913 (what a probe is about)
    base_url: str,
    user: str,
    password: str,
    code: str = DEFAULT_CODE,
    *,
    options: Mapping[str, str] | None = None,
    ssl_context: ssl.SSLContext | None = None,
    stop: bool = True,
    timeout: float = 600.0,  # noqa: ASYNC109
    result: ProbeResult | None = None,
) -> ProbeResult:
    """Log in, start a server, run one cell, and stop the server.

    Args:
        base_url: the hub's public address, such as ``https://hub.example.org``.
        user: name to log in with.
        password: its password.
        code: the cell.
        options: what to ask of the hub, such as ``{"profile": "small"}``.
        ssl_context: how to check the hub's certificate; the system's way when None.
        stop: stop the server in the end.
        timeout: seconds for all of it.
        result: filled as the probe goes on, so that a caller knows how far it came when it fails.

    Returns:
        What was found.

    Raises:
        ProbeError: a step failed; a server that this probe started is stopped all the same.
    """
    client = Client(base_url, user, ssl_context)
    try:
        async with asyncio.timeout(timeout):
            return await _probe(client, user, password, code, options or {}, stop, result or ProbeResult())
    except TimeoutError:
        raise ProbeError(f"the probe did not end within {timeout:g} s") from None
    finally:
        client.close()


async def _probe(
    client: Client, user: str, password: str, code: str, options: Mapping[str, str], stop: bool, result: ProbeResult
) -> ProbeResult:
    clock = _Clock()
    await client.login(password)
    result.login_s = clock.lap()
    result.leg = "start"
    if await client.has_server():
        raise ProbeError(f"user {user!r} has a server already; stop it, or probe as a user of its own")
    clock.lap()
    try:
        await client.spawn(options, result.events)
        result.ready_s = clock.lap()
        result.legs = result.events[-1].get("hpcampus", {}).get("legs", {})
        result.leg = "api"
        kernel = await client.start_kernel()
        result.leg = "websocket"
        channel = await client.open_channel(kernel)
        result.kernel_s = clock.lap()
        result.leg = "cell"
        try:
            cell = await run_in(channel, code, user)
        finally:
            channel.close()
        result.cell_s = clock.lap()
        result.node, result.job_id, result.output = cell.asked("node"), cell.asked("job_id"), cell.output.strip()
        await client.fetch("kernel", "DELETE", f"{client.server}/api/kernels/{kernel}", (204,))
    except BaseException:
        if stop and await client.has_server():
            await client.stop_server(60.0)
        raise
    if stop:
        result.leg = "stop"
        clock.lap()
        await client.stop_server(120.0)
        result.stop_s = clock.lap()
    await client.logout()
    return result


class _Clock:
    """Seconds between laps."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def lap(self) -> float:
        """Seconds since the last lap."""
        now = time.monotonic()
        seconds, self._last = now - self._last, now
        return round(seconds, 3)


# --- certificates ------------------------------------------------------------------------------------------


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of a certificate in DER form, as 64 hex digits."""
    return hashlib.sha256(certificate).hexdigest()


async def pinned_context(url: str, expected: str) -> ssl.SSLContext:
    """A TLS context that accepts exactly one certificate, known by its fingerprint.

    Args:
        url: the hub's address.
        expected: SHA-256 as hex digits, colons allowed.

    Returns:
        A context that trusts this certificate and no other, whatever name it carries.

    Raises:
        ProbeError: the server shows another certificate or none.
    """
    parts = urlsplit(url)
    look = ssl.create_default_context()
    look.check_hostname = False
    look.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(_REQUEST_SECONDS):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port or 443, ssl=look)
    except (OSError, TimeoutError) as error:
        raise ProbeError(f"{url} cannot be reached ({error})") from error
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    wanted = expected.replace(":", "").strip().lower()
    if fingerprint(shown) != wanted:
        raise ProbeError(f"{url} shows the certificate {fingerprint(shown)}, not {wanted}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=ssl.DER_cert_to_PEM_cert(shown))
    return context


# --- command ------------------------------------------------------------------------------------------


def report(result: ProbeResult) -> str:
    """A result for people."""
    lines = [
        f"  log in             {result.login_s:6.2f} s",
        f"  request to ready   {result.ready_s:6.2f} s",
        *(f"    {name:<16} {seconds:6.2f} s" for name, seconds in result.legs.items()),
        f"  kernel             {result.kernel_s:6.2f} s",
        f"  cell               {result.cell_s:6.2f} s",
        f"  stop               {result.stop_s:6.2f} s",
        f"The cell ran on {result.node or 'an unknown node'} as job {result.job_id or '?'} and printed:",
        *(f"  {line}" for line in result.output.splitlines()),
    ]
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hpcampus_hub.probe", description="Prove a running platform from outside.")
    parser.add_argument("--url", required=True, help="the hub's public address, such as https://hub.example.org")
    parser.add_argument("--user", required=True, help="name to log in with; it must have no server running")
    parser.add_argument("--password-file", required=True, help="file whose first line is the password, or - for stdin")
    trust = parser.add_mutually_exclusive_group()
    trust.add_argument("--ca-file", help="PEM file of the CA that signed the hub's certificate")
    trust.add_argument(
        "--insecure-selfsigned-fingerprint",
        metavar="SHA256",
        help="accept exactly the certificate with this fingerprint",
    )
    parser.add_argument("--profile", default="", help="size to ask for; the first on offer otherwise")
    parser.add_argument("--course", default="", help="course to start for")
    parser.add_argument("--code", default=DEFAULT_CODE, help="Python code of the cell")
    parser.add_argument("--keep", action="store_true", help="leave the server running")
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds for all of it")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def _read_password(path: str) -> str:
    try:
        text = sys.stdin.readline() if path == "-" else Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ProbeError(f"the password file {path} cannot be read: {error.strerror}") from error
    lines = text.splitlines()
    if not lines or not lines[0]:
        raise ProbeError("the password is empty; give it as the first line of the password file or of standard input")
    return lines[0]


async def _main(arguments: argparse.Namespace) -> ProbeResult:
    password = _read_password(arguments.password_file)
    context: ssl.SSLContext | None = None
    if arguments.insecure_selfsigned_fingerprint:
        context = await pinned_context(arguments.url, arguments.insecure_selfsigned_fingerprint)
    elif arguments.ca_file:
        context = ssl.create_default_context(cafile=arguments.ca_file)
    options = {key: value for key in ("profile", "course") if (value := getattr(arguments, key))}
    return await run_cell(
        arguments.url,
        arguments.user,
        password,
        arguments.code,
        options=options,
        ssl_context=context,
        stop=not arguments.keep,
        timeout=arguments.timeout,
    )


def main(argv: list[str] | None = None) -> int:
    """Run the command; gives its exit status."""
    arguments = _parser().parse_args(argv)
    try:
        result = asyncio.run(_main(arguments))
    except (ProbeError, ssl.SSLError, OSError) as error:
        if arguments.json:
            print(json.dumps({"ok": False, "error": str(error)}))
        else:
            print(f"Not proven. {error}", file=sys.stderr)
        return 1
    if arguments.json:
        print(json.dumps({"ok": True, "total_s": round(result.total_s, 3), **asdict(result)}))
    else:
        print(report(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
