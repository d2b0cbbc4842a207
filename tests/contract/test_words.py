# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Words that must not stand anywhere in the repository."""

from __future__ import annotations

import re

import pytest

from tests.contract.checkout import text, tracked

# Put together here, so that this file does not hold them itself.
FORBIDDEN = {
    "unpinned host keys": r"StrictHostKeyChecking[ =]+(?:no|accept-new|off)\b|host_key_checking *[:=] *(?:false|no|0)\b",
    "failures that are passed over": "ignore" + r"_errors *:",
    "tests that are passed over": r"pytest\.(?:mark\.)?" + r"(?:skip|xfail|importorskip)",
    "work that is put off": r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b",
    "addresses of registries": r"(?:registry\.npmjs\.org|pypi\.org|pythonhosted\.org|docker\.io|quay\.io|ghcr\.io|galaxy\.ansible\.com)",
    "facts as bare variables": r"\{\{ *ansible_(?:distribution|hostname|fqdn|default_ipv4|processor|memtotal|os_family)\w*",
    "lint rules that are switched off": r"# *noq" + r"a\b(?!: [A-Z]+[0-9]+)|type: *ignore(?!\[)|skip_" + "list",
    "private keys": r"-----BEGIN (?:OPENSSH |RSA |EC )?PRIVATE KEY-----\n[A-Za-z0-9+/]{40}",
}
HERE = "tests/contract/test_words.py"


@pytest.mark.parametrize("kind", FORBIDDEN)
def test_forbidden_words_stand_nowhere(kind: str):
    pattern = re.compile(FORBIDDEN[kind], re.IGNORECASE if kind == "unpinned host keys" else 0)
    found = []
    for name in tracked():
        for match in pattern.finditer(text(name) or "") if name != HERE else ():
            line = (text(name) or "").count("\n", 0, match.start()) + 1
            found.append(f"{name}:{line}: {match[0]}")
    assert found == []


@pytest.mark.parametrize(
    ("kind", "bad"),
    [
        ("unpinned host keys", "-o StrictHostKeyChecking=no"),
        ("unpinned host keys", "host_key_checking = False"),
        ("facts as bare variables", "{{ ansible_hostname }}"),
        ("lint rules that are switched off", "x = 1  # " + "noq" + "a"),
        ("addresses of registries", "https://pypi" + ".org/simple"),
    ],
)
def test_forbidden_words_would_be_found(kind: str, bad: str):
    assert re.search(FORBIDDEN[kind], bad, re.IGNORECASE)
