# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Directories and files as the modules `files` and `look` are told of them: one list serves both."""

from __future__ import annotations

import typing as t

_OWNERSHIP: dict[str, dict[str, t.Any]] = {
    "path": {"type": "path", "required": True},
    "owner": {"type": "str", "default": "root"},
    "group": {"type": "str", "default": "root"},
}
_DIRECTORY = {**_OWNERSHIP, "mode": {"type": "str", "default": "0755"}}
_FILE = {
    **_OWNERSHIP,
    "content": {"type": "str", "required": True},
    "encoding": {"type": "str", "default": "utf-8", "choices": ["utf-8", "latin-1"]},
    "mode": {"type": "str", "default": "0644"},
    "validate": {"type": "str"},
    "keep": {"type": "bool", "default": False},
}


def argument_spec() -> dict[str, dict[str, t.Any]]:
    """Give the options `directories` and `files`."""
    return {
        "directories": {"type": "list", "elements": "dict", "default": [], "options": _DIRECTORY},
        "files": {"type": "list", "elements": "dict", "default": [], "options": _FILE},
    }
