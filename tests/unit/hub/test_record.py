# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the database keeps, and Slurm's words for people."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus_hub import words
from hpcampus_hub.protocol import Job
from hpcampus_hub.reaper import find_orphans, ripe
from hpcampus_hub.record import Phase, SpawnRecord
from hpcampus_hub.start_error import log_tail

RECORD = SpawnRecord("a" * 32, "lab", 20000, 5, Phase.STARTING, 1000.0, job_id=7, marks={"requested": 1.0})
JOB = Job(7, "PENDING", "Priority", "", None, "hub", "alice", "", "a" * 32)


def test_a_record_survives_the_database() -> None:
    assert SpawnRecord.from_state(RECORD.state()) == RECORD


@given(
    st.dictionaries(
        st.sampled_from([*RECORD.state(), "other"]), st.none() | st.integers() | st.text() | st.lists(st.none())
    )
)
def test_a_broken_record_is_none(changes: dict[str, Any]) -> None:
    record = SpawnRecord.from_state({**RECORD.state(), **changes})
    assert record is None or record.lease.port == record.port


def test_legs_lie_between_marks_and_the_first_mark_counts() -> None:
    record = RECORD
    for name, second in (("submitted", 1.5), ("running", 3.5), ("tunnel", 5.0), ("ready", 6.25), ("running", 9.0)):
        record = record.marked(name, second)
    assert record.legs() == {"submit": 0.5, "queue": 2.0, "tunnel": 1.5, "server": 1.25}
    assert RECORD.legs() == {}


def test_the_end_of_a_log_is_fit_for_a_page() -> None:
    lines = log_tail("first\n" * 50 + "\x1b[31mred\n" + "x" * 2_000_000 + "\nlast\n").splitlines()
    assert (len(lines), lines[-3], lines[-1]) == (12, "\\x1b[31mred", "last")
    assert len(lines[-2]) == 200
    assert log_tail("Traceback:\n    indented") == "Traceback:\n    indented"
    assert log_tail(None) == ""


@pytest.mark.parametrize(
    ("job", "sentence"),
    [
        (JOB, "Job 7 is queued: other jobs are ahead of it."),
        (Job(7, "PENDING", "Weird", "", None, "h", "a", "", "b"), "Job 7 is queued: Slurm says Weird."),
        (Job(7, "PENDING", "", "", None, "h", "a", "", "b"), "Job 7 is queued: Slurm says nothing."),
        (
            Job(7, "PENDING", "Resources", "", 1300, "h", "a", "", "b"),
            "Job 7 is queued: it waits for free CPUs or memory; Slurm expects to start it in about 5 minutes.",
        ),
        (
            Job(7, "PENDING", "ReqNodeNotAvail, down", "", 900, "h", "a", "", "b"),
            "Job 7 is queued: the nodes",
        ),
        (
            Job(7, "PENDING", "Nodes required for job are DOWN, DRAINED or reserved", "", None, "h", "a", "", "b"),
            "Job 7 is queued: the nodes it needs are reserved or down.",
        ),
    ],
)
def test_a_waiting_job_in_words(job: Job, sentence: str) -> None:
    assert words.queued(job, now=1000.0).startswith(sentence)


def test_a_job_that_can_never_start_is_told() -> None:
    never = Job(7, "PENDING", "PartitionTimeLimit", "", None, "h", "a", "", "b")
    assert words.will_never_start(never)
    assert words.will_never_start(JOB) is None


def test_orphans_are_reaped_only_after_the_grace_time() -> None:
    running = Job(8, "RUNNING", "", "c1", None, "hub", "bob", "", "b" * 32)
    ending = Job(9, "COMPLETING", "", "c1", None, "hub", "eve", "", "c" * 32)
    orphans = find_orphans([JOB, running, ending], frozenset({JOB.spawn_id}))
    assert orphans == [running]
    doomed, seen = ripe(orphans, {}, now=100.0, grace=60.0)
    assert doomed == []
    assert ripe(orphans, seen, now=159.0, grace=60.0)[0] == []
    assert ripe(orphans, seen, now=160.0, grace=60.0)[0] == [running]


def test_an_orphan_that_found_an_owner_starts_anew() -> None:
    running = Job(8, "RUNNING", "", "c1", None, "hub", "bob", "", "b" * 32)
    _, seen = ripe([running], {}, now=0.0, grace=60.0)
    _, seen = ripe([], seen, now=50.0, grace=60.0)
    assert ripe([running], seen, now=70.0, grace=60.0)[0] == []
