# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The frame of the attempts; runs in a kernel of the hostile student."""

import json
import os

KNOWN: dict = json.loads(os.environ.get("HPCAMPUS_KNOWN", "{}"))
ATTEMPTS: list = []


def attempt(expected):
    """Register a function: its docstring says what is tried, it gives (whether it came as expected, what was seen)."""

    def register(function):
        ATTEMPTS.append((function, expected))
        return function

    return register


def all_results():
    """Run all attempts; an OSError is a refusal of the system, everything else is a mistake of the attempt."""
    results = []
    for function, expected in ATTEMPTS:
        try:
            good, seen = function()
        except OSError as error:
            good, seen = True, error.strerror or str(error)
        except Exception as error:
            good, seen = False, f"{type(error).__name__}: {error}"
        results.append({"what": function.__doc__, "expected": expected, "seen": str(seen)[:400], "good": bool(good)})
    return results
