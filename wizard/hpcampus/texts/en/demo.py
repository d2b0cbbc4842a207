# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The demo."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "demo.boot": "Making the containers (the first time their images are built, which takes some minutes)",
    "demo.lab-line": "  {text}",
    "demo.unchanged": "Everything is installed already; only proving that it works.",
    "demo.open": "Open       {url}  (the certificate is self-signed: the browser warns)",
    "demo.account": "  {name:<12} {password:<18} {role}",
    "demo.accounts": "Accounts",
    "demo.go-on": """Go on
  hpcampus demo shell login      then: sinfo, squeue
  hpcampus demo status           what runs
  hpcampus apply --inventory {inventory}""",
    "demo.undo": "Undo       make demo-down   (or: hpcampus demo down)",
    "demo.role.admin": "administrator of the hub",
    "demo.role.instructor": "instructor of {course}",
    "demo.role.grader": "grader in {course}",
    "demo.role.student": "student of {course}",
    "demo.status-row": "  {name:<8} {state:<10} {address}",
    "demo.state.running": "runs",
    "demo.state.stopped": "is stopped",
    "demo.state.missing": "is missing",
    "demo.status-none": "The demo is not up.",
    "demo.status-start": "Start it with: hpcampus demo up",
    "demo.status-title": "Containers of the demo",
    "demo.down-done": "The demo is gone: containers, network, volume and its state.",
    "demo.down-kept": "Kept for the next time: {path} (base images, packages, notebook images). Delete it to free the space.",
}
