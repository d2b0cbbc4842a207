# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Why a server did not start, in words for the person who waits."""

import html

from jupyterhub.spawner import SpawnException

from .protocol import shown

_LOG_LINES = 12


class StartError(SpawnException):
    """A server did not start; the text tells the person what happened and what to do."""

    def __init__(self, message: str, *, reason: str, status_code: int = 503, log_lines: str = "") -> None:
        page = ""
        if log_lines:
            page = f"{html.escape(message)}<br>The last lines of its log:<pre>{html.escape(log_lines)}</pre>"
        text = f"{message} The last lines of its log:\n{log_lines}" if log_lines else message
        super().__init__(text, reason=reason, status_code=status_code, message_html=page)
        self.jupyterhub_message = text
        if page:
            self.jupyterhub_html_message = page


def log_tail(text: object) -> str:
    """The last lines of a job's log as a page can show them; a student's program may have written anything."""
    lines = text.strip().splitlines()[-_LOG_LINES:] if isinstance(text, str) else []
    indents = [" " * min(len(line) - len(line.lstrip(" ")), 20) for line in lines]
    return "\n".join(indent + shown(line) for indent, line in zip(indents, lines, strict=True))
