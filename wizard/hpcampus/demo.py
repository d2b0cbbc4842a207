# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The demo: the whole platform in containers on this machine, by the same steps as everywhere."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ruamel.yaml.comments import CommentedMap

from hpcampus import lab
from hpcampus.course_files import course_records
from hpcampus.errors import LabError
from hpcampus.files import PUBLIC_FILE, make_private_directory, write_atomically
from hpcampus.inventory_files import Documents, read_documents, update, variables, write_documents
from hpcampus.lab.places import cache_dir
from hpcampus.passwords import generate_password, hash_password
from hpcampus.places import Site, site_at, state_home
from hpcampus.vault import ensure_key

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

LAB_NAME = "demo"
HTTPS_PORT = 8443
URL = f"https://localhost:{HTTPS_PORT}/"
VERIFY_USER = "verify"
HOSTS = (
    lab.Host(name="campus", groups=("hub",), publish=(lab.Publish(port=443, on=HTTPS_PORT),)),
    lab.Host(name="login", image="debian-13-cluster", shared=True, groups=("slurm_controller", "slurm_login")),
    lab.Host(name="c1", image="debian-13-cluster", shared=True, groups=("slurm_compute",)),
    lab.Host(name="c2", image="debian-13-cluster", shared=True, groups=("slurm_compute",)),
)


class Containers(Protocol):
    """What the demo needs to know of a lab that is up."""

    def inventory_hosts(self) -> dict[str, dict[str, str]]:
        """Give the connection variables of every host."""

    def exec(self, host: str, argv: Sequence[str], /) -> subprocess.CompletedProcess[str]:
        """Run a command in a host."""


@dataclass(frozen=True)
class Account:
    """An account of the demo."""

    name: str
    password: str
    role: str


def demo_site() -> Site:
    """Describe the site of the demo; its inventory lies in the state directory."""
    return site_at(state_home() / "demo" / "inventory")


def make_lab() -> lab.Lab:
    """Describe the containers."""
    return lab.Lab(LAB_NAME, HOSTS)


def up(progress: Callable[[str], None]) -> lab.Lab:
    """Make the containers that are missing and start those that are stopped.

    Raises:
        LabError: They cannot be made.
    """
    with translated():
        containers = make_lab()
        containers.up(progress)
    return containers


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Give errors of the lab the shape and the exit code of the wizard's own."""
    try:
        yield
    except lab.LabError as error:
        problem = f"{error.what}\n{error.detail.strip()}".strip()
        raise LabError("lab-failed", problem=problem, cure=error.cure) from error


def write_inventory(site: Site, containers: Containers, example: Path) -> tuple[Account, ...]:
    """Write the inventory of the demo: the worked example, the containers' addresses, and passwords of its own.

    It is made anew at every start, so that it follows the example; only the vault is kept, and with it the passwords.

    Args:
        site: The site of the demo.
        containers: The lab, running.
        example: Directory of the worked example.

    Returns:
        The accounts that a person may use.
    """
    make_private_directory(site.inventory)
    for source in sorted(path for path in example.rglob("*") if path.is_file()):
        target = site.inventory / source.relative_to(example)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, source.read_bytes(), PUBLIC_FILE)
    key = ensure_key(site, None)
    documents = read_documents(site, key)
    _add_connections(documents.hosts, containers)
    update(documents.main, lab.site_settings())
    accounts = _ensure_accounts(documents, people(variables(site, documents, secret=False)))
    write_documents(site, documents, key, backup=False)
    return accounts


def _add_connections(hosts: CommentedMap, containers: Containers) -> None:
    known = containers.inventory_hosts()
    top = hosts.setdefault("all", CommentedMap())
    listed = CommentedMap()
    for name, connection in known.items():
        listed[name] = {**connection, **lab.role_settings()}
    top["hosts"] = listed


def _ensure_accounts(documents: Documents, roles: Mapping[str, str]) -> tuple[Account, ...]:
    passwords = documents.secrets.setdefault("vault_demo_passwords", CommentedMap())
    hashes = documents.secrets.setdefault("vault_password_hashes", CommentedMap())
    for name in [*roles, VERIFY_USER]:
        if name not in passwords or name not in hashes:
            passwords[name] = generate_password()
            hashes[name] = hash_password(passwords[name])
    update(documents.secrets, {"site_verify_password": passwords[VERIFY_USER]})
    update(documents.main, {"site_accounts": account_records([*roles, VERIFY_USER])})
    return tuple(Account(name, str(passwords[name]), role) for name, role in roles.items())


def account_records(names: list[str]) -> list[dict[str, str]]:
    """Give `site_accounts`: the names in the clear, the hashes from the vault."""
    return [{"name": name, "password_hash": f"{{{{ vault_password_hashes['{name}'] }}}}"} for name in names]


def people(main: Mapping[str, Any]) -> dict[str, str]:
    """Give the people that the demo's variables name, each with its role as a key of the texts and its course."""
    roles: dict[str, str] = {}
    admins = main.get("site_admins")
    for name in admins if isinstance(admins, list) else []:
        roles[str(name)] = "admin"
    for course in course_records(main):
        for field, role in (("instructors", "instructor"), ("graders", "grader"), ("students", "student")):
            for name in course.get(field, []):
                roles.setdefault(str(name), f"{role} {course['slug']}")
    return roles


def identity(containers: Containers) -> str:
    """Give a text that changes when a container was made anew: systemd makes the machine id at the first boot."""
    return "\n".join(containers.exec(host.name, ["cat", "/etc/machine-id"]).stdout for host in HOSTS)


def down(progress: Callable[[str], None]) -> Path:
    """Remove the containers and what the wizard remembers of them.

    Returns:
        The directory that was kept: images and packages for the next time.

    Raises:
        LabError: They cannot be removed.
    """
    site = demo_site()
    with site.state.lock(), translated():
        make_lab().down(progress)
        site.default_vault_key.unlink(missing_ok=True)
        shutil.rmtree(site.inventory.parent, ignore_errors=True)
        shutil.rmtree(site.state.path, ignore_errors=True)
    return cache_dir()


def shell(host: str, *, terminal: bool) -> int:
    """Open a root shell in a container and give its exit status.

    Raises:
        LabError: There is no such container.
    """
    if host not in [known.name for known in HOSTS]:
        raise LabError("demo-unknown-host", host=host, hosts=", ".join(known.name for known in HOSTS))
    with translated():
        containers = make_lab()
        if not any(status.name == host and status.state == "running" for status in containers.status()):
            raise LabError("demo-not-up", host=host)
        return containers.attach(host, ["bash", "--login"], terminal=terminal)
