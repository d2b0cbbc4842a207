# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Runs of submissions at the gateway: what is refused, what Slurm is told, what is read from it."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from tests.unit.gateway.loading import load
from tests.unit.gateway.samples import FakeSlurm, site
from tests.unit.gateway.test_gateway import HOSTILE
from tests.unit.hostile import NOT_INT, NOT_TEXT

accounts = load("hpcampus_gateway.accounts")
errors = load("hpcampus_gateway.errors")
grading = load("hpcampus_gateway.grading")
operations = load("hpcampus_gateway.operations")

RUN = "0123456789abcdef0123456789abcdef"
COMMENT = f"hpcampus-grade:hub:py1:{RUN}"


def asked(**changes: object) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "course": "py1",
        "run": RUN,
        "tasks": 60,
        "slots": 4,
        "cpus": 1,
        "memory_mb": 1024,
        "time_limit_minutes": 7,
        "seconds": 300,
        "image": "base",
        "partition": "jupyter",
    }
    return {**fields, **changes}


def queued(*tasks: tuple[str, str], comment: str = COMMENT, job: str = "70", nonce: str = "NONCE") -> str:
    return "".join(f"{nonce}|{job}|{state}|{reason}|{comment}\n" for state, reason in tasks)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    for name in ("jobs", "log", "spawns", "users", "images"):
        (tmp_path / name).mkdir()
    (tmp_path / "images" / "base.sif").write_bytes(b"image")
    return tmp_path


def room(base: Path, slurm: FakeSlurm) -> Any:
    return operations.Operations(site(str(base)), slurm)


def refused(fields: object) -> str:
    with pytest.raises(errors.BadRequestError) as caught:
        grading.check_grade(fields, site())
    return str(caught.value)


@pytest.mark.parametrize("field", ["course", "run", "image", "partition"])
@given(value=HOSTILE.filter(lambda text: text not in ("", "A")) | NOT_TEXT)
def test_hostile_texts_are_refused(field: str, value: object) -> None:
    assert field in refused(asked(**{field: value}))


@pytest.mark.parametrize(
    ("field", "most"),
    [("tasks", 2000), ("slots", 1000), ("cpus", 4096), ("memory_mb", 2**26), ("seconds", 86400)],
)
@given(value=NOT_INT)
def test_numbers_have_bounds(field: str, most: int, value: object) -> None:
    for wrong in (value, 0, most + 1, -1):
        assert field in refused(asked(**{field: wrong}))
    assert grading.check_grade(asked(**{field: most}), site())[field] == most


def test_unknown_and_missing_fields_are_refused() -> None:
    assert "wrap" in refused(asked(wrap="id"))
    for name in asked():
        assert name in refused({key: value for key, value in asked().items() if key != name})


def test_a_run_is_one_array_job_that_runs_so_many_tasks_at_once(base: Path) -> None:
    slurm = FakeSlurm({"sbatch": "70\n"})
    assert room(base, slurm).handle("grade", asked(qos="low", reservation="exam")) == {"job_id": 70}
    (argv,) = slurm.asked
    assert "--array=0-59%4" in argv
    assert {"--mem=1024M", "--time=7", "--cpus-per-task=1", "--no-requeue", "--export=NONE"} <= set(argv)
    assert {"--qos=low", "--reservation=exam", f"--comment={COMMENT}"} <= set(argv)
    assert argv[-5:] == [f"{base}/lib/job.py", str(base), RUN, f"{base}/lib", "grade"]
    told = base / "jobs" / f"grade-{RUN}.json"
    assert stat.S_IMODE(told.stat().st_mode) == 0o600
    assert json.loads(told.read_text())["seconds"] == 300


def test_the_same_run_never_becomes_a_second_job(base: Path) -> None:
    slurm = FakeSlurm({"sbatch": "70\n"})
    for _ in range(2):
        assert room(base, slurm).handle("grade", asked()) == {"job_id": 70}
    assert [argv[0] for argv in slurm.asked] == ["sbatch"]


def test_a_run_whose_answer_was_lost_is_found_in_the_queue(base: Path) -> None:
    (base / "jobs" / f"grade-{RUN}").write_text("")
    slurm = FakeSlurm({"squeue": queued(("PENDING", "Priority"), job="71"), "sbatch": "72\n"})
    assert room(base, slurm).handle("grade", asked()) == {"job_id": 71}
    assert [argv[0] for argv in slurm.asked] == ["squeue"]


def test_a_run_that_slurm_refuses_can_be_asked_for_again(base: Path) -> None:
    with pytest.raises(errors.SlurmError):
        room(base, FakeSlurm({"squeue": ""})).handle("grade", asked())
    assert room(base, FakeSlurm({"squeue": "", "sbatch": "70\n"})).handle("grade", asked()) == {"job_id": 70}


def test_an_image_that_is_not_there_and_a_students_account_are_refused(base: Path) -> None:
    with pytest.raises(errors.BadRequestError, match="image"):
        room(base, FakeSlurm({"sbatch": "70\n"})).handle("grade", asked(image="other"))
    pool = accounts.Accounts("pool", "service", ("hpcampus",), "/srv/x")
    config: Any = site(str(base))
    config = config._replace(accounts=pool)
    with pytest.raises(errors.BadRequestError, match="course"):
        operations.Operations(config, FakeSlurm({"sbatch": "70\n"})).handle("grade", asked())


def test_the_state_counts_the_tasks_of_this_run_alone(base: Path) -> None:
    mine = queued(
        ("RUNNING", "None"), ("COMPLETING", "None"), ("PENDING", "Resources"), ("PENDING", "JobArrayTaskLimit")
    )
    others = queued(("RUNNING", "None"), comment=COMMENT.replace("py1", "py2")) + queued(
        ("RUNNING", "None"), nonce="forged"
    )
    slurm = FakeSlurm({"squeue": others + mine})
    state = room(base, slurm).handle("grade_state", {"course": "py1", "run": RUN})
    assert state == {"pending": 2, "running": 2, "reason": "Resources"}
    assert "-r" in slurm.asked[0]
    assert slurm.asked[0][slurm.asked[0].index("-u") + 1] == "hpcampus"


def test_a_course_cannot_end_the_run_of_another(base: Path) -> None:
    slurm = FakeSlurm({"squeue": queued(("RUNNING", "None")), "scancel": ""})
    assert room(base, slurm).handle("grade_cancel", {"course": "py2", "run": RUN}) == {"found": False}
    assert room(base, slurm).handle("grade_cancel", {"course": "py1", "run": RUN}) == {"found": True}
    assert [argv for argv in slurm.asked if argv[0] == "scancel"] == [["scancel", "70"]]


def test_the_version_of_an_image_changes_with_the_image(base: Path) -> None:
    first = room(base, FakeSlurm()).handle("image_version", {"image": "base"})
    (base / "images" / "base.sif").unlink()
    (base / "images" / "base.sif").symlink_to("base/77.sif")
    with pytest.raises(errors.BadRequestError, match="image"):
        room(base, FakeSlurm()).handle("image_version", {"image": "base"})
    (base / "images" / "base").mkdir()
    (base / "images" / "base" / "77.sif").write_bytes(b"another")
    second = room(base, FakeSlurm()).handle("image_version", {"image": "base"})
    assert first != second
    assert second["version"].startswith("77.sif:7:")
