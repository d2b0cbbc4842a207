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
    "request": (
        "request",
        "request --answers answers.yml --contact 'Ada Example, hub@example.org'",
        "request physics --format markdown",
    ),
    "apply": ("apply --check", "apply", "apply --from hub", "apply --changed"),
    "verify": ("verify",),
    "cluster": ("cluster list",),
    "cluster list": ("cluster list", "cluster list --json"),
    "cluster add": (
        "cluster add",
        "cluster add physics --login login.hpc.example.net --account p123hub --base-dir /project/p123/hub --partitions gpu",
    ),
    "course": ("course list",),
    "course list": ("course list", "course list --json"),
    "course add": ("course add", "course add physics102 --title 'Physics 102' --instructors mcurie --open"),
    "course show": ("course show physics101-ws26", "course show physics101-ws26 --json"),
    "course copy": (
        "course copy physics101-ws26 physics101-ws27 --title 'Physics 101, winter 2027' --start 2027-10-11",
    ),
    "course archive": ("course archive physics101-ws26",),
    "course export": (
        "course export physics101-ws26",
        "course export physics101-ws26 --json",
        "course export physics101-ws26 --work physics101-ws26.tar",
    ),
    "course check-archive": ("course check-archive physics101-ws26.tar",),
    "course link": (
        "course link physics101-ws26",
        "course link physics101-ws26 --repo https://git.example.org/physics/exercises --path week1/start.ipynb",
    ),
    "image": ("image list",),
    "image list": ("image list",),
    "image add": ("image add", "image add chemistry --label Chemistry --apt-packages gromacs,povray"),
    "open": ("open", "open --page admin", "open --demo --url"),
    "doctor": ("doctor", "doctor --json"),
    "steps": ("steps", "steps --menu"),
    "logs": ("logs", "logs hub", "logs --follow"),
    "probe": ("probe machine",),
    "probe machine": ("probe machine", "probe machine --json"),
    "probe name": ("probe name jupyter.example.org",),
    "probe nodes": ("probe nodes login node01 node02 --user admin",),
    "probe centre": ("probe centre login.example.org --account hpcteach",),
    "probe moodle": ("probe moodle https://moodle.example.org",),
    "probe ldap": (
        "probe ldap ldaps://ldap.example.org --base ou=people,dc=example,dc=org",
        "probe ldap ldaps://ldap.example.org --base dc=example,dc=org --user cn=reader,dc=example,dc=org --password-file -",
    ),
    "completion": ("completion bash",),
}
