# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The report: a page that needs nothing else and runs nothing, and a table for a terminal. Names and code in it are students'."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .compare import Comparison, Pair

PAIRS_MAX = 200
SHOWN_MAX = 50
"""Of so many pairs the page has the code."""

NO_PROOF = (
    "Similar code is no proof that anybody copied. Short exercises have few right answers, and students learn from the same notes and may"
    " have been allowed to work together. Code that was rewritten is not found. Look at both, and talk with the people."
)

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font-family: system-ui, sans-serif; line-height: 1.5; color: #1b1b1b; background: #fff; }}
body {{ margin: 1.5rem auto; max-width: 90rem; padding: 0 1rem; }}
table {{ border-collapse: collapse; }}
th, td {{ border-bottom: 1px solid #ccc; padding: .3rem .8rem; text-align: left; }}
td.n {{ text-align: right; }}
.no-proof {{ border-left: .3rem solid #b35900; padding: .5rem 1rem; max-width: 60rem; }}
.codes {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 1rem; }}
pre {{ border: 1px solid #ccc; overflow: auto; padding: .5rem; }}
mark {{ background: #ffe08a; color: inherit; }}
summary {{ cursor: pointer; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p class="no-proof">{no_proof}</p>
<p>{summary}</p>
{body}
</body>
</html>
"""


def page(
    assignment: str, comparison: Comparison, threshold: float, codes: Callable[[Pair], tuple[str, str]], when: str
) -> str:
    """The page.

    Args:
        assignment: Its name.
        comparison: What came of comparing.
        threshold: From which share on pairs are in it.
        codes: Gives both codes of a pair as HTML.
        when: The time of comparing, for people.
    """
    pairs = comparison.pairs[:PAIRS_MAX]
    parts = []
    if pairs:
        rows = "\n".join(_row(number, pair) for number, pair in enumerate(pairs, 1))
        parts.append(
            "<table>\n<thead><tr><th>Notebook</th><th>Student</th><th>of it in common</th><th>Student</th>"
            f"<th>of it in common</th></tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"
        )
        parts += [_codes(number, pair, *codes(pair)) for number, pair in enumerate(pairs[:SHOWN_MAX], 1)]
    parts += _remarks(comparison)
    return _PAGE.format(
        title=f"Similar submissions of {text(assignment)}",
        no_proof=NO_PROOF,
        summary=text(f"{_summary(comparison, threshold)} Compared {when}."),
        body="\n".join(parts),
    )


def table(comparison: Comparison, threshold: float) -> str:
    """The same for a terminal, without the code."""
    lines = [f"{pair.share:5.0%}  {_plain(pair)}" for pair in comparison.pairs[:PAIRS_MAX]]
    left = [f"not compared: {one.student}, {one.notebook}: {one.reason}" for one in comparison.unread]
    left += [f"compared in part: {student}, {notebook}" for student, notebook in comparison.cut]
    return "\n".join([_summary(comparison, threshold), *map(printable, lines), *map(printable, left), NO_PROOF])


def text(value: str) -> str:
    """A text of somebody else as HTML."""
    return escape(printable(value))


def printable(value: str, keep: str = "") -> str:
    """A text of the same length, without signs that steer a terminal or turn the direction of writing; `keep` are such that stay."""
    return "".join(sign if sign.isprintable() or sign in keep else "\N{REPLACEMENT CHARACTER}" for sign in value)


def _summary(comparison: Comparison, threshold: float) -> str:
    found = len(comparison.pairs)
    more = f", the first {PAIRS_MAX} of which are shown" if found > PAIRS_MAX else ""
    pairs = "1 pair has" if found == 1 else f"{found} pairs have"
    return f"{comparison.students} students compared; {pairs} {threshold:.0%} or more of one's code in common{more}."


def _plain(pair: Pair) -> str:
    return f"{pair.notebook}: {pair.one} ({pair.shares[0]:.0%}), {pair.other} ({pair.shares[1]:.0%})"


def _row(number: int, pair: Pair) -> str:
    notebook = text(pair.notebook)
    named = f'<a href="#pair-{number}">{notebook}</a>' if number <= SHOWN_MAX else notebook
    one, other = (f"{share:.0%}" for share in pair.shares)
    return (
        f'<tr><td>{named}</td><td>{text(pair.one)}</td><td class="n">{one}</td>'
        f'<td>{text(pair.other)}</td><td class="n">{other}</td></tr>'
    )


def _codes(number: int, pair: Pair, one: str, other: str) -> str:
    return (
        f'<details id="pair-{number}"><summary>{text(_plain(pair))}</summary>\n<div class="codes">'
        f"<div><h2>{text(pair.one)}</h2><pre>{one}</pre></div><div><h2>{text(pair.other)}</h2><pre>{other}</pre></div></div></details>"
    )


def _remarks(comparison: Comparison) -> list[str]:
    parts = []
    if comparison.unread:
        items = "".join(
            f"<li>{text(one.student)}, {text(one.notebook)}: {text(one.reason)}</li>" for one in comparison.unread
        )
        parts.append(f"<h2>Not compared</h2>\n<ul>{items}</ul>")
    if comparison.cut:
        items = "".join(f"<li>{text(student)}, {text(notebook)}</li>" for student, notebook in comparison.cut)
        parts.append(f"<h2>Compared in part, since it is very long</h2>\n<ul>{items}</ul>")
    return parts
