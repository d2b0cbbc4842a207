# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The words that ssh can ask for; ``gateway.py`` names them."""

import json
import os
import pwd
import sys

from . import images, tree
from .accounts import is_service, make_own_dirs, own_base_dir
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
EXIT_USAGE = 64


def probe(operations, hello, base_dir):
    """What an administrator wants to know of this gateway, as one JSON object; the exit status tells good from bad."""
    report = {"hello": hello, "images": images.listed(base_dir)}
    try:
        report.update(operations.op_info({}))
        report["jobs"] = len(operations.queue())
        report["ok"] = True
    except GatewayError as error:
        report.update({"ok": False, "code": error.code, "message": str(error)})
    print(json.dumps(report, sort_keys=True))
    return 0 if report["ok"] else 1


def refuse():
    """Tell whoever has the key what it is for."""
    print("refused: this account serves the notebook hub only", file=sys.stderr)
    return EXIT_REFUSED


def take_image(config, image):
    """Take an image from standard input; the exit status tells whether it is published now."""
    try:
        images.receive(config.base_dir, *image, source=sys.stdin.buffer, say=lambda line: print(line, flush=True))
    except GatewayError as error:
        print(f"gateway: {error}", file=sys.stderr)
        return 1
    return 0


def take_tree(config, word):
    """Tell who has a home, or put files of a course there; the exit status tells whether all of it was answered."""
    try:
        tree.serve(config, word, sys.stdin.buffer, lambda answer: print(json.dumps(answer, sort_keys=True), flush=True))
    except GatewayError as error:
        print(f"gateway: {error}", file=sys.stderr)
        return 1
    return 0


def config_file(argv):
    """Path of the configuration: the usual one, or that of ``--config FILE``; None for any other arguments."""
    if len(argv) == 3 and argv[1] == "--config":
        return argv[2]
    return CONFIG_FILE if len(argv) == 1 else None


def stamp(info):
    """What tells a file from the one that takes its place, of its ``os.stat_result``."""
    return info.st_dev, info.st_ino, info.st_mtime, info.st_size


def is_replaced(path, before):
    """Whether a file is gone, or another than the one with the stamp ``before``."""
    try:
        return stamp(os.stat(path)) != before
    except OSError:
        return True


def serve(command, words, config, home, outdated):
    """Serve a command that is known; ``words`` is what it was read as: a door, an image, or files, each or None."""
    door, image, files = words
    if image is not None:
        return take_image(config, image) if config.take_images else refuse()
    if files is not None:
        return take_tree(config, files)
    slurm = Slurm(home, config.slurm_dir)
    operations = Operations(config, slurm)
    if door is not None:
        return carry(operations, config, slurm, *door)
    hello = {"protocol": PROTOCOL, "account": config.account, "slurm": slurm.version()}
    if command == "probe":
        return probe(operations, hello, config.base_dir)
    Session(operations, sys.stdin.buffer, sys.stdout.buffer, outdated).run(hello)
    return 0


def main():
    """Serve the command that ssh was asked for; returns the exit status."""
    command = os.environ.get("SSH_ORIGINAL_COMMAND", "")
    words = parse_word(command), images.parse_word(command), tree.parse_word(command)
    if command not in COMMANDS and all(word is None for word in words):
        return refuse()
    path = config_file(sys.argv)
    if path is None:
        print("usage: gateway.py [--config FILE]", file=sys.stderr)
        return EXIT_USAGE
    entry = pwd.getpwuid(os.getuid())
    try:
        with open(path, encoding="utf-8") as stream:
            before = stamp(os.fstat(stream.fileno()))
            config = check_config(json.load(stream), entry.pw_name)
        config = config._replace(base_dir=own_base_dir(config, os.getuid(), entry.pw_dir))
        if not is_service(config):
            make_own_dirs(config.base_dir)
    except (OSError, ValueError) as error:
        print(f"gateway: {path}: {error}", file=sys.stderr)
        return EXIT_CONFIG
    return serve(command, words, config, entry.pw_dir, lambda: is_replaced(path, before))
