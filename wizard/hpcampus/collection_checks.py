# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The collection's own check of an inventory, used before anything is written: what `apply` refuses is not saved."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import re
import stat
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpcampus.answers import ContradictionError
from hpcampus.errors import CollectionError
from hpcampus.validators import wrong
from hpcampus.yaml_files import read_plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import ModuleType

    from hpcampus.answers import Inspector
    from hpcampus.questions import Answers

CHECKS = Path("plugins/module_utils/site_problems/__init__.py")
DEFAULTS = Path("roles/site/defaults/main.yml")
CERTIFICATE = "apache_certificate_file"
KEY = "apache_certificate_key_file"
NO_NAME = "name.invalid"
PEM_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----")
CERTIFICATE_BLOCKS = (b"CERTIFICATE", b"X509 CERTIFICATE")
FROM_VAULT = re.compile(r"\{\{ vault_password_hashes\['(?P<name>[^']+)'\] \}\}")


@functools.cache
def load_checks(collection: Path) -> ModuleType:
    """Load the package of checks from the collection, once for each collection.

    Raises:
        CollectionError: It is missing.
    """
    path = collection / CHECKS
    # Its modules find each other by this name, so that those of two collections never meet.
    name = f"hpcampus_site_problems_{os.fsencode(path).hex()}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise CollectionError("collection-missing", searched=path)
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def inventory_problems(
    collection: Path,
    main: Mapping[str, Any],
    secrets: Mapping[str, Any],
    groups: Mapping[str, Sequence[str]],
    hosts: Mapping[str, Mapping[str, Any]] | None = None,
    inventory: Path | None = None,
) -> list[str]:
    """Give everything that the collection would refuse.

    Args:
        collection: Root of the collection.
        main: Variables of the site.
        secrets: Decrypted variables of the vault.
        groups: Hosts of each group.
        hosts: Variables of the centres' login nodes.
        inventory: Directory with the files that courses name; without it they are left out of the question.
    """
    site = {**read_plain(collection / DEFAULTS), **{k: v for k, v in main.items() if k.startswith("site_")}}
    hub = groups["hub"][0] if "{{" in str(site["site_hub_name"]) else site["site_hub_name"]
    for name, fallback in (("site_hub_name", hub), ("site_hub_address", hub), ("site_public_url", f"https://{hub}/")):
        if "{{" in str(site[name]):
            site[name] = fallback
    hashes = secrets.get("vault_password_hashes") or {}
    site["site_accounts"] = [_with_hash(account, hashes) for account in site["site_accounts"]]
    place = None if inventory is None else str(inventory)
    return list(load_checks(collection).site_problems({**main, **secrets}, site, groups, hosts, place))


def image_of(collection: Path, course: Mapping[str, Any], profiles: Sequence[Mapping[str, Any]]) -> str:
    """Give the image in which servers of a course start unless somebody chooses another one."""
    return str(load_checks(collection).image_of(course, profiles))


def _with_hash(account: Mapping[str, Any], hashes: Mapping[str, Any]) -> dict[str, Any]:
    found = FROM_VAULT.fullmatch(str(account.get("password_hash", "")))
    return {**account, "password_hash": hashes.get(found["name"], "")} if found else dict(account)


def inspectors(collection: Path, aliases: Sequence[str] = ()) -> dict[str, Inspector]:
    """Give the checks of answers that need the files they name.

    Args:
        collection: Root of the collection.
        aliases: Further names of the web server, from the inventory.
    """

    def pair(certificate: str, key: str, hub_name: str) -> dict[str, list[str]]:
        checks = load_checks(collection)
        return _by_variable(
            checks, certificate, key, checks.certificate_problems(certificate, key, hub_name, aliases=aliases)
        )

    def certificate(value: Any, known: Answers) -> None:
        _require_readable(value)
        _require_certificate_alone(value)
        if "hub_name" not in known:
            return
        with _any_key() as any_key:
            problems = pair(value, any_key, known["hub_name"])[CERTIFICATE]
            whatever_the_name = pair(value, any_key, NO_NAME)[CERTIFICATE]
        if any(problem in whatever_the_name for problem in problems):
            raise ValueError(" ".join(problems))
        if problems:
            # The name of the hub may be the one that was mistyped.
            raise ContradictionError(" ".join(problems), "hub_name")

    def key(value: Any, known: Answers) -> None:
        _require_readable(value)
        if "tls_certificate" not in known or "hub_name" not in known:
            return
        problems = pair(known["tls_certificate"], value, known["hub_name"])[KEY]
        if problems and not _is_key(value):
            raise ValueError(" ".join(problems))
        if problems:
            raise ContradictionError(" ".join(problems), "tls_certificate")

    return {"tls_certificate": certificate, "tls_key": key}


def _by_variable(checks: ModuleType, certificate: str, key: str, found: Sequence[str]) -> dict[str, list[str]]:
    """Give what was found about a pair of files by variable, without its name, which the person never typed."""
    problems: dict[str, list[str]] = {}
    for variable, path in ((CERTIFICATE, certificate), (KEY, key)):
        beginning = checks.problem(variable, path, "\0", "").partition("\0")[0]
        problems[variable] = [text.removeprefix(beginning) for text in found if text.startswith(beginning)]
    return problems


@contextlib.contextmanager
def _any_key() -> Iterator[str]:
    """Give a key of no meaning: the collection checks pairs, and at the certificate there is no key yet."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 -- for certificates only
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat  # noqa: PLC0415

    text = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with tempfile.NamedTemporaryFile() as file:
        file.write(text)
        file.flush()
        yield file.name


def _is_key(path: str) -> bool:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        load_pem_private_key(Path(path).read_bytes(), password=None)
    except (ValueError, TypeError):
        return False
    return True


def _require_certificate_alone(path: str) -> None:
    """Refuse a private key among certificates: the file is published, and the web server reads what stands first."""
    kinds = PEM_BLOCK.findall(Path(path).read_bytes())
    if any(kind.endswith(b"PRIVATE KEY") for kind in kinds):
        raise wrong("certificate-key")
    if kinds and kinds[0] not in CERTIFICATE_BLOCKS:
        raise wrong("certificate-first")


def _require_readable(value: str) -> None:
    try:
        # Before it is opened: a pipe or a device would keep whoever reads it.
        if stat.S_ISREG(Path(value).stat().st_mode):
            with Path(value).open("rb"):
                return
    except (OSError, ValueError) as error:
        raise ValueError(f"{value}: {getattr(error, 'strerror', None) or error}") from error
    raise wrong("not-a-file", value=value)
