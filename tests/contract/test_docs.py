# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The pages keep their word: undo.md names all that a role writes on a host, troubleshooting.md uses the program's own words."""

from __future__ import annotations

import functools
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from hpcampus_hub.doctor.catalogue import Patient, legs_of, names, visits_of
from hpcampus_hub.doctor.host import Look
from hpcampus_hub.doctor.notebook import Notebook
from hpcampus_hub.doctor.site import Hub
from hpcampus_hub.doctor.words import CASES
from tests.contract.checkout import ROLES, ROOT, load, options, tasks_of, text, tracked
from tests.unit.hub.sites import cluster, site

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

UNDO = (ROOT / "docs/undo.md").read_text(encoding="utf-8")
PLACES = r"/(?:etc|opt|srv|usr/local|var/cache|var/lib|var/tmp)"
PATH = re.compile(rf"(?<![\w.*/~}}-]){PLACES}(?:/[\w.*@+-]+)*/?")
# A directory covers what lies below it only when nobody else has anything in it.
OWN = re.compile(r"hpcampus|jupyterhub|slurm|munge")
# What the roles name and undo.md need not, each with the reason.
NOT_OURS = {
    "/etc": "every host has it",
    "/etc/apache2": "Debian's; the links below it are switched by a2dissite and a2disconf",
    "/etc/apache2/sites-available/000-default.conf": "Debian's, only read; a2ensite brings it back",
    "/etc/pip.conf": "only read",
    "/etc/ssh/sshd_config.d": "Debian's directory, named in messages",
    "/etc/sysctl.d": "named in a message that tells the admin what to do",
    "/etc/ssl/certs": "Debian's; update-ca-certificates removes its links to our certificates",
    "/etc/ssl/certs/ca-certificates.crt": "only read; update-ca-certificates writes it",
    "/usr/local/libexec": "an empty directory that other software may use by then",
    "/var/tmp": "every host has it",
    "/var/lib/*": "the home of an account in words only; systemd-sysusers makes no home",
}
# Their paths are those inside of an image.
INSIDE = {"image.def.j2", "apt.conf.j2", "pip.conf.j2", "build-args.j2", "sources.list.j2"}
ACCOUNT_KEY = re.compile(r"_(?:user|account|group|signer|principals)$")
# Accounts that verifications use and nobody makes.
NOT_MADE = {
    "hpcampus-students": "the site's own group",
    "nobody": "Debian's",
    "verify": "a name on the hub, no Unix account",
}


def plain(source: str) -> str:
    """Return text whose template expressions are stars: what is known of a path stays."""
    source = re.sub(r"\{#.*?#\}", "", source, flags=re.DOTALL)
    # A path inside of an expression counts as well.
    inner = "\n".join(match[1] for match in re.finditer(r"\{[{%](.*?)[%}]\}", source, re.DOTALL))
    source = re.sub(r"\{%.*?%\}", " ", source, flags=re.DOTALL)
    return re.sub(r"\{\{.*?\}\}", "*", source, flags=re.DOTALL) + "\n" + inner


def paths_in(source: str) -> set[str]:
    """Return the absolute paths that a text names; a name that goes on in an expression ends with a star."""
    found = set()
    for line in plain(source).splitlines():
        if line.lstrip().startswith("#"):
            continue
        for match in PATH.finditer(line):
            path = match[0].rstrip("/.")
            goes_on = line[match.end() :].lstrip()[:3] in ("' ~", '" ~') and not match[0].endswith("/")
            found.add(path + "*" if goes_on else path)
    return found


@functools.cache
def written() -> dict[str, str]:
    """Return what the roles name on a host, each with the file that names it."""
    found: dict[str, str] = {}
    for name in tracked():
        match = re.fullmatch(r"roles/[a-z]+/(?:defaults|vars|tasks|handlers|templates|files/host)/.+", name)
        if (
            match
            and (content := text(name)) is not None
            and "/check" not in name
            and name.rsplit("/", 1)[1] not in INSIDE
        ):
            for path in paths_in(content):
                found.setdefault(path, name)
        mirror = re.fullmatch(r"roles/[a-z]+/(?:templates|files)(/(?:etc|usr/local)/.+?)(?:\.j2)?", name)
        if mirror:
            found.setdefault(mirror[1], name)
    return found


def named() -> set[str]:
    """Return the paths that undo.md names in code."""
    return {path for code in re.findall(r"```.*?```|`[^`\n]+`", UNDO, re.DOTALL) for path in paths_in(code)}


def unnamed(paths: Iterable[str], page: set[str]) -> list[str]:
    """Return the paths that are neither on the page nor below a directory of ours that is."""
    return sorted(path for path in paths if not any(covers(place, path) for place in page))


def covers(place: str, path: str) -> bool:
    """Say whether a place on the page is this path, or a directory of ours around it."""
    if fnmatchcase(path, place) or ("*" not in path.split("/") and fnmatchcase(place, path)):
        return True
    return bool(OWN.search(place.rsplit("/", 1)[1])) and fnmatchcase(path, place + "/*")


def test_undo_names_every_path_that_a_role_writes():
    found = unnamed(set(written()) - set(NOT_OURS), named())
    assert {path: written()[path] for path in found} == {}


def test_exceptions_are_still_needed():
    assert set(NOT_OURS) - set(written()) == set()
    assert {path for path in NOT_OURS if not unnamed([path], named())} == set()


@pytest.mark.parametrize(
    "known",
    [
        "/etc/hpcampus/gateway.json",
        "/etc/jupyterhub/conf.d/50-courses.py",
        "/etc/slurm/gres.conf",
        "/etc/ssh/hpcampus_tunnel_ca.pub",
        "/etc/ssh/sshd_config.d/50-hpcampus-gateway.conf",
        "/etc/ssl/private/hpcampus-*.key",
        "/etc/subgid",
        "/etc/systemd/system/apache2.service.d/hpcampus.conf",
        "/etc/systemd/system/hpcampus-tunnel-revoke.service",
        "/etc/tmpfiles.d/hpcampus-tunnel.conf",
        "/opt/hpcampus/jupyterhub/current",
        "/srv/hpcampus",
        "/usr/local/libexec/hpcampus/tunnel-principals",
        "/usr/local/sbin/hpcampus-hub-check",
        "/usr/local/share/ca-certificates/hpcampus-*",
        "/var/cache/hpcampus/*",
        "/var/tmp/hpcampus-images",
    ],
)
def test_the_search_sees_what_the_roles_write(known: str):
    assert known in written()


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        ("dest: /etc/cron.d/hpcampus", ["/etc/cron.d/hpcampus"]),
        ("path: /etc/ssh/sshd_config.d/60-other.conf", ["/etc/ssh/sshd_config.d/60-other.conf"]),
        ("{{ x ~ '/usr/local/bin/hpcampus-' ~ name }}", ["/usr/local/bin/hpcampus-*"]),
        (
            "- {path: /etc/systemd/system/apache2.service.d/more.conf}",
            ["/etc/systemd/system/apache2.service.d/more.conf"],
        ),
        ("path: /opt/hpcampus/{{ anything }}/bin", []),
        ("path: /etc/ssl/certs/hpcampus-{{ kind }}.pem", []),
        ("# as in /etc/somewhere", []),
    ],
)
def test_a_path_that_is_missing_would_be_found(source: str, missing: list[str]):
    assert unnamed(paths_in(source), named()) == missing


def accounts(role: str) -> set[str]:
    """Return the names of accounts and groups in a role's variables."""
    found: set[str] = set()
    for kind in ("defaults", "vars"):
        path = ROOT / "roles" / role / kind / "main.yml"
        data = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
        for key, value in data.items():
            if ACCOUNT_KEY.search(key) and isinstance(value, str):
                found.add(value)
            elif key.endswith(("_users", "_groups")) and isinstance(value, list):
                found |= {str(one["name"]) if isinstance(one, dict) else str(one) for one in value}
    return {name for name in found if name and "{{" not in name} - set(NOT_MADE)


def makes_accounts(role: str) -> bool:
    """Say whether a task of the role makes an account or a group."""
    makers = {"ansible.builtin.user", "ansible.builtin.group"}
    return any(
        makers & set(task) or "systemd-sysusers" in str(task.get("ansible.builtin.command", ""))
        for tasks in tasks_of(role).values()
        for task in tasks
    )


def removed() -> set[str]:
    """Return the accounts and groups that undo.md removes."""
    return set(re.findall(r"^(?:userdel|groupdel) ([a-z-]+)$", UNDO, re.MULTILINE))


def test_undo_removes_every_account():
    made = {role: accounts(role) for role in ROLES if makes_accounts(role)}
    assert set(made) >= {"gateway", "jupyterhub", "tunnel"}
    assert all(made.values()), made
    everything = set().union(*made.values())
    assert everything >= {"hpcampus", "hpcampus-link", "hpcampus-principals", "hpcampus-signer", "jupyterhub", "tunnel"}
    assert everything - removed() == set()
    assert removed() - everything == set()


def test_undo_stops_every_unit():
    units = {path.name.removesuffix(".j2") for path in ROOT.glob("roles/*/templates/etc/systemd/system/*.j2")}
    stopped = set(
        re.findall(
            r"\S+\.(?:service|socket|timer)\b",
            "\n".join(re.findall(r"^systemctl disable --now .*", UNDO, re.MULTILINE)),
        )
    )
    assert units == stopped


def test_data_is_deleted_in_the_last_section_only():
    before, after = UNDO.split("## Delete that too")
    for place in (
        "/var/lib/jupyterhub",
        "/etc/jupyterhub",
        "/etc/hpcampus",
        "/srv/hpcampus",
        "/etc/munge",
        "/var/lib/slurm",
    ):
        assert place in before
        assert re.search(rf"^rm -rf .*(?<!\S){place}(?!\S)", before, re.MULTILINE) is None
        assert re.search(rf"^rm -rf .*(?<!\S){place}(?!\S)", after, re.MULTILINE)
    for kept in ("accounts.json", "/etc/jupyterhub/secrets", "tunnel-ca", "munge.key", "local.d"):
        assert not [line for line in before.splitlines() if line.startswith("rm ") and kept in line]


def links() -> Iterator[tuple[str, str]]:
    """Yield every relative link of the pages, as page and target."""
    for name in tracked():
        if name.endswith(".md"):
            for target in re.findall(r"\]\(([^)#\s]+)", text(name) or ""):
                if "://" not in target:
                    yield name, target


def test_links_lead_somewhere():
    found = list(links())
    assert len(found) > 10
    assert [(page, target) for page, target in found if not (ROOT / Path(page).parent / target).exists()] == []


def test_every_page_is_reached_from_the_readme():
    reached, todo = set(), ["README.md"]
    while todo:
        page = todo.pop()
        reached.add(page)
        for name, target in links():
            path = (ROOT / Path(name).parent / target).resolve()
            if name == page and path.is_relative_to(ROOT) and (found := str(path.relative_to(ROOT))) not in reached:
                todo.append(found)
    assert {str(path.relative_to(ROOT)) for path in ROOT.glob("docs/*.md")} - reached == set()


def program_words() -> str:
    """Return the texts that people see, with every space as one and every value left out."""
    names = [
        name for name in tracked() if re.match(r"(roles/(courses|gateway|jupyterhub)/files/|wizard/).*\.py$", name)
    ]
    names += [
        "roles/apache/templates/etc/apache2/sites-available/hpcampus.conf.j2",
        "roles/images/tasks/make.yml",
        "roles/images/tasks/tests.yml",
    ]
    return squeezed(re.sub(r'"\s*\n\s*f?"', "", "\n".join(text(name) or "" for name in names)))


def squeezed(words: str) -> str:
    """Return words with single spaces and without the values between braces."""
    return re.sub(r"\s+", " ", re.sub(r"\{[^{}\n]*\}", "~", words))


def quoted() -> Iterator[str]:
    """Yield what troubleshooting.md quotes from the program, piece by piece between the values in capitals."""
    page = re.sub(r"`[^`\n]+`", "", text("docs/troubleshooting.md") or "")
    for quote in re.findall(r"\"([^\"\n]+)\"", page):
        yield from (part for part in re.split(r"\b(?:ANSIBLE_\w+|[A-Z]{3,})\b|…", quote) if len(part.strip(" ,.:")) > 3)


def test_troubleshooting_quotes_the_program():
    words, pieces = program_words(), list(quoted())
    assert len(pieces) > 25
    assert [piece for piece in pieces if squeezed(piece).strip() not in words] == []
    assert "job ended before the server answered" not in words, "a wrong quotation would be found"


def legs_on_the_page() -> list[str]:
    """Return the legs of the doctor in the order of the page."""
    section = (text("docs/troubleshooting.md") or "").partition("## The legs of the doctor")[2]
    return re.findall(r"^\| [^|]+ \| `([a-z-]+)` \| [^|]+ \|$", section, re.MULTILINE)


def doctor_legs() -> list[str]:
    """Return the legs of the doctor in their order, for a site with a cluster on every kind of data path."""
    clusters = [cluster(data_path="auto")]
    hub = Hub(site(clusters=clusters), "https://hub.example.org/", 8000, 8081, "")
    return names(legs_of(Patient(hub, Look(), visits_of(hub), Notebook("", None))))


def test_troubleshooting_names_every_leg_of_the_doctor_in_its_order():
    assert legs_on_the_page() == doctor_legs()
    assert len(doctor_legs()) > 30


def test_every_case_of_the_doctor_belongs_to_a_leg():
    assert {case.split(".")[0] for case in CASES} - {"walk"} == set(doctor_legs())


def test_cures_name_variables_steps_and_units_that_exist():
    words = "\n".join(" ".join(case[1:]) for case in CASES.values())
    known = {name for role in ROLES for name in options(role)}
    named = set(re.findall(r"\b(?:site|apache|tunnel|jupyterhub|gateway)_[a-z_]+\b", words))
    assert len(named) > 10
    assert named - known == set()
    steps = {step["name"] for step in load("playbooks/vars/steps.yml")["steps"]}
    asked = set(re.findall(r"hpcampus apply --(?:step|from) ([a-z]+)", words))
    assert asked
    assert asked - steps == set()
