# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Templates and static files of the pages."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from . import words

_HERE = Path(__file__).parent
STATIC = _HERE / "static"

_TEMPLATES = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.globals["count"] = words.count


@cache
def version_of(name: str) -> str:
    """What changes when a static file does, so that a browser keeps the file as long as it stays the same."""
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:16]


def render(template: str, prefix: str, hub_prefix: str, **values: Any) -> str:
    """Render a page.

    Args:
        template: file name of the template.
        prefix: path of the service with a slash at its end.
        hub_prefix: path of the hub with a slash at its end.
        values: what the template shows; all of it is escaped.
    """

    def static(name: str) -> str:
        return f"{prefix}static/{name}?v={version_of(name)}"

    return _TEMPLATES.get_template(template).render(prefix=prefix, hub=hub_prefix, static=static, **values)
