# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the assignment list in a student's notebook asks and shows, with nbgrader's own code behind its pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .classroom import CONFIG, COURSE

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from .classroom import Class


@pytest.fixture
def pages(class_: Class, load: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(CONFIG))
    load("exchange.listing").List.patience_seconds = 1.0
    class_.release()
    made = load("assignment_list").Assignments()
    made.root_dir = str(class_.become("alice"))
    return made


def test_fetch_submit_and_see_it(pages: Any) -> None:
    assert [one["status"] for one in pages.list_assignments(COURSE)["value"]] == ["released"]
    assert pages.list_courses()["value"] == [COURSE]
    assert pages.fetch_assignment(COURSE, "ps1") == {"success": True}
    assert pages.submit_assignment(COURSE, "ps1") == {"success": True}
    fetched, submitted = pages.list_assignments(COURSE)["value"]
    assert (fetched["status"], fetched["path"]) == ("fetched", f"{COURSE}/ps1")
    assert fetched["notebooks"][0]["path"] == f"{COURSE}/ps1/problem1.ipynb"
    assert submitted["status"] == "submitted"
    assert [one["local_feedback_path"] for one in submitted["submissions"]] == [None]
    assert pages.fetch_feedback(COURSE, "ps1") == {"success": True}


def test_a_failure_is_one_sentence(pages: Any, class_: Class) -> None:
    assert pages.fetch_assignment(COURSE, "ps1")["success"]
    (class_.directory / "alice" / COURSE / "ps1").rename(class_.directory / "alice" / COURSE / "ps2")
    answer = pages.submit_assignment(COURSE, "ps2")
    assert answer == {
        "success": False,
        "value": "Assignment ps2 is not released in course py1. Did you mean ps1?",
    }
    class_.service.wire.cuts[:] = [0] * 100
    answer = pages.list_assignments(COURSE)
    assert not answer["success"]
    assert answer["value"].startswith("The course service on the hub does not answer")
