# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The frame of the attempts; runs in a kernel of the hostile student."""

import base64
import json
import os

KNOWN: dict = json.loads(base64.b64decode(os.environ.get("HPCAMPUS_KNOWN", "e30=")))
ATTEMPTS: list = []


def attempt(expected):
    """Register a function: its docstring says what is tried, it gives (whether it came as expected, what was seen)."""

    def register(function):
        ATTEMPTS.append((function, expected))
        return function

    return register


def all_results():
    """Run all attempts; each deals with the refusals that it expects, so that an exception is a mistake of the attempt."""
    results = []
    for function, expected in ATTEMPTS:
        try:
            good, seen = function()
        except Exception as error:
            good, seen = False, f"{type(error).__name__}: {error}"
        results.append({"what": function.__doc__, "expected": expected, "seen": str(seen)[:400], "good": bool(good)})
    return results
