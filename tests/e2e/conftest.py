# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The running demo, as the tests see it: its address, its people, its hosts."""

from __future__ import annotations

import contextlib
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hpcampus import demo
from hpcampus.inventory_files import read_documents
from tests.e2e.notebook import Notebook

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from hpcampus.lab import Lab

ROOT = Path(__file__).parents[2]
SCREENS = ROOT / "artifacts" / "screens"
CERTIFICATE = "/etc/ssl/certs/hpcampus-selfsigned.pem"
COMPUTE = ("c1", "c2")


@dataclass(frozen=True)
class Platform:
    """The demo.

    Attributes:
        url: Address of the hub.
        context: TLS settings that trust the hub's certificate and nothing else.
        lab: Its hosts.
        passwords: Password of each account.
    """

    url: str
    context: ssl.SSLContext
    lab: Lab
    passwords: Mapping[str, str]

    def on(self, host: str, *argv: str, stdin: str = "", good: tuple[int, ...] = (0,)) -> str:
        """Run a command as root on a host and give what it printed."""
        done = self.lab.exec(host, argv, stdin=stdin)
        assert done.returncode in good, f"{host}: {' '.join(argv)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def jobs(self) -> list[str]:
        """Give the comment of every job in the queue that has not begun to end."""
        states = "PENDING,CONFIGURING,RUNNING,SUSPENDED"
        return self.on("login", "squeue", "--noheader", "--format", "%k", "--states", states).split()

    def notebook(self, user: str, owner: str = "") -> Notebook:
        """Make a client that is not logged in yet."""
        return Notebook(self.url, user, self.passwords[user], self.context, owner)

    @contextlib.asynccontextmanager
    async def running(self, user: str, **options: str) -> AsyncIterator[Notebook]:
        """Log in and start a server; stop it in the end."""
        notebook = self.notebook(user)
        try:
            await notebook.login()
            await notebook.stop()
            await notebook.start(**options)
            yield notebook
        finally:
            await notebook.close()

    @contextlib.asynccontextmanager
    async def neighbours(self) -> AsyncIterator[tuple[Notebook, Notebook]]:
        """Start servers of two students on one node."""
        for node in COMPUTE[1:]:
            self.on("login", "scontrol", "update", f"nodename={node}", "state=drain", "reason=test")
        try:
            async with self.running("student1") as first, self.running("student2") as second:
                yield first, second
        finally:
            for node in COMPUTE[1:]:
                self.on("login", "scontrol", "update", f"nodename={node}", "state=resume")


def find_platform() -> Platform:
    """Look for the demo, which `make e2e` has brought up."""
    site = demo.demo_site()
    passwords = read_documents(site, site.default_vault_key).secrets.get("vault_demo_passwords")
    assert passwords, "The demo is not up. Run: make demo"
    lab = demo.make_lab()
    certificate = lab.exec("campus", ["cat", CERTIFICATE]).stdout
    context = ssl.create_default_context(cadata=certificate)
    return Platform(demo.URL, context, lab, passwords)


@pytest.fixture(scope="session")
def platform() -> Platform:
    """Give the demo to the tests."""
    return find_platform()
