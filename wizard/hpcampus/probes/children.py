# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Runs programs for probes: with a time limit, without a terminal, and so that they end with the probe."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hpcampus.texts import t

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Done:
    """How a program ended: its status and what it said, which may be anything."""

    status: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The last line of what it complained of."""
        lines = [line.strip() for line in self.err.splitlines() if line.strip()]
        return lines[-1] if lines else f"exit status {self.status}"


class Children:
    """The programs that run for one probe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._closed = False

    @contextlib.contextmanager
    def process(self, argv: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
        """Start a program in a group of its own, which ends with the block."""
        with self._lock:
            if self._closed:
                raise OSError("stopped")
            # Out of the terminal's group: Ctrl-C is for the person's question, not for a look in the background.
            process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            self._running.add(process)
        try:
            with process:
                try:
                    yield process
                finally:
                    _kill(process)
        finally:
            with self._lock:
                self._running.discard(process)

    def stop(self) -> None:
        """End all of them, and start no more."""
        with self._lock:
            self._closed = True
            for process in self._running:
                _kill(process)


CURRENT: ContextVar[Children] = ContextVar("CURRENT")


def run(argv: Sequence[str], seconds: float, stdin: str = "") -> Done:
    """Run a program.

    Args:
        argv: The program and its arguments; no shell is involved.
        seconds: How long it may take.
        stdin: What it reads.

    Raises:
        TimeoutError: It took longer.
        OSError: It could not be started, or the probe was stopped.
    """
    with CURRENT.get(Children()).process(argv) as process:
        try:
            out, err = process.communicate(stdin.encode(), timeout=seconds)
        except subprocess.TimeoutExpired:
            raise TimeoutError(t("probe.program-too-long", program=argv[0], seconds=f"{seconds:g}")) from None
    return Done(process.returncode, _text(out), _text(err))


def _text(data: bytes) -> str:
    return data[:MOST_BYTES].decode(errors="replace")


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
