# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Single keys that a person presses while something runs; Ctrl-C stays what it is."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
import tty
from typing import Any


class Keys:
    """Reads keys without waiting, as long as this process is the one in front on a terminal."""

    def __init__(self) -> None:
        self.handle: int | None = None
        self.before: list[Any] | None = None
        with contextlib.suppress(AttributeError, OSError, ValueError):
            if sys.stdin.isatty():
                self.handle = sys.stdin.fileno()

    @property
    def available(self) -> bool:
        """Whether there is a terminal that keys come from."""
        return self.handle is not None and self._in_front()

    def start(self) -> None:
        """Have every key arrive at once and unseen."""
        if self.handle is None or self.before is not None or not self._in_front():
            return
        with contextlib.suppress(termios.error):
            self.before = termios.tcgetattr(self.handle)
            tty.setcbreak(self.handle, termios.TCSANOW)

    def pressed(self) -> str:
        """Give what was pressed since the last time; empty when nothing was."""
        if self.handle is None or self.before is None or not self._in_front():
            return ""
        with contextlib.suppress(OSError):
            if select.select([self.handle], [], [], 0)[0]:
                return os.read(self.handle, 64).decode(errors="replace")
        return ""

    def stop(self) -> None:
        """Give the terminal back as it was."""
        if self.handle is not None and self.before is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self.handle, termios.TCSADRAIN, self.before)
        self.before = None

    def _in_front(self) -> bool:
        # A process in the background that touches the terminal is stopped by the kernel.
        with contextlib.suppress(OSError):
            return self.handle is not None and os.tcgetpgrp(self.handle) == os.getpgrp()
        return False
