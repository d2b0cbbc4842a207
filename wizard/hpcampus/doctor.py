# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The examination of a platform, leg by leg: runs the playbook doctor and reads its findings."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hpcampus.catalogue import Step
from hpcampus.errors import VerifyFailedError
from hpcampus.texts import t

if TYPE_CHECKING:
    from hpcampus.apply import Installer, Options, StepReport

FINDINGS_TASK = "Show the findings"


def doctor_step() -> Step:
    """Describe the playbook as a step."""
    return Step(
        name="doctor",
        title=t("doctor.title"),
        playbook="hpcampus.platform.doctor",
        hosts=("hub",),
        description=t("doctor.description"),
    )


def run_doctor(installer: Installer, options: Options) -> StepReport:
    """Walk every leg once, on hosts as they are now and not as the last run saw them."""
    return installer.run_alone(doctor_step(), replace(options, variables={"doctor_json": True}))


def read_findings(report: StepReport) -> dict[str, Any] | None:
    """Give what was found: `verdict`, `findings` and `table`; None when the playbook ended before that.

    Raises:
        VerifyFailedError: The findings are not those of this version.
    """
    lines = report.log.messages.get(FINDINGS_TASK, ())
    if not lines:
        return None
    try:
        data = json.loads(lines[0])
    except ValueError:
        data = None
    if not isinstance(data, dict) or not {"verdict", "findings", "table"} <= set(data):
        raise VerifyFailedError("doctor-silent", task=FINDINGS_TASK)
    return data
