# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""nbgrader's assignment list, which tells a student why something did not work.

nbgrader's own says of every failure of an exchange that its directory does not exist, or shows where in a program it happened.
"""

from __future__ import annotations

from typing import Any

from nbgrader.server_extensions.assignment_list import handlers

from .exchange.common import REFUSAL


class Assignments(handlers.AssignmentList):
    """What the pages ask; a failure is one sentence."""

    def _told(self, answer: dict[str, Any]) -> dict[str, Any]:
        said = REFUSAL.get()
        if not answer["success"] and said:
            answer["value"] = said
        return answer

    def list_released_assignments(self, course_id: str | None = None) -> dict[str, Any]:
        """List what is released."""
        REFUSAL.set("")
        return self._told(super().list_released_assignments(course_id))

    def list_submitted_assignments(self, course_id: str | None = None) -> dict[str, Any]:
        """List what was handed in."""
        REFUSAL.set("")
        return self._told(super().list_submitted_assignments(course_id))

    def submit_assignment(self, course_id: str, assignment_id: str) -> dict[str, Any]:
        """Hand in."""
        REFUSAL.set("")
        return self._told(super().submit_assignment(course_id, assignment_id))


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "hpcampus_nbgrader.assignment_list"}]


def load_jupyter_server_extension(server: Any) -> None:
    """Load nbgrader's extension with our answers."""
    handlers.load_jupyter_server_extension(server)
    manager = Assignments(parent=server)
    manager.root_dir = server.root_dir
    server.web_app.settings["assignment_list_manager"] = manager


_load_jupyter_server_extension = load_jupyter_server_extension
