# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Slurm's programs: argument lists, and the reading of their answers."""

import collections
import re
import subprocess

from .accounts import is_service
from .config import SLUG_RULE, lib_dir
from .errors import SlurmError

SLURM_TIMEOUT_SECONDS = 60
STOP_NOTICE_SECONDS = 20
JOB_NAME = "jupyter"
COMMENT_TAG = "hpcampus"
_COMMENT = re.compile(
    r"\A"
    + COMMENT_TAG
    + ":(?P<hub_id>"
    + SLUG_RULE
    + "):(?P<user_id>"
    + SLUG_RULE
    + "):(?P<server_id>(?:"
    + SLUG_RULE
    + ")?):(?P<spawn_id>[0-9a-f]{32})\\Z"
)
Job = collections.namedtuple("Job", "job_id state reason nodes start account hub_id user_id server_id spawn_id")


def job_comment(hub_id, job):
    """The comment by which hub and gateway know a job of theirs again."""
    return ":".join((COMMENT_TAG, hub_id, job["user_id"], job["server_id"], job["spawn_id"]))


def job_argv(config, spawn_id, part="job"):
    """Argument list of the job's program, or of another part of it: ``door`` or ``reach``; what is usual is left out."""
    lib = lib_dir(config)
    argv = [lib + "/job.py", config.base_dir, spawn_id]
    if part != "job":
        return argv + [lib, part]
    return argv if lib == config.base_dir + "/lib" else argv + [lib]


SUBMIT = ["sbatch", "--parsable", "--export=NONE", "--no-requeue"]
"""What every submission begins with: the job gets nothing of our environment, and is not run twice."""


def sbatch_argv(config, job, part="job"):
    """Argument list that submits a checked job; holds no secret."""
    argv = [
        *SUBMIT,
        "--job-name=" + JOB_NAME,
        "--comment=" + job_comment(config.hub_id, job),
        "--output={}/log/{}.log".format(config.base_dir, job["spawn_id"]),
        "--chdir=" + config.base_dir,
        f"--signal=B:TERM@{STOP_NOTICE_SECONDS}",
        "--partition=" + job["partition"],
        "--nodes=1",
        "--ntasks=1",
        "--cpus-per-task={}".format(job["cpus"]),
        "--mem={}M".format(job["memory_mb"]),
        "--time={}".format(job["time_limit_minutes"]),
    ]
    argv += [f"--{name}={job[name]}" for name in ("gres", "account", "qos", "reservation") if job[name]]
    return argv + job_argv(config, job["spawn_id"], part)


def step_argv(job_id, program):
    """Argument list that starts a program beside a running job, with our standard input and output as its own.

    ``--unbuffered``, or what is not a whole line would wait; the step takes nothing that the job has.
    """
    return [
        "srun",
        "--overlap",
        f"--jobid={job_id}",
        "--nodes=1",
        "--ntasks=1",
        "--input=0",
        "--mpi=none",
        "--unbuffered",
        "--export=NONE",
        "--chdir=/",
        "--quiet",
    ] + program


def relay_argv(config, job_id, spawn_id):
    """Argument list that starts the door of a running job."""
    return step_argv(job_id, job_argv(config, spawn_id, "door"))


def cancel_argv(job, asked_before):
    """Argument list that ends a job: a running one by a signal to its wrapper, unless that was tried before."""
    if job.state == "RUNNING" and not asked_before:
        return ["scancel", "--batch", "--signal=TERM", str(job.job_id)]
    return ["scancel", str(job.job_id)]


def assign_argv(hub_id, spawn_id, user_id, server_id, job_id):
    """Argument list that names the user of a job which was submitted before it was known for whom."""
    job = {"user_id": user_id, "server_id": server_id, "spawn_id": spawn_id}
    return ["scontrol", "update", f"JobId={job_id}", "Comment=" + job_comment(hub_id, job)]


def parse_job_id(text):
    """Read ``sbatch --parsable``: the job id, on some sites followed by the cluster's name."""
    match = re.match(r"\A([0-9]{1,18})(?:;[A-Za-z0-9_.-]+)?\Z", text.strip())
    if match is None:
        raise SlurmError(f"sbatch gave no job id: {ascii(text[:100])}")
    return int(match.group(1))


def queue_argv(config, nonce):
    """Argument list that asks for the jobs of this account; the service account asks for those of every student's too.

    The nonce marks the lines that Slurm itself began, see ``parse_queue``.
    """
    if is_service(config) and config.accounts.mode == "students":
        whose = ["-n", JOB_NAME, "-p", ",".join(config.partitions)]
    else:
        whose = ["-u", ",".join((config.account,) + (config.accounts.names if is_service(config) else ()))]
    return ["squeue", "-h", "-a"] + whose + ["-o", nonce + "|%i|%T|%r|%N|%S|%u|%k"]


def parse_queue(text, nonce):
    """Read squeue's answer.

    A newline in a job's comment prints raw and would forge a line; such a line lacks the nonce and is dropped. Jobs whose
    comment is not ours (and array tasks) are left out. A comment can be written by anybody who may submit: ``account`` is what
    Slurm itself says of who did.
    """
    jobs = []
    for line in text.split("\n"):
        parts = line.split("|", 7)
        if len(parts) != 8 or parts[0] != nonce or not re.match(r"\A[0-9]{1,18}\Z", parts[1]):
            continue
        comment = _COMMENT.match(parts[7])
        if comment is None:
            continue
        start = int(parts[5]) if re.match(r"\A[0-9]{1,12}\Z", parts[5]) else None
        jobs.append(Job(int(parts[1]), parts[2], parts[3], parts[4], start, parts[6], **comment.groupdict()))
    return jobs


def hides_jobs(text):
    """Whether ``scontrol show config`` says that users do not see each other's jobs."""
    match = re.search(r"(?m)^PrivateData\s*=\s*(\S+)", text)
    return match is not None and bool({"jobs", "all"} & set(match.group(1).split(",")))


def parse_time_limit(text):
    """Minutes of a Slurm time limit such as ``1-02:03:04``, ``02:03:04``, ``30:00``; None when there is no limit."""
    match = re.match(r"\A(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)\Z", text)
    if match is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return days * 1440 + hours * 60 + minutes + (1 if seconds else 0)


def parse_partitions(text, allowed):
    """Read ``sinfo -h -o %R|%a|%l|%D|%c|%m|%G``: one dict for each allowed partition; cpus and memory are the largest node's."""
    found = collections.OrderedDict()
    for line in text.split("\n"):
        parts = line.split("|")
        if len(parts) != 7 or parts[0] not in allowed:
            continue
        entry = found.setdefault(
            parts[0],
            {
                "name": parts[0],
                "available": False,
                "time_limit_minutes": None,
                "nodes": 0,
                "cpus": 0,
                "memory_mb": 0,
                "gres": [],
            },
        )
        entry["available"] = parts[1] == "up"
        entry["time_limit_minutes"] = parse_time_limit(parts[2])
        counts = [int(re.sub(r"[^0-9].*\Z", "", part) or 0) for part in (parts[3], parts[4], parts[5])]
        entry["nodes"] += counts[0]
        entry["cpus"] = max(entry["cpus"], counts[1])
        entry["memory_mb"] = max(entry["memory_mb"], counts[2])
        if parts[6] not in ("", "(null)") and parts[6] not in entry["gres"]:
            entry["gres"].append(parts[6])
    return list(found.values())


class Slurm:
    """Runs Slurm's programs as argument lists with a small, fixed environment."""

    def __init__(self, home, directory=""):
        self.env = {
            "PATH": (directory and directory + ":") + "/usr/local/bin:/usr/bin:/bin",
            "LC_ALL": "C",
            "TZ": "UTC",
            "SLURM_TIME_FORMAT": "%s",
            "HOME": home,
        }

    def run(self, argv):
        """Return the standard output of ``argv``; SlurmError when it fails, is missing or takes too long."""
        try:
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self.env,
                timeout=SLURM_TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise SlurmError(f"{argv[0]} did not answer within {SLURM_TIMEOUT_SECONDS} s") from None
        except OSError as error:
            raise SlurmError(f"{argv[0]} cannot be started: {error.strerror}") from error
        if done.returncode != 0:
            raise SlurmError(
                "{} failed ({}): {}".format(
                    argv[0], done.returncode, done.stderr.decode("utf-8", "replace").strip()[-500:]
                )
            )
        return done.stdout.decode("utf-8", "replace")

    def version(self):
        """Slurm's version, or "" when Slurm cannot be asked."""
        try:
            match = re.search(r"\d+\.\d+(?:\.\d+)?", self.run(["sbatch", "--version"]))
        except SlurmError:
            return ""
        return match.group(0) if match else ""
