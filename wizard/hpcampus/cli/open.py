# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The command open: the address of the platform, in a browser where there is one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from hpcampus.cli.common import inventory_option
from hpcampus.texts import t

if TYPE_CHECKING:
    from pathlib import Path

# Pages of the hub, below the address of the platform.
PAGES = {"home": "hub/home", "spawn": "hub/spawn", "token": "hub/token", "admin": "hub/admin"}


@click.command("open", help=t("help.open"))
@inventory_option
@click.option("--demo", is_flag=True, help=t("help.open.demo"))
@click.option("--page", type=click.Choice(list(PAGES)), help=t("help.open.page"))
@click.option("--url", "only_url", is_flag=True, help=t("help.open.url"))
def open_command(inventory: Path, page: str | None, *, demo: bool, only_url: bool) -> None:
    """Print the address, and show it."""
    from hpcampus.address import public_url
    from hpcampus.demo import demo_site
    from hpcampus.errors import LabError
    from hpcampus.places import existing_site

    site = demo_site() if demo else existing_site(inventory)
    if demo and not site.main_file.is_file():
        raise LabError("demo-not-made")
    url = public_url(site) + (PAGES[page] if page else "")
    click.echo(url)
    if not only_url and has_display(os.environ):
        import webbrowser

        webbrowser.open(url)


def has_display(environment: os._Environ[str] | dict[str, str]) -> bool:
    """Tell whether a browser with a window can be shown; one in the terminal would take the terminal away."""
    return any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
