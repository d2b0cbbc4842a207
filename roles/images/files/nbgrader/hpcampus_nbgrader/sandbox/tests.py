# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The child that runs the tests of an isolated notebook: no line of the student's runs in it."""

from __future__ import annotations

import asyncio
import signal

from . import confine, shell
from .bridge import Asker


class TestShell(shell.SandboxShell):
    """A shell that asks the student's process for the names that a test uses."""

    __test__ = False
    asker: Asker

    def fetch(self, source: str) -> None:
        """Ask for what a test needs, before it runs."""
        own = {
            name
            for name, value in self.user_ns.items()
            if name not in self._fetched or self._fetched[name] is not value
        }
        before = dict(self.user_ns)
        self.asker.fetch(self.transform_cell(source), self.user_ns, own)
        self._fetched = {
            **self._fetched,
            **{n: v for n, v in self.user_ns.items() if before.get(n) is not v or n not in before},
        }

    _fetched: dict[str, object] = {}  # noqa: RUF012 (replaced as a whole)


def main(handle: int, peer: int) -> None:
    """The child's life.

    Args:
        handle: of the socket that leads to the parent.
        peer: of the socket that leads to the student's process.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    confine.hide_memory()
    TestShell.asker = Asker(peer)
    asyncio.run(shell.serve(handle, TestShell))
