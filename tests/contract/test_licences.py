# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Every file carries its licence, and the right one."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.contract.checkout import ROOT, text, tracked

COPYRIGHT = "SPDX-FileCopyrightText: hpcampus contributors"
IDENTIFIER = re.compile(r"SPDX-License-Identifier: (\S+)")
ANNOTATED = [p for a in tomllib.loads((ROOT / "REUSE.toml").read_text())["annotations"] for p in a["path"]]
# The licences themselves.
TEXTS = re.compile(r"LICENSE|LICENSES/.+")


def _matches(pattern: str, name: str) -> bool:
    parts = [
        {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*"}.get(p, re.escape(p))
        for p in re.split(r"(\*\*/|\*\*|\*)", pattern)
    ]
    return re.fullmatch("".join(parts), name) is not None


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("**/*.json", "a.json", True),
        ("**/*.json", "a/b.json", True),
        ("a/*.txt", "a/b/c.txt", False),
        ("a/**", "a/b/c", True),
    ],
)
def test_patterns_of_annotations_are_understood(pattern: str, name: str, *, matches: bool):
    assert _matches(pattern, name) is matches


def _needs_header(name: str) -> bool:
    return not TEXTS.fullmatch(name) and not any(_matches(p, name) for p in ANNOTATED) and bool(text(name))


def test_every_file_says_whose_it_is():
    found = [n for n in tracked() if _needs_header(n) and COPYRIGHT not in "\n".join((text(n) or "").splitlines()[:6])]
    assert found == []


def _is_plugin(name: str) -> bool:
    """Tell whether ansible-core loads a file into its own process; module_utils are for every program."""
    return "/plugins/" in f"/{name}" and not name.startswith(("tests/", "plugins/module_utils/"))


def test_every_file_says_its_licence():
    wrong = []
    for name in filter(_needs_header, tracked()):
        match = IDENTIFIER.search("\n".join((text(name) or "").splitlines()[:7]))
        expected = "GPL-3.0-or-later" if _is_plugin(name) else "BSD-3-Clause"
        if match is None or match[1] != expected:
            wrong.append((name, match and match[1], expected))
    assert wrong == []


def test_licence_texts_are_here():
    assert sorted(path.stem for path in (ROOT / "LICENSES").iterdir()) == ["BSD-3-Clause", "GPL-3.0-or-later"]
    assert (ROOT / "LICENSES/BSD-3-Clause.txt").read_text() in (ROOT / "LICENSE").read_text()
