# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""One list of steps: the catalogue, site.yml, the step playbooks and their hosts say the same."""

from __future__ import annotations

import re

from tests.contract.checkout import ROOT, load
from tools.steps_page import PAGE, page

STEPS = load("playbooks/vars/steps.yml")["steps"]
PREFIX = "hpcampus.platform."


def test_site_imports_the_steps_in_the_order_of_the_catalogue():
    imported = [play["ansible.builtin.import_playbook"] for play in load("playbooks/site.yml")]
    assert imported == [f"{PREFIX}validate", *(step["playbook"] for step in STEPS)]


def test_every_step_has_its_playbook_and_every_playbook_its_step():
    files = sorted(path.stem for path in ROOT.glob("playbooks/steps/*.yml"))
    assert files == sorted(step["name"] for step in STEPS)
    assert all(step["playbook"] == f"{PREFIX}steps.{step['name']}" for step in STEPS)


def test_the_catalogue_names_the_hosts_that_a_step_touches():
    for step in STEPS:
        plays = load(f"playbooks/steps/{step['name']}.yml")
        patterns = {re.sub(r"\[.*?\]", "", word) for play in plays for word in play["hosts"].split(":")}
        patterns = {pattern for pattern in patterns if not pattern.startswith("!")}
        touched = patterns - {"localhost"}
        assert set(step["hosts"]) <= touched, step["name"]
        # A play may read facts of further hosts; it must not be the only one that changes them.
        for extra in touched - set(step["hosts"]):
            reads = [play for play in plays if extra in play["hosts"]]
            roles = {r["role"] if isinstance(r, dict) else r for play in reads for r in play.get("roles", [])}
            tasks_from = [
                task.get("ansible.builtin.import_role", {}).get("tasks_from")
                for play in reads
                for task in play.get("tasks", [])
            ]
            assert roles <= {f"{PREFIX}site"}, f"{step['name']}: {extra}"
            assert set(tasks_from) <= {"link_key"}, f"{step['name']}: {extra}"


def test_steps_are_described_in_sentences():
    for step in STEPS:
        assert set(step) == {"name", "title", "description", "playbook", "hosts"}
        assert re.fullmatch(r"[a-z_]+", step["name"])
        assert step["description"].endswith(".")


def test_step_playbooks_become_root_by_themselves():
    for step in STEPS:
        for play in load(f"playbooks/steps/{step['name']}.yml"):
            assert play["become"] is True, step["name"]
            assert play["name"]


def test_the_page_of_steps_follows_the_catalogue():
    assert PAGE.read_text(encoding="utf-8") == page({"steps": STEPS}), "run `make docs`"
