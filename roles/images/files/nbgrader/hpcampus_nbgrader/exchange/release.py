# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Releasing an assignment to the students of a course."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nbgrader.api import Gradebook
from nbgrader.exchange import abc

from . import tar, times
from .common import ServiceExchange
from .requirements import Requirements, requirements_of
from .service import Service, ServiceError


class ReleaseAssignment(ServiceExchange, abc.ExchangeReleaseAssignment):
    """Release what `nbgrader generate_assignment` has made."""

    def _load_config(self, cfg: Any, **kwargs: Any) -> None:
        # nbgrader's command may set --force under the old name.
        if "ExchangeRelease" in cfg:
            cfg.ExchangeReleaseAssignment.merge(cfg.ExchangeRelease)
            del cfg.ExchangeRelease
        super()._load_config(cfg, **kwargs)

    def copy_files(self) -> None:
        """Upload the assignment and take its due date into the gradebook."""
        source = self._generated()
        with self.service() as service, tar.packed(source, self.rules, self.left_out) as packed:
            found = service.get("courses", self.course, "assignments")["assignments"]
            before = {one["assignment"]: one["sha256"] for one in found}.get(self.assignment)
            if before not in (None, packed.sha256) and not self.force:
                self.fail(
                    f"{self.course} {self.assignment} is released already, with other files. Add --force to replace them;"
                    " students who have fetched it keep what they have."
                )
            headers = {
                "Hpcampus-SHA256": packed.sha256,
                "Hpcampus-Notebooks": ",".join(quote(name, safe="") for name in packed.notebooks),
            }
            path = ("courses", self.course, "assignments", self.assignment, "release")
            answer = service.upload(*path, content=packed.content, size=packed.size, headers=headers)
            self._tell_requirements(service, requirements_of(packed.content), answer["version"])
            self._take_due_date(service)
        self.log.info("Released as: %s %s, version %s", self.course, self.assignment, answer.get("version"))

    def _generated(self) -> Path:
        path = Path(self.coursedir.format_path(self.coursedir.release_directory, ".", self.assignment))
        if not path.is_dir():
            self._tell_why_missing(path)
        return path

    def _tell_why_missing(self, path: Path) -> None:
        source = Path(self.coursedir.format_path(self.coursedir.source_directory, ".", self.assignment))
        if source.is_dir():
            self.fail(f"Assignment found in '{source}' but not '{path}', run `nbgrader generate_assignment` first.")
        names = sorted(one.name for one in path.parent.iterdir()) if path.parent.is_dir() else []
        near = difflib.get_close_matches(self.assignment, names, 1)
        self.fail(f"There is no assignment {path}.{f' Did you mean {near[0]}?' if near else ''}")

    def _tell_requirements(self, service: Service, needed: Requirements, version: int) -> None:
        """Let the service keep what the notebooks import, for a public copy of the assignment; without it they are released too."""
        if needed.missing:
            self.log.warning("The notebooks import what is not installed here: %s", ", ".join(needed.missing))
        path = ("courses", self.course, "assignments", self.assignment, "requirements")
        try:
            service.send("PUT", *path, body={"version": version, **needed.as_json()})
        except ServiceError as error:
            self.log.warning("A public copy will not say which packages the assignment needs: %s", error)

    def _take_due_date(self, service: Service) -> None:
        """Let the gradebook know the deadline of the course's calendar, which late penalties and --before-duedate use."""
        try:
            deadline = service.get("courses", self.course, "calendar")["deadlines"].get(self.assignment)
        except ServiceError as error:
            self.log.warning("The gradebook keeps the due date that it has: %s", error)
            return
        if deadline:
            with Gradebook(self.coursedir.db_url, self.course) as gradebook:
                gradebook.update_or_create_assignment(self.assignment, duedate=times.naive(deadline["due"]))
