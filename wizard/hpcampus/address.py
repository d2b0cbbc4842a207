# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Where the platform of an inventory answers, read without Ansible and without the key of the vault."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hpcampus.errors import InventoryError
from hpcampus.inventory_files import plain, read_file
from hpcampus.vault import is_encrypted
from hpcampus.yaml_files import load_document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hpcampus.places import Site


def public_url(site: Site) -> str:
    """Give the address of the hub as browsers see it, with a final slash.

    Raises:
        InventoryError: A file cannot be read, or the address cannot be known without Ansible.
    """
    hub = _hub(_read(site.hosts_file))
    variables: dict[str, Any] = {}
    for path in _variable_files(site, hub):
        variables.update(_read(path))
    name = str(variables.get("site_hub_name") or hub)
    url = str(variables.get("site_public_url") or f"https://{name}/")
    if "{{" in url or not name:
        raise InventoryError("address-unknown", path=site.inventory)
    return url if url.endswith("/") else f"{url}/"


def _variable_files(site: Site, hub: str) -> Iterator[Path]:
    """Give the files that hold variables of the hub, the weakest first."""
    for place in ("group_vars/all", "group_vars/hub", f"host_vars/{hub}"):
        files = [site.inventory / f"{place}.yml", *sorted((site.inventory / place).glob("[!.]*.y*ml"))]
        yield from (path for path in files if path.is_file())


def _hub(hosts: Mapping[str, Any]) -> str:
    """Give the name of the first host of the group hub, wherever the group stands; empty when there is none."""
    for name, group in hosts.items():
        if not isinstance(group, Mapping):
            continue
        members = group.get("hosts")
        if name == "hub" and isinstance(members, Mapping) and members:
            return str(next(iter(members)))
        children = group.get("children")
        found = _hub(children) if isinstance(children, Mapping) else ""
        if found:
            return found
    return ""


def _read(path: Path) -> dict[str, Any]:
    text = read_file(path)
    if is_encrypted(text):
        return {}
    try:
        found: dict[str, Any] = plain(load_document(text, str(path)))
    except ValueError as error:
        raise InventoryError("inventory-unreadable", path=path, problem=error) from error
    return found
