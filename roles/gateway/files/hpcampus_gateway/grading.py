# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Runs of submissions: one array job for each run, whose tasks are told apart by their index.

The course's server puts the submissions into a directory of the run before it asks; what the tasks need besides lies in
``BASE/jobs/grade-RUN.json``, which holds no secret, and which they read one after the other for as long as the run takes.
"""

import json
import os
import re
import secrets

from .accounts import is_service
from .checks import SPAWN_ID, check_account_fields, check_fields, check_int, check_text
from .config import SLUG, images_dir, lib_dir
from .errors import BadRequestError
from .files import write_private
from .slurm import SUBMIT, job_argv, parse_job_id

FIELDS = (
    "course",
    "run",
    "tasks",
    "slots",
    "cpus",
    "memory_mb",
    "time_limit_minutes",
    "seconds",
    "image",
    "partition",
)
OPTIONAL = ("account", "qos", "reservation")
TASKS_MAX = 2000
SLOTS_MAX = 1000
SECONDS_MAX = 24 * 3600
JOB_NAME = "hpcampus-grade"
RECORD_BYTES = 40


def check_grade(request, config):
    """Check every field of a request to run submissions.

    Raises:
        BadRequestError: names the field and the rule.
    """
    check_fields(request, FIELDS, OPTIONAL)
    checked = check_account_fields(request, config)
    checked.update(
        {
            "course": check_text(request, "course", SLUG),
            "run": check_text(request, "run", SPAWN_ID),
            "tasks": check_int(request, "tasks", 1, TASKS_MAX),
            "slots": check_int(request, "slots", 1, SLOTS_MAX),
            "cpus": check_int(request, "cpus", 1, 4096),
            "memory_mb": check_int(request, "memory_mb", 64, 64 * 1024 * 1024),
            "time_limit_minutes": check_int(request, "time_limit_minutes", 1, 366 * 24 * 60),
            "seconds": check_int(request, "seconds", 1, SECONDS_MAX),
            "image": check_text(request, "image", SLUG),
        }
    )
    return checked


def comment(config, course, run):
    """The comment by which the run is known again in the queue."""
    return f"hpcampus-grade:{config.hub_id}:{course}:{run}"


def grade_argv(config, grade):
    """Argument list that submits the tasks of a checked run."""
    argv = [
        *SUBMIT,
        "--job-name=" + JOB_NAME,
        "--comment=" + comment(config, grade["course"], grade["run"]),
        "--array=0-{}%{}".format(grade["tasks"] - 1, grade["slots"]),
        "--output={}/log/{}.log".format(config.base_dir, grade["run"]),
        "--open-mode=append",
        "--chdir=" + config.base_dir,
        "--partition=" + grade["partition"],
        "--nodes=1",
        "--ntasks=1",
        "--cpus-per-task={}".format(grade["cpus"]),
        "--mem={}M".format(grade["memory_mb"]),
        "--time={}".format(grade["time_limit_minutes"]),
    ]
    argv += [f"--{name}={grade[name]}" for name in OPTIONAL if grade[name]]
    return argv + job_argv(config, grade["run"], "grade")


def tasks_argv(config, nonce):
    """Argument list that asks for the tasks of all runs of this account, each task on a line of its own."""
    return ["squeue", "-h", "-a", "-r", "-u", config.account, "-n", JOB_NAME, "-o", nonce + "|%F|%T|%r|%k"]


def parse_tasks(text, nonce, wanted):
    """Read squeue's answer: how many tasks with the comment ``wanted`` wait and run, and why the first one waits.

    Returns:
        Fields of the answer, and the id of the job they are of, or None.
    """
    found, job_id = {"pending": 0, "running": 0, "reason": ""}, None
    for line in text.split("\n"):
        parts = line.split("|", 4)
        if len(parts) != 5 or parts[0] != nonce or parts[4] != wanted or not re.match(r"\A[0-9]{1,18}\Z", parts[1]):
            continue
        job_id = int(parts[1])
        if parts[2] == "PENDING":
            found["pending"] += 1
            found["reason"] = found["reason"] or parts[3]
        else:
            found["running"] += 1
    return found, job_id


class Grading:
    """Submits runs of submissions, says how far they are, and ends them.

    Args:
        operations: what holds the records of jobs.
        config: the gateway's.
        slurm: runs Slurm's programs.
    """

    def __init__(self, operations, config, slurm):
        self._operations = operations
        self._config = config
        self._slurm = slurm

    def submit(self, request):
        """Submit a run; the same run never becomes a second job."""
        grade = check_grade(request, self._config)
        if not is_service(self._config):
            raise BadRequestError("course: its directories belong to the service account")
        if not os.path.exists("{}/{}.sif".format(images_dir(self._config), grade["image"])):
            raise BadRequestError("image: {} is not published on this cluster".format(grade["image"]))
        name = "grade-" + grade["run"]
        with self._operations.record(name) as (stream, is_new):
            known = stream.read(RECORD_BYTES)
            if known.isdigit():
                return {"job_id": int(known)}
            job_id = None if is_new else self._tasks(grade["course"], grade["run"])[1]
            if job_id is None:
                write_private(self._operations.path("jobs", name + ".json"), json.dumps(self._told(grade)))
                job_id = parse_job_id(self._slurm.run(grade_argv(self._config, grade)))
            stream.write(str(job_id))
            return {"job_id": job_id}

    def _told(self, grade):
        """What the tasks must know."""
        told = {name: grade[name] for name in ("course", "image", "seconds", "memory_mb", "cpus")}
        told["images_dir"], told["lib_dir"] = images_dir(self._config), lib_dir(self._config)
        told["apptainer"], told["module"] = self._config.apptainer, self._config.module
        return told

    def _tasks(self, course, run):
        nonce = secrets.token_hex(8)
        text = self._slurm.run(tasks_argv(self._config, nonce))
        return parse_tasks(text, nonce, comment(self._config, course, run))

    def state(self, request):
        """How many tasks of a run wait and run; those that are neither have ended, or never began."""
        return self._tasks(*self._which(request))[0]

    def cancel(self, request):
        """End a run; one that is over already is no error."""
        job_id = self._tasks(*self._which(request))[1]
        if job_id is not None:
            self._slurm.run(["scancel", str(job_id)])
        return {"found": job_id is not None}

    @staticmethod
    def _which(request):
        check_fields(request, ("course", "run"))
        return check_text(request, "course", SLUG), check_text(request, "run", SPAWN_ID)
