# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Which account this is, where its files lie, and whose jobs it may list.

Three modes: ``one`` account runs every job; a ``pool`` of accounts, each leased to one student; or ``students`` with an account each.
In the last two a job belongs to the student's account, while the service account lists the jobs of all and owns what is shared.
"""

import collections
import os
import re
import stat

from .errors import BadRequestError, ConfigError

MODES = ("one", "pool", "students")
FOLDERS = ("jobs", "log", "spawns", "users")
UID_MIN = 1000
_UNIX_USER = re.compile(r"\A[a-z_][a-z0-9_-]{0,31}\Z")
_PATH_RULE = r"(?:/[A-Za-z0-9_][A-Za-z0-9._-]{0,63}){1,8}"
_PATH = re.compile(r"\A" + _PATH_RULE + r"\Z")
_OWN_DIR = re.compile(r"\A(?:\{home\})?" + _PATH_RULE + r"\Z")
_KEYS = ("mode", "service", "names", "base_dir")
Accounts = collections.namedtuple("Accounts", "mode service names base_dir")
ONE = Accounts("one", "", (), "")


def check_accounts(data):
    """Return the Accounts of the configuration's part ``accounts``, or raise ConfigError that names the key; {} is mode one."""
    if not isinstance(data, dict) or set(data) - set(_KEYS):
        raise ConfigError("accounts: expected an object with the keys " + ", ".join(_KEYS))
    if data.get("mode", "one") not in MODES:
        raise ConfigError("accounts.mode: expected one of " + ", ".join(MODES))
    if data.get("mode", "one") == "one":
        return ONE
    if not isinstance(data.get("service"), str) or not _UNIX_USER.match(data["service"]):
        raise ConfigError("accounts.service: expected the service account's name")
    names = data.get("names", [])
    if not isinstance(names, list) or not all(isinstance(name, str) and _UNIX_USER.match(name) for name in names):
        raise ConfigError("accounts.names: expected a list of account names")
    if data["service"] in names or "root" in names:
        raise ConfigError("accounts.names: neither root nor the service account can be leased")
    if (data["mode"] == "pool") != bool(names):
        raise ConfigError("accounts.names: needed in mode pool, and in no other")
    base_dir = data.get("base_dir")
    if not isinstance(base_dir, str) or not _OWN_DIR.match(base_dir):
        raise ConfigError(f"accounts.base_dir: not allowed (rule: {_OWN_DIR.pattern})")
    return Accounts(data["mode"], data["service"], tuple(names), base_dir)


def is_service(config):
    """Whether this account lists everybody's jobs and owns what is shared; in mode one the only account does."""
    return config.accounts.mode == "one" or config.account == config.accounts.service


def own_base_dir(config, uid, home):
    """The base directory of this account.

    Args:
        config: the checked configuration.
        uid: of this process.
        home: this account's home directory as the system knows it.

    Raises:
        ConfigError: this account serves no student, or its home has a name that cannot be used.
    """
    if is_service(config):
        return config.base_dir
    if uid < UID_MIN:
        raise ConfigError(f"accounts: uid {uid} is a system account; notebooks run as ordinary ones")
    if config.accounts.mode == "pool" and config.account not in config.accounts.names:
        raise ConfigError(f"accounts.names: {config.account} is not one of them")
    base_dir = config.accounts.base_dir.replace("{home}", home.rstrip("/"))
    if not _PATH.match(base_dir):
        raise ConfigError(f"accounts.base_dir: {ascii(base_dir)[:200]} is not allowed (rule: {_PATH.pattern})")
    return base_dir


def make_own_dirs(base_dir):
    """Make the directories of a student's account on their first use; nobody else may look into them.

    Raises:
        ConfigError: one of them is no directory of this account's own, or cannot be made.
    """
    for path in [base_dir] + [f"{base_dir}/{name}" for name in FOLDERS]:
        make_own_dir(path)


def make_own_dir(path):
    """Make one directory, or see that it is a real one of this account's own, and close it to others."""
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        info = os.lstat(path)
        if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.getuid():
            raise ConfigError(f"{path}: not a directory of this account's own")
        if info.st_mode & 0o077:
            os.chmod(path, 0o700)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be made ({error.strerror})") from error


def require_shared(path, service_uid):
    """Refuse a shared directory in which somebody else than root and the service account can put a program or an image."""
    try:
        info = os.stat(path)
    except OSError as error:
        raise BadRequestError(
            f"{path} cannot be read by this account ({error.strerror}); run the gateway step again"
        ) from None
    if info.st_uid not in (0, service_uid) or info.st_mode & 0o022:
        raise BadRequestError(
            f"{path} can be changed by others than root and the service account; run the gateway step again"
        )


def require_empty_or(user_id, users_dir):
    """Refuse a student whose leased account still holds another's data: whoever lost the list of leases must look first."""
    others = sorted(name for name in os.listdir(users_dir) if name != user_id)
    if others:
        raise BadRequestError(
            "user_id: this account still holds the data of {}; release it before it is leased to another".format(
                ascii(others[0])[:80]
            )
        )
