# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Fetching a released assignment into the student's home."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from nbgrader.exchange import abc

from . import tar
from .common import ServiceExchange


class FetchAssignment(ServiceExchange, abc.ExchangeFetchAssignment):
    """Fetch a released assignment, or what is missing of it."""

    def _load_config(self, cfg: Any, **kwargs: Any) -> None:
        # nbgrader's command sets --replace under the old name.
        if "ExchangeFetch" in cfg:
            cfg.ExchangeFetchAssignment.merge(cfg.ExchangeFetch)
            del cfg.ExchangeFetch
        super()._load_config(cfg, **kwargs)

    def copy_files(self) -> None:
        """Download and unpack; the directory is there as a whole or not at all."""
        target = self.local_directory(self.course, self.assignment)
        if target.is_dir() and not self.replace_missing_files:
            self.fail(
                f"You already have a copy of {self.assignment} at {target}. To get back files that you have removed, use --replace."
            )
        with self.service() as service, tempfile.TemporaryFile() as file:
            released = self.released(service)
            path = ("courses", self.course, "assignments", self.assignment, "release")
            service.download(*path, target=file, size_max=int(released["size"]), sha256=str(released["sha256"]))
            with tar.unpacked(file, target, self.rules, self.left_out) as made:
                if target.is_dir():
                    self._add_missing(made, target)
                else:
                    tar.put(made, target)
        self.log.info("Fetched as: %s %s", self.course, self.assignment)

    def _add_missing(self, source: Path, target: Path) -> None:
        """Copy what is not there; what is there stays as it is."""
        for entry in sorted(os.scandir(source), key=lambda one: one.name):
            path = target / entry.name
            if entry.is_dir():
                if not os.path.lexists(path):
                    self.log.warning("Creating missing directory '%s'", os.path.relpath(path))
                    path.mkdir()
                if path.is_dir():
                    self._add_missing(Path(entry.path), path)
            elif not os.path.lexists(path):
                self.log.warning("Replacing missing file '%s'", os.path.relpath(path))
                shutil.copyfile(entry.path, path)
