# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Which data path a cluster's servers take: the one that is configured, or the one that was found to work and is remembered."""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from hpcampus_hub.settings import AUTO, Cluster
from hpcampus_hub.whole import write_whole

from .base import PathError
from .reach import ORDER, Reach, ReachError

Log = logging.Logger | logging.LoggerAdapter[Any]
Try = Callable[[str], Awaitable[Reach]]


class Chooser:
    """Chooses, and remembers what was found.

    Args:
        clusters: the clusters by name.
        try_all: tries every data path of a cluster; raises ReachError.
        log: the hub's log.
        memory: file that remembers the choice of each cluster with ``auto``.
        patience: seconds for which a new choice is kept although a start has failed.
    """

    def __init__(
        self, clusters: Mapping[str, Cluster], try_all: Try, log: Log, memory: Path, patience: float = 300.0
    ) -> None:
        self._clusters = clusters
        self._try_all = try_all
        self._log = log
        self._memory = memory
        self._patience = patience
        self._chosen: dict[str, str] = {}
        self._chosen_at: dict[str, float] = {}
        self._reasons: dict[str, str] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._read()

    def start(self) -> None:
        """Try the clusters with ``auto`` of which nothing is remembered, in the background."""
        for name, cluster in self._clusters.items():
            if cluster.data_path == AUTO and name not in self._chosen:
                self._begin(name)

    async def stop(self) -> None:
        """Give up what is under way."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def known(self, cluster: str) -> str | None:
        """The path of a cluster, unless it must be found first."""
        configured = self._clusters[cluster].data_path
        return self._chosen.get(cluster) if configured == AUTO else configured

    async def path(self, cluster: str) -> str:
        """The path of a cluster, found now if it must be.

        Raises:
            PathError: none works, or nothing was found out.
        """
        if (known := self.known(cluster)) is not None:
            return known
        await asyncio.shield(self._begin(cluster))
        if (known := self.known(cluster)) is not None:
            return known
        raise PathError(self._reasons.get(cluster, "no data path was found"))

    def failed(self, cluster: str, path: str, why: str) -> None:
        """A new server was not reached on the path that was chosen: the next start looks again."""
        young = time.monotonic() - self._chosen_at.get(cluster, -self._patience) < self._patience
        if self._clusters[cluster].data_path == AUTO and self._chosen.get(cluster) == path and not young:
            self._log.warning("Data path %s of cluster %s did not work (%s): all are tried again", path, cluster, why)
            self._chosen.pop(cluster)
            self._write()

    def _begin(self, cluster: str) -> asyncio.Task[None]:
        task = self._tasks.get(cluster)
        if task is None or task.done():
            task = self._tasks[cluster] = asyncio.create_task(self._find(cluster), name=f"data path {cluster}")
        return task

    async def _find(self, cluster: str) -> None:
        """Try all ways and take the best."""
        try:
            found = await self._try_all(cluster)
        except ReachError as error:
            self._reasons[cluster] = f"no data path to cluster {cluster} could be tried: {error}"
            self._log.warning("No data path to cluster %s could be tried: %s", cluster, error)
            return
        if found.best is None:
            self._reasons[cluster] = f"no data path to cluster {cluster} works: {found.story()}"
            self._log.error("No data path to cluster %s works, tried on %s: %s", cluster, found.node, found.story())
            return
        self._log.info("Data path of cluster %s is %s, tried on %s: %s", cluster, found.best, found.node, found.story())
        self._chosen[cluster] = found.best
        self._chosen_at[cluster] = time.monotonic()
        self._write()

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError, RecursionError):
            data = json.loads(self._memory.read_text(encoding="utf-8"))
            if isinstance(data, dict):
                self._chosen = {name: path for name, path in data.items() if path in ORDER and name in self._clusters}

    def _write(self) -> None:
        """Remember; a disk that does not take it costs another try after the next restart."""
        try:
            write_whole(self._memory, json.dumps(self._chosen) + "\n")
        except OSError as error:
            self._log.warning("The choice of data paths cannot be remembered: %s", error)
