# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What both installs do: bring hosts up, ask, install, prove, and look for secrets afterwards."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from hpcampus import vault
from hpcampus.lab import Lab, role_settings, site_settings
from hpcampus.questions import load_questions
from tests.contract.checkout import ROOT, copy_tracked
from tests.install.controller import Controller
from tests.install.report import SCREENS
from tests.install.terminal import Terminal, choose, converse
from tests.install.watch import ArgvWatch, files_holding

QUESTIONS = tuple(question.key for question in load_questions(ROOT))
SECONDS_AT_MOST = 720
# What a person confirms but need not know.
NO_QUESTION = {"password_again", "overview", "write", "menu"}
Answers = Mapping[str, Callable[[Terminal], None]]


@dataclass
class Install:
    """One site, and what was seen while it was installed.

    Attributes:
        controller: Where the command runs.
        lab: The test hosts.
        watch: Reads command lines from the first question on.
        password: The administrator's; it must be found nowhere.
        asked: Names of the questions that setup asked.
        seconds: Of each stage.
        said: What each stage printed.
        left: How each step stood after the kill.
        title: Of the screens.
    """

    controller: Controller
    lab: Lab
    watch: ArgvWatch
    password: str = field(default_factory=lambda: f"canary-{secrets.token_hex(12)}", repr=False)
    asked: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    title: str = ""

    def timed(self, stage: str, work: Callable[[], str]) -> None:
        """Do the work of a stage, and note how long it took and what it said."""
        start = time.monotonic()
        try:
            self.said[stage] = work()
        finally:
            self.seconds[stage] = round(time.monotonic() - start, 1)

    def command(self, *arguments: str, stdin: str = "") -> Callable[[], str]:
        """Give a stage that runs the command to a good end."""

        def work() -> str:
            done = self.controller.run(*arguments, stdin=stdin)
            assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
            return done.stdout

        return work

    def conversation(self, title: str, answers: Answers, *arguments: str) -> Callable[[], str]:
        """Give a stage in which a person answers the questions of setup in a terminal."""

        self.title = title
        for old in self.screens():
            old.unlink()

        def work() -> str:
            argv = self.controller.argv("setup", *arguments)
            terminal = Terminal(
                title,
                SCREENS,
                argv,
                cwd=self.controller.home,
                env={**self.controller.environment(), "TERM": "xterm-256color"},
            )
            try:
                self.asked = converse(terminal, QUESTIONS, answers)
                assert terminal.ended() == 0, terminal.screen()
                return terminal.everything()
            finally:
                terminal.close()

        return work

    def killed(self, step: str, tasks: int) -> Callable[[], str]:
        """Give a stage that installs and is killed without a word, some tasks into a step."""

        def work() -> str:
            log = self.controller.home / "killed.log"
            with log.open("w") as output:
                process = self.controller.start(output, "apply")
                try:
                    wait_for(lambda: tasks_of(log.read_text(), step) >= tasks, process)
                finally:
                    process.send_signal(signal.SIGKILL)
                    process.wait()
            return log.read_text()

        return work

    def screens(self) -> list[Path]:
        """Give the screens that were kept, in the order of time."""
        return sorted(SCREENS.glob(f"{self.title}-*.txt"))

    def questions(self) -> list[str]:
        """Name what a person had to answer."""
        return [name for name in self.asked if name not in NO_QUESTION]

    def facts(self, stages: Sequence[str]) -> dict[str, object]:
        """Give what people want to know, in words; `stages` lead from the first question to the proof."""
        return {
            "questions": f"{len(self.questions())}: {', '.join(self.questions())}",
            "from setup to verified, s": round(sum(self.seconds[stage] for stage in stages), 1),
            **{f"{stage}, s": seconds for stage, seconds in self.seconds.items()},
            "secrets looked for": ", ".join(self.secrets()),
            "looks at all command lines": f"{self.watch.looks}, {len(self.watch.seen)} different ones",
        }

    def inventory(self, name: str = "inventory") -> dict[str, str]:
        """Give the files of an inventory as text, the vault opened."""
        site = self.controller.site(name)
        found = {}
        for path in sorted(path for path in site.inventory.rglob("*") if path.is_file()):
            text = path.read_text(encoding="utf-8")
            key = self.key(name)
            found[str(path.relative_to(site.inventory))] = vault.decrypt(text, key, path)
        return found

    def key(self, name: str = "inventory") -> Path:
        """Give the file with the key of an inventory's vault."""
        return self.controller.keys / f"{name}-{self.controller.site(name).identity}.key"

    def secrets(self) -> dict[str, str]:
        """Give every secret of the site by name: the administrator's password, that of the proof, the key of the vault."""
        opened = yaml.safe_load(self.inventory()["group_vars/all/vault.yml"])
        return {
            "password of the administrator": self.password,
            "password of the proof": opened["site_verify_password"],
            "key of the vault": self.key().read_text().strip(),
        }


def wait_for(done: Callable[[], bool], process: subprocess.Popen[str], seconds: float = 600) -> None:
    """Wait for something that a process does."""
    deadline = time.monotonic() + seconds
    while not done():
        assert process.poll() is None, "it ended before"
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.2)


def tasks_of(log: str, step: str) -> int:
    """Count the tasks that a log shows of a step."""
    _, _, rest = log.partition(f" {step}: ")
    own, _, _ = rest.partition(f"step {step}: ")
    return len(re.findall(r"^  \S", own, re.MULTILINE))


def names_of(lab: Lab) -> dict[str, str]:
    """Give the address of every name of the hosts, as this machine reaches them."""
    addresses = {status.name: status.address for status in lab.status()}
    return {name: addresses[host.name] for host in lab.spec.hosts for name in (host.name, *host.aliases)}


def write_own_lines(controller: Controller, *names: str) -> None:
    """Write what an admin of this network would write by hand: its mirrors and authorities, and that hosts are containers."""
    settings = {**site_settings(), **role_settings()}
    for name in names:
        place = controller.home / name / "group_vars/all"
        place.mkdir(parents=True)
        (place / "by_hand.yml").write_text(json.dumps(settings, indent=1), encoding="utf-8")


def steps_left_by(controller: Controller) -> dict[str, str]:
    """Give how each step stands in the journal."""
    found = json.loads((controller.state / controller.site().identity / "journal.json").read_text())
    return {name: record["status"] for name, record in found["records"].items()}


def leaks(install: Install, scratch: Path) -> dict[str, dict[str, list[str]]]:
    """Look for every secret wherever it must not be.

    Returns:
        By place, by secret, where it was found; empty when all is well.
    """
    told = install.secrets()
    home = install.controller.home
    typed = {name: value for name, value in told.items() if name != "key of the vault"}
    elsewhere = [path for path in home.iterdir() if path.name not in {".config", ".ssh"}]
    found = {
        "command lines": {name: [line] for name, line in install.watch.holding(told).items()},
        "files of the command": files_holding(told, elsewhere),
        "keys": files_holding(typed, [home / ".config"]),
        "hosts": {name: hosts for name, value in told.items() if (hosts := _hosts_holding(install.lab, value))},
        "tarball": files_holding(told, [packed(install, scratch)]),
        "screens": files_holding(told, [SCREENS]),
    }
    return {place: secrets for place, secrets in found.items() if secrets}


def _hosts_holding(lab: Lab, secret: str) -> list[str]:
    """Look into the logs, settings and leftovers of every host; the secret goes there by standard input."""
    argv = [
        "grep",
        "-rlFs",
        "-f",
        "-",
        "--exclude-dir=secrets",
        "/etc",
        "/root",
        "/tmp",
        "/var/log",
        "/home",
        "/srv",
        "/run",
    ]
    return [
        f"{host.name}:{line}"
        for host in lab.spec.hosts
        for line in lab.exec(host.name, argv, stdin=secret).stdout.split()
    ]


def packed(install: Install, scratch: Path) -> Path:
    """Build the collection from a checkout that this inventory and the command's memory lie in, and unpack it."""
    top = scratch / "checkout"
    copy_tracked(top)
    for name in ("inventory", ".local", ".config"):
        subprocess.run(["cp", "-r", str(install.controller.home / name), str(top / name)], check=True)
    galaxy = Path(sys.executable).parent / "ansible-galaxy"
    argv = [str(galaxy), "collection", "build", "--output-path", str(scratch / "out"), str(top)]
    subprocess.run(argv, check=True, capture_output=True, env={**os.environ, "HOME": str(scratch)})
    with tarfile.open(next((scratch / "out").glob("*.tar.gz"))) as archive:
        archive.extractall(scratch / "unpacked", filter="data")
    return scratch / "unpacked"


def typed(text: str) -> Callable[[Terminal], None]:
    """Give what a person does who types an answer in place of what stands there."""

    def work(terminal: Terminal) -> None:
        terminal.press("C-u")
        terminal.type(text)
        terminal.press("Enter")

    return work


def secret(text: str) -> Callable[[Terminal], None]:
    """Give what a person does who types a password."""

    def work(terminal: Terminal) -> None:
        terminal.type_secret(text)
        terminal.press("Enter")

    return work


def enter(terminal: Terminal) -> None:
    """Take what is there."""
    terminal.press("Enter")


def yes(terminal: Terminal) -> None:
    """Agree."""
    terminal.type("y")


def line(beginning: str) -> Callable[[Terminal], None]:
    """Give what a person does who chooses from a menu."""
    return lambda terminal: choose(terminal, beginning)
