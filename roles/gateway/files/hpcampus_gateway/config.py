# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The gateway's configuration file."""

import collections
import re

from .accounts import ONE, check_accounts
from .errors import ConfigError

CONFIG_FILE = "/etc/hpcampus/gateway.json"
SLUG_RULE = r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?"
SLUG = re.compile(r"\A" + SLUG_RULE + r"\Z")
PARTITION = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")
_BASE_DIR = re.compile(r"\A(?:/[A-Za-z0-9_][A-Za-z0-9._-]{0,63}){1,8}\Z")
_PATH_RULE = r"(?:/[A-Za-z0-9._+-]{1,64}){1,12}"
_PROGRAM = re.compile(r"\A(?:" + _PATH_RULE + r"|[a-z][a-z0-9-]{0,31})\Z")
_DIRECTORY_OR_NONE = re.compile(r"\A(?:" + _PATH_RULE + r")?\Z")
_MODULE_OR_NONE = re.compile(r"\A(?:[A-Za-z0-9][A-Za-z0-9._+-]{0,63}(?:/[A-Za-z0-9][A-Za-z0-9._+-]{0,63}){0,4})?\Z")
Config = collections.namedtuple(
    "Config",
    "hub_id base_dir partitions apptainer account module slurm_dir take_images scratch_dir images_dir lib_dir accounts",
)
# From module on; a directory without a name lies below base_dir.
Config.__new__.__defaults__ = ("", "", False, "", "", "", ONE)


def check_config(data, account):
    """Return the Config of a parsed configuration file, or raise ConfigError that names the key."""
    if not isinstance(data, dict):
        raise ConfigError("the file must hold one object")
    rules = {"hub_id": SLUG, "base_dir": _BASE_DIR, "apptainer": _PROGRAM}
    optional = {"module": _MODULE_OR_NONE, "slurm_dir": _DIRECTORY_OR_NONE, "scratch_dir": _DIRECTORY_OR_NONE}
    filled = {key: data.get(key, "") for key in optional}
    filled.update((key, data.get(key)) for key in rules)
    for key, rule in sorted({**rules, **optional}.items()):
        if not isinstance(filled[key], str) or not rule.match(filled[key]):
            raise ConfigError(f"{key}: not allowed (rule: {rule.pattern})")
    partitions = data.get("partitions")
    if not isinstance(partitions, list) or not all(
        isinstance(name, str) and PARTITION.match(name) for name in partitions
    ):
        raise ConfigError("partitions: expected a list of partition names")
    if not isinstance(data.get("take_images", False), bool):
        raise ConfigError("take_images: expected true or false")
    filled["take_images"] = data.get("take_images", False)
    shared = {key: data.get(key, data["base_dir"] + "/" + key[:-4]) for key in ("images_dir", "lib_dir")}
    for key, path in sorted(shared.items()):
        if not isinstance(path, str) or not _BASE_DIR.match(path):
            raise ConfigError(f"{key}: not allowed (rule: {_BASE_DIR.pattern})")
    filled.update(shared, accounts=check_accounts(data.get("accounts", {})))
    return Config(partitions=tuple(partitions), account=account, **filled)


def images_dir(config):
    """Where published images lie."""
    return config.images_dir or config.base_dir + "/images"


def lib_dir(config):
    """Where the job's program lies."""
    return config.lib_dir or config.base_dir + "/lib"
