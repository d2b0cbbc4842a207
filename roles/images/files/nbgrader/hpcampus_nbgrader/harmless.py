# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Takes out of a notebook what a browser would run: pages of submissions are looked at by people with more rights than their authors."""

from __future__ import annotations

import re
from typing import Any

import bleach
from nbconvert.preprocessors.sanitize import SanitizeHTML

_TAGS = frozenset(
    [
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "caption",
        "center",
        "code",
        "dd",
        "del",
        "details",
        "div",
        "dl",
        "dt",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "ins",
        "kbd",
        "li",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strong",
        "sub",
        "summary",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "u",
        "ul",
        "var",
    ]
)
_PLAIN = frozenset(["align", "alt", "border", "colspan", "height", "rowspan", "title", "width"])
# bleach would show the rules of a style sheet as text; tables of pandas have one each.
_STYLE = re.compile(r"<style\b.*?</style\s*>", re.IGNORECASE | re.DOTALL)
_NO_TAG = re.compile(r"&lt;(?=[\s\d=<-])")


def _attribute(tag: str, name: str, value: str) -> bool:
    return name in _PLAIN or (tag, name) in {("a", "href"), ("img", "src")} or (name, value) == ("class", "dataframe")


class Harmless(SanitizeHTML):
    """Keeps HTML that only shows something, and takes out scripts, styles and forms."""

    def sanitize_html_tags(self, html_str: str) -> str:
        """Clean HTML."""
        return str(bleach.clean(_STYLE.sub("", html_str), tags=_TAGS, attributes=_attribute, strip=False))

    def preprocess_cell(self, cell: Any, resources: Any, cell_index: int) -> tuple[Any, Any]:
        """Clean a cell; in Markdown the signs that begin no tag stay what they were."""
        found: tuple[Any, Any] = super().preprocess_cell(cell, resources, cell_index)
        if cell.cell_type == "markdown":
            # Only "<" begins a tag; a quotation begins with ">".
            cell.source = _NO_TAG.sub("<", cell.source).replace("&gt;", ">").replace("&amp;", "&")
        return found
