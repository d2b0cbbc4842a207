# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The one error of the lab: what happened, why, and what to do next."""


class LabError(Exception):
    """A lab cannot do what was asked.

    Args:
        what: What failed, in one sentence.
        cure: What the reader can do about it; may be empty.
        detail: Output of the program that failed; shown below, indented; may be empty.
    """

    def __init__(self, what: str, *, cure: str = "", detail: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.cure = cure
        self.detail = detail

    def __str__(self) -> str:
        lines = [self.what]
        lines += [f"    {line}" for line in self.detail.strip().splitlines()[-20:]]
        if self.cure:
            lines.append(self.cure)
        return "\n".join(lines)
