# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the administrator configures (clusters, profiles, tunnel, courses) as checked, frozen data.

The lists come from ``c.HpcHub.*``; :func:`read_site` turns them into a :class:`Site` or says what is wrong, where, and
what to do about it.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from .names import course_user, is_slug

Check = Callable[[Any], Any]

_SLURM_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_GRES_ITEM = r"[A-Za-z][A-Za-z0-9_]{0,31}(?::[A-Za-z0-9_.-]{1,32})?(?::[0-9]{1,4})?"
_GRES = re.compile(rf"{_GRES_ITEM}(?:,{_GRES_ITEM}){{0,3}}")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.:-]{0,252}[A-Za-z0-9])?")
_UNIX_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_HOST_KEY = re.compile(r"(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) [A-Za-z0-9+/]{40,2000}={0,2}")
_PATH = re.compile(r"(?:/[A-Za-z0-9._+-]{1,64}){1,12}")
_DIRECTORY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MEMORY = re.compile(r"([1-9][0-9]{0,8})([KMGT])")
_MEMORY_MB = {"K": 1 / 1024, "M": 1.0, "G": 1024.0, "T": 1024.0 * 1024.0}
# What decides which program runs, what it loads or whose it is stays with the platform, in upper and lower case. The check of an
# inventory goes by the same rule.
_ENVIRONMENT_KEPT = (
    "(?:APPTAINER|BASH|DYLD_|GIT_|GLIBC_|HPCAMPUS_|IPYTHON|JPY_|JUPYTER|LD_|MALLOC_|NODE_|OPENSSL_|PERL|PYTHON|RUBY"
    "|R_ENVIRON|R_PROFILE|SBATCH_|SINGULARITY|SLURM|SRUN_|SSH_|XDG_)"
    "|(?:CDPATH|ENV|GCONV_PATH|HOME|HOSTALIASES|IFS|JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|LOCPATH|LOGNAME|NLSPATH|OLDPWD"
    r"|PATH|PROMPT_COMMAND|PS4|PWD|R_HOME|SHELL|SHELLOPTS|TMPDIR|USER)\Z"
)
ENVIRONMENT_NAME = re.compile(rf"(?!(?i:{_ENVIRONMENT_KEPT}))[A-Za-z][A-Za-z0-9_]{{0,63}}")
ENVIRONMENT_NAMES_MAX = 50
ENVIRONMENT_VALUE_MAX = 4096

API_PORT_OFFSET = 5000
"""The job's local port for the hub's API is its notebook port plus this."""


class SettingsError(ValueError):
    """A setting is wrong; the text names the setting, the value and the cure."""


SSH_PORT = 22
AUTO = "auto"
DATA_PATHS = (AUTO, "reverse", "direct", "forward", "relay")
"""What can be set; ``auto`` takes the first of the others that a test finds to work."""
CARRIER_DIR = "/var/lib/jupyterhub/carrier"
SQLITE, POSTGRESQL = GRADEBOOKS = ("sqlite", "postgresql")


@dataclass(frozen=True)
class AccountRules:
    """Under which accounts jobs run: ``one`` for all, a ``pool`` leased to students, or one for each of the ``students``.

    ``prefix`` and ``pattern`` are for ``students``: the account is prefix and user name, and must match the pattern as a whole.
    """

    mode: str = "one"
    pool: tuple[str, ...] = ()
    prefix: str = ""
    pattern: str = "[a-z][a-z0-9_-]{1,31}"
    leases_dir: str = "/var/lib/jupyterhub/accounts"
    signer_socket: str = "/run/hpcampus/accounts-signer.sock"
    sessions_max: int = 8
    """With the service account's below the ten logins at once after which sshd begins to drop some."""
    session_idle_seconds: float = 120


@dataclass(frozen=True)
class Cluster:
    """A Slurm cluster and the service account on its login node through which it is used."""

    name: str
    host: str
    port: int
    user: str
    host_key: str
    base_dir: str
    key_file: str
    data_path: str = "reverse"
    """How data travels between hub and jobs, one of ``DATA_PATHS``."""
    max_servers: int = 0
    """How many servers may run or start there at the same time; 0 sets no limit."""
    webdav: bool = True
    """Whether people's WebDAV folders are mounted in its jobs."""
    accounts: AccountRules = AccountRules()


@dataclass(frozen=True)
class Range:
    """Whole numbers from ``low`` to ``high``, both included."""

    low: int
    high: int

    def __contains__(self, number: int) -> bool:
        return self.low <= number <= self.high


@dataclass(frozen=True)
class Profile:
    """A size that a person can pick: what a job asks of Slurm, and within which bounds a person may ask for something else.

    ``ranges`` has the keys ``cpus``, ``memory_mb`` and ``time_limit_minutes``; what is not there is fixed. ``images`` and
    ``gres_choices`` are empty where there is no choice. Without ``courses`` and ``groups`` a profile is for everybody.
    """

    name: str
    label: str
    cluster: str
    partition: str
    cpus: int
    memory_mb: int
    time_limit_minutes: int
    image: str
    gres: str = ""
    account: str = ""
    qos: str = ""
    reservation: str = ""
    description: str = ""
    images: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    ranges: Mapping[str, Range] = field(default_factory=dict)
    gres_choices: tuple[str, ...] = ()
    courses: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    overlay_mb: int = 0
    standby: int = 0
    """How many jobs of the profile wait warm for whoever comes next."""

    def range_of(self, size: str) -> Range:
        """What may be asked of ``cpus``, ``memory_mb`` or ``time_limit_minutes``: the fixed value alone if there is no range."""
        fixed = getattr(self, size)
        return self.ranges.get(size, Range(fixed, fixed))

    def is_for(self, courses: Collection[str], groups: Collection[str]) -> bool:
        """Say whether somebody who takes part in these courses and is in these groups may use the profile."""
        if not self.courses and not self.groups:
            return True
        return not {*self.courses}.isdisjoint(courses) or not {*self.groups}.isdisjoint(groups)


@dataclass(frozen=True)
class Tunnel:
    """How a job finds the hub again, and which ports of the hub's loopback are for tunnels."""

    host: str
    port: int
    host_keys: tuple[str, ...]
    user: str
    port_min: int
    port_max: int
    registry_dir: str
    signer_socket: str

    @property
    def known_hosts(self) -> tuple[str, ...]:
        """Lines of the known_hosts file of a job. ssh looks for the bare name when the port is its usual one."""
        name = self.host if self.port == SSH_PORT else f"[{self.host}]:{self.port}"
        return tuple(f"{name} {key}" for key in self.host_keys)


def today() -> date:
    """The day at the hub, by its own time zone: the days of a course begin and end there."""
    return datetime.now(UTC).astimezone().date()


@dataclass(frozen=True)
class Grading:
    """How a course's submissions are run: so many tasks at once, and the limits of each."""

    slots: int = 2
    minutes: int = 10
    memory_mb: int = 1024
    isolate_tests: bool = False
    """Whether tests run in a process of their own, out of reach of the student's code."""
    similarity: bool = False
    """Whether submissions may be compared with each other."""


@dataclass(frozen=True)
class Course:
    """A course: who teaches, grades and takes part, what its servers are, and when.

    ``profiles`` are the sizes that may be chosen for it, all if there are none. ``data`` names directories below the course's
    ``coursedata`` that its members may read; ``shared`` says whether they may read the site's shared data.
    """

    slug: str
    title: str
    instructors: tuple[str, ...] = ()
    graders: tuple[str, ...] = ()
    students: tuple[str, ...] = ()
    open: bool = False
    image: str = ""
    profile: str = ""
    profiles: tuple[str, ...] = ()
    reservation: str = ""
    assignments: bool = True
    data: tuple[str, ...] = ()
    shared: bool = False
    start: date | None = None
    """First day for students."""
    end: date | None = None
    """Last day for students."""
    expires: date | None = None
    """Day from which nobody has it any more."""
    grading: Grading = Grading()

    def has(self, user_name: str) -> bool:
        """Say whether a person takes part in the course, as a student, a grader or an instructor."""
        return self.open or user_name in self.students or self.is_run_by(user_name)

    def is_run_by(self, user_name: str) -> bool:
        """Say whether a person teaches or grades."""
        return user_name in self.instructors or user_name in self.graders

    def has_expired(self, day: date) -> bool:
        """Say whether nobody has the course any more."""
        return self.expires is not None and day >= self.expires

    def is_offered_to(self, user_name: str, day: date) -> bool:
        """Say whether a person may start a server for the course: whoever runs it until it expires, others while it lasts."""
        if self.has_expired(day) or not self.has(user_name):
            return False
        lasts = (self.start is None or self.start <= day) and (self.end is None or day <= self.end)
        return lasts or self.is_run_by(user_name)


@dataclass(frozen=True)
class Site:
    """Everything the spawner needs to know of the site."""

    hub_id: str
    clusters: Mapping[str, Cluster]
    profiles: Mapping[str, Profile]
    tunnel: Tunnel
    courses: Mapping[str, Course] = field(default_factory=dict)
    carrier_dir: str = CARRIER_DIR
    """Where the carrier's orders and its key lie."""
    gradebook: str = SQLITE
    """Where the gradebooks of courses are: in a file of each course's directory, or each in a database on the hub's host."""


def parse_memory_mb(text: object) -> int:
    """Megabytes (MiB) of a size such as ``512M`` or ``4G``; a size without a unit is refused.

    Raises:
        SettingsError: no unit, not a whole positive number, or less than a megabyte.
    """
    match = _MEMORY.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise SettingsError(
            f'{text!r} is not a memory size; write a whole number and a unit K, M, G or T, such as "4G"'
        )
    megabytes = int(int(match[1]) * _MEMORY_MB[match[2]])
    if megabytes < 1:
        raise SettingsError(f"{text!r} is less than a megabyte")
    return megabytes


def memory_text(megabytes: int) -> str:
    """A size in the largest unit that gives a whole number, such as ``4G``; :func:`parse_memory_mb` reads it again."""
    return f"{megabytes // 1024}G" if megabytes % 1024 == 0 else f"{megabytes}M"


def parse_gres(text: object) -> str:
    """A Slurm GRES request such as ``gpu:1`` or ``gpu:a100:2,shard:4``; ``none`` and the empty text give the empty text.

    Raises:
        SettingsError: not of that form.
    """
    if text == "none":
        return ""
    if text == "" or (isinstance(text, str) and _GRES.fullmatch(text)):
        return str(text)
    raise SettingsError(f'{text!r} is not a GRES request; write it as Slurm does, such as "gpu:1" or "gpu:a100:2"')


def _integer(low: int, high: int) -> Check:
    def check(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise SettingsError(f"{value!r} is not a whole number from {low} to {high}")
        return value

    return check


def _text(pattern: re.Pattern[str], what: str, *, empty: bool = False) -> Check:
    def check(value: Any) -> str:
        if isinstance(value, str) and (pattern.fullmatch(value) or (empty and not value)):
            return value
        raise SettingsError(f"{value!r} is not {what}")

    return check


def _slug(value: Any) -> str:
    if isinstance(value, str) and is_slug(value):
        return value
    raise SettingsError(f"{value!r} is not a slug; use a-z, 0-9 and hyphens, at most 64, no hyphen at either end")


def _optional_slug(value: Any) -> str:
    return "" if value == "" else _slug(value)


def _label(value: Any) -> str:
    if isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable():
        return value
    raise SettingsError(f"{value!r} is not a label; write one line of 1 to 200 characters")


def _description(value: Any) -> str:
    if isinstance(value, str) and len(value) <= 500 and (value.isprintable() or not value):
        return value
    raise SettingsError(f"{value!r} is not a description; write one line of at most 500 characters")


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise SettingsError(f"{value!r} is neither true nor false")


def _mapping(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    raise SettingsError(f"{value!r} is not a mapping")


def _day(value: Any) -> date | None:
    if value == "":
        return None
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise SettingsError(f"{value!r} is not a day; write it as 2026-10-12")


def _names(value: Any) -> tuple[str, ...]:
    if isinstance(value, (list, tuple)) and all(isinstance(name, str) and name for name in value):
        return tuple(value)
    raise SettingsError(f"{value!r} is not a list of user names")


def _distinct(check: Check, what: str) -> Check:
    """A list whose entries each pass a check, none of them twice."""

    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)) or not value:
            raise SettingsError(f"{value!r} is not a list of {what}; write at least one, or leave the setting out")
        entries = tuple(check(entry) for entry in value)
        if len(set(entries)) != len(entries):
            raise SettingsError(f"{value!r} names one of the {what} twice")
        return entries

    return read


def _list_of(check: Check) -> Check:
    """A list, empty or not, whose entries each pass a check."""

    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)):
            raise SettingsError(f"{value!r} is not a list")
        return tuple(check(entry) for entry in value)

    return read


def _range(check: Check) -> Check:
    """A mapping of ``min`` and ``max``, each of which passes a check."""

    def read(value: Any) -> Range:
        if not isinstance(value, Mapping) or set(value) != {"min", "max"}:
            raise SettingsError(f"{value!r} is not a range; write min and max")
        found = Range(check(value["min"]), check(value["max"]))
        if found.low > found.high:
            raise SettingsError(f"min {value['min']!r} is above max {value['max']!r}")
        return found

    return read


def environment_name(value: object) -> str:
    """The name of a variable that an administrator may set for notebook servers.

    Raises:
        SettingsError: no name, or one by which loaders, interpreters, shells, Slurm or the platform itself go.
    """
    if isinstance(value, str) and ENVIRONMENT_NAME.fullmatch(value):
        return value
    raise SettingsError(
        f"{value!r} is not a name that a profile may set; write letters, digits and _, but none by which loaders, interpreters,"
        " shells, Slurm or the platform go (LD_*, PYTHON*, PATH, HOME, SLURM*, JUPYTER* and the like)"
    )


def _environment(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or len(value) > ENVIRONMENT_NAMES_MAX:
        raise SettingsError(f"expected a mapping of at most {ENVIRONMENT_NAMES_MAX} names to values")
    return {environment_name(name): _environment_value(name, text) for name, text in value.items()}


def _environment_value(name: object, value: object) -> str:
    # A whole number is what YAML makes of OMP_NUM_THREADS: 4; for anything else it could be written in more than one way.
    text = str(value) if type(value) is int else value
    if isinstance(text, str) and len(text) <= ENVIRONMENT_VALUE_MAX and (text.isprintable() or not text):
        return text
    raise SettingsError(
        f"the value of {name} must be one line of text of at most {ENVIRONMENT_VALUE_MAX} characters; put it in quotes"
    )


def _host_keys(value: Any) -> tuple[str, ...]:
    if isinstance(value, (list, tuple)) and value:
        return tuple(_host_key(key) for key in value)
    raise SettingsError("at least one host key of the hub's sshd is needed, or jobs could not tell it from another")


def _data_path(value: object) -> str:
    if value not in DATA_PATHS:
        raise SettingsError(f"{value!r} is not one of {', '.join(DATA_PATHS)}")
    return str(value)


def _overlay_mb(value: Any) -> int:
    if value == 0 and type(value) is int:
        return 0
    try:
        return int(_integer(64, 1024 * 1024)(value))
    except SettingsError as error:
        raise SettingsError(f"{error}, or 0 for packages in the home") from None


_slurm_name = _text(_SLURM_NAME, "a name that Slurm uses (letters, digits, . _ -)")
_slurm_name_or_none = _text(_SLURM_NAME, "a name that Slurm uses (letters, digits, . _ -)", empty=True)
_host = _text(_HOST, "a host name or address")
_host_key = _text(_HOST_KEY, "a public host key (type and key, as ssh-keyscan prints them, without the host)")
_path = _text(_PATH, "an absolute path of letters, digits and . _ + -")
_unix_user = _text(_UNIX_USER, "a Unix account's name")
_port = _integer(1, 65535)
_cpus = _integer(1, 4096)
_minutes = _integer(1, 366 * 24 * 60)

_REQUIRED: Any = object()


def _mode(value: Any) -> str:
    if value in ("one", "pool", "students"):
        return str(value)
    raise SettingsError(f"{value!r} is not a mode; write one, pool or students")


def _pool(value: Any) -> tuple[str, ...]:
    names = _names(value)
    for name in names:
        if _unix_user(name) == "root" or names.count(name) > 1:
            raise SettingsError(f"{name!r} cannot be leased: it is root, or stands there twice")
    return names


def _pattern(value: Any) -> str:
    if not isinstance(value, str) or not value.isascii():
        raise SettingsError(f"{value!r} is not a pattern in ASCII")
    try:
        re.compile(value)
    except re.error as error:
        raise SettingsError(f"{value!r} is not a regular expression ({error})") from None
    return value


_ACCOUNTS: dict[str, tuple[Check, Any]] = {
    "mode": (_mode, "one"),
    "pool": (_pool, ()),
    "prefix": (_text(re.compile(r"[a-z_][a-z0-9_-]{0,15}"), "the beginning of a Unix account's name", empty=True), ""),
    "pattern": (_pattern, AccountRules.pattern),
    "leases_dir": (_path, AccountRules.leases_dir),
    "signer_socket": (_path, AccountRules.signer_socket),
    "sessions_max": (_integer(1, 200), AccountRules.sessions_max),
    "session_idle_seconds": (_integer(1, 3600), AccountRules.session_idle_seconds),
}


def _accounts(value: Any) -> AccountRules:
    rules = AccountRules(**_read("accounts", _ACCOUNTS, value))
    if (rules.mode == "pool") != bool(rules.pool):
        raise SettingsError("accounts.pool: is needed in mode pool, and in no other")
    return rules


_CLUSTER: dict[str, tuple[Check, Any]] = {
    "name": (_slug, _REQUIRED),
    "host": (_host, _REQUIRED),
    "port": (_port, 22),
    "user": (_unix_user, _REQUIRED),
    "host_key": (_host_key, _REQUIRED),
    "base_dir": (_path, _REQUIRED),
    "key_file": (_path, _REQUIRED),
    "data_path": (_data_path, "reverse"),
    "max_servers": (_integer(0, 100_000), 0),
    "webdav": (_boolean, True),
    "accounts": (_accounts, AccountRules()),
}
_PROFILE: dict[str, tuple[Check, Any]] = {
    "name": (_slug, _REQUIRED),
    "label": (_label, _REQUIRED),
    "cluster": (_slug, _REQUIRED),
    "partition": (_slurm_name, _REQUIRED),
    "cpus": (_cpus, _REQUIRED),
    "memory": (parse_memory_mb, _REQUIRED),
    "time_limit_minutes": (_minutes, _REQUIRED),
    "image": (_slug, _REQUIRED),
    "gres": (parse_gres, ""),
    "account": (_slurm_name_or_none, ""),
    "qos": (_slurm_name_or_none, ""),
    "reservation": (_slurm_name_or_none, ""),
    "description": (_description, ""),
    "images": (_distinct(_slug, "images"), ()),
    "overlay_mb": (_overlay_mb, 0),
    "standby": (_integer(0, 100), 0),
    "environment": (_environment, {}),
    "ranges": (_mapping, {}),
    "courses": (_distinct(_slug, "courses"), ()),
    "groups": (_distinct(_label, "groups"), ()),
}
_RANGES: dict[str, tuple[Check, Any]] = {
    "cpus": (_range(_cpus), None),
    "memory": (_range(parse_memory_mb), None),
    "time_limit_minutes": (_range(_minutes), None),
    "gres": (_distinct(parse_gres, "GRES requests"), ()),
}
_TUNNEL: dict[str, tuple[Check, Any]] = {
    "host": (_host, _REQUIRED),
    "port": (_port, 22),
    "host_keys": (_host_keys, _REQUIRED),
    "user": (_unix_user, "tunnel"),
    "port_min": (_integer(1024, 60535), 20000),
    "port_max": (_integer(1024, 60535), 24999),
    "registry_dir": (_path, "/run/hpcampus/tunnel"),
    "signer_socket": (_path, "/run/hpcampus/signer.sock"),
}
_GRADING: dict[str, tuple[Check, Any]] = {
    "slots": (_integer(1, 10_000), Grading.slots),
    "minutes": (_minutes, Grading.minutes),
    "memory": (parse_memory_mb, Grading.memory_mb),
    "isolate_tests": (_boolean, Grading.isolate_tests),
    "similarity": (_boolean, Grading.similarity),
}


def _grading(value: Any) -> Grading:
    record = _read("grading", _GRADING, value)
    return Grading(memory_mb=record.pop("memory"), **record)


def _anything(value: Any) -> Any:
    return value


_COURSE: dict[str, tuple[Check, Any]] = {
    "slug": (_slug, _REQUIRED),
    "title": (_label, _REQUIRED),
    "instructors": (_names, ()),
    "graders": (_names, ()),
    "students": (_names, ()),
    "open": (_boolean, False),
    "image": (_optional_slug, ""),
    "profile": (_optional_slug, ""),
    "profiles": (_list_of(_slug), ()),
    "reservation": (_slurm_name_or_none, ""),
    "assignments": (_boolean, True),
    "data": (_list_of(_text(_DIRECTORY, "the name of a directory (letters, digits, . _ -)")), ()),
    "shared": (_boolean, False),
    "start": (_day, None),
    "end": (_day, None),
    "expires": (_day, None),
    "grading": (_grading, Grading()),
}
# What stands in a record for the course's own service, its image and its files.
_COURSE_ELSEWHERE = ("owner", "private", "repository", "quota_mb", "calendar", "late", "sync", "image_test", "licence")
_COURSE_RECORD = {**_COURSE, **dict.fromkeys(_COURSE_ELSEWHERE, (_anything, None))}


def _read(where: str, fields: Mapping[str, tuple[Check, Any]], value: object) -> dict[str, Any]:
    """Check one mapping of settings against its table; every error names the place."""
    if not isinstance(value, Mapping):
        raise SettingsError(f"{where}: expected a mapping, not {value!r}")
    unknown = sorted(str(key) for key in value if key not in fields)
    if unknown:
        raise SettingsError(f"{where}: unknown setting {', '.join(unknown)}; known are {', '.join(fields)}")
    result = {}
    for key, (check, default) in fields.items():
        if key not in value and default is _REQUIRED:
            raise SettingsError(f"{where}.{key}: is missing")
        try:
            result[key] = check(value[key]) if key in value else default
        except SettingsError as error:
            raise SettingsError(f"{where}.{key}: {error}") from None
    return result


def _read_list(
    where: str, fields: Mapping[str, tuple[Check, Any]], key: str, items: object
) -> dict[str, dict[str, Any]]:
    """Check a list of mappings; the result is by name, in the order given."""
    if not isinstance(items, (list, tuple)):
        raise SettingsError(f"{where}: expected a list, not {items!r}")
    result: dict[str, dict[str, Any]] = {}
    for index, item in enumerate(items):
        record = _read(f"{where}[{index}]", fields, item)
        if record[key] in result:
            raise SettingsError(f"{where}[{index}].{key}: {record[key]!r} is used twice; give each its own")
        result[record[key]] = record
    return result


def _known(where: str, value: str, known: Iterable[str]) -> None:
    if value not in known:
        raise SettingsError(f"{where}: {value!r} is not one of {', '.join(known) or '(none configured)'}")


def _read_profile(record: dict[str, Any]) -> Profile:
    """Make a profile of a checked record; what a person may choose from must hold what there is without a choice."""
    where = f"HpcHub.profiles[{record['name']}]"
    ranges = _read(f"{where}.ranges", _RANGES, record.pop("ranges"))
    gres_choices = ranges.pop("gres")
    ranges["memory_mb"] = ranges.pop("memory")
    profile = Profile(
        memory_mb=record.pop("memory"),
        ranges={size: found for size, found in ranges.items() if found is not None},
        gres_choices=gres_choices,
        **record,
    )
    for size, found in profile.ranges.items():
        if getattr(profile, size) not in found:
            key, shown = ("memory", memory_text) if size == "memory_mb" else (size, str)
            raise SettingsError(
                f"{where}.ranges.{key}: {shown(found.low)} to {shown(found.high)} does not hold the profile's own {key},"
                f" {shown(getattr(profile, size))}; widen the range or change {key}"
            )
    if gres_choices and profile.gres not in gres_choices:
        raise SettingsError(
            f"{where}.ranges.gres: the profile's own gres, {profile.gres or 'none'}, is not among them; add it"
        )
    if profile.images and profile.image not in profile.images:
        raise SettingsError(f"{where}.images: the profile's own image, {profile.image}, is not among them; add it")
    return profile


def _read_tunnel(value: object) -> Tunnel:
    tunnel = Tunnel(**_read("HpcHub.tunnel", _TUNNEL, value))
    if tunnel.port_min > tunnel.port_max:
        raise SettingsError(f"HpcHub.tunnel.port_min: {tunnel.port_min} is above port_max {tunnel.port_max}")
    if tunnel.port_max >= 32768 and tunnel.port_min <= 60999:
        raise SettingsError(
            f"HpcHub.tunnel.port_max: {tunnel.port_min}-{tunnel.port_max} meets the kernel's own range 32768-60999;"
            " choose ports below 32768"
        )
    return tunnel


def read_site(
    *,
    hub_id: object,
    clusters: object,
    profiles: object,
    tunnel: object,
    courses: object = (),
    carrier_dir: object = CARRIER_DIR,
    gradebook: object = SQLITE,
) -> Site:
    """Check the whole configuration.

    Args:
        hub_id: slug that marks this hub's jobs.
        clusters: list of mappings, see :class:`Cluster`.
        profiles: list of mappings, see :class:`Profile`; ``memory`` is a size with a unit, ``ranges`` a mapping of cpus,
            memory and time_limit_minutes to ``min`` and ``max``, and of gres to a list.
        tunnel: mapping, see :class:`Tunnel`.
        courses: list of mappings, see :class:`Course`.
        carrier_dir: directory of the carrier.
        gradebook: ``sqlite`` or ``postgresql``.

    Returns:
        The site, profiles and courses in the order given.

    Raises:
        SettingsError: names the first setting that is wrong.
    """
    try:
        checked_id = _slug(hub_id)
    except SettingsError as error:
        raise SettingsError(f"HpcHub.hub_id: {error}") from None
    try:
        checked_dir = _path(carrier_dir)
    except SettingsError as error:
        raise SettingsError(f"HpcHub.carrier_dir: {error}") from None
    if gradebook not in GRADEBOOKS:
        raise SettingsError(f"HpcHub.gradebook: {gradebook!r} is not one of {', '.join(GRADEBOOKS)}")
    site = Site(
        hub_id=checked_id,
        clusters={n: Cluster(**r) for n, r in _read_list("HpcHub.clusters", _CLUSTER, "name", clusters).items()},
        profiles={
            name: _read_profile(record)
            for name, record in _read_list("HpcHub.profiles", _PROFILE, "name", profiles).items()
        },
        tunnel=_read_tunnel(tunnel),
        courses={
            slug: Course(**{key: value for key, value in record.items() if key in _COURSE})
            for slug, record in _read_list("HpcHub.courses", _COURSE_RECORD, "slug", courses).items()
        },
        carrier_dir=checked_dir,
        gradebook=str(gradebook),
    )
    _check_references(site)
    return site


def _check_accounts(cluster: Cluster) -> None:
    """Check what a cluster's accounts say of its other settings."""
    if cluster.user in cluster.accounts.pool:
        raise SettingsError(
            f"HpcHub.clusters[{cluster.name}].accounts.pool: holds {cluster.user!r}, the service account; take it out"
        )
    if cluster.accounts.mode != "one" and cluster.data_path != "reverse":
        raise SettingsError(
            f"HpcHub.clusters[{cluster.name}].data_path: is {cluster.data_path!r}; where students have accounts of their own the"
            " service account cannot enter their jobs, so it must be 'reverse'"
        )


def _check_references(site: Site) -> None:
    """Check what one setting says of another."""
    if not site.clusters:
        raise SettingsError("HpcHub.clusters: is empty; notebooks need at least one cluster to run on")
    if not site.profiles:
        raise SettingsError("HpcHub.profiles: is empty; there must be at least one size to pick")
    for cluster in site.clusters.values():
        _check_accounts(cluster)
    for profile in site.profiles.values():
        _check_profile(site, profile)
    for course in site.courses.values():
        _check_course(site, course)


def _check_course(site: Site, course: Course) -> None:
    where = f"HpcHub.courses[{course.slug}]"
    if not is_slug(course_user(course.slug)):
        raise SettingsError(f"{where}.slug: is too long; 57 characters at most")
    for name in course.profiles:
        _known(f"{where}.profiles", name, site.profiles)
    if course.profile:
        _known(f"{where}.profile", course.profile, course.profiles or site.profiles)
    days = [day for day in (course.start, course.end, course.expires) if day is not None]
    if days != sorted(days):
        raise SettingsError(f"{where}.start: start, end and expires are not in this order; change one of them")
    usual = course.profile or next(iter(course.profiles or site.profiles))
    cluster = site.clusters[site.profiles[usual].cluster]
    if cluster.accounts.mode != "one":
        raise SettingsError(
            f"{where}.profile: runs on cluster {cluster.name} with accounts.mode {cluster.accounts.mode!r}, where jobs cannot"
            " mount the directories of courses; choose a profile on a cluster with mode 'one'"
        )


def _check_profile(site: Site, profile: Profile) -> None:
    _known(f"HpcHub.profiles[{profile.name}].cluster", profile.cluster, site.clusters)
    if profile.standby and profile.overlay_mb:
        raise SettingsError(
            f"HpcHub.profiles[{profile.name}].overlay_mb: jobs that wait warm cannot mount the file of who comes later;"
            " set overlay_mb or standby to 0"
        )
    if profile.standby and site.clusters[profile.cluster].accounts.mode != "one":
        raise SettingsError(
            f"HpcHub.profiles[{profile.name}].standby: a job that waits for nobody in particular has no student's account;"
            f" set it to 0 on cluster {profile.cluster}"
        )
