# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The journal decides where to go on; the lock keeps a second run out, and goes with its process."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus.errors import LockedError
from hpcampus.places import Site
from hpcampus.state import DONE, FAILED, RUNNING, STOPPED, Journal, Record, dump_journal, fingerprint, parse_journal

PLAN = ("a", "b", "c")


@pytest.mark.parametrize(
    ("records", "left"),
    [
        ({}, PLAN),
        ({"a": DONE}, ("b", "c")),
        ({"a": DONE, "b": FAILED}, ("b", "c")),
        ({"a": DONE, "b": STOPPED}, ("b", "c")),
        ({"a": DONE, "b": RUNNING}, ("b", "c")),
        ({"a": FAILED, "b": DONE}, PLAN),
        ({"a": DONE, "b": DONE, "c": DONE}, ()),
    ],
)
def test_what_is_left(records: Any, left: Any) -> None:
    journal = Journal(PLAN, "f", {name: Record(status) for name, status in records.items()})
    assert journal.remaining() == left
    assert journal.finished == (not left)


@pytest.mark.parametrize(
    ("records", "digest", "known", "resumes"),
    [
        ({"a": DONE}, "f", PLAN, True),
        ({"a": DONE}, "other", PLAN, False),
        ({"a": DONE}, "f", ("a", "b"), False),
        ({}, "f", PLAN, False),
        ({"a": DONE, "b": DONE, "c": DONE}, "f", PLAN, False),
    ],
)
def test_when_a_run_goes_on(records: Any, digest: Any, known: Any, resumes: Any) -> None:
    journal = Journal(PLAN, "f", {name: Record(status) for name, status in records.items()})
    assert journal.resumable(digest, known) is resumes


names = st.text(min_size=1, max_size=8)
records = st.builds(Record, st.sampled_from([DONE, FAILED]), st.floats(0, 1e6), st.integers(0, 1000))


@given(st.builds(Journal, st.lists(names).map(tuple), names, st.dictionaries(names, records)))
def test_a_journal_survives_the_disk(journal: Any) -> None:
    assert parse_journal(dump_journal(journal)) == journal


@given(
    st.text() | st.sampled_from(["{}", "[]", "null", '{"plan": 3}', '{"plan": [], "records": [], "fingerprint": ""}'])
)
def test_a_damaged_journal_counts_as_none(text: Any) -> None:
    assert isinstance(parse_journal(text), Journal)


def test_the_journal_is_private_and_read_back(site: Site) -> None:
    site.state.make()
    journal = Journal(PLAN, "f", {"a": Record(DONE, 1.5, 3)})
    site.state.save(journal)
    assert site.state.load() == journal
    assert all(stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 for path in [site.state.path, *site.state.path.iterdir()])


def test_a_second_run_is_kept_out(site: Site) -> None:
    with site.state.lock():
        with pytest.raises(LockedError) as caught, site.state.lock():
            pass
        assert str(os.getpid()) in caught.value.what
    with site.state.lock():
        pass


HOLDER = """
import pathlib, sys, time
from hpcampus.places import site_at
with site_at(pathlib.Path(sys.argv[1])).state.lock():
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_lock_goes_with_a_killed_process(site: Site) -> None:
    argv = [sys.executable, "-c", HOLDER, str(site.inventory)]
    environment = {**os.environ, "PYTHONPATH": ":".join(sys.path)}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env=environment) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(LockedError), site.state.lock():
            pass
        child.send_signal(signal.SIGKILL)
    with site.state.lock():
        pass


def test_a_fingerprint_sees_content_names_and_hosts(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    first = fingerprint([tmp_path])
    assert fingerprint([tmp_path]) == first
    assert fingerprint([tmp_path], ["host"]) != first
    (tmp_path / "a").write_text("2")
    second = fingerprint([tmp_path])
    (tmp_path / "a").rename(tmp_path / "b")
    assert len({first, second, fingerprint([tmp_path])}) == 3
