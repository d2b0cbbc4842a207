# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The page for a centre: whole pages as they are printed, one page long, and saying nothing that the documentation does not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hpcampus import cli
from hpcampus.defaults import role_defaults
from hpcampus.errors import UsageProblemError
from hpcampus.request import (
    FIRST_PORT,
    LAST_PORT,
    WAYS,
    Facts,
    as_markdown,
    as_text,
    facts_of,
    facts_of_answers,
    sections,
)
from hpcampus.texts import t
from tests.unit.wizard.conftest import CENTRE, ROOT

GOLDEN = Path(__file__).with_name("golden")
KNOWN = Facts(
    hub_name="jupyter.example.org", hub_id="campus", hub_address="192.0.2.10", login="login.hpc.example.net", account="p123hub",
    base_dir="/project/p123/hpcampus", partitions=("interactive", "gpu"), module="apptainer/1.4", max_servers=40, key_from=("192.0.2.10",),
)  # fmt: skip
UNKNOWN = Facts("jupyter.example.org", "hub", "jupyter.example.org")
CONTACT = "Ada Example, hub@example.org"
DOCS = {
    name: " ".join((ROOT / f"docs/{name}.md").read_text().split()) for name in ("profile-remote-centre", "data-paths")
}


def page(facts: Facts, write: Any = as_text, contact: str = CONTACT) -> str:
    return str(write(t("request.title", hub=facts.hub_name), sections(facts, contact)))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("request-unknown.txt", lambda: page(UNKNOWN, contact="")),
        ("request-known.txt", lambda: page(KNOWN)),
        ("request-reverse.txt", lambda: page(Facts(**{**vars(KNOWN), "data_path": "reverse"}))),
        ("request-relay.md", lambda: page(Facts(**{**vars(KNOWN), "data_path": "relay"}), as_markdown)),
    ],
)
def test_golden_pages(name: str, text: Any) -> None:
    _licence, _, wanted = (GOLDEN / name).read_text().partition("\n\n")
    assert text() == wanted


word = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
facts = st.builds(
    Facts,
    hub_name=st.lists(word, min_size=2, max_size=3).map(".".join),
    hub_id=word,
    hub_address=word,
    hub_port=st.integers(1, 65535),
    login=word,
    port=st.integers(1, 65535),
    account=word,
    base_dir=st.lists(word, min_size=2, max_size=4).map(lambda parts: "/" + "/".join(parts)),
    partitions=st.lists(word, max_size=3).map(tuple),
    data_path=st.sampled_from([*WAYS, "auto"]),
    apptainer=st.sampled_from(["apptainer", "singularity", "/opt/apptainer/bin/apptainer"]),
    module=st.sampled_from(["", "apptainer/1.4"]),
    max_servers=st.integers(0, 999),
    key_from=st.lists(st.just("2001:db8::10"), max_size=2).map(tuple),
)


@settings(max_examples=200, deadline=None)
@given(facts=facts, contact=st.text("abc @.", max_size=80))
def test_it_is_one_page(facts: Facts, contact: str) -> None:
    lines = page(facts, contact=contact).splitlines()
    assert len(lines) <= 60
    assert all(line.isascii() for line in lines)
    # A name without a place to break it may stand out; the table of connections has long names beside each other.
    assert all(len(line) <= 80 or max(map(len, line.split())) > 40 or "->" in line for line in lines)
    assert "{" not in page(facts, as_markdown, contact)


@pytest.mark.parametrize("way", WAYS)
def test_connections_are_those_of_the_documentation(way: str) -> None:
    """Ports of each way, row by row of the table in the documentation."""
    text = (ROOT / "docs/profile-remote-centre.md").read_text()
    row = next(line for line in text.splitlines() if line.startswith(f"| `{way}` |"))
    _, _, source, target, port, program, _ = [cell.strip() for cell in row.split("|")]
    parts = sections(Facts(**{**vars(KNOWN), "data_path": way}), CONTACT)
    (shown,) = [part for part in parts if part.connections]
    more = shown.connections[2:]
    assert f"program {program.strip('`')}" in shown.after
    if way == "relay":
        assert more == ()
        assert "srun" in port
        assert "srun" in shown.after
        return
    (connection,) = more
    assert source.startswith(connection.source)
    assert connection.target.startswith(target)
    assert port.startswith(connection.port)
    assert ("resolves" in source) == ("resolve" in shown.after)


def test_every_way_is_there_when_the_centre_is_to_choose() -> None:
    (shown,) = [part for part in sections(UNKNOWN, "") if part.connections]
    assert [row.purpose for row in shown.connections[2:]] == [f"notebooks ({way})" for way in WAYS if way != "relay"]
    assert "relay" in shown.after
    order = re.search(r"The first of ([a-z, ]+) that works is taken", DOCS["data-paths"])
    assert order is not None
    assert order[1].split(", ") == list(WAYS)


def test_the_ports_are_those_of_the_role() -> None:
    tunnel = role_defaults(ROOT)["jupyterhub_tunnel"]
    spec = yaml.safe_load((ROOT / "roles/jupyterhub/meta/argument_specs.yml").read_text())
    limits = spec["argument_specs"]["main"]["options"]["jupyterhub_tunnel"]["options"]
    assert (limits["port_min"]["default"], limits["port_max"]["default"]) == (FIRST_PORT, LAST_PORT)
    assert isinstance(tunnel, dict)


CLAIMS = [
    (
        "restrict,command=",
        'begins with `restrict,command="..."`: no terminal, no forwarding, no agent, no file transfer',
    ),
    ("jobs named jupyter", "Ordinary Slurm jobs named `jupyter`"),
    ("hpcampus:campus:USER:SERVER:ID", "hpcampus:HUB:USER:SERVER:ID"),
    ("Python 3.6 or newer", "Python 3.6 or newer on login and compute nodes"),
    ("Slurm 22.05 or newer", "Slurm 22.05 or newer"),
    ("1 GB for each version of an image", "1 GB for each version of an image"),
    ("ends with hpcampus:campus", "one line that ends with `hpcampus:` and the hub's short name"),
    ("scancel --user p123hub --name jupyter", "scancel --user ACCOUNT --name jupyter"),
    ("~/.apptainer", "Apptainer keeps a little of its own in `~/.apptainer`"),
    ("below /tmp of a node a directory that goes with its job", "one directory below `/tmp`, which goes with it"),
    ("No root, no sudo, no package", "no root, no sudo, no package, nothing outside its home and one directory"),
    ("breaks out of a container has that account's rights", "breaks out of a container has what the account has"),
    (
        "an sshd under the account that lets in the hub's key alone",
        "an sshd under the account, which lets in the hub's key alone",
    ),
    ("No port of yours has to be open to the world", "No port of the centre has to be open to the world"),
    ("told by you and not read off the network", "told by the centre and not read off the network"),
]


@pytest.mark.parametrize(("claim", "documented"), CLAIMS)
def test_claims_are_those_of_the_documentation(claim: str, documented: str) -> None:
    assert claim in " ".join(page(KNOWN).split())
    assert documented in DOCS["profile-remote-centre"]


def main(**changes: Any) -> dict[str, Any]:
    record = {"name": "phys", "login": "login", "base_dir": "/p/a", "partitions": ["gpu"], "host_key": "x"}
    return {**role_defaults(ROOT), "site_hub_name": "hub.example.org", "site_centres": [record], **changes}


def test_facts_from_an_inventory() -> None:
    found = facts_of(main(), {"login": {"ansible_user": "p1"}}, None)
    assert (found.account, found.base_dir, found.partitions, found.hub_address) == (
        "p1",
        "/p/a",
        ("gpu",),
        "hub.example.org",
    )
    moved = main(
        jupyterhub_tunnel={"port_min": 30000, "port_max": 30999}, site_hub_address="192.0.2.1", site_hub_ssh_port=2222
    )
    found = facts_of(moved, {}, "phys")
    assert (found.ports, found.hub_address, found.hub_port, found.account) == ((30000, 30999), "192.0.2.1", 2222, "")


@pytest.mark.parametrize(
    ("changes", "name", "says"),
    [
        ({"site_centres": []}, None, "no centre"),
        ({}, "chem", "no cluster 'chem'"),
        ({"site_centres": [{"name": "a"}, {"name": "b"}]}, None, "several"),
    ],
)
def test_which_centre(changes: Any, name: Any, says: str) -> None:
    with pytest.raises(UsageProblemError, match=says):
        facts_of(main(**changes), {}, name)


def test_facts_from_answers() -> None:
    defaults = role_defaults(ROOT)
    found = facts_of_answers(CENTRE, defaults)
    assert (found.login, found.account, found.partitions) == (
        CENTRE["centre_login"], CENTRE["centre_account"], (CENTRE["centre_partition"],),
    )  # fmt: skip
    assert facts_of_answers({"profile": "remote-centre", "hub_name": "h.example.org"}, defaults).login == ""
    for answers in ({"profile": "single", "hub_name": "h"}, {"profile": "remote-centre"}, {}):
        with pytest.raises(UsageProblemError):
            facts_of_answers(answers, defaults)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["physics", "-i", str(ROOT / "inventories/remote-centre")], 0, "p123hub"),
        (["state", "-i", str(ROOT / "inventories/remote-centre"), "--format", "markdown"], 0, "# Notebooks of"),
        (["-i", str(ROOT / "inventories/remote-centre")], 2, "physics, state"),
        (["-i", str(ROOT / "inventories/own-cluster")], 2, "There is no centre to ask"),
        (["--answers", "answers.yml", "--contact", "Ada"], 0, "Ada"),
        (["--answers", "wrong.yml"], 4, "hub_name"),
        (["--answers", "nowhere.yml"], 4, "nowhere.yml"),
        ([], 3, "hpcampus setup"),
    ],
)
def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: Any, code: int, says: str) -> None:
    (tmp_path / "answers.yml").write_text("profile: remote-centre\nhub_name: jupyter.example.org\n")
    (tmp_path / "wrong.yml").write_text("profile: remote-centre\nhub_name: a b\n")
    assert cli.run(["request", *arguments]) == code
    shown = capsys.readouterr()
    assert says in shown.out + shown.err
    assert "Traceback" not in shown.err
