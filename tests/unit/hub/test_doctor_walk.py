# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The walk, what it can say, and how it shows that: the order holds, nothing ends it, every word has its place."""

import ast
import asyncio
import json
import re
import string
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from hpcampus_hub import doctor
from hpcampus_hub.doctor.finding import Finding, Said, Verdict
from hpcampus_hub.doctor.table import Table, as_json, summary, table
from hpcampus_hub.doctor.walk import Leg, Walk, in_thread, worst
from hpcampus_hub.doctor.words import CASES, say, together

PACKAGE = Path(doctor.__file__).parent


def look(verdict: Verdict) -> Callable[[], Awaitable[Said]]:
    async def said() -> Said:
        return Said(verdict, "seen", "" if verdict is Verdict.OK else "cure")

    return said


async def walked(*legs: Leg) -> list[Finding]:
    return [finding async for finding in Walk().walk(legs)]


async def test_what_needs_a_broken_leg_is_not_tried_and_everything_else_is() -> None:
    findings = await walked(
        Leg("a", look(Verdict.OK)),
        Leg("b", look(Verdict.BROKEN), ("a",)),
        Leg("c", look(Verdict.OK), ("b",)),
        Leg("d", look(Verdict.OK), ("a", "c")),
        Leg("e", look(Verdict.WARNING)),
        Leg("f", look(Verdict.OK), ("e",)),
    )
    assert [finding.verdict for finding in findings] == ["ok", "broken", "not tried", "not tried", "warning", "ok"]
    assert [finding.seen for finding in findings[2:4]] == ["needs b", "needs b"], "the cause itself is named"
    assert worst(findings) is Verdict.BROKEN


async def test_a_leg_of_one_cluster_does_not_wait_for_another() -> None:
    findings = await walked(
        Leg("gateway", look(Verdict.BROKEN), (), "far"),
        Leg("slurm", look(Verdict.OK), ("gateway",), "far"),
        Leg("gateway", look(Verdict.OK), (), "near"),
        Leg("slurm", look(Verdict.OK), ("gateway",), "near"),
    )
    assert [finding.seen for finding in findings] == ["seen", "needs gateway of far", "seen", "seen"]


async def test_a_leg_that_hangs_or_breaks_is_a_finding() -> None:
    async def hang() -> Said:
        await asyncio.sleep(60)
        raise AssertionError

    async def crash() -> Said:
        raise RuntimeError("odd\x1b[31m answer")

    late, odd, last = await walked(Leg("late", hang, seconds=0.05), Leg("odd", crash), Leg("last", look(Verdict.OK)))
    assert (late.verdict, late.seen) == ("broken", "no answer within 0.05 s")
    assert (odd.verdict, odd.seen) == ("broken", "RuntimeError: odd\\x1b[31m answer")
    assert last.verdict == "ok"
    assert 0.05 <= late.seconds < 5


async def test_what_blocks_for_ever_holds_nobody_up() -> None:
    import threading

    never = threading.Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await in_thread(never.wait)
    never.set()
    assert await in_thread(lambda: 7) == 7
    with pytest.raises(OSError, match="no"):
        await in_thread(lambda: (_ for _ in ()).throw(OSError("no")))


# --- the words


def said_in_code() -> tuple[set[str], list[re.Pattern[str]], list[tuple[str, set[str]]]]:
    """Cases that the code says: whole ones, patterns of those put together, and the values of the whole ones."""
    whole, patterns, values = set(), [], []
    for path in PACKAGE.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say"):
                continue
            for part in ast.walk(node.args[0]):
                if isinstance(part, ast.JoinedStr):
                    text = "".join(
                        re.escape(str(piece.value)) if isinstance(piece, ast.Constant) else ".+"
                        for piece in part.values
                    )
                    patterns.append(re.compile(text))
            given = {keyword.arg or "**" for keyword in node.keywords}
            if isinstance(node.args[0], ast.Constant):
                values.append((str(node.args[0].value), given))
        constants = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        whole |= {text for text in constants if isinstance(text, str) and re.fullmatch(r"[a-z-]+\.[a-z-]+", text)}
    return whole, patterns, values


def test_every_case_is_said_and_every_said_case_exists() -> None:
    whole, patterns, values = said_in_code()
    assert {case for case, _ in values} <= set(CASES)
    # Those put together carry the name of a leg: f"{name}.good".
    loose = [case for case in CASES if case not in whole and not any(p.fullmatch(case) for p in patterns)]
    assert loose == []


def test_cases_get_their_values() -> None:
    for case, given in said_in_code()[2]:
        wanted = {name for text in CASES[case][1:] for _, name, _, _ in string.Formatter().parse(text) if name}
        assert "**" in given or wanted <= given, case


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_has_a_cure_in_a_sentence(case: str) -> None:
    verdict, seen, cure = CASES[case]
    assert seen
    assert "\n" not in seen + cure
    if verdict is Verdict.OK:
        assert cure == ""
    elif case != "walk.needs":
        assert re.match(r"[A-Z]", cure), "a cure is a sentence that says what to do"
        assert not re.search(r"\s$|  ", cure)


def test_values_cannot_forge_lines_or_colours() -> None:
    said = say("settings.broken", error="one\ntwo\x1b[2J" + "x" * 500)
    assert said.seen.startswith("one two\\x1b[2J")
    assert len(said.seen) <= 200


def test_several_findings_become_one() -> None:
    one = say("partitions.down", profile="small", partition="jupyter")
    two = say("partitions.down", profile="large", partition="jupyter")
    both = together([one, say("queue.good", jobs=0, running=0, pending=0), two])
    assert both.verdict is Verdict.BROKEN
    assert both.seen == "small: partition jupyter is not up; large: partition jupyter is not up"
    assert both.cure == one.cure, "the same cure is told once"


# --- the table

FINDINGS = [
    Finding("name", "", Verdict.OK, "hub.example.org is 192.0.2.1", "", 0.01),
    Finding("certificate", "", Verdict.BROKEN, "expired", "Renew it. " + "word " * 30, 0.02),
    Finding("gateway", "lab", Verdict.WARNING, "slow", "Wait.", 0.5),
    Finding("slurm", "lab", Verdict.NOT_TRIED, "needs gateway of lab", "", 0.0),
    Finding("sign-in", "", Verdict.NOT_TRIED, "needs a password", "Give one.", 0.0),
]


def test_the_table_is_aligned_and_without_colour() -> None:
    lines = table(FINDINGS)
    assert lines[:3] == [
        "hub",
        "  ok         name         hub.example.org is 192.0.2.1",
        "  BROKEN     certificate  expired",
    ]
    assert lines[3].startswith(" " * 26 + "Cure: Renew it.")
    assert [line for line in lines if not line.startswith(" ")] == [
        "hub", "cluster lab", "notebook", "5 legs: 1 ok, 1 warning, 1 broken, 2 not tried."
    ]  # fmt: skip
    assert max(len(line) for line in lines) <= 120
    assert "\x1b" not in "".join(lines)


def test_colour_changes_no_column() -> None:
    plain, coloured = Table(), Table(colour=True)
    for finding in FINDINGS:
        lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in coloured.rows(finding)]
        assert lines == plain.rows(finding)
    assert "\x1b[1;31mBROKEN" in "".join(Table(colour=True).rows(FINDINGS[1]))


def test_json_holds_everything() -> None:
    text = as_json(FINDINGS)
    assert "\n" not in text
    data = json.loads(text)
    assert data["verdict"] == "broken"
    assert data["findings"][2] == {
        "leg": "gateway", "cluster": "lab", "verdict": "warning", "seen": "slow", "cure": "Wait.", "seconds": 0.5
    }  # fmt: skip
    assert data["table"] == table(FINDINGS)


def test_what_was_not_tried_breaks_nothing() -> None:
    assert worst([FINDINGS[0], FINDINGS[4]]) is Verdict.OK
    assert worst([FINDINGS[0], FINDINGS[2], FINDINGS[4]]) is Verdict.WARNING
    assert summary([FINDINGS[0]]) == "1 legs: 1 ok."
