# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""YAML in and out: plainly, or with the comments and the order of a hand-edited file kept."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode
from ruamel.yaml.scalarstring import SingleQuotedScalarString
from yaml.nodes import ScalarNode
from yaml.resolver import Resolver

if TYPE_CHECKING:
    from pathlib import Path


_ANSIBLE = Resolver()


def is_ambiguous(text: str) -> bool:
    """Say whether Ansible, which reads YAML 1.1, takes a text without quotes for something else: yes, off, 0123."""
    tag = _ANSIBLE.resolve(ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return bool(tag != "tag:yaml.org,2002:str")


def spelled(value: Any) -> Any:
    """Quote the texts of a new value that Ansible would read as something else: yes, off, 0123."""
    if isinstance(value, Mapping):
        return {spelled(key): spelled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [spelled(item) for item in value]
    return SingleQuotedScalarString(value) if isinstance(value, str) and is_ambiguous(value) else value


def _round_trip() -> YAML:
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.explicit_start = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def read_plain(path: Path) -> Any:
    """Read a YAML file into plain Python objects.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not YAML.
    """
    try:
        return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except YAMLError as error:
        raise ValueError(f"{path} is not YAML: {_where(error)}") from error


def load_document(text: str, source: str) -> CommentedMap:
    """Read a YAML mapping with its comments; empty text is an empty mapping.

    Raises:
        ValueError: It is not YAML, or not a mapping.
    """
    try:
        document = _round_trip().load(text)
    except YAMLError as error:
        raise ValueError(f"{source} is not YAML: {_where(error)}") from error
    if document is None:
        return CommentedMap()
    if not isinstance(document, CommentedMap):
        raise ValueError(f"{source} must hold a mapping of variables")  # noqa: TRY004 -- one kind of bad file
    return document


def check_mapping(text: str, source: str) -> None:
    """Check that a text has the form of a YAML mapping, or is empty; nothing is made of it, so every tag will do.

    Raises:
        ValueError: It is not YAML, or not a mapping.
    """
    try:
        node = YAML(pure=True).compose(text)
    except YAMLError as error:
        raise ValueError(f"{source} is not YAML: {_where(error)}") from error
    if node is not None and not isinstance(node, MappingNode):
        raise ValueError(f"{source} must hold a mapping of variables")


def header_of(text: str) -> str:
    """Give the comments above the line of three hyphens, which the YAML parser does not keep."""
    found = re.match(r"(?:(?:#[^\n]*|[ \t]*)\n)*(?=---)", text)
    return found[0] if found else ""


def dump_document(document: CommentedMap) -> str:
    """Write a mapping as YAML, comments included."""
    stream = io.StringIO()
    _round_trip().dump(document, stream)
    return stream.getvalue()


def _where(error: YAMLError) -> str:
    """Give the first line of the parser's complaint and its place, never the content, which may be secret."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "it cannot be parsed"
    return f"{problem} (line {mark.line + 1})" if mark is not None else str(problem)
