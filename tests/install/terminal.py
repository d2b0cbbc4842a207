# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A terminal of 80 columns and 24 lines that a person sits at: tmux, which draws what a program writes."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpcampus.texts.en import TEXTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

COLUMNS, LINES = 80, 24
SETTINGS = Path(__file__).with_name("tmux.conf")
PROMPT = "? "
# Questions that are no question of questions.yml.
FURTHER = {
    "password_again": "setup.password-again",
    "keys_confirmed": "setup.key-confirm",
    "overview": "setup.choose",
    "write": "setup.confirm-writing",
    "menu": "menu.question",
}
REFUSED = TEXTS["setup.wrong"].partition("{")[0]


class Terminal:
    """A program in a terminal of its own.

    Args:
        name: Of the tmux server; one for each terminal.
        screens: Directory in which screens are kept as text.
        argv: The program.
        options: For the process that starts it: directory, environment.
    """

    def __init__(self, name: str, screens: Path, argv: Sequence[str], **options: Any) -> None:
        self.name, self.screens, self.kept = name, screens, 0
        self._tmux("kill-server", check=False)
        size = ("-x", str(COLUMNS), "-y", str(LINES))
        # tmux itself now and then forgets with what a program ended.
        self._status = Path(tempfile.mkdtemp()) / "status"
        told = (
            "sh",
            "-c",
            'status=$1; shift; "$@"; echo $? > "$status.new"; mv "$status.new" "$status"',
            "sh",
            str(self._status),
        )
        self._tmux("-f", str(SETTINGS), "new-session", "-d", *size, "--", *told, *argv, **options)

    def _tmux(self, *words: str, check: bool = True, **options: Any) -> str:
        done = subprocess.run(
            ["tmux", "-u", "-L", self.name, *words], capture_output=True, text=True, check=False, **options
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    def screen(self, *, colours: bool = False) -> str:
        """Give what is on the screen now, with the codes of its colours if they are wanted."""
        shown = self._tmux("capture-pane", "-p", *(["-e"] if colours else []))
        return "\n".join(line.rstrip() for line in shown.splitlines()).rstrip() + "\n"

    def resize(self, columns: int, lines: int) -> None:
        """Change the size of the terminal, as somebody does who pulls at its window."""
        self._tmux("resize-window", "-x", str(columns), "-y", str(lines))

    def everything(self) -> str:
        """Give all that was ever on the screen, its lines as they were before they were wrapped."""
        return self._tmux("capture-pane", "-p", "-J", "-S", "-")

    def keep(self, title: str) -> None:
        """Keep the screen as a text file, numbered in the order of time."""
        self.kept += 1
        self.screens.mkdir(parents=True, exist_ok=True)
        (self.screens / f"{self.name}-{self.kept:02d}-{title}.txt").write_text(self.screen(), encoding="utf-8")

    def type(self, text: str) -> None:
        """Type a text that anybody may see."""
        self._tmux("send-keys", "-l", "--", text)

    def type_secret(self, text: str) -> None:
        """Type a text that must stand on no command line, tmux's neither."""
        self._tmux("load-buffer", "-b", "secret", "-", input=text)
        self._tmux("paste-buffer", "-d", "-b", "secret")

    def press(self, *keys: str) -> None:
        """Press keys, by their names in tmux."""
        self._tmux("send-keys", *keys)

    def ended(self) -> int | None:
        """Give the exit status, or None while the program runs."""
        return int(self._status.read_text()) if self._status.exists() else None

    def wait(self, wanted: Callable[[str], Any], seconds: float = 60) -> Any:
        """Wait until something is true of the screen, and give it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = wanted(self.screen())
            if found:
                return found
            time.sleep(0.1)
        raise AssertionError(f"not seen within {seconds} s; the screen is:\n{self.screen()}")

    def close(self) -> None:
        """End the terminal and what runs in it."""
        self._tmux("kill-server", check=False)
        shutil.rmtree(self._status.parent, ignore_errors=True)


def prompts(questions: Sequence[str]) -> dict[str, str]:
    """Give the beginning of every prompt as it stands on a screen, with the name of its question."""
    named = {name: TEXTS[f"prompt.{name}"] for name in questions}
    named |= {name: TEXTS[key] for name, key in FURTHER.items()}
    return {" ".join(text.partition("{")[0].split()): name for name, text in named.items()}


def asked_now(screen: str, known: Mapping[str, str]) -> str:
    """Give the name of the question that the screen ends with; empty when there is none."""
    lines = screen.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith(PROMPT)]
    if not starts:
        return ""
    text = " ".join(" ".join(lines[starts[-1] :]).removeprefix(PROMPT).split())
    found = [prompt for prompt in known if text.startswith(prompt)]
    return known[max(found, key=len)] if found else ""


def chosen_now(screen: str) -> str:
    """Give the line of a menu that the pointer stands on."""
    found = re.findall(r"^ *> (.*)$", screen, re.MULTILINE)
    return found[-1].strip() if found else ""


def choose(terminal: Terminal, beginning: str) -> None:
    """Go down a menu to the line with this beginning, and take it."""
    pointed = terminal.wait(chosen_now)
    for _ in range(20):
        if pointed.startswith(beginning):
            terminal.press("Enter")
            return
        terminal.press("Down")
        pointed = _moved(terminal, pointed)
    raise AssertionError(f"no line begins with {beginning!r}:\n{terminal.screen()}")


def _moved(terminal: Terminal, line: str) -> str:
    """Wait until the pointer stands on another line, and give that; a key that is pressed before would go too far."""

    def other(screen: str) -> str:
        now = chosen_now(screen)
        return now if now != line else ""

    return str(terminal.wait(other))


def converse(
    terminal: Terminal,
    questions: Sequence[str],
    answers: Mapping[str, Callable[[Terminal], None]],
    seconds: float = 120,
) -> list[str]:
    """Answer what setup asks until it ends, and keep a screen of every question.

    Args:
        terminal: In which setup runs.
        questions: Names of all questions.
        answers: What a person does, by name of the question.
        seconds: How long setup may think at most.

    Returns:
        Names of what was asked, in order.
    """
    known, asked = prompts(questions), [""]

    def next_one(screen: str) -> str:
        assert REFUSED not in screen, screen
        name = asked_now(screen, known)
        # A question that was answered stays on the screen while the program works.
        return name if name not in {"", asked[-1]} else "" if terminal.ended() is None else "end"

    while (name := terminal.wait(next_one, seconds)) != "end":
        # The rest of the screen may still be being drawn.
        time.sleep(0.3)
        terminal.keep(name)
        assert name in answers, f"a question that nobody expected:\n{terminal.screen()}"
        asked.append(name)
        answers[name](terminal)
    terminal.keep("end")
    return asked[1:]
