# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""One list of steps: the catalogue, site.yml, the step playbooks and their hosts say the same."""

from __future__ import annotations

import re

from tests.contract.checkout import ROOT, flat, load
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
            assert set(tasks_from) <= {"link_key", "account_ca"}, f"{step['name']}: {extra}"


def test_steps_are_described_in_sentences():
    for step in STEPS:
        assert set(step) == {"name", "title", "description", "playbook", "hosts", "needs"}
        assert re.fullmatch(r"[a-z_]+", step["name"])
        assert step["description"].endswith(".")


def test_a_step_needs_only_what_comes_before_it():
    names = [step["name"] for step in STEPS]
    for number, step in enumerate(STEPS):
        assert set(step["needs"]) <= set(names[:number]), step["name"]
        assert number == 0 or step["needs"], step["name"]


def test_step_playbooks_become_root_by_themselves_and_never_at_a_centre():
    for step in STEPS:
        for play in load(f"playbooks/steps/{step['name']}.yml"):
            assert play["become"] is ("centre_login" not in play["hosts"]), step["name"]
            assert play["name"]


def test_nothing_at_a_centre_needs_more_than_the_account():
    """Its login node may be older than what Ansible's modules run on: what is done there goes through one action."""
    on_controller = {"ansible.builtin.assert", "ansible.builtin.import_tasks", "ansible.builtin.meta"}
    found = []
    for path in [*(f"playbooks/steps/{step['name']}.yml" for step in STEPS), "playbooks/verify.yml"]:
        for play in load(path):
            if "centre_login" not in play["hosts"]:
                continue
            assert play["hosts"] == "centre_login"
            assert (play["become"], play["gather_facts"]) == (False, False)
            assert "roles" not in play
            for task in play["tasks"]:
                call = task.get("ansible.builtin.import_role")
                if call is None:
                    assert "ansible.builtin.raw" in task, task["name"]
                    continue
                role = call["name"].removeprefix(PREFIX)
                found.append((role, call["tasks_from"]))
    assert {("gateway", "plain"), ("courses", "plain"), ("site", "variables")} == set(found)
    for role, entry in found:
        names = [entry, "preflight"] if entry == "plain" else [entry]
        for task in flat([task for name in names for task in load(f"roles/{role}/tasks/{name}.yml")]):
            modules = {key for key in task if "." in key}
            assert modules <= {f"{PREFIX}account_files", *on_controller}, task["name"]
            assert not {"become", "become_user", "delegate_to"} & set(task)


def test_the_page_of_steps_follows_the_catalogue():
    assert PAGE.read_text(encoding="utf-8") == page({"steps": STEPS}), "run `make docs`"
