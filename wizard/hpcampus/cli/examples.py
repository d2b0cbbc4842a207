# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Examples of every command, as they are typed after `hpcampus`; its help ends with them, and tests parse them."""

from __future__ import annotations

from typing import Final

EXAMPLES: Final[dict[str, tuple[str, ...]]] = {
    "demo": ("demo up",),
    "demo up": ("demo up", "demo up --plain"),
    "demo status": ("demo status",),
    "demo shell": ("demo shell login",),
    "demo down": ("demo down",),
    "setup": (
        "setup",
        "setup --record answers.yml",
        "setup --dry-run --set hub_name=jupyter.example.org",
        "setup --non-interactive --answers answers.yml --admin-password-file password",
    ),
    "apply": ("apply --check", "apply", "apply --from hub", "apply --changed"),
    "verify": ("verify",),
    "open": ("open", "open --page admin", "open --demo --url"),
    "doctor": ("doctor", "doctor --json"),
    "steps": ("steps", "steps --menu"),
    "logs": ("logs", "logs hub", "logs --follow"),
    "completion": ("completion bash",),
}
