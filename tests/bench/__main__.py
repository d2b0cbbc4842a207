# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""`python -m tests.bench [spawn|together|install] [--runs N]`; without a name, all."""

from __future__ import annotations

import argparse

from tests.bench import install, spawn, together

BENCHMARKS = {"install": (install.measure, 3), "spawn": (spawn.measure, 10), "together": (together.measure, 20)}


def main() -> None:
    """Run the benchmarks that were asked for."""
    parser = argparse.ArgumentParser(prog="tests.bench", description=__doc__)
    parser.add_argument("name", nargs="?", choices=["spawn", "together", "install"], help="the one benchmark to run")
    parser.add_argument(
        "--runs", type=int, help="how often (spawn: 10, install: 3), or how many students (together: 20)"
    )
    arguments = parser.parse_args()
    chosen = [arguments.name] if arguments.name else ["install", "spawn", "together"]
    for name in chosen:
        benchmark, runs = BENCHMARKS[name]
        benchmark(arguments.runs or runs)


if __name__ == "__main__":
    main()
