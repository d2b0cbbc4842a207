# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The rules of a request's fields: pure functions, no field passes without one."""

import re

from .config import PARTITION, SLUG
from .errors import BadRequestError

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
SUBMIT_OPTIONAL = ("gres", "account", "qos", "reservation", "overlay_mb")
OVERLAY_MB_MIN, OVERLAY_MB_MAX = 64, 1024 * 1024
HUB_FIELDS = ("host", "port", "user", "known_hosts")
DOOR_PORT_RANGE = (1024, 65535)
DOOR_PORTS_MAX = 16
SPAWN_ID = re.compile(r"\A[0-9a-f]{32}\Z")
DOOR_NAME = re.compile(r"\A[0-9a-f]{32}\Z")
_SLURM_NAME = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")
_GRES_ITEM = r"[A-Za-z][A-Za-z0-9_]{0,31}(?::[A-Za-z0-9_.-]{1,32})?(?::[0-9]{1,4})?"
_GRES = re.compile(r"\A" + _GRES_ITEM + "(?:," + _GRES_ITEM + r"){0,3}\Z")
# What decides which program runs, what it loads or whose it is stays with the platform, in upper and lower case; some of it the hub sets.
_ENV_KEPT = (
    "(?:APPTAINER|BASH|DYLD_|GIT_|GLIBC_|HPCAMPUS_|IPYTHON|JPY_|JUPYTER|LD_|MALLOC_|NODE_|OPENSSL_|PERL|PYTHON|RUBY"
    "|R_ENVIRON|R_PROFILE|SBATCH_|SINGULARITY|SLURM|SRUN_|SSH_|XDG_)"
    "|(?:CDPATH|ENV|GCONV_PATH|HOME|HOSTALIASES|IFS|JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|LOCPATH|LOGNAME|NLSPATH|OLDPWD"
    r"|PATH|PROMPT_COMMAND|PS4|PWD|R_HOME|SHELL|SHELLOPTS|TMPDIR|USER)\Z"
)
ENV_NAME = re.compile(
    r"\A(?:(?:JUPYTERHUB|JUPYTER|JPY|HPCAMPUS)_[A-Z0-9_]{1,60}|(?!(?i:" + _ENV_KEPT + r"))[A-Za-z][A-Za-z0-9_]{0,63})\Z"
)
_ENV_VALUE = re.compile(r"\A[^\x00-\x1f\x7f]{0,16384}\Z")
_HOST = re.compile(r"\A[A-Za-z0-9](?:[A-Za-z0-9.:-]{0,252}[A-Za-z0-9])?\Z")
_UNIX_USER = re.compile(r"\A[a-z_][a-z0-9_-]{0,31}\Z")
_KEY_TYPE = r"(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521))"
_KNOWN_HOST = re.compile(r"\A[A-Za-z0-9.:\[\],-]{1,300} " + _KEY_TYPE + r" [A-Za-z0-9+/]{40,2000}={0,2}\Z")
_PRIVATE_KEY = re.compile(
    r"\A-----BEGIN OPENSSH PRIVATE KEY-----\n[A-Za-z0-9+/=\n]{100,8000}\n-----END OPENSSH PRIVATE KEY-----\n?\Z"
)
_PUBLIC_KEY = re.compile(r"\A" + _KEY_TYPE + r" [A-Za-z0-9+/]{40,2000}={0,2}\Z")
_CERTIFICATE = re.compile(
    r"\A[a-z0-9-]{10,60}-cert-v01@openssh\.com [A-Za-z0-9+/]{100,8000}={0,2}(?: [A-Za-z0-9_.:@-]{0,100})?\n?\Z"
)
_STANDBY = re.compile(r"\A[0-9a-f]{64}\Z")
_WEBDAV_URL = re.compile(
    r"\Ahttps://[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?/(?:[A-Za-z0-9._~@+/-]|%[0-9A-Fa-f]{2}){0,1000}\Z"
)
_WEBDAV_USER = re.compile(r"\A[A-Za-z0-9](?:[A-Za-z0-9 ._@+'-]{0,126}[A-Za-z0-9._@+'-])?\Z")
_WEBDAV_PASSWORD = re.compile(r"\A[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,256}\Z")
_WEBDAV_NAME = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,31}\Z")
_BASE_URL = re.compile(r"\A/(?:[A-Za-z0-9@._~%+-]{1,255}/){0,8}\Z")
_DEFAULT_URL = re.compile(r"\A(?:/[\x21-\x7e]{0,1023})?\Z")


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


def check_bool(request, name):
    """Return whether the optional field ``name`` is true."""
    value = request.get(name, False)
    if not isinstance(value, bool):
        raise BadRequestError(f"{name}: expected true or false")
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
        if not ENV_NAME.match(name):
            raise BadRequestError(f"secrets.env: the name {ascii(name)[:80]} is not allowed")
        if not isinstance(value, str) or not _ENV_VALUE.match(value):
            raise BadRequestError(
                f"secrets.env: the value of {name} must be text of at most 16384 characters without control characters"
            )
    return dict(env)


def check_hub(hub):
    """Return where and as whom a job finds the hub's sshd, with every field checked."""
    check_fields(hub, HUB_FIELDS)
    known_hosts = check_list(hub, "known_hosts", 16)
    if not known_hosts:
        raise BadRequestError("known_hosts: at least one host key is needed")
    for line in known_hosts:
        if not isinstance(line, str) or not _KNOWN_HOST.match(line):
            raise BadRequestError("known_hosts: a line is not of the form 'host type key'")
    return {
        "host": check_text(hub, "host", _HOST),
        "port": check_int(hub, "port", 1, 65535),
        "user": check_text(hub, "user", _UNIX_USER),
        "known_hosts": list(known_hosts),
    }


def check_tunnel(tunnel):
    """Return the tunnel's part of the secrets with every field checked."""
    check_fields(tunnel, (*HUB_FIELDS, "private_key", "certificate", "notebook_port", "api_port", "hub_api_port"))
    checked = check_hub({name: tunnel[name] for name in HUB_FIELDS})
    checked.update(
        {
            "private_key": check_text(tunnel, "private_key", _PRIVATE_KEY),
            "certificate": check_text(tunnel, "certificate", _CERTIFICATE),
            "notebook_port": check_int(tunnel, "notebook_port", 1024, 65535),
            "api_port": check_int(tunnel, "api_port", 1024, 65535),
            "hub_api_port": check_int(tunnel, "hub_api_port", 1, 65535),
        }
    )
    return checked


def check_door_ports(request):
    """Return the ports at one of which a job may listen to be knocked at; port 0, any that the node has free, is none of them."""
    ports = check_list(request, "ports", DOOR_PORTS_MAX)
    if not ports:
        raise BadRequestError("ports: at least one port is needed")
    return [check_int({"ports": port}, "ports", *DOOR_PORT_RANGE) for port in ports]


def check_door(door):
    """Return the door's part of the secrets with every field checked."""
    check_fields(door, ("name", "host_key", "authorized_key", "port", "api_port"))
    return {
        "name": check_text(door, "name", DOOR_NAME),
        "host_key": check_text(door, "host_key", _PRIVATE_KEY),
        "authorized_key": check_text(door, "authorized_key", _PUBLIC_KEY),
        "port": check_int(door, "port", *DOOR_PORT_RANGE) if door["port"] != 0 else check_int(door, "port", 0, 0),
        "api_port": check_int(door, "api_port", 1024, 65535),
    }


def check_way(value):
    """Return the part of the secrets that is about the way to the hub: a tunnel or a door, and not both."""
    if ("tunnel" in value) == ("door" in value):
        raise BadRequestError("secrets: expected either tunnel or door")
    return {"door": check_door(value["door"])} if "door" in value else {"tunnel": check_tunnel(value["tunnel"])}


def check_webdav(folder):
    """Return the person's WebDAV folder; no value may break a line of rclone's configuration or leave its directory."""
    check_fields(folder, ("url", "user", "password", "name"))
    url = check_text(folder, "url", _WEBDAV_URL)
    if re.search(r"(?:/|%2[Ff])(?:\.|%2[Ee]){1,2}(?:/|%2[Ff]|\Z)|%[01][0-9A-Fa-f]|%7[Ff]", url):
        raise BadRequestError("url: '.', '..' and control characters are not allowed in the path")
    return {
        "url": url,
        "user": check_text(folder, "user", _WEBDAV_USER),
        "password": check_text(folder, "password", _WEBDAV_PASSWORD),
        "name": check_text(folder, "name", _WEBDAV_NAME),
    }


def check_page(value):
    """Return a server's environment, address and first page, each checked."""
    base_url = check_text(value, "base_url", _BASE_URL)
    if any(part in (".", "..") for part in base_url.split("/")):
        raise BadRequestError("base_url: '.' and '..' are not allowed")
    return {
        "env": check_env(value["env"]),
        "base_url": base_url,
        "default_url": check_text(value, "default_url", _DEFAULT_URL),
    }


def check_secrets(value):
    """Return the secrets of a submit request with every field checked."""
    check_fields(value, ("env", "base_url", "default_url"), ("tunnel", "door", "standby", "webdav"))
    checked = check_page(value)
    checked.update(check_way(value))
    if "standby" in value:
        checked["standby"] = check_text(value, "standby", _STANDBY)
    if "webdav" in value:
        checked["webdav"] = check_webdav(value["webdav"])
    return checked


def check_identity(value):
    """Return what a standby is handed over with: whose server it is, every field checked by the rules of a submit request."""
    check_fields(value, ("user_id", "server_id", "courses", "env", "base_url", "default_url"))
    user_id = check_text(value, "user_id", SLUG)
    courses = check_courses(check_list(value, "courses", 64), user_id)
    if any(course["role"] != "student" for course in courses):
        raise BadRequestError("courses: a standby serves students")
    checked = {"user_id": user_id, "server_id": check_text(value, "server_id", SLUG, empty=True), "courses": courses}
    checked.update(check_page(value))
    return checked


def check_courses(items, user_id):
    """Return the courses whose directories the job may mount.

    The role ``course`` opens the instructor's files: only the course's own user ``course-<slug>`` has it. One course at most
    brings its data, since there is one place for it.
    """
    seen = []
    for item in items:
        check_fields(item, ("slug", "role"), ("data", "shared"))
        slug = check_text(item, "slug", SLUG)
        if item["role"] not in ("student", "course"):
            raise BadRequestError("role: expected student or course")
        if item["role"] == "course" and user_id != "course-" + slug:
            raise BadRequestError(f"role: only the user course-{slug} has the role course")
        if slug in [other["slug"] for other in seen]:
            raise BadRequestError(f"courses: {slug} is named twice")
        shows = {name: check_bool(item, name) for name in ("data", "shared")}
        seen.append(dict(shows, slug=slug, role=item["role"]))
    if sum(course["data"] for course in seen) > 1:
        raise BadRequestError("data: only the course that the server is for brings its data")
    return seen


def check_account_fields(request, config):
    """Return where and on whose account a job is to run: ``partition``, and ``account``, ``qos`` and ``reservation`` or ``""``."""
    filled = {"account": "", "qos": "", "reservation": ""}
    filled.update(request)
    partition = check_text(filled, "partition", PARTITION)
    if partition not in config.partitions:
        raise BadRequestError("partition: {} is not one of {}".format(partition, ", ".join(config.partitions)))
    checked = {name: check_text(filled, name, _SLURM_NAME, empty=True) for name in ("account", "qos", "reservation")}
    checked["partition"] = partition
    return checked


def check_overlay(request):
    """Return the size of the file for own packages in megabytes; 0 is none, and the only one that a standby can have."""
    size = check_int(request, "overlay_mb", 0, OVERLAY_MB_MAX)
    if 0 < size < OVERLAY_MB_MIN:
        raise BadRequestError(f"overlay_mb: expected 0 for none, or at least {OVERLAY_MB_MIN}")
    if size and "standby" in request["secrets"]:
        raise BadRequestError("overlay_mb: a standby cannot mount the file of a person who comes later")
    return size


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
    filled = {"gres": "", "overlay_mb": 0}
    filled.update(request)
    user_id = check_text(filled, "user_id", SLUG)
    checked = check_account_fields(filled, config)
    checked.update(
        {
            "spawn_id": check_text(filled, "spawn_id", SPAWN_ID),
            "user_id": user_id,
            "server_id": check_text(filled, "server_id", SLUG, empty=True),
            "cpus": check_int(filled, "cpus", 1, 4096),
            "memory_mb": check_int(filled, "memory_mb", 64, 64 * 1024 * 1024),
            "time_limit_minutes": check_int(filled, "time_limit_minutes", 1, 366 * 24 * 60),
            "gres": check_text(filled, "gres", _GRES, empty=True),
            "image": check_text(filled, "image", SLUG),
            "overlay_mb": check_overlay(filled),
            "courses": check_courses(check_list(filled, "courses", 64), user_id),
            "secrets": check_secrets(filled["secrets"]),
        }
    )
    return checked
