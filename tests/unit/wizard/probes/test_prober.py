# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Probes run in the background, are bounded in time, never raise, and count only for the newest inputs."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from hpcampus.probes import Finding, Level, Line, Option, Probe, Prober, children


def reading(key: str) -> Any:
    return lambda known: known.get(key)


def echo(name: str = "echo", key: str = "hub_name", seconds: float = 5) -> Probe:
    return Probe(name, seconds, reading(key), lambda value: Finding(name, proposals={"seen": value}))


def hanging(seconds: float) -> Probe:
    def run(_value: Any) -> Finding:
        time.sleep(60)
        return Finding("slow")

    return Probe("slow", seconds, reading("hub_name"), run)


def test_a_probe_starts_when_its_inputs_are_there():
    with Prober([echo()]) as prober:
        prober.look({})
        assert (prober.finding("echo", wait=1), prober.running()) == (None, ())
        prober.look({"hub_name": "a"})
        assert prober.finding("echo", wait=5) == Finding("echo", proposals={"seen": "a"})
        assert prober.proposals() == {"seen": "a"}


def test_the_same_inputs_are_looked_at_once():
    seen = []

    def run(value: Any) -> Finding:
        seen.append(value)
        return Finding("count")

    probe = Probe("count", 5, reading("hub_name"), run)
    with Prober([probe]) as prober:
        for name in ("a", "a", "b", "b"):
            prober.look({"hub_name": name, "other": len(seen)})
            prober.finding("count", wait=5)
    assert seen == ["a", "b"]


def test_only_the_newest_inputs_count():
    gates = {"a": threading.Event(), "b": threading.Event()}

    def run(value: Any) -> Finding:
        gates[value].wait(10)
        return Finding("gate", proposals={"seen": value})

    with Prober([Probe("gate", 10, reading("hub_name"), run)]) as prober:
        prober.look({"hub_name": "a"})
        prober.look({"hub_name": "b"})
        gates["a"].set()
        assert prober.finding("gate", wait=0.2) is None
        assert prober.running() == ("gate",)
        gates["b"].set()
        found = prober.finding("gate", wait=5)
        assert found is not None
        assert found.proposals == {"seen": "b"}


def test_what_was_found_is_forgotten_with_its_inputs():
    with Prober([echo()]) as prober:
        prober.look({"hub_name": "a"})
        assert prober.finding("echo", wait=5)
        prober.look({})
        assert (prober.finding("echo"), prober.proposals()) == (None, {})


@pytest.mark.parametrize(
    "error", [ValueError("no such thing"), KeyError(), OSError(2, "No such file"), RecursionError()]
)
def test_an_error_is_a_line(error: Exception):
    def run(_value: Any) -> Finding:
        raise error

    with Prober([Probe("bad", 5, reading("hub_name"), run)]) as prober:
        prober.look({"hub_name": "a"})
        found = prober.finding("bad", wait=5)
    assert found is not None
    assert [line.level for line in found.lines] == [Level.PROBLEM]
    assert found.lines[0].text.removeprefix("bad: the look failed: ") == (str(error) or type(error).__name__)
    assert found.problems == found.lines


def test_inputs_that_cannot_be_made_are_a_line():
    probe = Probe("bad", 5, lambda known: known["hub_name"].lower(), lambda _: Finding("bad"))
    with Prober([probe, echo()]) as prober:
        prober.look({"hub_name": 3})
        found = prober.finding("bad", wait=5)
        assert found is not None
        assert found.problems
        assert prober.finding("echo", wait=5)
        prober.look({"hub_name": "A"})
        found = prober.finding("bad", wait=5)
        assert found is not None
        assert not found.problems


def test_a_probe_that_hangs_counts_as_ended_after_its_time():
    with Prober([hanging(0.3), echo()]) as prober:
        began = time.monotonic()
        prober.look({"hub_name": "a"})
        found = prober.finding("slow", wait=30)
        assert 0.25 < time.monotonic() - began < 30
        assert found == Finding("slow", (Line(Level.PROBLEM, "slow: took longer than 0.3 s"),))
        assert prober.finding("echo", wait=20)
        assert prober.running() == ()


def test_waiting_is_bounded():
    with Prober([hanging(60), echo()]) as prober:
        began = time.monotonic()
        prober.look({"hub_name": "a"})
        assert prober.finding("echo", wait=20)
        assert prober.proposals(["slow", "echo", "unheard of"], wait=0.2) == {"seen": "a"}
        assert prober.finding("slow") is None
        assert 0.15 < time.monotonic() - began < 30
        assert prober.running() == ("slow",)


def test_the_first_of_two_proposals_counts():
    both = (Option("jupyter", "the first"),), (Option("batch", "the second"),)
    probes = [
        Probe(name, 5, reading("hub_name"), lambda _, n=name, o=found: Finding(n, proposals={"x": n}, options={"x": o}))  # type: ignore[misc]
        for name, found in zip(("first", "second"), both, strict=True)
    ]
    with Prober(probes) as prober:
        prober.look({"hub_name": "a"})
        assert prober.proposals(["first", "second"], wait=5) == {"x": "first"}
        assert prober.options() == {"x": both[0]}


def alive(file: Path) -> bool:
    try:
        return "zombie" not in Path(f"/proc/{file.read_text().strip()}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("how", ["closed", "too long", "other inputs"])
def test_programs_end_with_their_probe(tmp_path: Path, how: str):
    file = tmp_path / "pid"

    def run(_value: Any) -> Finding:
        children.run(["sh", "-c", f"sleep 60 & echo $! > {file}; wait"], 60)
        return Finding("program")

    prober = Prober([Probe("program", 1 if how == "too long" else 60, reading("hub_name"), run)])
    prober.look({"hub_name": "a"})
    while not (file.exists() and file.read_text().strip()):
        time.sleep(0.01)
    began = time.monotonic()
    if how == "closed":
        prober.close()
    elif how == "too long":
        assert prober.finding("program", wait=30)
    else:
        prober.look({})
    assert time.monotonic() - began < 20
    while alive(file) and time.monotonic() - began < 30:
        time.sleep(0.01)
    assert not alive(file)
    prober.close()


def test_running_a_program():
    done = children.run(["sh", "-c", "cat; echo trouble >&2; exit 3"], 5, "given")
    assert (done.status, done.out, done.complaint) == (3, "given", "trouble")
    assert children.run(["false"], 5).complaint == "exit status 1"
    with pytest.raises(TimeoutError, match=r"sleep took longer than 0\.2 s"):
        children.run(["sleep", "60"], 0.2)
    with pytest.raises(OSError, match="No such file"):
        children.run(["/no/such/program"], 1)


def test_a_program_that_reads_nothing_is_no_error():
    assert children.run(["true"], 5, "x" * 1_000_000).status == 0
