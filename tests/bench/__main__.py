# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""`python -m tests.bench [spawn|install] [--runs N]`; without a name, both."""

from __future__ import annotations

import argparse

from tests.bench import install, spawn


def main() -> None:
    """Run the benchmarks that were asked for."""
    parser = argparse.ArgumentParser(prog="tests.bench", description=__doc__)
    parser.add_argument("name", nargs="?", choices=["spawn", "install"], help="the one benchmark to run")
    parser.add_argument("--runs", type=int, help="how often (spawn: 10, install: 3)")
    arguments = parser.parse_args()
    if arguments.name != "spawn":
        install.measure(arguments.runs or 3)
    if arguments.name != "install":
        spawn.measure(arguments.runs or 10)


if __name__ == "__main__":
    main()
