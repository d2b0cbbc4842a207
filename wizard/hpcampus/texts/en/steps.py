# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Progress of steps, their summary, and what the proof and the doctor say."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "progress.plan": "{count} steps: {names}",
    "progress.resumed": "Going on where the last run stopped; done before: {names}",
    "progress.step": "step {number}/{total} {name}: {title}",
    "progress.task": "  {role}{task}",
    "progress.changed": "    changed  {host}",
    "progress.failed": "    FAILED   {host}",
    "progress.unreachable": "    UNREACHABLE {host}",
    "progress.step-done": "step {name}: done in {time}, {changed} changed",
    "progress.step-failed": "step {name}: FAILED after {time}, {changed} changed",
    "progress.step-stopped": "step {name}: stopped after {time}, {changed} changed",
    "progress.live-changed": "{count} changed",
    "summary.failure": "Failed on {hosts}: {task}",
    "summary.unreachable": "Cannot reach {hosts} (at: {task})",
    "summary.no-task": "The playbook ended before its first result:",
    "summary.cause": "Likely cause: {cause}",
    "summary.cure": "What to do:   {cure}",
    "summary.log": "Full log:     {path}",
    "summary.retry": "Go on with:   {command}",
    "summary.retry-apply": "hpcampus apply{options}",
    "summary.retry-demo": "hpcampus demo up",
    "summary.retry-verify": "hpcampus verify{options}",
    "summary.retry-doctor": "hpcampus doctor{options}",
    "summary.would-change": "{count} changes would be made:",
    "summary.would-change-nothing": "Nothing would be changed.",
    "summary.change": "  {step}: {task}  ({hosts})",
    "summary.done": "All steps are done in {time}: {changed} changed.",
    "summary.next-verify": "Prove it with: hpcampus verify{options}",
    "summary.steps-row": "{number:>2}  {name:<{width}}  {title}: {description}",
    "summary.steps-last": "  [last run: {status}, {time}]",
    "status.done": "done",
    "status.failed": "failed",
    "status.stopped": "stopped",
    "status.running": "was running when the last run ended",
    "verify.title": "Prove that the platform works",
    "verify.description": "Log in, start a notebook, run a cell, tear it down.",
    "verify.ok": "The platform works.",
    "doctor.title": "Examine the platform",
    "doctor.description": "Walk every leg from the public name to a notebook's cell.",
}
