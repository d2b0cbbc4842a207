# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""`python -m tests.bench [spawn|together|install|autograde|submit|term] [--runs N]`; without a name, all."""

from __future__ import annotations

import argparse

from tests.bench import autograde, install, spawn, submit, term, together

BENCHMARKS = {
    "install": (install.measure, 3),
    "spawn": (spawn.measure, 10),
    "together": (together.measure, 20),
    "autograde": (autograde.measure, 60),
    "submit": (submit.measure, 200),
    "term": (term.measure, 60),
}


def main() -> None:
    """Run the benchmarks that were asked for."""
    parser = argparse.ArgumentParser(prog="tests.bench", description=__doc__)
    parser.add_argument("name", nargs="?", choices=list(BENCHMARKS), help="the one benchmark to run")
    parser.add_argument(
        "--runs",
        type=int,
        help="how often, or how many students (together, submit, term) or submissions (autograde)",
    )
    arguments = parser.parse_args()
    chosen = [arguments.name] if arguments.name else list(BENCHMARKS)
    for name in chosen:
        benchmark, runs = BENCHMARKS[name]
        benchmark(arguments.runs or runs)


if __name__ == "__main__":
    main()
