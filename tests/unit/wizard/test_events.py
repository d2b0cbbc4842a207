# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Events of ansible-runner become records; the log of a step counts changes and failures."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus.events import Event, Kind, StepLog, diff_lines, message_lines, parse_event


def raw(name: Any, **data: Any) -> Any:
    return {"event": name, "event_data": data}


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (raw("runner_on_ok", res={"changed": False}), Kind.OK),
        (raw("runner_on_ok", res={"changed": True}), Kind.CHANGED),
        (raw("runner_on_failed"), Kind.FAILED),
        (raw("runner_on_unreachable"), Kind.UNREACHABLE),
        (raw("runner_on_skipped"), Kind.SKIPPED),
        (raw("playbook_on_task_start"), Kind.TASK),
        (raw("playbook_on_handler_task_start"), Kind.TASK),
        (raw("playbook_on_stats"), Kind.STATS),
        (raw("runner_on_start"), Kind.STARTED),
    ],
)
def test_kinds(event: Any, kind: Any) -> None:
    parsed = parse_event(event)
    assert parsed is not None
    assert parsed.kind is kind


@pytest.mark.parametrize(
    "event", [{}, raw("verbose"), raw("runner_item_on_ok"), raw("runner_on_file_diff"), {"event": None}]
)
def test_noise_is_left_out(event: Any) -> None:
    assert parse_event(event) is None


def test_roles_lose_their_collection_and_tasks_their_role() -> None:
    event = parse_event(
        raw("playbook_on_task_start", role="hpcampus.platform.slurm", task="hpcampus.platform.slurm : Do")
    )
    assert event == Event(Kind.TASK, role="slurm", task="Do")


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["event", "event_data", "x"]), json))
def test_no_event_breaks_the_view(event: Any) -> None:
    parsed = parse_event(event)
    if parsed is not None:
        StepLog().add(parsed)


@given(st.dictionaries(st.sampled_from(["msg", "stderr", "stdout", "results", "failed", "reason"]), json))
def test_messages_are_lines(result: Any) -> None:
    assert all(line.strip() and "\n" not in line for line in message_lines(result))


def test_messages_name_what_failed() -> None:
    result = {
        "msg": ["one", "two"],
        "stderr": "three\n\nfour",
        "results": [{"msg": "fine"}, {"failed": True, "msg": "item failed"}],
    }
    assert message_lines(result) == ("one", "two", "three", "four", "item failed")


def test_output_is_shown_when_there_is_no_error_text() -> None:
    assert (
        message_lines({"failed": True, "msg": "non-zero return code", "stdout": "why it failed"})[-1] == "why it failed"
    )
    assert message_lines({"msg": "ok", "stdout": "chatter"}) == ("ok",)


def test_messages_name_the_module_that_could_not_run() -> None:
    result = {
        "msg": "The following modules failed to execute: ansible.legacy.setup",
        "failed": True,
        "failed_modules": {
            "ansible.legacy.setup": {
                "failed": True,
                "exception": "Traceback (most recent call last):\r\n  ...\r\nSyntaxError: future feature annotations is not defined\r\n",
            }
        },
    }
    assert message_lines(result)[-1] == "SyntaxError: future feature annotations is not defined"
    assert message_lines({"msg": "no", "exception": "(traceback unavailable)"}) == ("no",)


DIFF = {"before": "a\nb\n", "after": "a\nc\n", "before_header": "/etc/x", "after_header": "/etc/x"}


@pytest.mark.parametrize(
    ("result", "lines"),
    [
        ({"diff": DIFF}, ("/etc/x", "  -b", "  +c")),
        ({"diff": [DIFF, DIFF]}, ("/etc/x", "  -b", "  +c") * 2),
        ({"diff": {"before": {"path": "/d", "mode": "0755"}, "after": {"path": "/d", "mode": "0700"}}}, ("/d", "  mode: 0755 -> 0700")),
        ({"diff": {"prepared": "@@ -1 +1 @@\n-old\n+new\n"}}, ("  -old", "  +new")),
        ({"results": [{"diff": DIFF}, {"diff": DIFF, "_ansible_no_log": True}, {"censored": "", "diff": {}}]}, ("/etc/x", "  -b", "  +c")),
        ({"diff": DIFF, "censored": "the output has been hidden"}, ()),
        ({"diff": DIFF, "_ansible_no_log": True}, ()),
        ({"diff": {"before": "", "after": ""}}, ()),
        ({"diff": None}, ()),
        ({}, ()),
    ],
)  # fmt: skip
def test_what_changes_in_files(result: Any, lines: Any) -> None:
    assert diff_lines(result) == lines


def test_what_changes_is_shortened() -> None:
    after = "".join(f"{number} {'x' * 500}\n" for number in range(99))
    lines = diff_lines({"diff": {"before": "", "after": after, "after_header": "/f"}})
    assert len(lines) == 14
    assert max(len(line) for line in lines) <= 162
    assert lines[-1] == "  ... 87"


@given(st.dictionaries(st.sampled_from(["diff", "results", "before", "after", "failed_modules", "exception"]), json))
def test_no_result_breaks_the_messages(result: Any) -> None:
    assert all(isinstance(line, str) for line in (*diff_lines(result), *message_lines(result)))


@pytest.mark.parametrize(
    ("name", "stdout", "kind"),
    [
        ("runner_on_ok", "changed: [a]", Kind.CHANGED),
        ("runner_on_ok", "ok: [a]", Kind.OK),
        ("runner_item_on_ok", "changed: [a] => (item=(censored due to no_log))", Kind.CHANGED),
    ],
)
def test_a_hidden_result_tells_whether_it_was_a_change(name: Any, stdout: Any, kind: Any) -> None:
    log = StepLog()
    for _ in range(2):
        event = parse_event({**raw(name, host="a", task="T", res={"censored": "hidden"}), "stdout": stdout})
        assert event is not None
        assert (event.kind, event.hidden, event.diff, event.lines) == (kind, True, (), ())
        log.add(event)
    assert len(log.changes) == (kind is Kind.CHANGED)


def test_the_log_counts() -> None:
    log = StepLog()
    for event in (
        Event(Kind.TASK, task="T", role="r"),
        Event(Kind.CHANGED, host="a", task="T"),
        Event(Kind.FAILED, host="a", task="U", lines=("boom",)),
        Event(Kind.FAILED, host="b", task="U", lines=("boom",)),
        Event(Kind.FAILED, host="b", task="V", lines=("never mind",), ignored=True),
        Event(Kind.UNREACHABLE, host="c", task="U", lines=("gone",)),
    ):
        log.add(event)
    assert (log.role, log.task, log.tasks_started, len(log.changes)) == ("r", "T", 1, 1)
    assert [(failure.task, failure.unreachable, hosts) for failure, hosts in log.distinct_failures()] == [
        ("U", False, ["a", "b"]),
        ("U", True, ["c"]),
    ]
