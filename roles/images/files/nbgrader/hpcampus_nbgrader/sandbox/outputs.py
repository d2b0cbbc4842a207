# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The outputs of cells as they come from a child that can send what it likes: shaped, joined, and cut."""

from __future__ import annotations

import json
from typing import Any

CUT = "\n... The rest of this output was cut: it is longer than {} kB.\n"
FULL = "The outputs of this notebook were cut here: together they are longer than {} kB.\n"
TRACEBACK_LINES_MAX = 200
Output = dict[str, Any]


def shaped(value: object) -> Output | None:
    """An output of nbformat 4 with the fields that its kind has, or None for anything else."""
    if not isinstance(value, dict):
        return None
    kind = value.get("output_type")
    if kind == "stream" and value.get("name") in ("stdout", "stderr"):
        return {"output_type": kind, "name": value["name"], "text": _text(value.get("text"))}
    if kind == "error":
        lines = value.get("traceback")
        return {
            "output_type": kind,
            "ename": _text(value.get("ename")),
            "evalue": _text(value.get("evalue")),
            "traceback": [_text(line) for line in lines[:TRACEBACK_LINES_MAX]] if isinstance(lines, list) else [],
        }
    if kind in ("display_data", "execute_result"):
        data, metadata = value.get("data"), value.get("metadata")
        found: Output = {
            "output_type": kind,
            "data": {str(mime): content for mime, content in data.items()} if isinstance(data, dict) else {},
            "metadata": metadata if isinstance(metadata, dict) else {},
        }
        if kind == "execute_result":
            count = value.get("execution_count")
            found["execution_count"] = count if type(count) is int else None
        return found
    return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


class Collector:
    """The outputs of one notebook's cells, never more than the limits allow.

    Args:
        output_kb: of one output.
        result_kb: of all together.
    """

    def __init__(self, output_kb: int, result_kb: int) -> None:
        self._output_kb = output_kb
        self._result_kb = result_kb
        self._left = result_kb * 1024
        self._displays: dict[str, list[Output]] = {}

    def add(self, outputs: list[Output], value: object) -> None:
        """Append an output to those of a cell; text joins the text before it."""
        output = shaped(value)
        if output is None or self._left <= 0:
            return
        last = outputs[-1] if outputs else None
        if output["output_type"] == "stream" and last and last.get("name") == output["name"]:
            self._extend(last, output["text"])
            return
        outputs.append(output)
        self._charge(outputs, self._cut(output))

    def _extend(self, last: Output, text: str) -> None:
        room = min(self._output_kb * 1024 - len(last["text"]), self._left)
        if room <= 0:
            return
        added = text[:room] + (CUT.format(self._output_kb) if len(text) > room else "")
        last["text"] += added
        self._charge([], len(added))

    def _cut(self, output: Output) -> int:
        """Cut an output that is too long; returns its size in bytes, or characters for text."""
        most = min(self._output_kb * 1024, self._left)
        if output["output_type"] == "stream":
            if len(output["text"]) > most:
                output["text"] = output["text"][:most] + CUT.format(self._output_kb)
            return len(output["text"])
        size = len(json.dumps(output))
        if size <= most:
            return size
        if output["output_type"] == "error":
            output["evalue"] = output["evalue"][:1000]
            output["traceback"] = [f"{output['ename'][:200]}: {output['evalue']}", CUT.format(self._output_kb)]
        else:
            output["data"] = {"text/plain": CUT.format(self._output_kb).strip()}
            output["metadata"] = {}
        return len(json.dumps(output))

    def _charge(self, outputs: list[Output], size: int) -> None:
        self._left -= size
        if self._left <= 0:
            outputs.append({"output_type": "stream", "name": "stdout", "text": FULL.format(self._result_kb)})

    def show(self, outputs: list[Output], display_id: str, value: object, update: bool) -> None:
        """Add an output that has an id, or put it in the place of every one with this id."""
        if update:
            new = shaped(value)
            for place in self._displays.get(display_id, []):
                if new is not None and self._left > 0:
                    place.update(data=new.get("data", {}), metadata=new.get("metadata", {}))
                    self._charge([], self._cut(place))
            return
        self.add(outputs, value)
        if outputs and len(self._displays) < 1000:
            self._displays.setdefault(display_id, []).append(outputs[-1])
