# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The collection's own check of an inventory, used before anything is written: what `apply` refuses is not saved."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpcampus.errors import CollectionError
from hpcampus.yaml_files import read_plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType

    from hpcampus.answers import Inspector
    from hpcampus.questions import Answers

CHECKS = Path("plugins/module_utils/site_problems.py")
DEFAULTS = Path("roles/site/defaults/main.yml")
FROM_VAULT = re.compile(r"\{\{ vault_password_hashes\['(?P<name>[^']+)'\] \}\}")


def load_checks(collection: Path) -> ModuleType:
    """Load the module of checks from the collection.

    Raises:
        CollectionError: It is missing.
    """
    path = collection / CHECKS
    spec = importlib.util.spec_from_file_location("hpcampus_site_problems", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise CollectionError("collection-missing", searched=path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def inventory_problems(
    collection: Path, main: Mapping[str, Any], secrets: Mapping[str, Any], groups: Mapping[str, Sequence[str]]
) -> list[str]:
    """Give everything that the collection would refuse.

    Args:
        collection: Root of the collection.
        main: Variables of the site.
        secrets: Decrypted variables of the vault.
        groups: Hosts of each group.
    """
    site = {**read_plain(collection / DEFAULTS), **{k: v for k, v in main.items() if k.startswith("site_")}}
    hub = groups["hub"][0] if "{{" in str(site["site_hub_name"]) else site["site_hub_name"]
    for name, fallback in (("site_hub_name", hub), ("site_hub_address", hub), ("site_public_url", f"https://{hub}/")):
        if "{{" in str(site[name]):
            site[name] = fallback
    hashes = secrets.get("vault_password_hashes") or {}
    site["site_accounts"] = [_with_hash(account, hashes) for account in site["site_accounts"]]
    return list(load_checks(collection).site_problems({**main, **secrets}, site, groups))


def _with_hash(account: Mapping[str, Any], hashes: Mapping[str, Any]) -> dict[str, Any]:
    found = FROM_VAULT.fullmatch(str(account.get("password_hash", "")))
    return {**account, "password_hash": hashes.get(found["name"], "")} if found else dict(account)


def inspectors(collection: Path) -> dict[str, Inspector]:
    """Give the checks of answers that need the files they name."""

    def certificate(value: Any, _known: Answers) -> None:
        _require_readable(value)

    def key(value: Any, known: Answers) -> None:
        _require_readable(value)
        if "tls_certificate" in known and "hub_name" in known:
            check = load_checks(collection).certificate_problems
            problems = check(known["tls_certificate"], value, known["hub_name"])
            if problems:
                raise ValueError(problems[0])

    return {"tls_certificate": certificate, "tls_key": key}


def _require_readable(value: str) -> None:
    try:
        with Path(value).open("rb"):
            pass
    except (OSError, ValueError) as error:
        raise ValueError(f"{value}: {getattr(error, 'strerror', None) or error}") from error
