# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Exit codes and errors: one exception class per code, each says what happened, why, and what to do."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar

from hpcampus.texts import error_text


class ExitCode(IntEnum):
    """What the command tells the shell; listed in `hpcampus --help`."""

    OK = 0
    STEP_FAILED = 1
    USAGE = 2
    INVENTORY = 3
    ANSWERS = 4
    HOST_KEY = 5
    LOCKED = 6
    NO_TERMINAL = 7
    VERIFY_FAILED = 8
    LAB = 9
    COLLECTION = 10
    VAULT = 11
    INTERNAL = 70
    INTERRUPTED = 130


class HpcampusError(Exception):
    """An error that a person can act on.

    Args:
        key: Name of the text in the catalogue of errors.
        values: What fills the placeholders of that text.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.INTERNAL

    def __init__(self, key: str, /, **values: object) -> None:
        self.key = key
        self.what, self.why, self.cure = error_text(key, **values)
        super().__init__(self.what)


class StepFailedError(HpcampusError):
    """A step of the installation did not end well."""

    exit_code = ExitCode.STEP_FAILED


class UsageProblemError(HpcampusError):
    """The command line asks for something that does not exist."""

    exit_code = ExitCode.USAGE


class InventoryError(HpcampusError):
    """The inventory is missing, unreadable or not one."""

    exit_code = ExitCode.INVENTORY


class AnswersError(HpcampusError):
    """Answers are missing or wrong."""

    exit_code = ExitCode.ANSWERS


class HostKeyError(HpcampusError):
    """A host key is unknown, changed or was not confirmed."""

    exit_code = ExitCode.HOST_KEY


class LockedError(HpcampusError):
    """Another run works on the same inventory."""

    exit_code = ExitCode.LOCKED


class NoTerminalError(HpcampusError):
    """A question needs a person, and there is none."""

    exit_code = ExitCode.NO_TERMINAL


class VerifyFailedError(HpcampusError):
    """The installed platform does not do what it should."""

    exit_code = ExitCode.VERIFY_FAILED


class LabError(HpcampusError):
    """The containers of the demo cannot be made or found."""

    exit_code = ExitCode.LAB


class CollectionError(HpcampusError):
    """The Ansible collection is missing or incomplete."""

    exit_code = ExitCode.COLLECTION


class VaultError(HpcampusError):
    """The vault cannot be opened or written."""

    exit_code = ExitCode.VAULT


class InterruptedRunError(HpcampusError):
    """A person stopped the command."""

    exit_code = ExitCode.INTERRUPTED
