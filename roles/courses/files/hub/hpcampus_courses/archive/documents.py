# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Tables of the database as documents, written row by row."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any


def write_json(file: IO[bytes], name: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write an object whose only member is a list, a line for each entry."""
    file.write(f"{{{json.dumps(name)}: [".encode())
    for number, row in enumerate(rows):
        file.write((",\n" if number else "\n").encode() + json.dumps(row, ensure_ascii=False).encode())
    file.write(b"\n]}\n")


def write_csv(file: IO[bytes], columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a table."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    table = csv.writer(text)
    table.writerow(columns)
    table.writerows(rows)
    text.detach()
