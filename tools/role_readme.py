# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Write the table of variables into every role's README from its argument_specs: `python -m tools.role_readme`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
BEGIN = "<!-- variables:begin -->"
END = "<!-- variables:end -->"


def text_of(description: str | list[str]) -> str:
    """Return a description as one paragraph."""
    parts = [description] if isinstance(description, str) else description
    return " ".join(" ".join(parts).split())


def row(name: str, option: dict[str, Any]) -> str:
    """Return the line of a table that describes one variable."""
    kind = option["type"]
    if kind == "list" and "elements" in option:
        kind = f"list of {option['elements']}"
    if option.get("required"):
        default = "needed"
    elif "default" in option:
        default = f"`{json.dumps(option['default'], ensure_ascii=False)}`"
    else:
        default = "not set"
    meaning = text_of(option["description"])
    if "choices" in option:
        meaning += f" One of {', '.join(f'`{choice}`' for choice in option['choices'])}."
    for key, part in option.get("options", {}).items():
        needed = ", needed" if part.get("required") else ""
        meaning += f"<br>`{key}` ({part['type']}{needed}): {text_of(part['description'])}"
    return f"| `{name}` | {kind} | {default} | {meaning} |".replace("\n", " ")


def section(entry: str, spec: dict[str, Any], main: dict[str, Any]) -> list[str]:
    """Return the lines that describe one entry point.

    Args:
        entry: Name of the entry point, such as `main`.
        spec: Its argument spec.
        main: Argument spec of the entry point `main`, whose variables are not repeated.
    """
    options: dict[str, Any] = spec.get("options") or {}
    lines = [f"### `{entry}`: {spec['short_description']}", "", text_of(spec["description"]), ""]
    own = {name: option for name, option in options.items() if entry == "main" or main.get(name) != option}
    if own:
        lines += ["| Variable | Type | Default | Meaning |", "|---|---|---|---|"]
        lines += [row(name, option) for name, option in own.items()]
        lines.append("")
    shared = [name for name in options if name not in own]
    if shared:
        lines += [f"Takes {', '.join(f'`{name}`' for name in shared)} as `main` does.", ""]
    if not options:
        lines += ["Takes no variables.", ""]
    return lines


def table(specs: dict[str, Any]) -> str:
    """Return the text between the markers for all entry points of a role."""
    main = specs.get("main", {}).get("options") or {}
    lines = [line for entry, spec in specs.items() for line in section(entry, spec, main)]
    return "\n".join(lines).strip()


def render(readme: str, specs: dict[str, Any]) -> str:
    """Return a README with the text between its markers renewed.

    Raises:
        ValueError: When a marker is missing, doubled or in the wrong order.
    """
    if readme.count(f"{BEGIN}\n") != 1 or readme.count(f"{END}\n") != 1 or readme.index(BEGIN) > readme.index(END):
        msg = f"The README needs the lines {BEGIN} and {END}, each once."
        raise ValueError(msg)
    head, rest = readme.split(BEGIN)
    return f"{head}{BEGIN}\n\n{table(specs)}\n\n{END}{rest.split(END)[1]}"


def read_specs(role: Path) -> dict[str, Any]:
    """Return the argument specs of a role, by entry point."""
    data: dict[str, Any] = yaml.safe_load((role / "meta/argument_specs.yml").read_text(encoding="utf-8"))
    specs: dict[str, Any] = data["argument_specs"]
    return specs


def main() -> int:
    """Renew the README of every role and return the exit status."""
    for role in sorted(path for path in (ROOT / "roles").iterdir() if (path / "meta/argument_specs.yml").exists()):
        readme = role / "README.md"
        try:
            old = readme.read_text(encoding="utf-8")
            new = render(old, read_specs(role))
        except (OSError, ValueError) as error:
            print(f"{readme.relative_to(ROOT)}: {error}", file=sys.stderr)
            return 1
        if new != old:
            readme.write_text(new, encoding="utf-8")
            print(f"Wrote {readme.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
