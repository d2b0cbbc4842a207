# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The forced command: what it refuses, what it hands to Slurm, what it reads from Slurm."""

import errno
import io
import json
import os
import re
import stat
import string
import subprocess
import sys
import types
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hpcampus_hub.settings import ENVIRONMENT_NAME
from tests.unit.gateway.loading import FILES, load
from tests.unit.gateway.samples import COMMENT, OTHER_SPAWN, SECRET, SPAWN, FakeSlurm, request, site
from tests.unit.hostile import NOT_INT, NOT_TEXT, TEXTS

checks = load("hpcampus_gateway.checks")
config = load("hpcampus_gateway.config")
errors = load("hpcampus_gateway.errors")
main = load("hpcampus_gateway.main")
operations = load("hpcampus_gateway.operations")
session = load("hpcampus_gateway.session")
slurm = load("hpcampus_gateway.slurm")

HOSTILE = st.one_of(
    st.sampled_from(
        (
            *TEXTS,
            *("a\x00b", "..", "-a", "--wrap=id", "a/b", "a:b", "A", "a" * 65, "a" * 300, "'", '"', "a|b", "%j", "~"),
        )
    ),
    st.text(alphabet=st.characters(exclude_characters=string.ascii_letters + string.digits), min_size=1),
)


def with_tunnel(**changes: object) -> dict[str, object]:
    fields = request()
    secrets = fields["secrets"]
    assert isinstance(secrets, dict)
    return {**fields, "secrets": {**secrets, "tunnel": {**secrets["tunnel"], **changes}}}


def with_secrets(**changes: object) -> dict[str, object]:
    fields = request()
    secrets = fields["secrets"]
    assert isinstance(secrets, dict)
    return {**fields, "secrets": {**secrets, **changes}}


def refused(fields: object) -> str:
    with pytest.raises(errors.BadRequestError) as caught:
        checks.check_submit(fields, site())
    assert SECRET not in str(caught.value)
    return str(caught.value)


# --- checks


def test_good_request_passes() -> None:
    job = checks.check_submit(request(server_id="second", gres="gpu:a100:2", qos="normal"), site())
    assert job["gres"] == "gpu:a100:2"
    assert job["server_id"] == "second"


@pytest.mark.parametrize("field", ["spawn_id", "user_id", "image"])
@given(value=HOSTILE)
def test_hostile_names_are_refused(field: str, value: str) -> None:
    assert field in refused(request(**{field: value}))


@pytest.mark.parametrize("field", ["partition", "gres", "account", "qos", "reservation", "server_id"])
@given(value=HOSTILE.filter(lambda text: text not in ("", "A", "a:b")))
def test_hostile_options_are_refused(field: str, value: str) -> None:
    assert field in refused(request(**{field: value}))


@pytest.mark.parametrize(
    "field", ["spawn_id", "user_id", "server_id", "partition", "gres", "account", "qos", "reservation", "image"]
)
@given(value=NOT_TEXT)
def test_text_fields_refuse_other_types(field: str, value: object) -> None:
    assert field in refused(request(**{field: value}))


@pytest.mark.parametrize("field", ["cpus", "memory_mb", "time_limit_minutes"])
@given(value=st.one_of(NOT_INT, st.integers(max_value=0), st.integers(min_value=2**40)))
def test_numbers_refuse_other_types_and_ranges(field: str, value: object) -> None:
    assert field in refused(request(**{field: value}))


@pytest.mark.parametrize("value", [-1, 1, 63, 2**20 + 1, True, 64.0, "64", None])
def test_an_overlay_has_a_size_in_bounds(value: object) -> None:
    assert "overlay_mb" in refused(request(overlay_mb=value))


@pytest.mark.parametrize("value", [0, 64, 2**20])
def test_an_overlay_is_by_choice(value: int) -> None:
    assert checks.check_submit(request(overlay_mb=value), site())["overlay_mb"] == value
    assert checks.check_submit(request(), site())["overlay_mb"] == 0


def test_a_standby_has_no_overlay() -> None:
    secrets = with_secrets(standby="5" * 64)["secrets"]
    assert "standby" in refused(request(overlay_mb=64, secrets=secrets))


@given(value=st.one_of(NOT_TEXT, st.text(), st.dictionaries(st.text(), st.text())))
def test_no_object_of_another_shape_passes(value: object) -> None:
    refused(value)


@given(name=st.text(min_size=1).filter(lambda text: text not in request()))
def test_unknown_fields_are_refused(name: str) -> None:
    assert "unknown field" in refused(request(**{name: "x"}))


@pytest.mark.parametrize("name", [name for name in request() if name not in checks.SUBMIT_OPTIONAL])
def test_missing_fields_are_refused(name: str) -> None:
    fields = request()
    del fields[name]
    assert name in refused(fields)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PATH", "/x"),
        ("LD_PRELOAD", "/x"),
        ("PYTHONPATH", "/x"),
        ("APPTAINER_BIND", "/"),
        ("SINGULARITY_BIND", "/"),
        ("HOME", "/x"),
        ("jupyterhub_user", "x"),
        ("JUPYTERHUB_A B", "x"),
        ("JUPYTERHUB_X;id", "x"),
        ("JUPYTERHUB_X", "a\nb"),
        ("JUPYTERHUB_X", "a\x00"),
        ("JUPYTERHUB_X", 3),
    ],
)
def test_environment_of_the_platforms_own_is_refused(name: str, value: object) -> None:
    assert "secrets.env" in refused(with_secrets(env={name: value}))


@given(st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,20}|[A-Z]{2,9}_?[A-Z]{0,5}", fullmatch=True))
@example("OMP_NUM_THREADS")
@example("ld_preload")
@example("Path")
def test_what_a_profile_may_set_is_what_the_gateway_lets_through(name: str) -> None:
    """Jupyter's and the hub's own names besides, which no profile may set."""
    own = re.match(r"\A(?:JUPYTERHUB|JUPYTER|JPY|HPCAMPUS)_[A-Z0-9_]+\Z", name)
    assert bool(checks.ENV_NAME.match(name)) == bool(ENVIRONMENT_NAME.fullmatch(name) or own)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("host", "-oProxyCommand=id"),
        ("host", "a b"),
        ("host", ""),
        ("host", "a\n"),
        ("user", "-l"),
        ("user", "root;id"),
        ("port", 0),
        ("port", "22"),
        ("notebook_port", 80),
        ("hub_api_port", 70000),
        ("known_hosts", []),
        ("known_hosts", ["* ssh-ed25519 " + "A" * 68]),
        ("known_hosts", ["@cert-authority * ssh-ed25519 " + "A" * 68]),
        ("known_hosts", ["a ssh-ed25519 " + "A" * 68 + "\nb ssh-ed25519 " + "A" * 68]),
        ("private_key", "AAAA"),
        ("certificate", "ssh-ed25519 AAAA"),
        ("certificate", "ssh-ed25519-cert-v01@openssh.com " + "A" * 400 + "\nmore"),
    ],
)
def test_tunnel_fields_are_checked(field: str, value: object) -> None:
    assert field in refused(with_tunnel(**{field: value}))


def test_a_refusal_never_repeats_a_secret() -> None:
    for changes in ({"private_key": SECRET}, {"certificate": SECRET}):
        refused(with_tunnel(**changes))
    refused(with_secrets(env={"JUPYTERHUB_API_TOKEN": SECRET + "\n"}))


@pytest.mark.parametrize("value", ["/user/../x/", "/./", "user/", "/a b/", "//evil/", "/user/alice", "/%0a\n/"])
def test_base_url_is_checked(value: str) -> None:
    assert "base_url" in refused(with_secrets(base_url=value))


def test_only_the_courses_own_user_has_the_role_course() -> None:
    own = [{"slug": "py1", "role": "course"}]
    assert "role" in refused(request(courses=own))
    assert "role" in refused(request(courses=own, user_id="course-py2"))
    checked = checks.check_submit(request(courses=own, user_id="course-py1"), site())["courses"]
    assert checked == [{"slug": "py1", "role": "course", "data": False, "shared": False}]


def test_one_course_brings_its_data() -> None:
    first, second = ({"slug": slug, "role": "student", "data": True, "shared": True} for slug in ("a", "b"))
    later = {**second, "data": False}
    assert checks.check_submit(request(courses=[first, later]), site())["courses"] == [first, later]
    assert "data" in refused(request(courses=[first, second]))


@pytest.mark.parametrize(
    "courses",
    [
        {},
        [1],
        [{"slug": "../x", "role": "student"}],
        [{"slug": "a", "role": "root"}],
        [{"slug": "a", "role": "student", "x": 1}],
        [{"slug": "a", "role": "student", "data": 1}],
        [{"slug": "a", "role": "student", "shared": "yes"}],
        [{"slug": "a", "role": "student"}, {"slug": "a", "role": "student"}],
    ],
)
def test_courses_are_checked(courses: object) -> None:
    refused(request(courses=courses))


# --- what Slurm is given


def test_argument_list_of_a_job() -> None:
    fields = request(gres="gpu:1", qos="short", account="teaching", reservation="exam", server_id="two")
    job = checks.check_submit(fields, site())
    assert slurm.sbatch_argv(site(), job) == [
        "sbatch",
        "--parsable",
        "--export=NONE",
        "--no-requeue",
        "--job-name=jupyter",
        f"--comment=hpcampus:hub:alice:two:{SPAWN}",
        f"--output=/srv/hpcampus/log/{SPAWN}.log",
        "--chdir=/srv/hpcampus",
        "--signal=B:TERM@20",
        "--partition=jupyter",
        "--nodes=1",
        "--ntasks=1",
        "--cpus-per-task=2",
        "--mem=1024M",
        "--time=120",
        "--gres=gpu:1",
        "--account=teaching",
        "--qos=short",
        "--reservation=exam",
        "/srv/hpcampus/lib/job.py",
        "/srv/hpcampus",
        SPAWN,
    ]


def test_argument_list_leaves_out_what_is_empty_and_every_secret() -> None:
    argv = slurm.sbatch_argv(site(), checks.check_submit(request(), site()))
    assert not [part for part in argv if part.startswith(("--gres", "--qos", "--account", "--reservation"))]
    assert SECRET not in " ".join(argv)
    assert "PRIVATE KEY" not in " ".join(argv)


def job_of(state: str) -> tuple:
    return slurm.Job(7, state, "None", "n1", None, "hpcampus", "hub", "alice", "", SPAWN)


def test_a_running_job_is_asked_before_it_is_cancelled() -> None:
    assert slurm.cancel_argv(job_of("RUNNING"), asked_before=False) == ["scancel", "--batch", "--signal=TERM", "7"]
    assert slurm.cancel_argv(job_of("RUNNING"), asked_before=True) == ["scancel", "7"]
    assert slurm.cancel_argv(job_of("PENDING"), asked_before=False) == ["scancel", "7"]


# --- what Slurm answers


def line(nonce: str, comment: str, job_id: str = "7") -> str:
    return f"{nonce}|{job_id}|RUNNING|None|n1|1700000000|hpcampus|{comment}\n"


def test_queue_is_read() -> None:
    (job,) = slurm.parse_queue(line("abc", COMMENT), "abc")
    assert job == slurm.Job(7, "RUNNING", "None", "n1", 1700000000, "hpcampus", "hub", "alice", "", SPAWN)


def test_a_newline_in_a_comment_forges_nothing() -> None:
    forged = line("guess", f"hpcampus:hub:bob::{OTHER_SPAWN}", "8")
    text = line("abc", "x\n" + forged.strip()) + line("abc", COMMENT, "9")
    assert [job.job_id for job in slurm.parse_queue(text, "abc")] == [9]


@given(comment=st.text().filter(lambda text: not text.startswith("hpcampus:")))
def test_jobs_of_others_are_left_out(comment: str) -> None:
    assert slurm.parse_queue(line("abc", comment), "abc") == []


@given(text=st.text())
def test_queue_parser_takes_anything(text: str) -> None:
    assert slurm.parse_queue(text, "abc") == []


def test_array_tasks_and_odd_start_times() -> None:
    assert slurm.parse_queue(line("abc", COMMENT, "7_1"), "abc") == []
    (job,) = slurm.parse_queue(f"abc|7|PENDING|Resources||N/A|hpcampus|{COMMENT}\n", "abc")
    assert job.start is None


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("infinite", None), ("30:00", 30), ("12:00:00", 720), ("1-00:00:00", 1440), ("0:30", 1), ("x", None)],
)
def test_time_limits(text: str, minutes: int | None) -> None:
    assert slurm.parse_time_limit(text) == minutes


def test_partitions_are_added_up_and_others_left_out() -> None:
    text = (
        "jupyter|up|12:00:00|2|8|16000|(null)\njupyter|up|12:00:00|1|64+|256000+|gpu:2\n"
        "secret|up|1:00:00|9|9|9|(null)\nodd\n"
    )
    (found,) = slurm.parse_partitions(text, ("jupyter",))
    assert found == {
        "name": "jupyter",
        "available": True,
        "time_limit_minutes": 720,
        "nodes": 3,
        "cpus": 64,
        "memory_mb": 256000,
        "gres": ["gpu:2"],
    }


@pytest.mark.parametrize("text", ["", "Submitted batch job 7", "7 8", "-1", "7;a b"])
def test_an_answer_without_job_id_is_an_error(text: str) -> None:
    with pytest.raises(errors.SlurmError):
        slurm.parse_job_id(text)


def test_job_ids_are_read() -> None:
    assert slurm.parse_job_id("7\n") == 7
    assert slurm.parse_job_id("7;cluster\n") == 7


# --- operations, with a Slurm that is a list


@pytest.fixture
def base(tmp_path: Path) -> Path:
    for name in ("spawns", "jobs", "log", "images", "lib"):
        (tmp_path / name).mkdir()
    (tmp_path / "images" / "base.sif").write_text("")
    return tmp_path


def room_of(base: Path, slurm: FakeSlurm) -> types.SimpleNamespace:
    found: types.SimpleNamespace = operations.Operations(site(str(base)), slurm)
    return found


def test_submit_writes_the_secrets_for_the_job_alone(base: Path) -> None:
    slurm = FakeSlurm({"sbatch": "41\n"})
    assert room_of(base, slurm).op_submit(request()) == {"job_id": 41}
    spawn_file = base / "spawns" / f"{SPAWN}.json"
    assert stat.S_IMODE(spawn_file.stat().st_mode) == 0o600
    assert json.loads(spawn_file.read_text())["secrets"]["env"] == {"JUPYTERHUB_API_TOKEN": SECRET}
    assert SECRET not in repr(slurm.asked)
    assert [path.name for path in (base / "spawns").iterdir()] == [f"{SPAWN}.json"]


def test_submit_twice_makes_one_job(base: Path) -> None:
    slurm = FakeSlurm({"sbatch": "41\n"})
    assert room_of(base, slurm).op_submit(request()) == {"job_id": 41}
    assert room_of(base, slurm).op_submit(request()) == {"job_id": 41}
    assert [argv[0] for argv in slurm.asked] == ["sbatch"]


def test_submit_finds_a_job_whose_answer_was_lost(base: Path) -> None:
    (base / "jobs" / SPAWN).write_text("")
    slurm = FakeSlurm({"squeue": line("NONCE", COMMENT, "43"), "sbatch": "44\n"})
    assert room_of(base, slurm).op_submit(request()) == {"job_id": 43}
    assert [argv[0] for argv in slurm.asked] == ["squeue"]


def test_a_failed_submit_leaves_no_secret_and_can_be_repeated(base: Path) -> None:
    with pytest.raises(errors.SlurmError):
        room_of(base, FakeSlurm()).op_submit(request())
    assert list((base / "spawns").iterdir()) == []
    assert room_of(base, FakeSlurm({"sbatch": "45\n"})).op_submit(request()) == {"job_id": 45}


def test_the_job_is_told_where_to_keep_things(base: Path) -> None:
    room_of(base, FakeSlurm({"sbatch": "41\n"})).handle("submit", request(overlay_mb=2048))
    message = json.loads((base / "spawns" / f"{SPAWN}.json").read_text())
    assert (message["overlay_mb"], message["scratch_dir"]) == (2048, "/fast")


def test_an_image_that_is_not_there_is_refused(base: Path) -> None:
    slurm = FakeSlurm({"sbatch": "41\n"})
    with pytest.raises(errors.BadRequestError, match="image"):
        room_of(base, slurm).op_submit(request(image="other"))
    assert slurm.asked == []


def test_cancel_asks_first_and_removes_the_secrets(base: Path) -> None:
    slurm = FakeSlurm({"squeue": line("NONCE", COMMENT), "scancel": ""})
    (base / "spawns" / f"{SPAWN}.json").write_text("{}")
    room = room_of(base, slurm)
    assert room.op_cancel({"job_id": 7}) == {"found": True}
    assert room.op_cancel({"job_id": 7}) == {"found": True}
    assert [argv for argv in slurm.asked if argv[0] == "scancel"] == [
        ["scancel", "--batch", "--signal=TERM", "7"],
        ["scancel", "7"],
    ]
    assert list((base / "spawns").iterdir()) == []


def test_cancel_spares_jobs_that_are_not_ours(base: Path) -> None:
    other = f"hpcampus:otherhub:alice::{SPAWN}"
    slurm = FakeSlurm({"squeue": line("NONCE", other) + line("NONCE", "mine", "8"), "scancel": ""})
    room = room_of(base, slurm)
    with pytest.raises(errors.BadRequestError, match="another hub"):
        room.op_cancel({"job_id": 7})
    assert room.op_cancel({"job_id": 8}) == {"found": False}
    assert not [argv for argv in slurm.asked if argv[0] == "scancel"]


def test_the_queue_shows_whose_job_a_standby_has_become(base: Path) -> None:
    comment = f"hpcampus:hub:standby::{SPAWN}"
    slurm = FakeSlurm({"squeue": line("NONCE", comment), "scontrol": ""})
    room_of(base, slurm).op_assign({"job_id": 7, "user_id": "alice", "server_id": ""})
    assert slurm.asked[-1] == ["scontrol", "update", "JobId=7", f"Comment=hpcampus:hub:alice::{SPAWN}"]


@pytest.mark.parametrize(
    ("comment", "user_id"),
    [
        (COMMENT, "bob"),
        (f"hpcampus:otherhub:standby::{SPAWN}", "bob"),
        (f"hpcampus:hub:standby::{SPAWN}", "bob Comment=x"),
        (f"hpcampus:hub:standby::{SPAWN}", "../bob"),
    ],
)
def test_no_other_job_gets_another_user(base: Path, comment: str, user_id: str) -> None:
    slurm = FakeSlurm({"squeue": line("NONCE", comment), "scontrol": ""})
    with pytest.raises(errors.BadRequestError):
        room_of(base, slurm).op_assign({"job_id": 7, "user_id": user_id, "server_id": ""})
    assert not [argv for argv in slurm.asked if argv[0] == "scontrol"]


IDENTITY = {
    "user_id": "alice",
    "server_id": "",
    "courses": [],
    "env": {},
    "base_url": "/user/alice/",
    "default_url": "/lab",
}


def test_a_standby_is_handed_over_by_the_rules_of_a_submit() -> None:
    assert checks.check_identity(IDENTITY) == IDENTITY


@pytest.mark.parametrize(
    "change",
    [
        {"user_id": "../bob"},
        {"user_id": "alice\n"},
        {"courses": [{"slug": "py1", "role": "course"}]},
        {"courses": [{"slug": "../py1", "role": "student"}]},
        {"env": {"LD_PRELOAD": "/x"}},
        {"base_url": "/user/../"},
        {"image": "other"},
    ],
)
def test_a_standby_is_not_handed_over_to_what_breaks_a_rule(change: dict[str, object]) -> None:
    with pytest.raises(errors.BadRequestError):
        checks.check_identity({**IDENTITY, **change})
    course = {"user_id": "course-py1", "courses": [{"slug": "py1", "role": "course"}]}
    with pytest.raises(errors.BadRequestError, match="standby"):
        checks.check_identity({**IDENTITY, **course})


def test_list_sweeps_what_nobody_fetched(base: Path) -> None:
    kept, old = base / "spawns" / f"{SPAWN}.json", base / "spawns" / f"{OTHER_SPAWN}.json"
    for path in (kept, old):
        path.write_text("{}")
        os.utime(path, (1, 1))
    answer = room_of(base, FakeSlurm({"squeue": line("NONCE", COMMENT)})).op_list({})
    assert [job["job_id"] for job in answer["jobs"]] == [7]
    assert kept.exists()
    assert not old.exists()


def test_log_gives_the_end_and_follows_no_link(base: Path) -> None:
    (base / "log" / f"{SPAWN}.log").write_text("x" * 5000 + "end")
    (base / "log" / f"{OTHER_SPAWN}.log").symlink_to("/etc/passwd")
    room = room_of(base, FakeSlurm())
    assert room.op_log({"spawn_id": SPAWN})["text"].endswith("end")
    assert len(room.op_log({"spawn_id": SPAWN})["text"]) == 4000
    assert room.op_log({"spawn_id": OTHER_SPAWN})["text"] == ""
    with pytest.raises(errors.BadRequestError):
        room.op_log({"spawn_id": "../../etc/passwd"})


def test_health_tells_images_and_room(base: Path) -> None:
    (base / "images" / "gone.sif").symlink_to(base / "nowhere")
    (base / "images" / "Odd name.sif").write_text("")
    answer = room_of(base, FakeSlurm()).handle("health", {})
    assert (answer["images"], answer["problem"]) == (["base"], "")
    assert answer["free_bytes"] > 0
    assert answer["free_files"] is None or answer["free_files"] > 0
    assert [list((base / name).iterdir()) for name in ("spawns", "jobs", "log")] == [[], [], []]


def test_health_tells_what_cannot_be_written(base: Path) -> None:
    (base / "jobs").rmdir()
    assert room_of(base, FakeSlurm()).handle("health", {})["problem"] == "jobs: No such file or directory"
    assert room_of(base / "nowhere", FakeSlurm()).handle("health", {})["problem"] == "No such file or directory"


def test_health_sees_a_full_quota_and_leaves_nothing(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> int:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    monkeypatch.setattr(os, "write", full)
    answer = room_of(base, FakeSlurm()).handle("health", {})
    assert answer["problem"] == f"spawns: {os.strerror(errno.EDQUOT)}"
    assert list((base / "spawns").iterdir()) == []


# --- the session


def talk(text: bytes, slurm: FakeSlurm | None = None, base: str = "/nowhere") -> list[dict[str, object]]:
    sink = io.BytesIO()
    room = operations.Operations(site(base), slurm or FakeSlurm())
    session.Session(room, io.BytesIO(text), sink).run({"protocol": 1})
    return [json.loads(answer) for answer in sink.getvalue().splitlines()]


def test_session_greets_and_answers() -> None:
    hello, pong, unknown = talk(b'{"id": 1, "op": "ping"}\n{"id": 2, "op": "submitt"}\n')
    assert hello == {"hello": {"protocol": 1}}
    assert pong["ok"] is True
    assert (unknown["id"], unknown["ok"], unknown["code"]) == (2, False, "unknown-op")


PING = b'{"id": 1, "op": "ping"}\n'


def test_an_outdated_session_answers_nothing_more() -> None:
    sink, answers = io.BytesIO(), iter([False, True])
    room = operations.Operations(site(), FakeSlurm())
    source = io.BytesIO(PING + PING)
    session.Session(room, source, sink, lambda: next(answers)).run({"protocol": 1})
    assert [json.loads(line).get("id") for line in sink.getvalue().splitlines()] == [None, 1]


@pytest.mark.parametrize("change", ["replaced", "removed"])
def test_a_session_ends_with_its_settings(tmp_path: Path, change: str) -> None:
    """It would go on with the old ones for as long as the hub keeps it open: for weeks."""
    path = tmp_path / "gateway.json"
    settings = {"hub_id": "hub", "base_dir": str(tmp_path), "partitions": [], "apptainer": "apptainer"}
    path.write_text(json.dumps(settings))
    argv = [sys.executable, "-I", str(FILES / "gateway.py"), "--config", str(path)]
    with subprocess.Popen(
        argv, env={"SSH_ORIGINAL_COMMAND": "session"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        questions, answers = process.stdin, process.stdout
        assert questions is not None
        assert answers is not None
        assert b"hello" in answers.readline()
        questions.write(PING)
        questions.flush()
        assert b'"ok": true' in answers.readline()
        if change == "replaced":
            (tmp_path / "new").write_text(path.read_text())
            (tmp_path / "new").replace(path)
        else:
            path.unlink()
        questions.write(PING)
        questions.flush()
        assert answers.readline() == b""
    assert process.returncode == 0


@pytest.mark.parametrize(
    "text",
    [
        b"not json\n",
        b"[]\n",
        b'"x"\n',
        b"\xff\xfe\n",
        b'{"op": "ping"}\n',
        b'{"id": true, "op": "ping"}\n',
        b'{"id": -1, "op": "ping"}\n',
        b"[" * 100_000 + b"\n",
        b'{"id": 1, "op": "ping", "x": "' + b"y" * 300_000 + b'"}\n',
    ],
)
def test_session_outlives_bad_lines(text: bytes) -> None:
    _, bad, pong = talk(text + b'{"id": 9, "op": "ping"}\n')
    assert (bad["ok"], bad["code"]) == (False, "bad-request")
    assert pong["id"] == 9


@pytest.mark.parametrize("op", ["__init__", "op_list", "handle", "path", "queue", "", 3, None, ["list"]])
def test_only_the_listed_operations_can_be_called(op: object) -> None:
    _, answer = talk(json.dumps({"id": 1, "op": op}).encode() + b"\n")
    assert answer["code"] == "unknown-op"


def test_a_full_disk_is_told_without_the_name_of_a_file() -> None:
    class Full(FakeSlurm):
        def run(self, argv: list[str]) -> str:
            raise OSError(errno.ENOSPC, "No space left on device", argv[0])

    _, answer = talk(b'{"id": 1, "op": "list"}\n', Full())
    assert (answer["ok"], answer["code"]) == (False, "internal")
    assert answer["message"] == "the cluster account cannot use its files (No space left on device)"


def test_a_failed_query_is_unknown_not_an_empty_list() -> None:
    class Down(FakeSlurm):
        def run(self, argv: list[str]) -> str:
            raise errors.SlurmError(f"{argv[0]} failed (1): slurm_load_jobs error")

    _, answer = talk(b'{"id": 1, "op": "list"}\n', Down())
    assert (answer["ok"], answer["code"]) == (False, "slurm")
    assert "jobs" not in answer


@pytest.mark.parametrize("command", [None, "", "id", "session ", "session; id", "probe\n", "SESSION", "sh -c session"])
def test_every_other_command_is_refused(command: str | None) -> None:
    env = {} if command is None else {"SSH_ORIGINAL_COMMAND": command}
    argv = [sys.executable, "-I", str(FILES / "gateway.py"), "session"]
    done = subprocess.run(argv, env=env, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == main.EXIT_REFUSED
    assert done.stdout == b""


@pytest.mark.parametrize(
    "change",
    [
        {"hub_id": "A B"},
        {"base_dir": "relative"},
        {"base_dir": "/srv/%j"},
        {"partitions": "jupyter"},
        {"apptainer": 1},
        {"apptainer": "bin/apptainer"},
        {"apptainer": ""},
        {"module": "apptainer; id"},
        {"module": "-f"},
        {"module": None},
        {"slurm_dir": "opt/slurm"},
        {"take_images": "yes"},
        {"scratch_dir": "fast"},
        {"scratch_dir": "/fast/$USER"},
    ],
)
def test_configuration_is_checked(change: dict[str, object]) -> None:
    good = {"hub_id": "hub", "base_dir": "/srv/hpcampus", "partitions": ["jupyter"], "apptainer": "/usr/bin/apptainer"}
    assert config.check_config(good, "hpcampus").hub_id == "hub"
    assert config.check_config({**good, "scratch_dir": "/fast"}, "hpcampus").scratch_dir == "/fast"
    with pytest.raises(errors.ConfigError, match=next(iter(change))):
        config.check_config({**good, **change}, "hpcampus")


def test_a_centre_may_need_a_module_and_have_slurm_elsewhere() -> None:
    data = {"hub_id": "hub", "base_dir": "/p/abc", "partitions": ["jupyter"], "apptainer": "singularity"}
    data |= {"module": "tools/apptainer/1.4", "slurm_dir": "/opt/slurm/bin"}
    found = config.check_config(data, "p123")
    assert (found.apptainer, found.module, found.slurm_dir) == ("singularity", "tools/apptainer/1.4", "/opt/slurm/bin")


def test_slurm_is_found_where_the_centre_has_it(tmp_path: Path) -> None:
    (tmp_path / "sbatch").write_text("#!/bin/sh\necho slurm 22.05.8\n")
    (tmp_path / "sbatch").chmod(0o700)
    assert load("hpcampus_gateway.slurm").Slurm("/", str(tmp_path)).version() == "22.05.8"
