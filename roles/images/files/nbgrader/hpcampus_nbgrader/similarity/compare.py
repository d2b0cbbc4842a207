# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Which documents have code in common, and which parts of them."""

from __future__ import annotations

import io
import itertools
import signal
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from copydetect import CodeFingerprint, compare_files
from copydetect.utils import highlight_overlap

from .documents import Document, Released, Unread
from .report import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

K = 35
"""Pieces of so many signs are compared, a name or a text being one sign. Shorter ones occur everywhere."""
ALL = 1
"""Winnowing with this window leaves no piece out; a larger one chooses by hashes, which are others in each run."""
COMMON_MIN = 80
"""So many signs in common, some ten lines, are worth a look; short answers are alike by themselves."""
SECONDS_EACH = 3.0
"""Of processor time for a document."""
AROUND = 3
"""Lines that are shown around what is in common."""


class TooLongError(Exception):
    """It took longer than it may."""


@dataclass(frozen=True)
class Pair:
    """Two documents that have code in common.

    Attributes:
        notebook: In which.
        one: A student.
        other: Another student.
        shares: How much of the code of the first is found at the other, and the reverse, from 0 to 1.
        common: Signs in common.
    """

    notebook: str
    one: str
    other: str
    shares: tuple[float, float]
    common: int

    @property
    def share(self) -> float:
        """The larger one of the two."""
        return max(self.shares)


@dataclass(frozen=True)
class Comparison:
    """What came of comparing.

    Attributes:
        students: How many have something to compare.
        pairs: Those above the threshold, the most alike first.
        unread: What was not compared.
        cut: Students and notebooks of which the first part alone was compared.
    """

    students: int
    pairs: list[Pair]
    unread: list[Unread]
    cut: list[tuple[str, str]]


class Comparer:
    """Compares what is typed into the notebooks of an assignment.

    Args:
        notebooks: As they were handed out.
        seconds_each: Of processor time for each document.
    """

    def __init__(self, notebooks: Iterable[Released], seconds_each: float = SECONDS_EACH) -> None:
        self._seconds_each = seconds_each
        self._language = {one.name: one.language for one in notebooks}
        self._given = {one.name: np.array(sorted(self._print(one.code, one.language).hashes)) for one in notebooks}
        self._prints: dict[str, dict[str, Any]] = defaultdict(dict)
        self._unread: list[Unread] = []
        self._cut: list[tuple[str, str]] = []

    def add(self, document: Document | Unread) -> None:
        """Take a document in, or what stands for one that cannot be read."""
        if isinstance(document, Unread):
            self._unread.append(document)
            return
        name = document.notebook
        try:
            with processor_time(self._seconds_each):
                made = self._print(document.code, self._language[name], self._given[name])
        except TooLongError:
            reason = "Comparing it takes too long; look at it yourself."
            self._unread.append(Unread(document.student, name, reason))
            return
        except (ValueError, IndexError, RecursionError, MemoryError) as error:
            self._unread.append(Unread(document.student, name, f"It cannot be compared: {type(error).__name__}."))
            return
        self._prints[name][document.student] = made
        if document.is_cut:
            self._cut.append((document.student, name))

    def compared(self, threshold: float) -> Comparison:
        """The pairs of which one has at least this share, from 0 to 1, in common with the other."""
        pairs = [
            pair
            for notebook, prints in self._prints.items()
            for one, other in itertools.combinations(prints, 2)
            if (pair := self._pair(notebook, one, other)) is not None and pair.share >= threshold
        ]
        pairs.sort(key=lambda pair: (-pair.share, -pair.common, pair.notebook, pair.one, pair.other))
        students = {student for prints in self._prints.values() for student in prints}
        return Comparison(len(students), pairs, self._unread, self._cut)

    def side_by_side(self, pair: Pair) -> tuple[str, str]:
        """Both codes as HTML, with `mark` around what they have in common, and `...` for what is far from it."""
        prints = self._prints[pair.notebook]
        one, other = prints[pair.one], prints[pair.other]
        _, _, (slices, other_slices) = compare_files(one, other)
        return _marked(one.raw_code, slices), _marked(other.raw_code, other_slices)

    def _pair(self, notebook: str, one: str, other: str) -> Pair | None:
        """Two students' pair, when they have enough in common."""
        prints = self._prints[notebook]
        if prints[one].hashes.isdisjoint(prints[other].hashes):
            return None
        common, shares, _ = compare_files(prints[one], prints[other])
        if common < COMMON_MIN:
            return None
        return Pair(notebook, one, other, (min(1.0, float(shares[0])), min(1.0, float(shares[1]))), int(common))

    @staticmethod
    def _print(code: str, language: str, given: Any = None) -> Any:
        return CodeFingerprint("", K, ALL, boilerplate=given, language=language, fp=io.StringIO(code))


def _marked(code: str, slices: Any) -> str:
    shown = printable(code, keep="\n\t")
    return str(highlight_overlap(shown, slices, "<mark>", "</mark>", truncate=AROUND, escape_html=True)[0])


@contextmanager
def processor_time(seconds: float) -> Iterator[None]:
    """End what takes longer, counted in time of the processor; for the main thread alone.

    Raises:
        TooLongError: It took longer.
    """

    def end(_number: int, _frame: object) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
