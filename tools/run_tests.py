# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Run the tests and print a plain summary: `python -m tools.run_tests check|test`.

Every part writes its output to artifacts/logs and, where it counts tests, a JUnit file to artifacts/junit. A run that
was stopped goes on with the parts that are left, as long as the checkout is the same.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hpcampus.lab import Lab, LabError, require_root
from hpcampus.lab.lab import ensure_images
from hpcampus.lab.packages import install_packages, is_present
from hpcampus.lab.recipes import IMAGE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parent.parent
ARTIFACTS = ROOT / "artifacts"
MEMORY = ARTIFACTS / "tests.json"
# Two run side by side, and beside them the tests of the demo. The light ones come first, while those are busy; then the long ones.
SCENARIOS = (
    "accounts",
    "slurm_22",
    "hub_debian12",
    "remote_centre",
    "single",
    "slurm_cluster",
    "alone",
)
# Sites that the command itself installs; the last ones, side by side.
INSTALLS = ("own-cluster", "remote-centre")
_children: set[subprocess.Popen[bytes]] = set()


@dataclass(frozen=True)
class Part:
    """A part of the tests: a command, and the JUnit file it writes when it counts tests itself.

    Attributes:
        waits: It waits for hosts much of its time, and leaves the processors to others meanwhile.
    """

    name: str
    argv: tuple[str, ...]
    junit: str = ""
    waits: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a part ended."""

    name: str
    passed: int
    failed: int
    seconds: float


def _pytest(name: str, *args: str) -> Part:
    junit = f"artifacts/junit/{name.replace(' ', '-')}.xml"
    return Part(name, (sys.executable, "-m", "pytest", "-q", f"--junitxml={junit}", *args), junit)


def _tool(name: str, *args: str) -> Part:
    return Part(name, (str(Path(sys.executable).parent / name.partition(" ")[0]), *args))


# Parts that run one after the other; chains run side by side.
Chain = tuple[Part, ...]


def quick_parts() -> Chain:
    """Return what needs no test host and little time."""
    return (
        _tool("ansible-lint", "--offline", "--strict", "--exclude", "molecule"),
        _pytest("unit", "tests/unit", "-m", "not processes"),
        _tool("mypy"),
        _pytest("contract", "tests/contract"),
        _tool("yamllint", "--strict", "."),
        _tool("ruff check", "check", "."),
        _tool("ruff format", "format", "--check", "."),
    )


def slower_parts() -> Chain:
    """Return what needs more time, but no test host that stays."""
    return (
        _tool("ansible-lint molecule", "--offline", "--strict", "molecule"),
        _pytest("processes", "tests/unit", "-m", "processes"),
        _pytest("lab", "tests/lab"),
    )


def scenario(name: str) -> Part:
    """Return a molecule scenario."""
    molecule = str(Path(sys.executable).parent / "molecule")
    return Part(f"molecule {name}", (molecule, "test", "-s", name), f"artifacts/molecule/{name}/junit.xml")


def install(name: str) -> Part:
    """Return the installation of a site by the command, on bare test hosts."""
    return _pytest(f"install {name}", f"tests/install/test_{name.replace('-', '_')}.py")


E2E = replace(_pytest("e2e", "tests/e2e"), waits=True)
FAILURES = replace(_pytest("failures", "tests/failures"), waits=True)


def end_to_end(*tests: Part) -> Chain:
    """Return tests that use the demo; one that was up before stays up."""
    parts = (_tool("hpcampus demo up", "demo", "up"), *tests)
    return parts if demo_is_up() else (*parts, _tool("hpcampus demo down", "demo", "down"))


def demo_is_up() -> bool:
    """Tell whether somebody has brought the demo up."""
    try:
        return all(host.state == "running" for host in Lab.saved("demo").status())
    except LabError:
        return False


def count(junit: Path) -> tuple[int, int]:
    """Return how many tests of a JUnit file passed and failed; a skipped one proves nothing and counts as failed."""
    passed = failed = 0
    for case in ET.parse(junit).getroot().iter("testcase"):  # noqa: S314 - written a moment ago by pytest
        bad = any(case.find(kind) is not None for kind in ("failure", "error", "skipped"))
        failed += bad
        passed += not bad
    return passed, failed


def run(part: Part) -> Outcome:
    """Run a part and count what it proved."""
    log = ARTIFACTS / "logs" / f"{part.name.replace(' ', '-')}.log"
    junit = ROOT / part.junit if part.junit else None
    if junit:
        junit.unlink(missing_ok=True)
    start = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            part.argv,
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            process_group=0,
        )
        _children.add(process)
        status = process.wait()
        _children.discard(process)
    seconds = time.monotonic() - start
    passed, failed = count(junit) if junit and junit.exists() else (0, 0)
    if junit is None or not failed:
        # The command itself counts as one where it counts nothing, and always when it fails without a failed test.
        passed += status == 0 and junit is None
        failed += status != 0
    if status == 0 and not passed:
        failed = 1
    outcome = Outcome(part.name, passed, failed, seconds)
    verdict = "ok    " if not failed else "FAILED"
    print(f"{verdict} {part.name:22} {passed:5} passed {failed:3} failed {seconds:7.1f} s", flush=True)
    if failed:
        print(f"       {log.relative_to(ROOT)} ends with:", flush=True)
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines()[-30:]:
            print(f"       | {line}", flush=True)
    return outcome


def environment() -> dict[str, str]:
    """Return the environment of every part: this virtual environment first, plain output, and modules compiled once."""
    env = dict(os.environ)
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    env["PATH"] = f"{Path(sys.executable).parent}:{env.get('PATH', '')}"
    env.update(
        ANSIBLE_COLLECTIONS_PATH=str(ROOT / ".cache/collections"),
        ANSIBLE_FORCE_COLOR="0",
        COLUMNS="160",
        NO_COLOR="1",
        PYTHONPYCACHEPREFIX=str(ROOT / ".cache/pycache"),
        PYTHONUNBUFFERED="1",
        XDG_CACHE_HOME=env.get("XDG_CACHE_HOME", str(Path.home() / ".cache")),
    )
    return env


def checkout_digest() -> str:
    """Return a digest of the checkout as it is now, with what is not committed."""
    digest = hashlib.sha256()
    for args in (["rev-parse", "HEAD"], ["diff", "HEAD"], ["ls-files", "--others", "--exclude-standard"]):
        done = subprocess.run(["git", *args], cwd=ROOT, capture_output=True, check=False)
        digest.update(done.stdout)
    return digest.hexdigest()


def remembered(digest: str) -> dict[str, Outcome]:
    """Return the parts that passed in a run of the same checkout that was stopped."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        data = json.loads(MEMORY.read_text(encoding="utf-8"))
        if data["checkout"] == digest:
            return {name: Outcome(**outcome) for name, outcome in data["passed"].items()}
    return {}


def remember(digest: str, outcomes: dict[str, Outcome]) -> None:
    """Keep what passed, for a run after one that is stopped."""
    passed = {name: asdict(outcome) for name, outcome in outcomes.items() if not outcome.failed}
    MEMORY.write_text(json.dumps({"checkout": digest, "passed": passed}, indent=1), encoding="utf-8")


def run_all(chains: tuple[Chain, ...], at_a_time: int) -> list[Outcome]:
    """Run chains of parts, so many at a time; one that has come to a part that waits much is not counted any more."""
    digest = checkout_digest()
    done = remembered(digest)
    if done:
        print(f"Going on where the last run was stopped: {len(done)} parts have passed.", flush=True)
    writing, stopping, places = threading.Lock(), threading.Event(), threading.Semaphore(at_a_time)

    def run_parts(parts: Iterable[Part]) -> None:
        for part in parts:
            if part.name not in done and not stopping.is_set():
                outcome = run(part)
                with writing:
                    done[outcome.name] = outcome
                    remember(digest, done)

    def run_chain(chain: Chain) -> None:
        busy = tuple(itertools.takewhile(lambda part: not part.waits, chain))
        try:
            run_parts(busy)
        finally:
            places.release()
        run_parts(chain[len(busy) :])

    pool = ThreadPoolExecutor(len(chains))
    running = []
    try:
        for chain in chains:
            places.acquire()  # here, and not in the threads: they begin in any order
            running.append(pool.submit(run_chain, chain))
        for ended in running:
            ended.result()
    except KeyboardInterrupt:
        stopping.set()
        pool.shutdown(wait=False, cancel_futures=True)
        stop_children()
        raise
    pool.shutdown()
    MEMORY.unlink(missing_ok=True)
    return list(done.values())


def stop_children() -> None:
    """Stop what still runs, with everything it started."""
    for process in list(_children):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)


def prepare_hosts() -> None:
    """Install what the tests on hosts need on this machine, and make the images of the hosts."""

    def progress(message: str, /) -> None:
        print(message, flush=True)

    needed = {"chromium": "chromium", "tmux": "tmux", "postgresql": "/usr/lib/postgresql"}
    missing = tuple(package for package, sign in needed.items() if not is_present(sign))
    if missing:
        install_packages(missing, progress)
    ensure_images(IMAGE_NAMES, progress)


def main() -> int:
    """Run what the command line names and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.run_tests")
    parser.add_argument(
        "what", choices=["check", "lint", "test", "e2e", "failures", "install", "scenario", "scenarios"]
    )
    parser.add_argument("name", nargs="?", default="")
    args = parser.parse_args()
    for directory in ("logs", "junit"):
        (ARTIFACTS / directory).mkdir(parents=True, exist_ok=True)
    # A shell starts what runs in its background deaf to Ctrl-C; the tests of Ctrl-C would inherit that.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    start = time.monotonic()
    quick = quick_parts()
    single = {
        "check": quick,
        "lint": tuple(part for part in (*quick, *slower_parts()) if not part.junit),
        "test": (*quick, *slower_parts(), *map(scenario, SCENARIOS), *map(install, INSTALLS)),
        "scenarios": tuple(map(scenario, SCENARIOS)),
        "scenario": (scenario(args.name),),
        "install": tuple(map(install, (args.name,) if args.name else INSTALLS)),
        "e2e": (),
        "failures": (),
    }[args.what]
    chains: tuple[Chain, ...] = tuple((part,) for part in single)
    try:
        if args.what in {"test", "e2e", "failures", "install", "scenario", "scenarios"}:
            require_root([sys.executable, "-m", "tools.run_tests", *sys.argv[1:]])
            prepare_hosts()
        with_demo = {"test": (E2E, FAILURES), "e2e": (E2E, FAILURES), "failures": (FAILURES,)}
        if args.what in with_demo:
            chains = (end_to_end(*with_demo[args.what]), *chains)
        outcomes = run_all(chains, at_a_time=2)
    except LabError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. The same command goes on with the parts that are left.", file=sys.stderr)
        return 130
    passed, failed = sum(o.passed for o in outcomes), sum(o.failed for o in outcomes)
    print(f"Logs are in artifacts/logs. This took {(time.monotonic() - start) / 60:.1f} minutes.")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
