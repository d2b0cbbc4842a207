# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Write docs/steps.md from the catalogue of steps: `python -m tools.steps_page`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "playbooks/vars/steps.yml"
PAGE = ROOT / "docs/steps.md"
HEAD = """<!--
SPDX-FileCopyrightText: hpcampus contributors
SPDX-License-Identifier: BSD-3-Clause
Written by `make docs` from playbooks/vars/steps.yml.
-->

# Steps

`hpcampus.platform.site` and `hpcampus apply` run these in this order, after `hpcampus.platform.validate` has read the inventory.
Each is a playbook of its own and a tag of `site`. How the command runs them stands in [running the steps](wizard-steps.md).

| Step | Title | What it does | Groups | Needs |
|---|---|---|---|---|
"""


def page(catalogue: dict[str, Any]) -> str:
    """Return the text of the page."""
    rows = (
        f"| `{step['name']}` | {step['title']} | {step['description']} | {_names(step['hosts'])} | {_names(step['needs'])} |"
        for step in catalogue["steps"]
    )
    return HEAD + "\n".join(rows) + "\n"


def _names(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def main() -> None:
    """Renew the page."""
    PAGE.write_text(page(yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    main()
