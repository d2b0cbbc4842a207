# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What setup takes from the command line and gives back: answers files, assignments, a password file."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ruamel.yaml.comments import CommentedMap

from hpcampus.answers import parse_assignments
from hpcampus.errors import AnswersError, UsageProblemError
from hpcampus.files import PUBLIC_FILE, write_atomically
from hpcampus.texts import t
from hpcampus.yaml_files import dump_document, read_plain

if TYPE_CHECKING:
    from pathlib import Path


def read_answers(path: Path) -> Mapping[str, object]:
    """Read a YAML file of answers.

    Raises:
        AnswersError: It cannot be read, or is not a mapping.
    """
    try:
        data = read_plain(path)
    except (OSError, ValueError) as error:
        raise AnswersError("answers-unreadable", path=path, problem=error) from error
    if not isinstance(data, Mapping):
        raise AnswersError("answers-unreadable", path=path, problem="It holds no mapping of answers.")
    return {str(key): value for key, value in data.items()}


def write_answers(path: Path, answers: Mapping[str, object]) -> None:
    """Write a YAML file of answers, which `read_answers` reads.

    Raises:
        AnswersError: It cannot be written.
    """
    document = CommentedMap(answers)
    document.yaml_set_start_comment(t("setup.recorded-file"))
    try:
        write_atomically(path, dump_document(document), PUBLIC_FILE)
    except OSError as error:
        raise AnswersError("answers-unwritable", path=path, problem=error) from error


def read_assignments(texts: Sequence[str]) -> dict[str, object]:
    """Read the values of --set.

    Raises:
        UsageProblemError: One has no name or no equals sign.
    """
    values, bad = parse_assignments(texts)
    if bad:
        raise UsageProblemError("set-shape", text=bad[0])
    return values


def read_password(path: Path) -> str:
    """Read the first line of a file, or of standard input for a hyphen.

    Raises:
        AnswersError: It cannot be read.
    """
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise AnswersError("password-unreadable", path=path, problem=type(error).__name__) from error
    return text.splitlines()[0] if text else ""
