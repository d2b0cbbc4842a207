# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What setup is asked for, and what it did. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hpcampus.render import NodeSize
    from hpcampus.vault import Key, KeyKind


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line.

    Attributes:
        given: Answers of --set.
        from_file: Answers of the answers file.
        password: The administrator's password, from a file.
        vault_password_file: Key of the vault.
        vault: Where that key shall be; None leaves it where it is.
        accept_new: Pin unknown host keys without asking.
        accept_changed: Pin changed host keys without asking.
        skip_host_keys: Do not look at hosts at all.
        dry_run: Write nothing.
    """

    given: Mapping[str, object] = field(default_factory=dict)
    from_file: Mapping[str, object] = field(default_factory=dict)
    password: str | None = field(default=None, repr=False)
    vault_password_file: Path | None = None
    vault: KeyKind | None = None
    accept_new: bool = False
    accept_changed: bool = False
    skip_host_keys: bool = False
    dry_run: bool = False


@dataclass(frozen=True)
class NewAccount:
    """An account that setup made a password for; only its hash is kept, so it is shown once."""

    name: str
    password: str = field(repr=False)
    course: str


@dataclass(frozen=True)
class Outcome:
    """What setup did.

    Attributes:
        written: For each file, whether it changed; empty when the person left without writing.
        answers: All answers, without secrets, as a later run can be given them.
        vault_key: The key of the vault, which says where it is.
        node: Size of the smallest node, if it was looked at.
        probe_problem: Why it could not be.
        accounts: Those of instructors who had none.
        changes: What changed on disk, or would.
        backup: Directory with copies of what was replaced, if anything was.
        kept: Names of the files that lie there.
    """

    written: Mapping[Path, bool]
    answers: Mapping[str, Any] = field(default_factory=dict)
    vault_key: Key | None = None
    node: NodeSize | None = None
    probe_problem: str = ""
    accounts: tuple[NewAccount, ...] = ()
    changes: str = ""
    backup: Path | None = None
    kept: tuple[Path, ...] = ()
