# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Pages of submissions show what students made, and run nothing of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


@pytest.fixture(scope="module")
def harmless(load: Callable[[str], ModuleType]) -> ModuleType:
    return load("harmless")


def markdown(harmless: ModuleType, source: str) -> str:
    book, _ = harmless.Harmless(enabled=True)(new_notebook(cells=[new_markdown_cell(source)]), {})
    return str(book.cells[0].source)


def html(harmless: ModuleType, text: str, kind: str = "text/html") -> Any:
    cell = new_code_cell("1", outputs=[new_output("display_data", {kind: text, "text/plain": "plain"})])
    book, _ = harmless.Harmless(enabled=True)(new_notebook(cells=[cell]), {})
    return book.cells[0].outputs[0].data


EVIL = [
    "<script>steal()</script>", "<img src=x onerror=steal()>", "<svg onload=steal()>", "<iframe src='javascript:steal()'>",
    "<a href='javascript:steal()'>x</a>", "<form action=/hub><button>", "<style>*{display:none}</style>", "<div style='position:fixed'>",
    "<ScRiPt >steal()</sCrIpT>", "<<script>script>steal()", "<base href=//evil>", "<meta http-equiv=refresh>", "<div class=comment>",
    "<math><mtext><script>steal()</script>",
]  # fmt: skip
# A sign with a space behind it begins no tag.
RUNS = re.compile(
    r"</?(?:script|svg|iframe|form|button|style|base|meta|math|object)|</?[a-z][^>]*\s(?:on\w+|style|class)\s*=|</?[a-z][^>]*javascript:",
    re.IGNORECASE,
)


@pytest.mark.parametrize("text", EVIL)
def test_nothing_runs(harmless: ModuleType, text: str) -> None:
    assert not RUNS.search(markdown(harmless, f"before {text} after"))
    assert not RUNS.search(html(harmless, text)["text/html"])


@given(
    parts=st.lists(
        st.sampled_from([*"<>&;/ \"'!=", "script", "img", "onerror=", "&lt;", "&amp;", "`", "\n", "lt;"]), max_size=30
    )
)
@settings(max_examples=300)
def test_no_piece_of_text_becomes_a_tag_again(harmless: ModuleType, parts: list[str]) -> None:
    assert not RUNS.search(markdown(harmless, "".join(parts)))


@pytest.mark.parametrize(
    "kind", ["application/javascript", "image/svg+xml", "application/vnd.jupyter.widget-view+json"]
)
def test_other_kinds_give_way_to_plain_text(harmless: ModuleType, kind: str) -> None:
    assert html(harmless, "steal()", kind) == {"text/plain": "plain"}


def test_what_only_shows_something_stays(harmless: ModuleType) -> None:
    text = "> a quotation with 1 < 2 & *3*\n\n<b>bold</b> ![](plot.png) $x > y$"
    assert markdown(harmless, text) == text
    table = '<style scoped>.dataframe {color: red}</style><table border="1" class="dataframe"><tbody><tr><td>1</td></tr></tbody></table>'
    assert html(harmless, table)["text/html"] == table.partition("</style>")[2]
