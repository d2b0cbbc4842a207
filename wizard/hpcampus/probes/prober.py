# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Runs probes in the background while a person answers questions."""

from __future__ import annotations

import contextvars
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hpcampus.probes.children import CURRENT, Children
from hpcampus.probes.finding import Finding, problem
from hpcampus.probes.registry import ALL

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Sequence
    from types import TracebackType
    from typing import Self

    from hpcampus.probes.finding import Option, Probe
    from hpcampus.questions import Answers


@dataclass
class _Look:
    """One run of a probe with certain inputs."""

    probe: Probe
    inputs: Hashable
    children: Children = field(default_factory=Children)
    began: float = field(default_factory=time.monotonic)
    finding: Finding | None = None

    @property
    def left(self) -> float:
        """Seconds until it has taken too long."""
        return max(0.0, self.began + self.probe.seconds - time.monotonic())


class Prober:
    """Looks at the world in the background; nothing it does raises, and nothing waits for it longer than it was told.

    Args:
        probes: What to look with.
    """

    def __init__(self, probes: Sequence[Probe] = ALL) -> None:
        self._probes = tuple(probes)
        self._looks: dict[str, _Look] = {}
        self._changed = threading.Condition()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def look(self, known: Answers) -> None:
        """Start every probe whose inputs are complete and differ from its last ones.

        What a probe found with other inputs is forgotten.

        Args:
            known: The answers so far.
        """
        for probe in self._probes:
            try:
                inputs = probe.inputs(known)
            except Exception as error:  # noqa: BLE001 -- whatever a probe does, the person goes on answering
                self._keep(_Look(probe, None, finding=_failed(probe, error)))
                continue
            with self._changed:
                last = self._looks.get(probe.name)
                if last is not None and last.inputs == inputs:
                    continue
                self._forget(probe.name)
                if inputs is None:
                    continue
                look = self._looks[probe.name] = _Look(probe, inputs)
            # A daemon: a probe that hangs must not keep the command from ending.
            threading.Thread(target=self._run, args=(look,), name=f"probe {probe.name}", daemon=True).start()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all probes, in order."""
        return tuple(probe.name for probe in self._probes)

    def finding(self, name: str, wait: float = 0) -> Finding | None:
        """Give what a probe found with the newest inputs.

        Args:
            name: Name of the probe.
            wait: Seconds to wait for it at most.

        Returns:
            The finding; None while it runs, and when it was never started.
        """
        self._wait(lambda: self._ended(name), [name], wait)
        with self._changed:
            look = self._looks.get(name)
            return look.finding if look is not None and self._ended(name) else None

    def proposals(self, wait_for: Collection[str] = (), wait: float = 0) -> dict[str, Any]:
        """Give what all probes that ended propose, by answer key; where two propose, the first in order counts.

        Args:
            wait_for: Names of probes to wait for.
            wait: Seconds to wait for them at most, all together.
        """
        self._wait(lambda: all(self._ended(name) for name in wait_for), wait_for, wait)
        merged: dict[str, Any] = {}
        for finding in reversed(self._findings()):
            merged.update(finding.proposals)
        return merged

    def options(self) -> dict[str, tuple[Option, ...]]:
        """Give what there is to choose from, by answer key."""
        merged: dict[str, tuple[Option, ...]] = {}
        for finding in reversed(self._findings()):
            merged.update(finding.options)
        return merged

    def running(self) -> tuple[str, ...]:
        """Name the probes that have not ended."""
        with self._changed:
            return tuple(name for name in self._looks if not self._ended(name))

    def close(self) -> None:
        """End all that runs, without waiting for it."""
        with self._changed:
            for name in tuple(self._looks):
                self._forget(name)
            self._changed.notify_all()

    def _run(self, look: _Look) -> None:
        def run() -> Finding:
            CURRENT.set(look.children)
            return look.probe.run(look.inputs)

        try:
            finding = contextvars.copy_context().run(run)
        except Exception as error:  # noqa: BLE001 -- it becomes a line
            finding = _failed(look.probe, error)
        with self._changed:
            if look.finding is None:
                look.finding = finding
            self._changed.notify_all()

    def _keep(self, look: _Look) -> None:
        with self._changed:
            self._forget(look.probe.name)
            self._looks[look.probe.name] = look
            self._changed.notify_all()

    def _forget(self, name: str) -> None:
        look = self._looks.pop(name, None)
        if look is not None:
            look.children.stop()

    def _ended(self, name: str) -> bool:
        """Tell whether nothing is to be expected of a probe; one that has taken too long is ended."""
        look = self._looks.get(name)
        if look is None or look.finding is not None:
            return True
        if look.left == 0:
            look.finding = Finding(name, (problem("too-long", probe=name, seconds=f"{look.probe.seconds:g}"),))
            look.children.stop()
        return look.finding is not None

    def _wait(self, done: Callable[[], bool], names: Collection[str], wait: float) -> None:
        end = time.monotonic() + wait
        with self._changed:
            while not done():
                left = end - time.monotonic()
                if left <= 0:
                    return
                limits = [look.left for name in names if (look := self._looks.get(name)) and look.finding is None]
                self._changed.wait(min([left, *limits]))

    def _findings(self) -> list[Finding]:
        with self._changed:
            found = []
            for probe in self._probes:
                look = self._looks.get(probe.name)
                if look is not None and self._ended(probe.name) and look.finding is not None:
                    found.append(look.finding)
            return found


def _failed(probe: Probe, error: Exception) -> Finding:
    return Finding(probe.name, (problem("failed", probe=probe.name, problem=str(error) or type(error).__name__),))
