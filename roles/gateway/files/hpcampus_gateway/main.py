# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The words that ssh can ask for."""

import json
import os
import pwd
import sys

from .config import CONFIG_FILE, check_config
from .door import carry, parse_word
from .errors import GatewayError
from .operations import Operations
from .session import Session
from .slurm import Slurm

PROTOCOL = 1
COMMANDS = ("session", "probe")
EXIT_CONFIG = 78
EXIT_REFUSED = 77


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
    door = parse_word(command)
    if door is None and command not in COMMANDS:
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
    if door is not None:
        return carry(operations, config, slurm, *door)
    hello = {"protocol": PROTOCOL, "account": config.account, "slurm": slurm.version()}
    if command == "probe":
        return probe(operations, hello)
    Session(operations, sys.stdin.buffer, sys.stdout.buffer).run(hello)
    return 0
