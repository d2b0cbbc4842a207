# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A role's argument_specs are the only source of its variables; defaults, README and callers follow from them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from hpcampus.lab import recipes
from tests.contract.checkout import ROLES, ROOT, flat, load, options, specs, tasks_of
from tools.role_readme import render

if TYPE_CHECKING:
    from pathlib import Path

CALLS = ("ansible.builtin.import_role", "ansible.builtin.include_role")
EVERY_ROLE = pytest.mark.parametrize("role", ROLES)


def test_all_roles_are_seen():
    assert {"apache", "apptainer", "base", "courses", "gateway", "images", "jupyterhub", "slurm", "tunnel"} <= set(
        ROLES
    )


@EVERY_ROLE
def test_every_variable_has_a_default_and_every_default_is_a_variable(role: str):
    defaults = load(f"roles/{role}/defaults/main.yml") or {}
    wanted = {name for name, option in options(role).items() if not option.get("required")}
    assert set(defaults) == wanted


@EVERY_ROLE
def test_defaults_are_those_of_the_specs(role: str):
    defaults = load(f"roles/{role}/defaults/main.yml") or {}
    for entry, spec in specs(role).items():
        for name, option in (spec.get("options") or {}).items():
            if not option.get("required"):
                assert "default" in option, f"{entry}: {name} has no default"
                assert defaults[name] == option["default"], f"{entry}: {name}"


def _options_with_parts(role: str) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for name, option in options(role).items():
        found.append((name, option))
        found += [(f"{name}.{key}", part) for key, part in option.get("options", {}).items()]
    return found


@EVERY_ROLE
def test_variables_are_typed_and_described_in_sentences(role: str):
    for name, option in _options_with_parts(role):
        assert option.get("type"), name
        assert option["type"] != "list" or option.get("elements"), f"{name}: a list of what?"
        description = option.get("description") or ""
        said = description if isinstance(description, str) else " ".join(description)
        assert re.match(r"[A-Z0-9`]|(?:npm|pip|sshd|munge) ", said), f"{name}: {said!r} is no sentence"
        assert said.rstrip().endswith("."), f"{name}: {said!r} is no sentence"


@EVERY_ROLE
def test_public_variables_carry_the_name_of_the_role(role: str):
    assert [name for name in options(role) if not name.startswith(f"{role}_")] == []


@EVERY_ROLE
def test_secrets_have_no_choices(role: str):
    """A failed choice prints the value."""
    assert [name for name, option in _options_with_parts(role) if option.get("no_log") and "choices" in option] == []


@EVERY_ROLE
def test_readme_tables_follow_the_specs(role: str):
    readme = (ROOT / "roles" / role / "README.md").read_text(encoding="utf-8")
    assert readme == render(readme, specs(role)), "run `make docs`"


@EVERY_ROLE
def test_meta_names_the_hosts_it_is_for(role: str):
    info = load(f"roles/{role}/meta/main.yml")["galaxy_info"]
    assert info["author"] == "hpcampus contributors"
    assert info["license"] == "BSD-3-Clause"
    assert info["min_ansible_version"] == "2.19"
    assert [platform["name"] for platform in info["platforms"]] == ["Debian"]


@EVERY_ROLE
def test_main_is_a_sentence_of_named_imports(role: str):
    for task in load(f"roles/{role}/tasks/main.yml"):
        assert "name" in task
        assert set(task) - {"name", "when", "vars"} <= {
            "ansible.builtin.import_tasks",
            "ansible.builtin.include_tasks",
        }, task


@EVERY_ROLE
def test_every_entry_point_has_its_tasks(role: str):
    for entry in specs(role):
        assert (ROOT / f"roles/{role}/tasks/{entry}.yml").exists()


@pytest.mark.parametrize("role", [role for role in ROLES if role != "site"])
def test_role_can_prove_itself(role: str):
    assert "verify" in specs(role)


@EVERY_ROLE
def test_tasks_have_names_and_full_module_names(role: str):
    words = {"block", "rescue", "always"}
    plain = re.compile(r"[a-z_]+")
    known = {
        *words, "name", "when", "vars", "register", "loop", "loop_control", "notify", "changed_when", "failed_when", "until",
        "retries", "delay", "check_mode", "diff", "no_log", "become", "become_user", "become_method", "environment", "listen",
        "delegate_to", "delegate_facts", "run_once", "throttle", "args", "any_errors_fatal", "async", "poll",
    }  # fmt: skip
    for path, tasks in tasks_of(role).items():
        for task in tasks:
            assert task.get("name"), f"{path}: a task without a name"
            short = [key for key in task if plain.fullmatch(key) and key not in known]
            assert short == [], f"{path}: {task['name']}"


@EVERY_ROLE
def test_private_names_and_no_word_of_groups(role: str):
    for source, tasks in tasks_of(role).items():
        for task in tasks:
            registered = task.get("register", f"__{role}_")
            assert registered.startswith(f"__{role}_"), f"{source}: {registered}"
            facts = task.get("ansible.builtin.set_fact", {})
            named = [key for key in facts if key != "cacheable" and not key.startswith((f"{role}_", f"__{role}_"))]
            assert named == [], f"{source}: {task['name']}"
            assert "tags" not in task, f"{source}: {task['name']}"
    for path in (ROOT / "roles" / role).rglob("*"):
        if path.suffix in {".yml", ".j2"}:
            words = re.findall(r"groups\[?['\".]+\w+|hostvars\[", path.read_text(encoding="utf-8"))
            assert role == "site" or words == [], f"{path.relative_to(ROOT)}"


@EVERY_ROLE
def test_modes_are_quoted(role: str):
    for path in sorted((ROOT / "roles" / role).glob("*/*.yml")):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert not re.match(r"\s*(?:directory_)?mode: [0-9]", line), f"{path.relative_to(ROOT)}: {line.strip()}"


@EVERY_ROLE
def test_variables_are_used(role: str):
    """A variable that nothing reads is a promise that nothing keeps."""
    body = "".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "roles" / role).rglob("*")
        if path.is_file()
        and path.suffix in {".yml", ".j2", ".py"}
        and path.parent.name not in {"defaults", "meta", "__pycache__"}
    )
    if role == "site":
        body += "".join(path.read_text(encoding="utf-8") for path in (ROOT / "playbooks").rglob("*.yml"))
        body += "".join(path.read_text(encoding="utf-8") for path in (ROOT / "plugins").rglob("*.py"))
    assert [name for name in options(role) if not re.search(rf"\b{name}\b", body)] == []


@EVERY_ROLE
def test_private_variables_are_used(role: str):
    sources = [
        path.read_text(encoding="utf-8")
        for path in (ROOT / "roles" / role).rglob("*")
        if path.is_file() and path.suffix in {".yml", ".j2"}
    ]
    body = "\n".join(sources)
    named = set(re.findall(rf"^(__{role}_\w+):", body, re.MULTILINE)) | set(
        re.findall(rf"register: (__{role}_\w+)", body)
    )
    assert sorted(name for name in named if len(re.findall(rf"\b{name}\b", body)) < 2) == []


def _hosts_that_name_roles(path: Path, play: dict[str, Any]) -> list[str]:
    """Return the hosts of a scenario's play, except those it leaves out; elsewhere hosts do not name roles."""
    inventory = path.parent / "inventory/hosts.yml"
    first, *out = play["hosts"].split(":") if isinstance(play["hosts"], str) else [""]
    group = (load(str(inventory.relative_to(ROOT))) if inventory.exists() else {}).get(first, {})
    return [host for host in group.get("hosts", {}) if f"!{host}" not in out] or [""]


def _calls() -> list[tuple[str, str, str]]:
    """Return playbook, role and entry point of every call of a role."""
    found = []
    for path in sorted(ROOT.glob("playbooks/**/*.yml")) + sorted(ROOT.glob("molecule/**/*.yml")):
        data = load(str(path.relative_to(ROOT)))
        for play in data if isinstance(data, list) else []:
            calls = [(r["role"] if isinstance(r, dict) else r, "main") for r in play.get("roles", [])]
            tasks = flat([*play.get("pre_tasks", []), *play.get("tasks", []), *play.get("post_tasks", [])])
            for task, module in [(task, module) for task in tasks for module in CALLS if module in task]:
                entry = task[module].get("tasks_from", "main")
                name = task[module]["name"]
                calls += [
                    (name.replace("{{ item }}", str(item)).replace("{{ inventory_hostname }}", host), entry)
                    for item in task.get("loop", [""])
                    for host in _hosts_that_name_roles(path, play)
                ]
            found += [(str(path.relative_to(ROOT)), role, entry.removesuffix(".yml")) for role, entry in calls]
    return found


@pytest.mark.parametrize(("playbook", "role", "entry"), _calls())
def test_playbooks_call_roles_by_full_name_at_documented_entry_points(playbook: str, role: str, entry: str):
    assert role.startswith("hpcampus.platform."), playbook
    assert entry in specs(role.rpartition(".")[2]), playbook


def test_the_image_of_a_cluster_has_what_its_roles_install():
    variables = (ROOT / "roles/slurm/vars/main.yml").read_text().partition("__slurm_nodes:")[0]
    wanted = {
        *load("roles/base/defaults/main.yml")["base_packages"],
        *load("roles/apptainer/vars/main.yml")["__apptainer_companions"],
        *re.findall(r"'(munge|slurm[a-z-]*)'", variables),
    }
    assert "slurmctld" in wanted
    assert wanted <= {*recipes._PACKAGES, *recipes.CLUSTER_PACKAGES}
