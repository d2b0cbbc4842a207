# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The gateway's configuration file."""

import collections
import re

from .errors import ConfigError

CONFIG_FILE = "/etc/hpcampus/gateway.json"
SLUG_RULE = r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?"
SLUG = re.compile(r"\A" + SLUG_RULE + r"\Z")
PARTITION = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")
_BASE_DIR = re.compile(r"\A(?:/[A-Za-z0-9_][A-Za-z0-9._-]{0,63}){1,8}\Z")
_ABSOLUTE_PATH = re.compile(r"\A(?:/[A-Za-z0-9._+-]{1,64}){1,12}\Z")
Config = collections.namedtuple("Config", "hub_id base_dir partitions apptainer account")


def check_config(data, account):
    """Return the Config of a parsed configuration file, or raise ConfigError that names the key."""
    if not isinstance(data, dict):
        raise ConfigError("the file must hold one object")
    rules = {"hub_id": SLUG, "base_dir": _BASE_DIR, "apptainer": _ABSOLUTE_PATH}
    for key, rule in sorted(rules.items()):
        if not isinstance(data.get(key), str) or not rule.match(data[key]):
            raise ConfigError(f"{key}: not allowed (rule: {rule.pattern})")
    partitions = data.get("partitions")
    if not isinstance(partitions, list) or not all(
        isinstance(name, str) and PARTITION.match(name) for name in partitions
    ):
        raise ConfigError("partitions: expected a list of partition names")
    return Config(data["hub_id"], data["base_dir"], tuple(partitions), data["apptainer"], account)
