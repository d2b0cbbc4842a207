# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A real hub in a process of its own, and a client for it."""

import asyncio
import json
import os
import signal
import socket
import time
from collections.abc import Awaitable, Callable
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import bcrypt
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from tests.unit.hub.login_node import LoginNode
from tests.unit.hub.zygote import Zygote

ADMIN_TOKEN = "test-token-of-a-service-0123456789"
PASSWORD = "correct horse"

CONFIG = """
import json
import os
data = json.load(open({settings!r}))
os.environ.update(data["environment"])
c.JupyterHub.spawner_class = "hpcampus_hub.spawner.HpcSpawner"
c.JupyterHub.authenticator_class = data["authenticator"]
c.AccountsFileAuthenticator.accounts_file = data["accounts"]
c.NativeAuthenticator.accounts_file = data["accounts"]
c.Authenticator.admin_users = set(data["admins"])
c.HpcHub.hub_id = "hub"
c.HpcHub.clusters = data["clusters"]
c.HpcHub.profiles = data["profiles"]
c.HpcHub.tunnel = data["tunnel"]
c.HpcHub.courses = data["courses"]
c.HpcHub.carrier_dir = data["carrier_dir"]
c.HpcHub.api_port = data["api_port"]
c.HpcHub.gradebook = data["gradebook"]
c.HpcHub.webdav_hosts = data["webdav_hosts"]
c.CryptKeeper.keys = [bytes.fromhex(key) for key in data["crypt_keys"]]
c.HpcHub.query_fast_seconds = data["query_fast"]
c.HpcHub.query_slow_seconds = data["query_slow"]
c.HpcHub.reaper_pause_seconds = data["reaper_pause"]
c.HpcHub.reaper_grace_seconds = data["grace"]
c.JupyterHub.bind_url = "http://127.0.0.1:1"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:%d" % data["port"]
c.JupyterHub.proxy_class = "tests.unit.hub.memory_proxy.MemoryProxy"
c.JupyterHub.cleanup_servers = False
c.HpcHub.init_spawners_timeout = 1
c.JupyterHub.db_url = "sqlite:///" + data["db"]
c.JupyterHub.cookie_secret_file = data["cookie_secret"]
c.JupyterHub.services = [{{"name": "test", "api_token": data["token"]}}]
c.JupyterHub.load_roles = [{{"name": "test", "services": ["test"], "scopes": [
    "admin:users", "admin:groups", "admin:servers", "admin:server_state", "tokens", "read:roles", "proxy"]}}]
c.HpcSpawner.poll_interval = data["poll_interval"]
c.PeriodicMetricsCollector.event_loop_interval_resolution = 0.5
c.JupyterHub.concurrent_spawn_limit = 300
c.HpcSpawner.start_timeout = data["start_timeout"]
c.HpcSpawner.http_timeout = 5
c.HpcSpawner.stop_timeout = 3
c.JupyterHub.tornado_settings = {{"slow_spawn_timeout": data["slow_spawn_timeout"]}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def until(condition: Callable[[], Any] | Callable[[], Awaitable[Any]], timeout: float = 10.0) -> Any:  # noqa: ASYNC109
    """Wait until a condition gives something true, and give it back."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return value
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.05)


class HubProcess:
    """A hub, its files and the knobs of a test."""

    def __init__(self, directory: Path, login_node: LoginNode, signer_socket: Path, zygote: Zygote) -> None:
        self._zygote = zygote
        self.directory = directory
        directory.mkdir()
        self.registry = directory / "tunnel"
        self.registry.mkdir()
        self.more_config = ""
        self.carrier = directory / "carrier"
        self.carrier.mkdir()
        self.port = free_port()
        self.log_file = directory / "hub.log"
        self.accounts_file = directory / "accounts.json"
        self._pid: int | None = None
        self._client: AsyncHTTPClient | None = None
        self._asking: set[asyncio.Task[HTTPResponse]] = set()
        profile = {
            "name": "small",
            "label": "Small <1>",
            "cluster": "lab",
            "partition": "jupyter",
            "cpus": 1,
            "memory": "1G",
            "time_limit_minutes": 60,
            "image": "base",
        }
        self.settings: dict[str, Any] = {
            "authenticator": "hpcampus_hub.auth.AccountsFileAuthenticator",
            "accounts": str(self.accounts_file),
            "admins": [],
            "clusters": [login_node.cluster()],
            "profiles": [
                profile,
                {**profile, "name": "gpu", "label": "GPU", "gres": "gpu:1", "partition": "gpu", "overlay_mb": 512},
            ],
            "tunnel": {
                "host": "hub.example.org",
                "port": 22,
                "host_keys": [login_node.host_key],
                "port_min": 20000,
                "port_max": 24999,
                "registry_dir": str(self.registry),
                "signer_socket": str(signer_socket),
            },
            "courses": [
                {"slug": "py1", "title": "Python 1", "instructors": ["ida"], "students": ["alice"], "image": "course"}
            ],
            "carrier_dir": str(self.carrier),
            "api_port": 0,
            "gradebook": "sqlite",
            "environment": {},
            "webdav_hosts": [],
            "crypt_keys": [],
            "grace": 60,
            "port": self.port,
            "db": str(directory / "hub.sqlite"),
            "cookie_secret": str(directory / "cookie_secret"),
            "token": ADMIN_TOKEN,
            "start_timeout": 30,
            "query_fast": 0.05,
            "query_slow": 0.3,
            "reaper_pause": 0.2,
            "poll_interval": 60,
            "slow_spawn_timeout": 10,
        }
        self.write_accounts("alice", "bob", "ida")

    def write_accounts(self, *names: str) -> None:
        hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
        self.accounts_file.write_text(json.dumps({name: {"password_hash": hashed} for name in names}))
        self.accounts_file.chmod(0o640)

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    @property
    def leases(self) -> list[str]:
        return sorted(path.name for path in self.registry.iterdir())

    @property
    def orders(self) -> dict[str, dict[str, Any]]:
        """What the carrier is to have up, by port."""
        return {path.stem: json.loads(path.read_text()) for path in (self.carrier / "orders").glob("*.json")}

    def launch(self) -> None:
        """Start the process without waiting for it."""
        settings = self.directory / "settings.json"
        settings.write_text(json.dumps(self.settings))
        config = self.directory / "jupyterhub_config.py"
        config.write_text(CONFIG.format(settings=str(settings)) + self.more_config)
        self._pid = self._zygote.start(config, self.directory, self.log_file)

    async def start(self) -> None:
        """Start the process and wait for its API."""
        self.launch()
        try:
            await until(self._answers, 20)
        except AssertionError:
            raise AssertionError(self.log) from None

    async def _answers(self) -> bool:
        assert self._pid is not None
        assert self._zygote.status(self._pid) is None, self.log
        try:
            return (await self.fetch("GET", "/hub/api/")).code == 200
        except OSError:
            return False

    def cpu_seconds(self) -> float:
        """CPU time that the process has used so far."""
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the process."""
        if self._pid is not None:
            os.kill(self._pid, how)
            await self.wait()
        await asyncio.gather(*self._asking, return_exceptions=True)

    async def wait(self) -> int:
        """Wait for the process to end."""
        pid, self._pid = self._pid, None
        assert pid is not None
        deadline = time.monotonic() + 15
        while (status := self._zygote.status(pid)) is None:
            assert time.monotonic() < deadline, self.log
            await asyncio.sleep(0.05)
        return status

    async def fetch(self, method: str, path: str, *, json_body: Any = None, **options: Any) -> HTTPResponse:
        """One request to the hub; a status is never an error."""
        body = options.pop("body", None)
        if json_body is not None:
            body = json.dumps(json_body)
        if self._client is None:
            self._client = SimpleAsyncHTTPClient(force_instance=True, max_clients=60)
        return await self._client.fetch(
            HTTPRequest(
                f"http://127.0.0.1:{self.port}{path}",
                method=method,
                body=body,
                allow_nonstandard_methods=True,
                follow_redirects=False,
                request_timeout=30,
                **options,
            ),
            raise_error=False,
        )

    async def api(self, method: str, path: str, json_body: Any = None, token: str = ADMIN_TOKEN) -> HTTPResponse:
        """One request to the hub's API."""
        return await self.fetch(
            method, f"/hub/api{path}", json_body=json_body, headers={"Authorization": f"token {token}"}
        )

    async def server(self, user: str) -> dict[str, Any] | None:
        """A user's default server as the API shows it, state included."""
        response = await self.api("GET", f"/users/{user}")
        server: dict[str, Any] | None = json.loads(response.body).get("servers", {}).get("")
        return server

    async def is_ready(self, user: str) -> bool:
        server = await self.server(user)
        return server is not None and bool(server["ready"])

    async def is_stopped(self, user: str) -> bool:
        return await self.server(user) is None

    async def ready_count(self) -> int:
        """How many servers of all users are ready."""
        response = await self.api("GET", "/users?state=ready&limit=1000")
        return len(json.loads(response.body))

    async def spawn(self, user: str, options: Any = None) -> HTTPResponse:
        """Ask for a user's server."""
        await self.api("POST", f"/users/{user}")
        return await self.api("POST", f"/users/{user}/server", options)

    async def spawn_in_background(self, user: str, options: Any = None) -> None:
        """Ask for a user's server without waiting for the answer, which may take ten seconds."""
        task = asyncio.create_task(self.spawn(user, options))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        await until(lambda: self._is_starting(user))

    async def _is_starting(self, user: str) -> bool:
        return await self.server(user) is not None

    async def events(self, user: str) -> list[dict[str, Any]]:
        """The progress events of a start, to its end."""
        response = await self.api("GET", f"/users/{user}/server/progress")
        lines = response.body.decode().splitlines()
        return [json.loads(line[5:]) for line in lines if line.startswith("data:")]

    async def login(self, user: str, password: str = PASSWORD) -> "Browser | None":
        """Log in with the form; None when it was refused."""
        browser = Browser(self)
        await browser.get("/hub/login")
        form = {"username": user, "password": password, "_xsrf": browser.cookies["_xsrf"]}
        response = await browser.post("/hub/login", form)
        return browser if response.code == 302 else None

    async def browser(self, user: str) -> "Browser":
        """The browser of a user who has logged in and looks at the hub's pages."""
        browser = await self.login(user)
        assert browser is not None
        await browser.get("/hub/home")
        return browser


class Browser:
    """Keeps cookies."""

    def __init__(self, hub: HubProcess) -> None:
        self._hub = hub
        self.cookies: dict[str, str] = {}

    async def _fetch(self, method: str, path: str, **options: Any) -> HTTPResponse:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": cookie, **options.pop("headers", {})}
        response = await self._hub.fetch(method, path, headers=headers, **options)
        for line in response.headers.get_list("Set-Cookie"):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        return response

    async def get(self, path: str, **headers: str) -> HTTPResponse:
        return await self._fetch("GET", path, headers=headers)

    async def post(self, path: str, form: dict[str, str]) -> HTTPResponse:
        body = urlencode({"_xsrf": self.cookies.get("_xsrf", ""), **form})
        return await self._fetch("POST", path, body=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
