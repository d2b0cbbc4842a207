# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Command line of the lab: `python -m hpcampus.lab up|down|status|exec|open|close|cut|mend|restart|images|settings`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from hpcampus.lab import Lab, LabError, Opening, require_root, site_settings
from hpcampus.lab.lab import ensure_images, parse_spec, remove_images
from hpcampus.lab.recipes import IMAGE_NAMES

_CHANGES = {"open", "close", "cut", "mend", "restart"}


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    args = _parser().parse_args(argv)
    try:
        if args.command == "settings":
            print(json.dumps(site_settings(), indent=2))
            return 0
        require_root([sys.executable, "-m", "hpcampus.lab", *(sys.argv[1:] if argv is None else argv)])
        return _run(args)
    except LabError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. The same command goes on from here.", file=sys.stderr)
        return 130


def _run(args: argparse.Namespace) -> int:
    progress = _Lines()
    if args.command == "up":
        _up(args, progress)
    elif args.command == "down":
        for name in args.names:
            _down(name, progress)
    elif args.command == "status":
        statuses = Lab.saved(args.name).status()
        for status in statuses:
            print(f"{status.name:20} {status.state:8} {status.address}")
        return 0 if all(status.state == "running" for status in statuses) else 3
    elif args.command == "exec":
        return Lab.saved(args.name).attach(args.host, args.argv or ["bash", "--login"], terminal=sys.stdin.isatty())
    elif args.command in _CHANGES:
        _change(args)
    elif args.command == "images":
        if args.remove:
            remove_images(progress)
        else:
            ensure_images(IMAGE_NAMES, progress)
    return 0


def _up(args: argparse.Namespace, progress: _Lines) -> None:
    text = args.spec.read_text(encoding="utf-8") if str(args.spec) != "-" else sys.stdin.read()
    spec = parse_spec(args.name, text)
    for status in Lab(spec.name, spec.hosts, spec.openings).up(progress):
        progress(f"{status.name} runs at {status.address}")


def _change(args: argparse.Namespace) -> None:
    """Change a lab that is up."""
    lab = Lab.saved(args.name)
    if args.command == "restart":
        lab.restart(args.host)
    elif args.command in {"cut", "mend"}:
        getattr(lab.walls, args.command)(args.host, args.other)
    else:
        opening = Opening.from_text(args.opening)
        getattr(lab.walls, args.command)(opening.source, opening.destination, opening.port)


def _down(name: str, progress: _Lines) -> None:
    try:
        lab = Lab.saved(name)
    except LabError:
        progress(f"There is no lab {name}: nothing to remove")
        return
    lab.down(progress)


class _Lines:
    """Progress as plain lines with the seconds since the start."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def __call__(self, message: str, /) -> None:
        print(f"[{time.monotonic() - self._start:5.1f} s] {message}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hpcampus.lab", description="Test hosts as containers with a real systemd."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="bring a lab up, or the rest of it")
    up.add_argument("name")
    up.add_argument(
        "--spec", type=Path, required=True, help="JSON list of hosts, or hosts and open; - reads standard input"
    )
    down = commands.add_parser("down", help="remove labs with all that belongs to them")
    down.add_argument("names", nargs="+")
    status = commands.add_parser("status", help="show the hosts of a lab; exit status 3 unless all run")
    status.add_argument("name")
    command = commands.add_parser("exec", help="run a command as root in a host; a shell without one")
    command.add_argument("name")
    command.add_argument("host")
    command.add_argument("argv", nargs=argparse.REMAINDER)
    for name, told in (("open", "let connections through a wall"), ("close", "let no new ones through")):
        wall = commands.add_parser(name, help=told)
        wall.add_argument("name")
        wall.add_argument("opening", help="'source -> destination:port'")
    for name, told in (("cut", "lose every packet between two hosts"), ("mend", "take the cut away")):
        cut = commands.add_parser(name, help=told)
        cut.add_argument("name")
        cut.add_argument("host")
        cut.add_argument("other")
    restart = commands.add_parser("restart", help="boot a host again")
    restart.add_argument("name")
    restart.add_argument("host")
    images = commands.add_parser("images", help="build the images ahead")
    images.add_argument("--remove", action="store_true", help="remove them and everything kept for the next time")
    commands.add_parser("settings", help="print the mirror, certificate and registry settings found on this machine")
    return parser


if __name__ == "__main__":
    sys.exit(main())
