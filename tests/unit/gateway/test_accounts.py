# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Accounts of students: whose jobs are listed, where files lie, what a leased account holds, and how it is released."""

import os
import stat
import types
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.gateway.loading import load
from tests.unit.gateway.samples import COMMENT, OTHER_SPAWN, SPAWN, FakeSlurm, request

accounts = load("hpcampus_gateway.accounts")
checks = load("hpcampus_gateway.checks")
config = load("hpcampus_gateway.config")
errors = load("hpcampus_gateway.errors")
operations = load("hpcampus_gateway.operations")
slurm = load("hpcampus_gateway.slurm")

POOL = {"mode": "pool", "service": "hpcampus", "names": ["p1", "p2"], "base_dir": "{home}/hpcampus"}
STUDENTS = {"mode": "students", "service": "hpcampus", "base_dir": "{home}/hpcampus"}


def data(**changes: object) -> dict[str, object]:
    return {
        "hub_id": "hub",
        "base_dir": "/srv/hpcampus",
        "apptainer": "/usr/bin/apptainer",
        "partitions": ["jupyter", "gpu"],
        **changes,
    }


def site(account: str, **changes: object) -> types.SimpleNamespace:
    found: types.SimpleNamespace = config.check_config(data(**changes), account)
    return found


# --- configuration


def test_a_configuration_without_accounts_is_that_of_one() -> None:
    found = site("hpcampus")
    assert found.accounts == accounts.ONE
    assert (found.images_dir, found.lib_dir) == ("/srv/hpcampus/images", "/srv/hpcampus/lib")
    assert accounts.own_base_dir(found, 2900, "/anywhere") == "/srv/hpcampus"


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ([], "accounts"),
        ({**POOL, "more": 1}, "accounts"),
        ({**POOL, "mode": "two"}, "accounts.mode"),
        ({**POOL, "service": "root;id"}, "accounts.service"),
        ({**POOL, "names": []}, "accounts.names"),
        ({**POOL, "names": "p1"}, "accounts.names"),
        ({**POOL, "names": ["p1,root"]}, "accounts.names"),
        ({**POOL, "names": ["root"]}, "accounts.names"),
        ({**POOL, "names": ["hpcampus"]}, "accounts.names"),
        ({**STUDENTS, "names": ["p1"]}, "accounts.names"),
        ({**POOL, "base_dir": "relative"}, "accounts.base_dir"),
        ({**POOL, "base_dir": "{home}/../x"}, "accounts.base_dir"),
        ({**POOL, "base_dir": "/x/{home}"}, "accounts.base_dir"),
        ({**POOL, "base_dir": "{home}"}, "accounts.base_dir"),
    ],
)
def test_a_wrong_configuration_is_refused_by_key(wrong: object, named: str) -> None:
    with pytest.raises(errors.ConfigError, match=named.replace(".", r"\.")):
        site("hpcampus", accounts=wrong)


def test_shared_directories_are_paths() -> None:
    assert site("p1", images_dir="/sw/images").images_dir == "/sw/images"
    with pytest.raises(errors.ConfigError, match="lib_dir"):
        site("p1", lib_dir="../lib")


# --- which directory


def test_a_student_has_a_directory_in_the_own_home() -> None:
    assert accounts.own_base_dir(site("alice", accounts=STUDENTS), 5001, "/home/alice") == "/home/alice/hpcampus"
    assert accounts.own_base_dir(site("p1", accounts=POOL), 5001, "/home/p1/") == "/home/p1/hpcampus"
    assert accounts.own_base_dir(site("hpcampus", accounts=POOL), 999, "/x") == "/srv/hpcampus"


@pytest.mark.parametrize(
    ("account", "uid", "home", "what"),
    [
        ("root", 0, "/root", "system account"),
        ("daemon", 1, "/usr/sbin", "system account"),
        ("alice", 5001, "/", "not allowed"),
        ("alice", 5001, "/home/a b", "not allowed"),
        ("alice", 5001, "/home/../etc", "not allowed"),
    ],
)
def test_system_accounts_and_odd_homes_are_refused(account: str, uid: int, home: str, what: str) -> None:
    base_dir = "{home}/x" if home != "/" else "{home}/" + "a" * 65
    with pytest.raises(errors.ConfigError, match=what):
        accounts.own_base_dir(
            site("hpcampus", accounts=STUDENTS)._replace(
                account=account, accounts=accounts.Accounts("students", "hpcampus", (), base_dir)
            ),
            uid,
            home,
        )


def test_an_account_outside_the_pool_is_refused() -> None:
    with pytest.raises(errors.ConfigError, match="p9 is not one of them"):
        accounts.own_base_dir(site("p9", accounts=POOL), 5001, "/home/p9")


def test_the_directories_are_made_for_their_owner_alone(tmp_path: Path) -> None:
    base = tmp_path / "home" / "hpcampus"
    accounts.make_own_dirs(str(base))
    (base / "log").chmod(0o755)
    accounts.make_own_dirs(str(base))
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [base, *base.iterdir()]}
    assert found == dict.fromkeys(["hpcampus", "jobs", "log", "spawns", "users"], 0o700)


def test_a_link_in_place_of_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "log").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(errors.ConfigError, match="log: not a directory"):
        accounts.make_own_dirs(str(tmp_path / "base"))


# --- what Slurm is asked


def test_the_service_account_asks_for_all_in_one_question() -> None:
    assert slurm.queue_argv(site("hpcampus", accounts=POOL), "N")[3:5] == ["-u", "hpcampus,p1,p2"]
    students = slurm.queue_argv(site("hpcampus", accounts=STUDENTS), "N")
    assert students[3:7] == ["-n", "jupyter", "-p", "jupyter,gpu"]
    assert "-u" not in students


@pytest.mark.parametrize("mode", [{}, POOL, STUDENTS])
def test_every_other_account_asks_for_its_own(mode: object) -> None:
    assert slurm.queue_argv(site("p1", accounts=mode), "N")[3:5] == ["-u", "p1"]


def test_the_jobs_program_is_the_shared_one() -> None:
    found = site("p1", accounts=POOL)._replace(base_dir="/home/p1/hpcampus")
    argv = slurm.sbatch_argv(found, checks.check_submit(request(), found))
    assert argv[-4:] == ["/srv/hpcampus/lib/job.py", "/home/p1/hpcampus", SPAWN, "/srv/hpcampus/lib"]


@pytest.mark.parametrize(
    ("value", "hidden"),
    [("none", False), ("accounts,usage", False), ("jobs", True), ("usage,jobs", True), ("all", True)],
)
def test_a_slurm_that_hides_jobs_is_told(value: str, hidden: bool) -> None:
    text = f"PriorityType            = x\nPrivateData             = {value}\nProctrackType = y\n"
    assert slurm.hides_jobs(text) is hidden
    asked = FakeSlurm({"scontrol": text, "sinfo": ""})
    room = operations.Operations(site("hpcampus", accounts=POOL), asked)
    if hidden:
        with pytest.raises(errors.SlurmError, match="PrivateData"):
            room.op_info({})
    else:
        assert room.op_info({}) == {"partitions": []}


# --- operations of a student's account


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    for name in ("images", "lib"):
        (tmp_path / name).mkdir(mode=0o755)
    (tmp_path / "images" / "base.sif").write_text("")
    return tmp_path


@pytest.fixture
def own(tmp_path: Path) -> Path:
    accounts.make_own_dirs(str(tmp_path / "own"))
    return tmp_path / "own"


def room_of(
    shared: Path, own: Path, asked: FakeSlurm, mode: object = POOL, account: str = "p1"
) -> types.SimpleNamespace:
    places = {"images_dir": f"{shared}/images", "lib_dir": f"{shared}/lib"}
    found: types.SimpleNamespace = operations.Operations(
        site(account, accounts=mode, **places)._replace(base_dir=str(own)), asked
    )
    return found


def line(comment: str, account: str, job_id: int = 7) -> str:
    return f"NONCE|{job_id}|RUNNING|None|n1|1700000000|{account}|{comment}\n"


def test_the_list_tells_who_submitted(shared: Path, own: Path) -> None:
    asked = FakeSlurm({"squeue": line(COMMENT, "p1") + line(COMMENT, "mallory", 8)})
    jobs = room_of(shared, own, asked, account="hpcampus").op_list({})["jobs"]
    assert [(job["job_id"], job["account"]) for job in jobs] == [(7, "p1"), (8, "mallory")]


def test_cancel_spares_the_jobs_of_other_accounts(shared: Path, own: Path) -> None:
    asked = FakeSlurm({"squeue": line(COMMENT, "mallory"), "scancel": ""})
    assert room_of(shared, own, asked, account="hpcampus").op_cancel({"job_id": 7}) == {"found": False}
    assert [argv[0] for argv in asked.asked] == ["squeue"]


def test_a_lost_answer_is_not_looked_for_among_other_accounts_jobs(shared: Path, own: Path) -> None:
    (own / "jobs" / SPAWN).write_text("")
    asked = FakeSlurm({"squeue": line(COMMENT, "mallory", 43), "sbatch": "44\n"})
    assert room_of(shared, own, asked, account="hpcampus").op_submit(request()) == {"job_id": 44}


@pytest.mark.parametrize("mode", [POOL, STUDENTS])
def test_courses_are_refused_for_a_students_account(shared: Path, own: Path, mode: object) -> None:
    asked = FakeSlurm({"sbatch": "41\n"})
    with pytest.raises(errors.BadRequestError, match="courses"):
        room_of(shared, own, asked, mode).op_submit(request(courses=[{"slug": "py1", "role": "student"}]))
    assert asked.asked == []


@pytest.mark.parametrize("name", ["images", "lib"])
def test_programs_and_images_that_others_can_change_are_refused(shared: Path, own: Path, name: str) -> None:
    (shared / name).chmod(0o777)
    with pytest.raises(errors.BadRequestError, match=f"{name} can be changed by others"):
        room_of(shared, own, FakeSlurm({"sbatch": "41\n"})).op_submit(request())


def test_programs_of_somebody_else_are_refused(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = types.SimpleNamespace(st_uid=4711, st_mode=0o40755)
    monkeypatch.setattr(accounts.os, "stat", lambda _path: found)
    with pytest.raises(errors.BadRequestError, match="lib can be changed by others"):
        accounts.require_shared(f"{shared}/lib", 2900)
    accounts.require_shared(f"{shared}/lib", 4711)


def test_a_leased_account_with_anothers_data_is_refused(shared: Path, own: Path) -> None:
    (own / "users" / "bob").mkdir()
    with pytest.raises(errors.BadRequestError, match="data of 'bob'"):
        room_of(shared, own, FakeSlurm({"sbatch": "41\n"})).op_submit(request())


def test_the_own_data_is_no_obstacle(shared: Path, own: Path) -> None:
    (own / "users" / "alice").mkdir()
    assert room_of(shared, own, FakeSlurm({"sbatch": "41\n"})).op_submit(request()) == {"job_id": 41}


def test_cancel_tidies_up_where_no_list_is_asked_for(shared: Path, own: Path) -> None:
    old = own / "log" / f"{OTHER_SPAWN}.log"
    old.write_text("")
    os.utime(old, (1, 1))
    room_of(shared, own, FakeSlurm({"squeue": ""})).op_cancel({"job_id": 7})
    assert not old.exists()


# --- release


def test_archive_moves_and_deletes_nothing(shared: Path, own: Path) -> None:
    (own / "users" / "alice" / "home").mkdir(parents=True)
    (own / "users" / "alice" / "home" / "thesis.ipynb").write_text("years")
    (own / "log" / f"{SPAWN}.log").write_text("")
    room = room_of(shared, own, FakeSlurm())
    name = room.op_archive({"user_id": "alice"})["archived"]
    assert (own / "archive" / name / "home" / "thesis.ipynb").read_text() == "years"
    assert stat.S_IMODE((own / "archive").stat().st_mode) == 0o700
    assert list((own / "users").iterdir()) == []
    assert list((own / "log").iterdir()) == []
    assert room.op_archive({"user_id": "alice"}) == {"archived": ""}


def test_archive_waits_for_the_last_job(shared: Path, own: Path) -> None:
    (own / "users" / "alice").mkdir()
    with pytest.raises(errors.BadRequestError, match="stop the notebook first"):
        room_of(shared, own, FakeSlurm({"squeue": line(COMMENT, "p1")})).op_archive({"user_id": "alice"})
    assert (own / "users" / "alice").is_dir()


def test_archive_of_the_wrong_person_moves_nothing(shared: Path, own: Path) -> None:
    (own / "users" / "alice").mkdir()
    with pytest.raises(errors.BadRequestError, match="data of 'alice'"):
        room_of(shared, own, FakeSlurm()).op_archive({"user_id": "bob"})
    assert (own / "users" / "alice").is_dir()


@pytest.mark.parametrize(("mode", "account"), [({}, "hpcampus"), (POOL, "hpcampus"), (STUDENTS, "alice")])
def test_only_accounts_of_a_pool_are_released(shared: Path, own: Path, mode: object, account: str) -> None:
    with pytest.raises(errors.BadRequestError, match="only an account of a pool"):
        room_of(shared, own, FakeSlurm(), mode, account).op_archive({"user_id": "alice"})


@given(value=st.one_of(st.none(), st.integers(), st.text(alphabet="./ \n")))
def test_archive_takes_ids_only(value: object) -> None:
    with pytest.raises(errors.BadRequestError):
        room_of(Path("/nowhere"), Path("/nowhere"), FakeSlurm()).op_archive({"user_id": value})
