# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The proof that a platform works: runs the playbook verify and reads its result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpcampus.catalogue import Step
from hpcampus.errors import VerifyFailedError
from hpcampus.runner import Outcome
from hpcampus.texts import t

if TYPE_CHECKING:
    from hpcampus.apply import Installer, Options, StepReport

RESULT_TASK = "Show the result"


def verify_step() -> Step:
    """Describe the playbook as a step."""
    return Step(
        name="verify",
        title=t("verify.title"),
        playbook="hpcampus.platform.verify",
        hosts=("hub",),
        description=t("verify.description"),
    )


def run_verify(installer: Installer, options: Options) -> StepReport:
    """Run the proof once, on hosts as they are now and not as the last run saw them."""
    return installer.run_alone(verify_step(), options)


def result_lines(report: StepReport) -> tuple[str, ...]:
    """Give what the proof found, line by line.

    Raises:
        VerifyFailedError: The playbook failed, or said nothing.
    """
    if report.result.outcome is not Outcome.SUCCESSFUL:
        raise VerifyFailedError("verify-failed")
    lines = report.log.messages.get(RESULT_TASK, ())
    if not lines:
        raise VerifyFailedError("verify-silent", task=RESULT_TASK)
    return lines
