# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Legs of a notebook, from the login to the stop: one run of the probe, told leg by leg."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

from hpcampus_hub.probe import ProbeError, ProbeResult, run_cell

from .finding import Said
from .words import say

LEGS = ("sign-in", "job", "way-back", "server", "api", "websocket", "cell", "stop")
_RUNS, _CONNECTED = 50, 75
"""The hub's percentages of a start: the job runs; its tunnel is up."""


@dataclass(frozen=True)
class Login:
    """Who starts the notebook, and what is asked for."""

    user: str
    password: str = field(repr=False)
    options: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 300.0


class Notebook:
    """The legs of one run of the probe.

    Args:
        url: the hub's public address.
        login: who, or None when nobody can.
        context: how to check the hub's certificate.
    """

    def __init__(self, url: str, login: Login | None, context: ssl.SSLContext | None = None) -> None:
        self._url = url
        self._login = login
        self._context = context
        self._result = ProbeResult()
        self._error: ProbeError | None = None

    @property
    def seconds(self) -> float:
        """Time limit of the whole run; the probe keeps to its own, and then stops what it started."""
        return self._login.seconds + 60.0 if self._login else 10.0

    async def sign_in(self) -> Said:
        """Run the whole probe; this leg's own part of it is the login."""
        if self._login is None:
            return say("sign-in.no-password")
        try:
            await run_cell(
                self._url,
                self._login.user,
                self._login.password,
                options=self._login.options,
                ssl_context=self._context,
                timeout=self._login.seconds,
                result=self._result,
            )
        except ProbeError as error:
            self._error = error
        return await self.leg("sign-in")

    async def leg(self, name: str) -> Said:
        """What the probe found of one leg."""
        result, error = self._result, self._error
        if error is not None and name == broken_leg(result):
            return say(f"{name}.broken", error=error)
        if not result.legs and name in {"job", "way-back"}:  # the start failed further on
            return say(f"{name}.passed", words=told(result, _RUNS if name == "job" else _CONNECTED))
        legs = result.legs
        seconds = {
            "sign-in": result.login_s,
            "job": legs.get("submit", 0.0) + legs.get("queue", 0.0),
            "way-back": legs.get("tunnel", 0.0),
            "server": legs.get("server", 0.0) + legs.get("hub", 0.0),
            "websocket": result.kernel_s,
            "cell": result.cell_s,
            "stop": result.stop_s,
        }
        ready = result.events[-1].get("hpcampus", {}) if result.events else {}
        return say(
            f"{name}.good",
            user=self._login.user if self._login else "",
            node=ready.get("node") or result.node or "a compute node",
            job=ready.get("job_id") or "?",
            seconds=f"{seconds.get(name, 0.0):.1f}",
        )


def told(result: ProbeResult, percent: int) -> str:
    """What the hub said when a start had come so far."""
    return next((str(event["message"]) for event in result.events if event.get("progress") == percent), "passed")


def broken_leg(result: ProbeResult) -> str:
    """Which leg of the doctor the probe was on when it ended.

    The probe sees a start as one leg; the hub's events tell how far it came.
    """
    if result.leg != "start":
        return {"login": "sign-in"}.get(result.leg, result.leg)
    reached = max((int(event.get("progress") or 0) for event in result.events if not event.get("failed")), default=0)
    if reached >= _CONNECTED:
        return "server"
    return "way-back" if reached >= _RUNS else "job"
