#!/usr/bin/python3 -I
# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Forced command of the cluster account: the only thing the hub's ssh key can run on the login node.

One long-lived session speaks JSON lines. The gateway greets first::

    {"hello": {"protocol": 1, "account": "hpcampus", "slurm": "24.11.5"}}

and answers each request ``{"id": 7, "op": "list"}`` with ``{"id": 7, "ok": true, ...}`` or
``{"id": 7, "ok": false, "code": "bad-request", "message": "..."}``. Answers may overtake each other.
Codes: ``bad-request``, ``unknown-op``, ``busy``, ``slurm`` (Slurm refused or did not answer: nothing is known) and ``internal``.

No field of a request ever reaches a shell: each is checked against its own rule, unknown fields are refused, and programs are
started with argument lists. Secrets travel through a 0600 file that the job deletes when it has read it.

Runs on any login node: standard library only, Python 3.6 or newer.
"""

import collections
import concurrent.futures
import contextlib
import fcntl
import json
import os
import pwd
import re
import secrets
import stat
import subprocess
import sys
import threading
import time

CONFIG_FILE = "/etc/hpcampus/gateway.json"
PROTOCOL = 1
COMMANDS = ("session", "probe")
EXIT_CONFIG = 78
EXIT_REFUSED = 77

MAX_LINE_BYTES = 256 * 1024
MAX_RUNNING = 8
MAX_WAITING = 128
SLURM_TIMEOUT_SECONDS = 60
LOG_TAIL_BYTES = 4000
SPAWN_FILE_KEEP_SECONDS = 15 * 60
RECORD_KEEP_SECONDS = 14 * 86400
STOP_NOTICE_SECONDS = 20
JOB_NAME = "jupyter"
COMMENT_TAG = "hpcampus"

SLUG = r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?"
_SLUG = re.compile(r"\A" + SLUG + r"\Z")
_SPAWN_ID = re.compile(r"\A[0-9a-f]{32}\Z")
_COMMENT = re.compile(
    r"\A"
    + COMMENT_TAG
    + ":(?P<hub_id>"
    + SLUG
    + "):(?P<user_id>"
    + SLUG
    + "):(?P<server_id>(?:"
    + SLUG
    + ")?):(?P<spawn_id>[0-9a-f]{32})\\Z"
)
_PARTITION = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")
_SLURM_NAME = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")
_GRES_ITEM = r"[A-Za-z][A-Za-z0-9_]{0,31}(?::[A-Za-z0-9_.-]{1,32})?(?::[0-9]{1,4})?"
_GRES = re.compile(r"\A" + _GRES_ITEM + "(?:," + _GRES_ITEM + r"){0,3}\Z")
_ENV_NAME = re.compile(
    r"\A(?:(?:JUPYTERHUB|JUPYTER|JPY|HPCAMPUS|NBGITPULLER|MEM|CPU)_[A-Z0-9_]{1,60}|LANG|LC_ALL|TZ)\Z"
)
_ENV_VALUE = re.compile(r"\A[^\x00-\x1f\x7f]{0,16384}\Z")
_HOST = re.compile(r"\A[A-Za-z0-9](?:[A-Za-z0-9.:-]{0,252}[A-Za-z0-9])?\Z")
_UNIX_USER = re.compile(r"\A[a-z_][a-z0-9_-]{0,31}\Z")
_KEY_TYPE = r"(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521))"
_KNOWN_HOST = re.compile(r"\A[A-Za-z0-9.:\[\],-]{1,300} " + _KEY_TYPE + r" [A-Za-z0-9+/]{40,2000}={0,2}\Z")
_PRIVATE_KEY = re.compile(
    r"\A-----BEGIN OPENSSH PRIVATE KEY-----\n[A-Za-z0-9+/=\n]{100,8000}\n-----END OPENSSH PRIVATE KEY-----\n?\Z"
)
_CERTIFICATE = re.compile(
    r"\A[a-z0-9-]{10,60}-cert-v01@openssh\.com [A-Za-z0-9+/]{100,8000}={0,2}(?: [A-Za-z0-9_.:@-]{0,100})?\n?\Z"
)
_BASE_URL = re.compile(r"\A/(?:[A-Za-z0-9@._~%+-]{1,255}/){0,8}\Z")
_DEFAULT_URL = re.compile(r"\A(?:/[\x21-\x7e]{0,1023})?\Z")
_BASE_DIR = re.compile(r"\A(?:/[A-Za-z0-9_][A-Za-z0-9._-]{0,63}){1,8}\Z")
_ABSOLUTE_PATH = re.compile(r"\A(?:/[A-Za-z0-9._+-]{1,64}){1,12}\Z")

Config = collections.namedtuple("Config", "hub_id base_dir partitions apptainer account")
Job = collections.namedtuple("Job", "job_id state reason nodes start hub_id user_id server_id spawn_id")


class GatewayError(Exception):
    """A request that is answered with ``ok: false``; ``code`` is one of the protocol's codes."""

    code = "internal"


class ConfigError(ValueError):
    """The configuration file breaks a rule."""


class BadRequestError(GatewayError):
    """The request breaks a rule; the message names field and rule, never the value of a secret."""

    code = "bad-request"


class UnknownOpError(GatewayError):
    """No such operation."""

    code = "unknown-op"


class BusyError(GatewayError):
    """Too many requests wait already."""

    code = "busy"


class SlurmError(GatewayError):
    """A Slurm program failed or did not answer: the state of the jobs is unknown."""

    code = "slurm"


# --- checks: pure functions of the request -----------------------------------------------------------------------------


def check_fields(request, required, optional=()):
    """Refuse missing and unknown fields of a JSON object."""
    if not isinstance(request, dict):
        raise BadRequestError("expected an object")
    missing = sorted(set(required) - set(request))
    unknown = sorted(set(request) - set(required) - set(optional))
    if missing:
        raise BadRequestError("missing field: " + ", ".join(missing))
    if unknown:
        raise BadRequestError("unknown field: " + ", ".join(ascii(name)[:60] for name in unknown[:5]))


def check_int(request, name, low, high):
    """Return the integer field ``name`` if it lies in low..high; booleans and floats are refused."""
    value = request[name]
    if type(value) is not int or not low <= value <= high:
        raise BadRequestError(f"{name}: expected an integer from {low} to {high}")
    return value


def check_text(request, name, pattern, empty=False):
    """Return the text field ``name`` if it matches; ``empty`` allows the empty text as well."""
    value = request[name]
    if not isinstance(value, str) or not (pattern.match(value) or (empty and value == "")):
        raise BadRequestError(f"{name}: not allowed here (rule: {pattern.pattern[:120]})")
    return value


def check_list(request, name, most):
    """Return the list field ``name`` if it has at most ``most`` items."""
    value = request[name]
    if not isinstance(value, list) or len(value) > most:
        raise BadRequestError(f"{name}: expected a list of at most {most} items")
    return value


def check_env(env):
    """Return the environment for the notebook server: known names only, values without control characters."""
    if not isinstance(env, dict) or len(env) > 200:
        raise BadRequestError("secrets.env: expected an object of at most 200 names")
    for name, value in env.items():
        if not _ENV_NAME.match(name):
            raise BadRequestError(f"secrets.env: the name {ascii(name)[:80]} is not allowed")
        if not isinstance(value, str) or not _ENV_VALUE.match(value):
            raise BadRequestError(
                f"secrets.env: the value of {name} must be text of at most 16384 characters without control characters"
            )
    return dict(env)


def check_tunnel(tunnel):
    """Return the tunnel's part of the secrets with every field checked."""
    check_fields(
        tunnel,
        (
            "host",
            "port",
            "user",
            "known_hosts",
            "private_key",
            "certificate",
            "notebook_port",
            "api_port",
            "hub_api_port",
        ),
    )
    known_hosts = check_list(tunnel, "known_hosts", 16)
    if not known_hosts:
        raise BadRequestError("known_hosts: at least one host key is needed")
    for line in known_hosts:
        if not isinstance(line, str) or not _KNOWN_HOST.match(line):
            raise BadRequestError("known_hosts: a line is not of the form 'host type key'")
    return {
        "host": check_text(tunnel, "host", _HOST),
        "port": check_int(tunnel, "port", 1, 65535),
        "user": check_text(tunnel, "user", _UNIX_USER),
        "known_hosts": list(known_hosts),
        "private_key": check_text(tunnel, "private_key", _PRIVATE_KEY),
        "certificate": check_text(tunnel, "certificate", _CERTIFICATE),
        "notebook_port": check_int(tunnel, "notebook_port", 1024, 65535),
        "api_port": check_int(tunnel, "api_port", 1024, 65535),
        "hub_api_port": check_int(tunnel, "hub_api_port", 1, 65535),
    }


def check_secrets(value):
    """Return the secrets of a submit request with every field checked."""
    check_fields(value, ("env", "tunnel", "base_url", "default_url"))
    base_url = check_text(value, "base_url", _BASE_URL)
    if any(part in (".", "..") for part in base_url.split("/")):
        raise BadRequestError("base_url: '.' and '..' are not allowed")
    return {
        "env": check_env(value["env"]),
        "tunnel": check_tunnel(value["tunnel"]),
        "base_url": base_url,
        "default_url": check_text(value, "default_url", _DEFAULT_URL),
    }


def check_courses(items, user_id):
    """Return the courses whose directories the job may mount.

    The role ``course`` opens the instructor's files: only the course's own user ``course-<slug>`` has it.
    """
    seen = []
    for item in items:
        check_fields(item, ("slug", "role"))
        slug = check_text(item, "slug", _SLUG)
        if item["role"] not in ("student", "course"):
            raise BadRequestError("role: expected student or course")
        if item["role"] == "course" and user_id != "course-" + slug:
            raise BadRequestError(f"role: only the user course-{slug} has the role course")
        if slug in [other["slug"] for other in seen]:
            raise BadRequestError(f"courses: {slug} is named twice")
        seen.append({"slug": slug, "role": item["role"]})
    return seen


SUBMIT_FIELDS = (
    "spawn_id",
    "user_id",
    "server_id",
    "partition",
    "cpus",
    "memory_mb",
    "time_limit_minutes",
    "image",
    "courses",
    "secrets",
)
SUBMIT_OPTIONAL = ("gres", "account", "qos", "reservation")


def check_submit(request, config):
    """Check every field of a submit request.

    Args:
        request: the fields of the request without ``id`` and ``op``.
        config: the gateway's configuration; its partitions are the only ones allowed.

    Returns:
        A dict with every field, optional ones filled in (``""`` or ``[]``), that is safe to build an argument list from.

    Raises:
        BadRequestError: names the field and the rule.
    """
    check_fields(request, SUBMIT_FIELDS, SUBMIT_OPTIONAL)
    filled = {"gres": "", "account": "", "qos": "", "reservation": ""}
    filled.update(request)
    user_id = check_text(filled, "user_id", _SLUG)
    partition = check_text(filled, "partition", _PARTITION)
    if partition not in config.partitions:
        raise BadRequestError("partition: {} is not one of {}".format(partition, ", ".join(config.partitions)))
    return {
        "spawn_id": check_text(filled, "spawn_id", _SPAWN_ID),
        "user_id": user_id,
        "server_id": check_text(filled, "server_id", _SLUG, empty=True),
        "partition": partition,
        "cpus": check_int(filled, "cpus", 1, 4096),
        "memory_mb": check_int(filled, "memory_mb", 64, 64 * 1024 * 1024),
        "time_limit_minutes": check_int(filled, "time_limit_minutes", 1, 366 * 24 * 60),
        "gres": check_text(filled, "gres", _GRES, empty=True),
        "account": check_text(filled, "account", _SLURM_NAME, empty=True),
        "qos": check_text(filled, "qos", _SLURM_NAME, empty=True),
        "reservation": check_text(filled, "reservation", _SLURM_NAME, empty=True),
        "image": check_text(filled, "image", _SLUG),
        "courses": check_courses(check_list(filled, "courses", 64), user_id),
        "secrets": check_secrets(filled["secrets"]),
    }


def job_comment(hub_id, job):
    """The comment by which hub and gateway know a job of theirs again."""
    return ":".join((COMMENT_TAG, hub_id, job["user_id"], job["server_id"], job["spawn_id"]))


def sbatch_argv(config, job):
    """Argument list that submits a checked job; holds no secret."""
    argv = [
        "sbatch",
        "--parsable",
        "--export=NONE",
        "--no-requeue",
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
    argv += [config.base_dir + "/lib/job.py", config.base_dir, job["spawn_id"]]
    return argv


def cancel_argv(job, asked_before):
    """Argument list that ends a job: a running one by a signal to its wrapper, unless that was tried before."""
    if job.state == "RUNNING" and not asked_before:
        return ["scancel", "--batch", "--signal=TERM", str(job.job_id)]
    return ["scancel", str(job.job_id)]


# --- parsers of Slurm's answers: pure functions ---------------------------------------------------------------------------


def parse_job_id(text):
    """Read ``sbatch --parsable``: the job id, on some sites followed by the cluster's name."""
    match = re.match(r"\A([0-9]{1,18})(?:;[A-Za-z0-9_.-]+)?\Z", text.strip())
    if match is None:
        raise SlurmError(f"sbatch gave no job id: {ascii(text[:100])}")
    return int(match.group(1))


def queue_format(nonce):
    """The squeue format whose lines ``parse_queue`` reads; the nonce marks lines that Slurm itself began."""
    return nonce + "|%i|%T|%r|%N|%S|%k"


def parse_queue(text, nonce):
    """Read squeue's answer.

    A newline in a job's comment prints raw and would forge a line; such a line lacks the nonce and is dropped. Jobs whose
    comment is not ours (and array tasks) are left out.
    """
    jobs = []
    for line in text.split("\n"):
        parts = line.split("|", 6)
        if len(parts) != 7 or parts[0] != nonce or not re.match(r"\A[0-9]{1,18}\Z", parts[1]):
            continue
        comment = _COMMENT.match(parts[6])
        if comment is None:
            continue
        start = int(parts[5]) if re.match(r"\A[0-9]{1,12}\Z", parts[5]) else None
        jobs.append(Job(int(parts[1]), parts[2], parts[3], parts[4], start, **comment.groupdict()))
    return jobs


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


def check_config(data, account):
    """Return the Config of a parsed configuration file, or raise ConfigError that names the key."""
    if not isinstance(data, dict):
        raise ConfigError("the file must hold one object")
    rules = {"hub_id": _SLUG, "base_dir": _BASE_DIR, "apptainer": _ABSOLUTE_PATH}
    for key, rule in sorted(rules.items()):
        if not isinstance(data.get(key), str) or not rule.match(data[key]):
            raise ConfigError(f"{key}: not allowed (rule: {rule.pattern})")
    partitions = data.get("partitions")
    if not isinstance(partitions, list) or not all(
        isinstance(name, str) and _PARTITION.match(name) for name in partitions
    ):
        raise ConfigError("partitions: expected a list of partition names")
    return Config(data["hub_id"], data["base_dir"], tuple(partitions), data["apptainer"], account)


# --- the edge: files and programs -------------------------------------------------------------------------------------------


class Slurm:
    """Runs Slurm's programs as argument lists with a small, fixed environment."""

    def __init__(self, home):
        self._env = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
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
                env=self._env,
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


def write_private(path, text):
    """Write a 0600 file so that a reader sees all of it or none of it."""
    partial = f"{path}.{secrets.token_hex(4)}.part"
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.rename(partial, path)
    except BaseException:
        remove(partial)
        raise


def remove(path):
    """Remove a file that may be gone already."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def tail(path, count):
    """The last ``count`` bytes of a regular file as text; "" when there is none."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    with os.fdopen(handle, "rb") as stream:
        info = os.fstat(stream.fileno())
        if not stat.S_ISREG(info.st_mode):
            return ""
        stream.seek(max(0, info.st_size - count))
        return stream.read(count).decode("utf-8", "replace")


class Operations:
    """What the hub may ask for. Each ``op_*`` takes the request's fields and returns those of the answer."""

    def __init__(self, config, slurm):
        self._config = config
        self._slurm = slurm
        self._asked_to_end = set()

    def path(self, *parts):
        """A path below the base directory."""
        return "/".join((self._config.base_dir,) + parts)

    def queue(self):
        """Every job of this account that carries our comment, whichever hub it belongs to."""
        nonce = secrets.token_hex(8)
        return parse_queue(
            self._slurm.run(["squeue", "-h", "-a", "-u", self._config.account, "-o", queue_format(nonce)]), nonce
        )

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
        text = self._slurm.run(["sinfo", "-h", "-a", "-o", "%R|%a|%l|%D|%c|%m|%G"])
        return {"partitions": parse_partitions(text, self._config.partitions)}

    def op_log(self, request):
        """The end of a job's log."""
        check_fields(request, ("spawn_id",))
        return {"text": tail(self.path("log", check_text(request, "spawn_id", _SPAWN_ID) + ".log"), LOG_TAIL_BYTES)}

    def op_cancel(self, request):
        """Cancel a job of this hub; a job that is gone already is no error.

        A running job is asked first, through its wrapper alone: scancel would end every process of the job at once, also the
        one that serves the image's files, and the notebook server would crash instead of saving. Asked again, it is cancelled.
        """
        check_fields(request, ("job_id",))
        job_id = check_int(request, "job_id", 1, 2**53)
        for job in self.queue():
            if job.job_id == job_id:
                if job.hub_id != self._config.hub_id:
                    raise BadRequestError("job_id: the job belongs to another hub")
                self._slurm.run(cancel_argv(job, asked_before=job_id in self._asked_to_end))
                self._asked_to_end.add(job_id)
                remove(self.path("spawns", job.spawn_id + ".json"))
                return {"found": True}
        self._asked_to_end.discard(job_id)
        return {"found": False}

    def op_submit(self, request):
        """Submit a job; the same spawn_id never makes a second one."""
        job = check_submit(request, self._config)
        if not os.path.exists(self.path("images", job["image"] + ".sif")):
            raise BadRequestError("image: {} is not published on this cluster".format(job["image"]))
        with self.record(job["spawn_id"]) as (stream, is_new):
            known = stream.read(20).strip()
            if known.isdigit():
                return {"job_id": int(known)}
            job_id = None if is_new else next((j.job_id for j in self.queue() if j.spawn_id == job["spawn_id"]), None)
            if job_id is None:
                job_id = self.submit(job)
            stream.write(str(job_id))
            return {"job_id": job_id}

    @contextlib.contextmanager
    def record(self, spawn_id):
        """Open and lock the record of a spawn: yields (stream, is_new). It holds the job id once there is one.

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
        content = {key: job[key] for key in ("spawn_id", "user_id", "server_id", "image", "courses", "secrets")}
        content["apptainer"] = self._config.apptainer
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
        if name not in ("ping", "list", "submit", "cancel", "info", "log"):
            raise UnknownOpError("operations: ping, list, submit, cancel, info, log")
        return getattr(self, "op_" + name)(request)


class Session:
    """Reads requests line by line and writes answers as they come."""

    def __init__(self, operations, source, sink):
        self._operations = operations
        self._source = source
        self._sink = sink
        self._writing = threading.Lock()
        self._waiting = threading.BoundedSemaphore(MAX_WAITING)

    def write(self, message):
        """Write one message; a hub that has gone away is no error, the end of input follows."""
        line = (json.dumps(message) + "\n").encode("ascii")
        with self._writing, contextlib.suppress(BrokenPipeError):
            self._sink.write(line)
            self._sink.flush()

    def lines(self):
        """Yield each line, or None for one that is too long."""
        while True:
            line = self._source.readline(MAX_LINE_BYTES + 1)
            if not line:
                return
            if len(line) <= MAX_LINE_BYTES:
                yield line
                continue
            while line and not line.endswith(b"\n"):
                line = self._source.readline(MAX_LINE_BYTES)
            yield None

    @staticmethod
    def parse(line):
        """Return (id, operation, fields) of a line."""
        if line is None:
            raise BadRequestError(f"a line may have {MAX_LINE_BYTES} bytes at most")
        try:
            request = json.loads(line.decode("utf-8"))
        except (ValueError, RecursionError):
            raise BadRequestError("a line must be one JSON object in UTF-8") from None
        if not isinstance(request, dict):
            raise BadRequestError("a line must be one JSON object in UTF-8")
        number = request.pop("id", None)
        operation = request.pop("op", None)
        if type(number) is not int or not 0 <= number < 2**53:
            raise BadRequestError("id: expected a whole number")
        return number, operation, request

    def answer(self, number, operation, fields):
        """Run one operation and write its answer."""
        message = {"id": number, "ok": True}
        try:
            message.update(self._operations.handle(operation, fields))
        except GatewayError as error:
            message = {"id": number, "ok": False, "code": error.code, "message": str(error)}
        except Exception as error:  # noqa: BLE001 (the session must outlive any one request)
            message = {"id": number, "ok": False, "code": "internal", "message": type(error).__name__}
            print("gateway: {}: {}".format(type(error).__name__, getattr(error, "strerror", "")), file=sys.stderr)
        self.write(message)

    def answer_and_release(self, number, operation, fields):
        """``answer`` for a worker thread."""
        try:
            self.answer(number, operation, fields)
        finally:
            self._waiting.release()

    def run(self, hello):
        """Serve until the end of input; requests under way are finished."""
        self.write({"hello": hello})
        with concurrent.futures.ThreadPoolExecutor(max_workers=MAX_RUNNING) as pool:
            for line in self.lines():
                try:
                    number, operation, fields = self.parse(line)
                except BadRequestError as error:
                    self.write({"id": None, "ok": False, "code": error.code, "message": str(error)})
                    continue
                if operation == "ping":
                    self.answer(number, operation, fields)
                elif self._waiting.acquire(blocking=False):
                    pool.submit(self.answer_and_release, number, operation, fields)
                else:
                    self.write({"id": number, "ok": False, "code": BusyError.code, "message": "too many requests wait"})


def probe(operations, hello):
    """What an administrator wants to know of this gateway, as one JSON object; the exit status tells good from bad."""
    report = {"hello": hello}
    try:
        report.update(operations.op_info({}))
        report["jobs"] = len(operations.queue())
        report["ok"] = True
    except GatewayError as error:
        report.update({"ok": False, "code": error.code, "message": str(error)})
    print(json.dumps(report, sort_keys=True))
    return 0 if report["ok"] else 1


def main():
    """Serve the command that ssh was asked for; returns the exit status."""
    command = os.environ.get("SSH_ORIGINAL_COMMAND", "")
    if command not in COMMANDS:
        print("refused: this account serves the notebook hub only", file=sys.stderr)
        return EXIT_REFUSED
    os.umask(0o077)
    entry = pwd.getpwuid(os.getuid())
    try:
        with open(CONFIG_FILE, encoding="utf-8") as stream:
            config = check_config(json.load(stream), entry.pw_name)
    except (OSError, ValueError) as error:
        print(f"gateway: {CONFIG_FILE}: {error}", file=sys.stderr)
        return EXIT_CONFIG
    slurm = Slurm(entry.pw_dir)
    operations = Operations(config, slurm)
    hello = {"protocol": PROTOCOL, "account": config.account, "slurm": slurm.version()}
    if command == "probe":
        return probe(operations, hello)
    Session(operations, sys.stdin.buffer, sys.stdout.buffer).run(hello)
    return 0


if __name__ == "__main__":
    sys.exit(main())
