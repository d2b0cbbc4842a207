# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What does not have the shape that a role's argument_specs give it, found by reading it.

Roles check their arguments themselves, one role after another, while hosts are being changed. This says the same before,
all at once, and names the very place in a list.
"""

from __future__ import annotations

import datetime as dt
import difflib
import typing as t

Option = t.Mapping[str, t.Any]

_KINDS: dict[str, tuple[tuple[type, ...], str, str]] = {
    "int": ((int,), "a whole number", "Write a number without quotes, for example 2"),
    "float": ((int, float), "a number", "Write a number without quotes, for example 1.5"),
    "bool": ((bool,), "true or false", "Write true or false, without quotes"),
    # A number where a text is wanted is left to the check of that very text, which knows the better cure. A day or a time
    # without quotes is one for YAML, and becomes a text where it is used.
    "str": ((str, int, float, dt.date), "a text", "Write one text"),
    "path": ((str,), "a path", "Write one path"),
    "list": ((list, tuple), "a list", "Write each entry on a line of its own that begins with '- '"),
    "dict": ((dict,), "a mapping", "Write lines of the form 'name: value'"),
}


class Finding(t.NamedTuple):
    """One finding, in the order in which messages tell it."""

    variable: str
    value: object
    what: str
    cure: str


def shape_problems(variable: str, value: object, option: Option) -> t.Iterator[Finding]:
    """Hold a value against its option.

    Args:
        variable: Name of the variable, or of a place in it such as ``site_profiles[0].cpus``.
        value: What the inventory gives.
        option: The option of the argument_specs: type, elements, options, choices, required, no_log.

    Yields:
        One finding for each difference. A secret is never repeated.
    """
    if value is None and not option.get("required"):
        return
    shown = "(hidden)" if _holds_secret(option) else value
    types, wanted, cure = _KINDS.get(option.get("type", "str"), ((object,), "", ""))
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types and object not in types):
        yield Finding(variable, shown, f"this is not {wanted}", cure)
    elif option.get("choices") and value not in option["choices"]:
        yield _unknown(variable, shown, [str(choice) for choice in option["choices"]], "Write one of them")
    elif isinstance(value, (list, tuple)) and option.get("elements"):
        element = {"type": option["elements"], "options": option.get("options"), "no_log": option.get("no_log")}
        for index, entry in enumerate(value):
            yield from shape_problems(f"{variable}[{index}]", entry, {**element, "required": True})
    elif isinstance(value, dict) and option.get("options"):
        yield from _record_problems(variable, value, option["options"])


def _record_problems(
    variable: str, record: t.Mapping[str, t.Any], options: t.Mapping[str, Option]
) -> t.Iterator[Finding]:
    for name in record:
        if name not in options:
            yield _unknown(f"{variable}.{name}", "set", list(options), "Correct the name, or remove it", str(name))
    for name, option in options.items():
        if name in record:
            yield from shape_problems(f"{variable}.{name}", record[name], option)
        elif option.get("required"):
            yield Finding(f"{variable}.{name}", "missing", "there has to be one", _first_sentence(option))


def _holds_secret(option: Option) -> bool:
    """Say whether a value, or a part that it should have, is secret: one of the wrong shape may show the part as a whole."""
    return bool(option.get("no_log")) or any(_holds_secret(part) for part in (option.get("options") or {}).values())


def _unknown(variable: str, shown: object, known: list[str], cure: str, given: str = "") -> Finding:
    near = difflib.get_close_matches(given or str(shown), known, 1)
    hint = f"perhaps {near[0]!r} is meant" if near else f"known are {', '.join(known)}"
    return Finding(variable, shown, f"this is not known; {hint}", cure)


def _first_sentence(option: Option) -> str:
    description = option.get("description") or "Add it"
    text = description if isinstance(description, str) else str(description[0])
    return "Add it: " + text.strip().rstrip(".")
