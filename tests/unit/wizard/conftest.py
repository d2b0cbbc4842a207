# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the wizard's tests share: private homes, a small collection that runs on this machine, answers that are right."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from hpcampus import passwords
from hpcampus.places import Site, site_at
from hpcampus.questions import load_questions

ROOT = Path(__file__).parents[3]
QUESTIONS = load_questions(ROOT)
CANARY = "kanarienvogel-7Gx2"

ANSWERS = {
    "profile": "own-cluster",
    "hub_name": "jupyter.example.org",
    "hub_connection": "ssh",
    "controller": "ctl",
    "login": "login",
    "compute": ["c1", "c2"],
    "shared_dir": "/shared/hpcampus",
    "ssh_user": "admin",
    "apptainer": "present",
    "partition": "jupyter",
    "image": "notebook",
    "tls": "selfsigned",
    "admin_name": "admin",
    "course_slug": "physics101",
    "course_title": "Physics 101",
    "course_instructor": "mcurie",
}

CENTRE = {
    key: value
    for key, value in ANSWERS.items()
    if key not in {"controller", "login", "compute", "shared_dir", "partition"}
} | {
    "profile": "remote-centre",
    "centre_login": "login.hpc.example.net",
    "centre_account": "p123hub",
    "centre_name": "physics",
    "centre_host_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43,
    "centre_base_dir": "/project/p123/hpcampus",
    "centre_partition": "interactive",
    "centre_apptainer": "apptainer",
    "centre_module": "",
    "centre_python": "/usr/bin/python3",
    "centre_slurm_dir": "",
    "centre_data_path": "auto",
    "centre_max_servers": 0,
}
SINGLE = {
    key: value for key, value in ANSWERS.items() if key not in {"controller", "login", "compute", "shared_dir"}
} | {"profile": "single"}

PLAY = """\
- name: {name}
  hosts: all
  gather_facts: false
  tasks:
{tasks}
"""
MARK = """\
    - name: Leave a mark
      ansible.builtin.lineinfile:
        path: "{{ mark }}"
        line: {name}
        create: true
        mode: "0600"
"""
STEPS = """\
steps:
  - {name: one, title: First, playbook: hpcampus.platform.steps.one, hosts: [all], description: Leaves a mark.}
  - {name: two, title: Second, playbook: hpcampus.platform.steps.two, hosts: [all], description: Leaves another.}
  - {name: three, title: Third, playbook: hpcampus.platform.steps.three, hosts: [all], description: And one more.}
"""


@pytest.fixture(autouse=True)
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the tests out of the user's own files."""
    for variable in ("STATE", "CONFIG", "CACHE"):
        monkeypatch.setenv(f"XDG_{variable}_HOME", str(tmp_path / variable.lower()))
    for variable in ("ANSIBLE_VAULT_PASSWORD_FILE", "ANSIBLE_CONFIG", "ANSIBLE_COLLECTIONS_PATH", "HPCAMPUS_INVENTORY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(passwords, "BCRYPT_ROUNDS", 4)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site whose inventory does not exist yet."""
    return site_at(tmp_path / "site")


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """A collection with the shape of ours, whose steps touch one file of this machine."""
    root = tmp_path / "collection"
    (root / "playbooks/vars").mkdir(parents=True)
    (root / "playbooks/steps").mkdir()
    (root / "playbooks/vars/steps.yml").write_text(STEPS)
    write_play(
        root, "validate", "    - name: Look at the inventory\n      ansible.builtin.assert: {that: mark is defined}\n"
    )
    for name in ("one", "two", "three"):
        write_step(root, name)
    return root


def write_play(root: Path, name: str, tasks: str) -> None:
    """Write a playbook of the small collection."""
    (root / f"playbooks/{name}.yml").write_text(PLAY.format(name=name, tasks=tasks))


def write_step(root: Path, name: str, before: str = "") -> None:
    """Write a step that leaves a mark, after the tasks in `before`."""
    write_play(root, f"steps/{name}", before + MARK.replace("{name}", name))


@pytest.fixture
def local_site(site: Site) -> Site:
    """A site with an inventory of this machine only."""
    site.main_file.parent.mkdir(parents=True)
    python = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    site.hosts_file.write_text(f"all:\n  hosts:\n    here: {python}\n")
    site.main_file.write_text(f"mark: {site.inventory.parent / 'marks'}\n")
    return site


def write_certificate(
    directory: Path, name: str, host: str = "jupyter.example.org", days: int = 9
) -> tuple[Path, Path]:
    """Write NAME.pem and NAME.key, a certificate for `host` that is good for so many days from now, and its key."""
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    private = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(called, called, private.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=99))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate, key


def marks(site: Site) -> list[str]:
    """Give the marks that steps left, in order."""
    path = site.inventory.parent / "marks"
    return path.read_text().split() if path.exists() else []


@pytest.fixture
def command(collection: Path, tmp_path: Path) -> list[str]:
    """The command line of hpcampus with the small collection in place of ours, for processes of their own."""
    program = tmp_path / "with_collection.py"
    program.write_text(
        "import pathlib, sys\n"
        f"sys.path.insert(0, {str(ROOT / 'wizard')!r})\n"
        "from hpcampus import places\n"
        f"places.find_collection = lambda: pathlib.Path({str(collection)!r})\n"
        "from hpcampus.cli import main\n"
        "main()\n"
    )
    return [sys.executable, str(program)]
