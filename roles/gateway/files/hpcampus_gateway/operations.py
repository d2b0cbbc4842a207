# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the hub may ask for."""

import contextlib
import fcntl
import json
import os
import pwd
import secrets
import time

from .accounts import is_service, require_empty_or, require_shared
from .archive import archive
from .checks import SPAWN_ID, check_fields, check_int, check_submit, check_text
from .config import SLUG, images_dir, lib_dir
from .errors import BadRequestError, BusyError, SlurmError, UnknownOpError
from .files import remove, tail, write_private
from .grading import Grading
from .health import health
from .images import version
from .reach import Reach
from .slurm import (
    assign_argv,
    cancel_argv,
    hides_jobs,
    parse_job_id,
    parse_partitions,
    parse_queue,
    queue_argv,
    sbatch_argv,
)

OPERATIONS = (
    "ping",
    "list",
    "submit",
    "assign",
    "cancel",
    "info",
    "health",
    "log",
    "reach",
    "archive",
    "image_version",
    "grade",
    "grade_state",
    "grade_cancel",
)
LOG_TAIL_BYTES = 4000
SPAWN_FILE_KEEP_SECONDS = 15 * 60
RECORD_BYTES = 80
STANDBY_USER = "standby"
RECORD_KEEP_SECONDS = 14 * 86400


def service_uid(config):
    """The service account's uid; nobody's when a host does not know it."""
    try:
        return pwd.getpwnam(config.accounts.service).pw_uid
    except KeyError:
        return -1


class Operations:
    """What the hub may ask for. Each ``op_*`` takes the request's fields and returns those of the answer."""

    def __init__(self, config, slurm):
        self._config = config
        self._slurm = slurm
        self._asked_to_end = set()
        self._grading = Grading(self, config, slurm)

    def path(self, *parts):
        """A path below the base directory."""
        return "/".join((self._config.base_dir,) + parts)

    def queue(self):
        """Every job that carries our comment, whichever hub it belongs to: of this account, or of all for the service account."""
        nonce = secrets.token_hex(8)
        return parse_queue(self._slurm.run(queue_argv(self._config, nonce)), nonce)

    def own_queue(self):
        """The jobs among them that this account submitted, and so can cancel; a comment proves nothing."""
        return [job for job in self.queue() if job.account == self._config.account]

    def op_ping(self, request):
        """Answer at once."""
        check_fields(request, ())
        return {"time": time.time()}

    def op_list(self, request):
        """All jobs with one question to Slurm."""
        check_fields(request, ())
        jobs = self.queue()
        self.sweep({job.spawn_id for job in jobs})
        return {"jobs": [dict(job._asdict()) for job in jobs]}

    def op_info(self, request):
        """The partitions this site may use."""
        check_fields(request, ())
        if self._config.accounts.mode != "one" and hides_jobs(self._slurm.run(["scontrol", "show", "config"])):
            raise SlurmError(
                "PrivateData hides the jobs of other users, so the service account cannot watch those of students"
            )
        text = self._slurm.run(["sinfo", "-h", "-a", "-o", "%R|%a|%l|%D|%c|%m|%G"])
        return {"partitions": parse_partitions(text, self._config.partitions)}

    def op_health(self, request):
        """How the base directory is, see :func:`health`."""
        check_fields(request, ())
        return health(self._config.base_dir)

    def op_log(self, request):
        """The end of a job's log."""
        check_fields(request, ("spawn_id",))
        return {"text": tail(self.path("log", check_text(request, "spawn_id", SPAWN_ID) + ".log"), LOG_TAIL_BYTES)}

    def op_reach(self, request):
        """Which data paths work, found with a short job; see ``Reach.run``."""
        return Reach(self, self._config, self._slurm).run(request)

    def op_cancel(self, request):
        """Cancel a job of this hub; a job that is gone already is no error.

        A running job is asked first, through its wrapper alone: scancel would end every process of the job at once, also the
        one that serves the image's files, and the notebook server would crash instead of saving. Asked again, it is cancelled.
        """
        check_fields(request, ("job_id",))
        job_id = check_int(request, "job_id", 1, 2**53)
        jobs = self.own_queue()
        self._asked_to_end.intersection_update(job.job_id for job in jobs)
        if not is_service(self._config):  # it is never asked for the list, with which the service account tidies up
            self.sweep({job.spawn_id for job in jobs})
        for job in jobs:
            if job.job_id == job_id:
                if job.hub_id != self._config.hub_id:
                    raise BadRequestError("job_id: the job belongs to another hub")
                self._slurm.run(cancel_argv(job, asked_before=job_id in self._asked_to_end))
                self._asked_to_end.add(job_id)
                remove(self.path("spawns", job.spawn_id + ".json"))
                return {"found": True}
        return {"found": False}

    def op_assign(self, request):
        """Have the queue show whose job a standby has become."""
        check_fields(request, ("job_id", "user_id", "server_id"))
        job_id = check_int(request, "job_id", 1, 2**53)
        user_id, server_id = check_text(request, "user_id", SLUG), check_text(request, "server_id", SLUG, empty=True)
        for job in self.queue():
            if job.job_id == job_id and job.hub_id == self._config.hub_id and job.user_id == STANDBY_USER:
                self._slurm.run(assign_argv(job.hub_id, job.spawn_id, user_id, server_id, job_id))
                return {}
        raise BadRequestError("job_id: not a standby of this hub")

    def op_submit(self, request):
        """Submit a job; the same spawn_id never makes a second one."""
        job = check_submit(request, self._config)
        self.check_account(job)
        if not os.path.exists("{}/{}.sif".format(images_dir(self._config), job["image"])):
            raise BadRequestError("image: {} is not published on this cluster".format(job["image"]))
        with self.record(job["spawn_id"]) as (stream, is_new):
            known = stream.read(RECORD_BYTES).split()
            if known and known[0].isdigit():
                return {"job_id": int(known[0])}
            job_id = (
                None if is_new else next((j.job_id for j in self.own_queue() if j.spawn_id == job["spawn_id"]), None)
            )
            if job_id is None:
                job_id = self.submit(job)
            door = job["secrets"].get("door", {"port": 0, "name": ""})
            stream.write("{} {} {}".format(job_id, door["port"], door["name"]))
            return {"job_id": job_id}

    def door_of(self, job_id, spawn_id):
        """The (job, port) of a running job of this hub that has a door; the port is 0 where the hub comes through Slurm."""
        job = next((job for job in self.own_queue() if job.job_id == job_id and job.spawn_id == spawn_id), None)
        if job is None or job.hub_id != self._config.hub_id:
            raise BadRequestError("no such job of this hub")
        if job.state != "RUNNING":
            raise BadRequestError("the job does not run: " + job.state)
        try:
            with open(self.path("jobs", spawn_id), encoding="ascii") as stream:
                number, port, _name = stream.read(RECORD_BYTES).split()
        except (OSError, ValueError):
            raise BadRequestError("the job has no door") from None
        if number != str(job_id) or not port.isdigit():
            raise BadRequestError("the job has no door")
        return job, int(port)

    def check_account(self, job):
        """What only holds where students have accounts: shared directories that no student can write, and no courses."""
        if is_service(self._config):
            return
        if job["courses"]:
            raise BadRequestError(
                "courses: their directories belong to the service account; a student's own cannot mount them"
            )
        if self._config.accounts.mode == "pool":
            require_empty_or(job["user_id"], self.path("users"))
        for path in (images_dir(self._config), lib_dir(self._config)):
            require_shared(path, service_uid(self._config))

    def op_archive(self, request):
        """Put a student's files aside, before the account is leased to another; nothing is deleted.

        The answer's ``archived`` is the new directory's name, or "" when there was nothing.
        """
        check_fields(request, ("user_id",))
        user_id = check_text(request, "user_id", SLUG)
        if self._config.accounts.mode != "pool" or is_service(self._config):
            raise BadRequestError("archive: only an account of a pool is released")
        if self.queue():
            raise BadRequestError("archive: jobs of this account are in the queue; stop the notebook first")
        return {"archived": archive(self._config.base_dir, user_id, time.time())}

    def op_image_version(self, request):
        """What tells a version of an image from every other, without reading it; see :func:`version`."""
        check_fields(request, ("image",))
        return {"version": version(images_dir(self._config), check_text(request, "image", SLUG))}

    def op_grade(self, request):
        """Run the submissions of a course, see :meth:`Grading.submit`."""
        return self._grading.submit(request)

    def op_grade_state(self, request):
        """How far such a run is, see :meth:`Grading.state`."""
        return self._grading.state(request)

    def op_grade_cancel(self, request):
        """End such a run, see :meth:`Grading.cancel`."""
        return self._grading.cancel(request)

    @contextlib.contextmanager
    def record(self, spawn_id):
        """Open and lock the record of a spawn: yields (stream, is_new). It holds the job id once there is one, and its door.

        The lock keeps a second session of the same hub (the first one may still be finishing) from submitting twice.
        """
        path = self.path("jobs", spawn_id)
        try:
            handle, is_new = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), True
        except FileExistsError:
            handle, is_new = os.open(path, os.O_RDWR | os.O_NOFOLLOW), False
        with os.fdopen(handle, "r+", encoding="ascii") as stream:
            try:
                fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise BusyError("this spawn_id is being submitted") from None
            yield stream, is_new

    def submit(self, job):
        """Write the job's secrets, run sbatch, return the job id."""
        spawn_file = self.path("spawns", job["spawn_id"] + ".json")
        content = {
            key: job[key] for key in ("spawn_id", "user_id", "server_id", "image", "courses", "overlay_mb", "secrets")
        }
        content["apptainer"] = self._config.apptainer
        content["module"] = self._config.module
        content["scratch_dir"] = self._config.scratch_dir
        content["images_dir"], content["lib_dir"] = images_dir(self._config), lib_dir(self._config)
        write_private(spawn_file, json.dumps(content))
        try:
            return parse_job_id(self._slurm.run(sbatch_argv(self._config, job)))
        except BaseException:
            remove(spawn_file)
            raise

    def sweep(self, queued):
        """Remove what ended jobs left: secrets that no job will fetch, old records and logs."""
        now = time.time()
        for folder, keep in (
            ("spawns", SPAWN_FILE_KEEP_SECONDS),
            ("jobs", RECORD_KEEP_SECONDS),
            ("log", RECORD_KEEP_SECONDS),
        ):
            with contextlib.suppress(OSError), os.scandir(self.path(folder)) as entries:
                for entry in entries:
                    if (
                        entry.name.split(".")[0] not in queued
                        and now - entry.stat(follow_symlinks=False).st_mtime > keep
                    ):
                        remove(entry.path)

    def handle(self, name, request):
        """Run one operation by name."""
        if name not in OPERATIONS:
            raise UnknownOpError("operations: " + ", ".join(OPERATIONS))
        return getattr(self, "op_" + name)(request)
