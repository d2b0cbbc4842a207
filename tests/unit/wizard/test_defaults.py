# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Only what differs from the roles' own choice is written; what a person wrote stays written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from hpcampus.defaults import role_defaults, without_defaults
from hpcampus.errors import CollectionError
from tests.unit.wizard.conftest import ROOT

DEFAULTS = {"a": 1, "flag": True, "list": [{"x": 1, "y": "z"}], "text": "{{ other }}"}


@pytest.mark.parametrize(
    ("values", "existing", "wanted"),
    [
        ({"a": 1}, {}, {}),
        ({"a": 2}, {}, {"a": 2}),
        ({"a": 1}, {"a": 2}, {"a": 1}),
        ({"a": 1}, {"a": 1}, {"a": 1}),
        ({"a": True}, {}, {"a": True}),
        ({"a": "1"}, {}, {"a": "1"}),
        ({"flag": 1}, {}, {"flag": 1}),
        ({"list": [{"y": "z", "x": 1}]}, {}, {}),
        ({"list": [{"y": "z", "x": 1, "more": 2}]}, {}, {"list": [{"y": "z", "x": 1, "more": 2}]}),
        ({"list": []}, {}, {"list": []}),
        ({"unknown": None}, {}, {"unknown": None}),
        ({"text": "value"}, {}, {"text": "value"}),
    ],
)
def test_what_is_left_out(values: Any, existing: Any, wanted: Any) -> None:
    assert without_defaults(values, existing, DEFAULTS) == wanted


def test_the_defaults_of_every_role() -> None:
    defaults = role_defaults(ROOT)
    for path in (ROOT / "roles").glob("*/defaults/main.yml"):
        assert defaults.items() >= (yaml.safe_load(path.read_text()) or {}).items()
    assert defaults["site_shared_dir"] == "/srv/hpcampus"


def test_no_collection(tmp_path: Path) -> None:
    with pytest.raises(CollectionError):
        role_defaults(tmp_path)
