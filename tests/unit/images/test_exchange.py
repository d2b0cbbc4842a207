# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""nbgrader's exchange over the real course service: nbgrader's own classes call ours, as its commands and pages do."""

from __future__ import annotations

import json
import logging
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from nbgrader.api import Gradebook
from nbgrader.exchange import ExchangeError

from .classroom import COURSE, plain, special, tar_of

if TYPE_CHECKING:
    from .classroom import Class

TEACHERS = f"course-{COURSE}"
STAMP = "2026-11-26 10:00:00.000000 UTC"


def set_time(class_: Class, text: str) -> None:
    class_.service.run(lambda: class_.service.site.set_time(text))


def listed(class_: Class, **traits: Any) -> list[str]:
    return [one["assignment_id"] for one in class_.do("List", **traits)]


def feedback(class_: Class, student: str, text: str) -> None:
    """Pretend that feedback was generated for what was collected."""
    path = class_.course / "feedback" / student / "ps1"
    path.mkdir(parents=True, exist_ok=True)
    (path / "problem1.html").write_text(text, encoding="utf-8")
    stamp = (class_.course / "submitted" / student / "ps1" / "timestamp.txt").read_text(encoding="utf-8")
    (path / "timestamp.txt").write_text(stamp, encoding="utf-8")


def test_an_assignment_goes_out_comes_back_and_its_feedback_returns(class_: Class) -> None:
    class_.release()
    assert listed(class_) == ["ps1"]
    home = class_.become("alice")
    assert [(one["assignment_id"], one["status"]) for one in class_.do("List")] == [("ps1", "released")]
    class_.hand_in("alice", "first")
    assert [one["status"] for one in class_.do("List")] == ["fetched"]
    set_time(class_, "2026-11-26T10:00:01+00:00")
    class_.hand_in("alice", "second")
    class_.hand_in("bob", "bob's")

    class_.become(TEACHERS)
    class_.do("Collect", "ps1")
    assert class_.collected() == {"alice": "second", "bob": "bob's"}
    stamp = (class_.course / "submitted/alice/ps1/timestamp.txt").read_text(encoding="utf-8")
    assert stamp == "2026-11-26 10:00:01.000000 UTC\n"
    feedback(class_, "alice", "well done")
    class_.do("ReleaseFeedback", "ps1")

    class_.become("alice")
    (group,) = class_.do("List", cached=True)
    states = [(one["has_exchange_feedback"], one["has_local_feedback"]) for one in group["submissions"]]
    assert states == [(False, False), (True, False)]
    class_.do("FetchFeedback", "ps1")
    page = home / COURSE / "ps1" / "feedback" / stamp.strip() / "problem1.html"
    assert page.read_text(encoding="utf-8") == "well done"
    last = class_.do("List", cached=True)[0]["submissions"][-1]
    assert (last["has_local_feedback"], last["feedback_updated"]) == (True, False)
    assert last["local_feedback_path"] == str(page.parent)
    assert last["notebooks"][0]["local_feedback_path"] == str(page)

    class_.become(TEACHERS)
    feedback(class_, "alice", "even better")
    class_.do("ReleaseFeedback", "ps1")
    class_.become("alice")
    assert class_.do("List", cached=True)[0]["submissions"][-1]["feedback_updated"]
    class_.do("FetchFeedback", "ps1")
    assert page.read_text(encoding="utf-8") == "even better"


def test_a_student_sees_nothing_of_another(class_: Class) -> None:
    class_.release()
    class_.hand_in("alice", "mine")
    class_.become("bob")
    assert class_.do("List", cached=True) == []
    assert class_.do("List", inbound=True) == []
    with pytest.raises(ExchangeError, match="You have handed in nothing"):
        class_.do("FetchFeedback", "ps1")


def test_the_copy_of_a_submission_is_where_nbgrader_looks_for_it(class_: Class) -> None:
    class_.release()
    home = class_.become("alice")
    class_.hand_in("alice", "mine")
    copy = home / "data/nbgrader_cache" / COURSE / f"alice+ps1+{STAMP}"
    assert sorted(path.name for path in copy.iterdir()) == ["data.csv", "problem1.ipynb", "timestamp.txt"]
    assert class_.do("List", cached=True)[0]["submissions"][0]["path"] == str(copy)
    class_.do("List", cached=True, remove=True)
    assert not copy.exists()
    assert len(class_.do("List", cached=True)) == 1, "the hub keeps it"


def test_what_cannot_be_fetched_says_what_to_do(class_: Class) -> None:
    class_.release()
    class_.become("alice")
    with pytest.raises(ExchangeError, match=r"is not released in course py1\. Did you mean ps1"):
        class_.do("FetchAssignment", "ps12")
    class_.do("FetchAssignment", "ps1")
    with pytest.raises(ExchangeError, match=r"already have a copy.*--replace"):
        class_.do("FetchAssignment", "ps1")
    with pytest.raises(ExchangeError, match="No course is named"):
        class_.do("FetchAssignment", "ps1", course_id="")
    with pytest.raises(ExchangeError, match="no such course, or you are not in it"):
        class_.do("FetchAssignment", "ps1", course_id="bio2")


def test_missing_files_come_back_and_others_stay(class_: Class) -> None:
    class_.release(**{"other.txt": "given"})
    path = class_.hand_in("alice", "my work")
    (path / "data.csv").unlink()
    class_.do("FetchAssignment", "ps1", replace_missing_files=True)
    assert (path / "data.csv").read_text(encoding="utf-8") == "1,2"
    assert (path / "problem1.ipynb").read_text(encoding="utf-8") == "my work"


def test_strict_refuses_and_otherwise_missing_notebooks_are_told(
    class_: Class, caplog: pytest.LogCaptureFixture
) -> None:
    class_.release(**{"problem2.ipynb": "{}"})
    path = class_.hand_in("alice", "x")
    (path / "problem2.ipynb").rename(path / "mine.ipynb")
    said = "missing: problem2.ipynb; not part of it: mine.ipynb"
    with pytest.raises(ExchangeError, match=f"not submitted.*{said}"):
        class_.do("Submit", "ps1", strict=True)
    with caplog.at_level(logging.WARNING):
        class_.do("Submit", "ps1")
    assert said in caplog.text


def test_nobody_hands_in_for_somebody_else(class_: Class) -> None:
    class_.release()
    class_.hand_in("alice", "x")
    with pytest.raises(ExchangeError, match="leave out --student"):
        class_.do("Submit", "ps1", student_id="bob")


@pytest.mark.parametrize(
    ("late", "said"),
    [
        ({"policy": "accept"}, None),
        ({"policy": "mark"}, "was due at 2026-12-01 11:00 UTC.*marked as late"),
        ({"policy": "percent_per_day", "percent": 10}, "each day that has begun since costs 10 %"),
    ],
)
def test_who_is_late_reads_what_that_means(
    class_: Class, caplog: pytest.LogCaptureFixture, late: dict[str, Any], said: str | None
) -> None:
    site = class_.service.site
    class_.service.run(lambda: site.configure(courses=[{**records()[0], "late": late}]))
    class_.release("ps2")
    set_time(class_, "2026-12-01T11:00:01+00:00")
    with caplog.at_level(logging.WARNING):
        class_.hand_in("alice", "x", "ps2")
    found = [record.getMessage() for record in caplog.records if "late" in record.getMessage()]
    assert len(found) == (1 if said else 0)
    if said:
        import re

        assert re.search(said, found[0])


def records() -> list[dict[str, Any]]:
    from tests.unit.courses.site import RECORDS

    return RECORDS


def test_too_late_is_refused_with_the_reason(class_: Class) -> None:
    class_.release("ps2")
    set_time(class_, "2026-12-01T12:00:00+00:00")
    with pytest.raises(ExchangeError, match=r"was taken until.*Earlier submissions still count"):
        class_.hand_in("alice", "x", "ps2")
    class_.become(TEACHERS)
    assert class_.do("List", inbound=True) == []


def test_too_big_is_refused_with_the_limit(class_: Class) -> None:
    class_.release()
    path = class_.hand_in("alice", "x")
    (path / "big.bin").write_bytes(bytes(2 << 20))
    with pytest.raises(ExchangeError, match="at most 1 MB"):
        class_.do("Submit", "ps1")
    with pytest.raises(ExchangeError, match="max_dir_size"):
        class_.do("Submit", "ps1", max_dir_size=1000)


@pytest.mark.parametrize("cuts", [[0], [200], [4000, 4000], [300_000, 0, 300_000]])
def test_a_lost_connection_is_tried_again_and_makes_one_submission(class_: Class, cuts: list[int | None]) -> None:
    class_.release()
    path = class_.hand_in("alice", "x")
    (path / "data.csv").write_bytes(bytes(500_000))
    class_.service.wire.cuts[:] = cuts
    class_.do("Submit", "ps1", patience_seconds=20.0)
    assert not class_.service.wire.cuts
    (group,) = class_.do("List", cached=True)
    assert len(group["submissions"]) == 2


def test_after_a_failure_the_same_files_go_on_as_the_same_submission(class_: Class) -> None:
    class_.release("ps2")
    path = class_.hand_in("alice", "x", "ps2")
    (path / "data.csv").write_bytes(bytes(500_000))
    set_time(class_, "2026-12-01T10:59:00+00:00")
    # The announcement comes through, and nothing of the files.
    class_.service.wire.cuts[:] = [100_000] + [0] * 100
    with pytest.raises(ExchangeError, match=r"not handed in yet.*Nothing is lost.*10:59 UTC, and that time will count"):
        class_.do("Submit", "ps2")
    class_.service.wire.cuts.clear()
    assert [len(one["submissions"]) for one in class_.do("List", cached=True)] == [1], "half a submission is none"
    set_time(class_, "2026-12-01T13:00:00+00:00")
    class_.do("Submit", "ps2")
    (group,) = class_.do("List", cached=True)
    assert [one["timestamp"][:16] for one in group["submissions"]] == ["2026-11-26 10:00", "2026-12-01 10:59"]


def test_other_files_after_a_failure_are_another_submission(class_: Class) -> None:
    class_.release()
    path = class_.hand_in("alice", "x")
    class_.service.wire.cuts[:] = [0] * 100
    with pytest.raises(ExchangeError, match="does not answer"):
        class_.do("List")
    with pytest.raises(ExchangeError):
        class_.do("Submit", "ps1")
    class_.service.wire.cuts.clear()
    (path / "problem1.ipynb").write_text("more", encoding="utf-8")
    set_time(class_, "2026-11-26T11:00:00+00:00")
    class_.do("Submit", "ps1")
    assert [len(one["submissions"]) for one in class_.do("List", cached=True)] == [2]


def test_who_somebody_is_and_when_follow_from_the_service(class_: Class) -> None:
    class_.release()
    claims = tar_of(plain("problem1.ipynb", b"x"), plain("timestamp.txt", b"yesterday"), plain("submission_secret.txt"))
    class_.hand_in_tar("alice", claims)
    class_.become(TEACHERS)
    class_.do("Collect", "ps1")
    assert class_.collected() == {"alice": "x"}
    path = class_.course / "submitted/alice/ps1"
    assert sorted(one.name for one in path.iterdir()) == ["problem1.ipynb", "timestamp.txt"]
    assert (path / "timestamp.txt").read_text(encoding="utf-8") == STAMP + "\n"


def test_one_that_cannot_be_collected_leaves_the_others(class_: Class) -> None:
    class_.release()
    class_.hand_in_tar("alice", tar_of(plain("../../../gradebook.db")))
    class_.hand_in_tar("Zoë Müller", b"no tar at all" * 1000)
    class_.hand_in("bob", "fine")
    class_.become(TEACHERS)
    with pytest.raises(ExchangeError, match=r"Left out 2 .*alice \(.*outside.*zo.*\(.*not a tar"):
        class_.do("Collect", "ps1")
    assert class_.collected() == {"bob": "fine"}
    assert not list(class_.course.glob("submitted/alice/*")), "no half submission"


def test_a_link_in_a_submission_is_left_out(class_: Class) -> None:
    class_.release()
    secret = class_.course / "source.ipynb"
    secret.write_text("hidden", encoding="utf-8")
    class_.hand_in_tar(
        "alice", tar_of(plain("problem1.ipynb", b"x"), special("peek.txt", tarfile.SYMTYPE, str(secret)))
    )
    class_.become(TEACHERS)
    class_.do("Collect", "ps1")
    assert sorted(path.name for path in (class_.course / "submitted/alice/ps1").iterdir()) == [
        "problem1.ipynb",
        "timestamp.txt",
    ]


def test_collecting_again_updates_only_when_asked(class_: Class) -> None:
    class_.release()
    class_.hand_in("alice", "first")
    class_.become(TEACHERS)
    class_.do("Collect", "ps1")
    set_time(class_, "2026-11-26T11:00:00+00:00")
    class_.hand_in("alice", "second")
    class_.become(TEACHERS)
    class_.do("Collect", "ps1")
    assert class_.collected() == {"alice": "first"}
    class_.do("Collect", "ps1", update=True, student_id="bob")
    assert class_.collected() == {"alice": "first"}
    class_.do("Collect", "ps1", update=True)
    assert class_.collected() == {"alice": "second"}


def test_the_last_before_the_due_date_that_the_calendar_gave(class_: Class) -> None:
    site = class_.service.site
    class_.service.run(lambda: site.configure(courses=[{**records()[0], "late": {"policy": "mark"}}]))
    class_.release("ps2")
    with Gradebook(f"sqlite:///{class_.course}/gradebook.db", COURSE) as gradebook:
        assert str(gradebook.find_assignment("ps2").duedate) == "2026-12-01 11:00:00"
    set_time(class_, "2026-12-01T10:00:00+00:00")
    class_.hand_in("alice", "in time", "ps2")
    set_time(class_, "2026-12-01T12:00:00+00:00")
    class_.hand_in("alice", "late", "ps2")
    class_.hand_in("bob", "only late", "ps2")
    class_.become(TEACHERS)
    class_.do("Collect", "ps2", before_duedate=True)
    assert class_.collected("ps2") == {"alice": "in time", "bob": "only late"}


def test_other_files_are_released_only_by_force(class_: Class) -> None:
    class_.release()
    class_.do("ReleaseAssignment", "ps1")  # the same files again
    class_.generated("ps1", **{"data.csv": "3,4"})
    with pytest.raises(ExchangeError, match="--force"):
        class_.do("ReleaseAssignment", "ps1")
    class_.do("ReleaseAssignment", "ps1", force=True)
    home = class_.become("alice")
    class_.do("FetchAssignment", "ps1")
    assert (home / COURSE / "ps1/data.csv").read_text(encoding="utf-8") == "3,4"


def test_what_is_not_generated_is_not_released(class_: Class) -> None:
    class_.become(TEACHERS)
    with pytest.raises(ExchangeError, match="There is no assignment"):
        class_.do("ReleaseAssignment", "ps1")
    (class_.course / "source/ps1").mkdir(parents=True)
    with pytest.raises(ExchangeError, match="generate_assignment"):
        class_.do("ReleaseAssignment", "ps1")


def test_taking_back_a_release_and_keeping_submissions(class_: Class) -> None:
    class_.release()
    class_.hand_in("alice", "x")
    with pytest.raises(ExchangeError, match="you are a student"):
        class_.do("List", "ps1", remove=True)
    class_.become(TEACHERS)
    with pytest.raises(ExchangeError, match="cannot be removed"):
        class_.do("List", "ps1", inbound=True, remove=True)
    class_.do("List", "ps1", remove=True)
    assert listed(class_) == []
    assert len(class_.do("List", "ps1", inbound=True)) == 1


def test_without_a_course_all_of_the_person_are_listed(class_: Class, capsys: pytest.CaptureFixture[str]) -> None:
    two = [records()[0], {**records()[1], "students": ["carol", "alice"]}]
    class_.service.run(lambda: class_.service.site.configure(courses=two))
    class_.release()
    class_.become("course-bio2", "bio2")
    class_.generated("cells")
    class_.do("ReleaseAssignment", "cells")
    class_.become("alice", "", "bio2,py1")
    found = class_.do("List", as_json=True)
    assert [(one["course_id"], one["assignment_id"]) for one in found] == [("bio2", "cells"), ("py1", "ps1")]
    assert json.loads(capsys.readouterr().out) == found


def test_feedback_for_a_submission_that_nobody_knows_is_told(class_: Class) -> None:
    class_.release()
    class_.hand_in("alice", "x")
    class_.hand_in("bob", "y")
    class_.become(TEACHERS)
    class_.do("Collect", "ps1")
    feedback(class_, "alice", "for alice")
    feedback(class_, "bob", "for bob")
    (class_.course / "feedback/alice/ps1/timestamp.txt").write_text("2020-01-01 00:00:00.000000 UTC", encoding="utf-8")
    with pytest.raises(ExchangeError, match=r"1 students got no feedback.*alice"):
        class_.do("ReleaseFeedback", "ps1")
    home = class_.become("bob")
    class_.do("FetchFeedback", "ps1")
    assert len(list(Path(home).rglob("problem1.html"))) == 1


def test_outside_a_server_the_message_says_what_is_missing(class_: Class, monkeypatch: pytest.MonkeyPatch) -> None:
    class_.become("alice")
    monkeypatch.delenv("JUPYTERHUB_API_TOKEN")
    with pytest.raises(ExchangeError, match="JUPYTERHUB_API_TOKEN"):
        class_.do("List")
