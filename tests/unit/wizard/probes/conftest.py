# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Real output of real hosts, and a stand-in for ssh that runs what it is told on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpcampus.probes.sections import Sections, parse_sections

SAMPLES = Path(__file__).with_name("samples")
VERSIONS = ("22.05", "24.11")


def commands(version: str) -> dict[str, str]:
    """Give what Slurm's programs of a version said, by command; no node had answered its controller yet."""
    text = (SAMPLES / f"slurm_{version}.txt").read_text(encoding="utf-8")
    return {name: said for name, _, said in (part.partition("\n") for part in text.split("### ")[1:])}


def answering(said: dict[str, str]) -> dict[str, str]:
    """Give the same with nodes that answer."""
    return {**said, "sinfo": said["sinfo"].replace("idle*", "idle")}


def sample(name: str) -> Sections:
    """Give what a script printed on a host."""
    return parse_sections((SAMPLES / f"{name}.txt").read_text(encoding="utf-8"))


def marked(sections: dict[str, str]) -> str:
    """Write sections as a script prints them."""
    return "".join(f"\n@@hpcampus begin {name}\n{text}\n@@hpcampus end 0\n" for name, text in sections.items())


@pytest.fixture
def ssh_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a program `ssh` first: it notes its arguments in the file that is given, and runs the last of them here."""
    log = tmp_path / "ssh.log"
    program = tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(
        f"""#!/bin/bash
printf '%s\\n' "$@" > {log}
echo 'Authorised use only' >&2
echo 'Welcome to the cluster!'
exec bash -c "${{!#}}"
"""
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return log
