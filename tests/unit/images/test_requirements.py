# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A release tells what its notebooks import, in the versions that are installed."""

from __future__ import annotations

import json
import logging
import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest

from hpcampus_courses.store.requirements import Requirements

from .classroom import COURSE

if TYPE_CHECKING:
    from .classroom import Class


def notebook(*sources: str | list[str], **metadata: Any) -> str:
    """A notebook with these code cells."""
    cells = [{"cell_type": "code", "source": source} for source in sources]
    return json.dumps({"cells": [{"cell_type": "markdown", "source": "import scipy"}, *cells], "metadata": metadata})


def told(class_: Class, number: int = 1) -> Requirements | None:
    found: Requirements | None = class_.service.run(lambda: class_.service.site.store.needs.of(COURSE, "ps1", number))
    return found


def test_packages_are_named_as_they_are_installed(class_: Class) -> None:
    """By the names of distributions; without the standard library, and without modules of the assignment's own."""
    class_.release(
        **{
            "problem1.ipynb": notebook(
                "import os, yaml\nimport json.decoder", ["from jinja2 import (\n", "  Template)"]
            ),
            "problem2.ipynb": notebook("def f():\n    import traitlets.config as c\n    raise NotImplementedError()"),
            "helper.py": "import click\nfrom . import sibling",
        },
    )
    names = ("Jinja2", "PyYAML", "click", "traitlets")
    found = told(class_)
    assert found is not None
    assert {name.lower(): one for name, one in found.packages.items()} == {one.lower(): version(one) for one in names}
    assert (found.python, found.missing) == (platform.python_version(), ())


def test_magics_and_broken_cells_hide_nothing_else(class_: Class) -> None:
    class_.release(
        **{
            "problem1.ipynb": notebook(
                "%matplotlib inline\nimport yaml\n!ls import jinja2",
                "%%time\nimport click",
                "%%bash\nimport traitlets",
                "this is no Python",
                "x = !ls\nimport helper",
            ),
            "helper.py": "",
            "other.ipynb": notebook("import jinja2", kernelspec={"language": "R"}),
            "broken.ipynb": "[]",
        },
    )
    found = told(class_)
    assert found is not None
    assert {name.lower() for name in found.packages} == {"pyyaml", "click"}
    assert found.missing == ()


def test_what_is_not_installed_is_told(class_: Class, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        class_.release(**{"problem1.ipynb": notebook("import nosuchmodule_x.y, yaml")})
    found = told(class_)
    assert found is not None
    assert (found.missing, len(found.packages)) == (("nosuchmodule_x",), 1)
    assert "not installed here: nosuchmodule_x" in caplog.text


def test_a_service_that_does_not_take_it_stops_no_release(
    class_: Class, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from hpcampus_courses.api import assignments

    monkeypatch.setattr(assignments.Needed, "ALLOWED", {})
    with caplog.at_level(logging.WARNING):
        class_.release()
    assert "A public copy will not say which packages the assignment needs" in caplog.text
    assert class_.service.run(lambda: class_.service.site.store.releases.current(COURSE, "ps1")) is not None
    assert told(class_) is None
