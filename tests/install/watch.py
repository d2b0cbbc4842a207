# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Looks for secrets where they must not be: on the command lines of all processes while a run lasts, and in files after it."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

INTERVAL_SECONDS = 0.05


class ArgvWatch:
    """Reads the command line of every process of this machine, those of the test hosts too, twenty times a second.

    Attributes:
        looks: How many times all processes were read.
        seen: Different command lines that were read.
    """

    def __init__(self) -> None:
        self.looks = 0
        self.seen: set[bytes] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._ended.wait(INTERVAL_SECONDS):
            self.seen.update(_command_lines())
            self.looks += 1

    def holding(self, secrets: Mapping[str, str]) -> dict[str, str]:
        """Give a command line for each secret that stood on one; what was seen is kept, so secrets may be told afterwards."""
        return {
            name: line.replace(b"\0", b" ").decode(errors="replace")
            for name, secret in secrets.items()
            for line in tuple(self.seen)
            if secret.encode() in line
        }


def _command_lines() -> Iterable[bytes]:
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                yield (path / "cmdline").read_bytes()
            except OSError:  # it has ended
                continue


def files_holding(secrets: Mapping[str, str], places: Iterable[Path]) -> dict[str, list[str]]:
    """Give the files below some places that hold a secret, by name of the secret."""
    found: dict[str, list[str]] = {}
    for place in places:
        for path in [place] if place.is_file() else sorted(place.rglob("*")):
            if path.is_file() and not path.is_symlink():
                content = path.read_bytes()
                for name, secret in secrets.items():
                    if secret.encode() in content:
                        found.setdefault(name, []).append(str(path))
    return found


def wait_until_seen(watch: ArgvWatch, text: str, seconds: float = 10) -> bool:
    """Tell whether a text comes to stand on a command line that the watch has seen."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if watch.holding({"": text}):
            return True
        time.sleep(INTERVAL_SECONDS)
    return False
