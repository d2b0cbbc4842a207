# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What is written for an answer is what is read back, is accepted by the collection, and keeps a person's own records."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus.collection_checks import inventory_problems
from hpcampus.passwords import hash_password
from hpcampus.questions import KNOWN_ADMIN
from hpcampus.render import (
    CENTRE_FIELDS,
    SMALL_NODE,
    NodeSize,
    answers_from,
    groups_of,
    host_variables,
    hosts_document,
    instructors_without_password,
    main_variables,
    obsolete_variables,
    profiles_for,
    ssh_users,
)
from tests.unit.wizard.conftest import ANSWERS, CENTRE, QUESTIONS, ROOT, SINGLE

SPECS = QUESTIONS.specs
HASH = hash_password("correct horse")
SECRETS = {"vault_password_hashes": {"admin": HASH, "verify": HASH, "boss": HASH, "mcurie": HASH}}

slugs = st.from_regex(r"[a-z][a-z0-9-]{0,10}[a-z0-9]", fullmatch=True)
right_answers = st.fixed_dictionaries(
    {
        **{key: st.just(value) for key, value in ANSWERS.items()},
        "hub_name": slugs,
        "controller": slugs,
        "login": slugs,
        "compute": st.lists(slugs, min_size=1, max_size=5, unique=True),
        "partition": slugs,
        "image": slugs,
        "admin_name": slugs.filter(lambda name: name != "verify" and not name.startswith("course-")),
        "course_slug": slugs,
        "course_instructor": slugs,
        "tls": st.sampled_from(["selfsigned"]),
    }
)


@pytest.mark.parametrize("answers", [ANSWERS, SINGLE, CENTRE], ids=["own-cluster", "single", "remote-centre"])
def test_the_collection_accepts_it(answers: Any) -> None:
    main, hosts = main_variables(answers, {}, SMALL_NODE, SPECS), hosts_document(answers, {})
    assert inventory_problems(ROOT, main, SECRETS, groups_of(hosts), host_variables(hosts)) == []


@given(right_answers)
def test_answers_are_read_back(answers: Any) -> None:
    main, hosts = main_variables(answers, {}, SMALL_NODE, SPECS), hosts_document(answers, {})
    found = answers_from(hosts, main, {"vault_password_hashes": {answers["admin_name"]: HASH}})
    assert found.pop(KNOWN_ADMIN) == answers["admin_name"]
    assert found == answers
    assert main_variables(answers, main, SMALL_NODE, SPECS) == main
    assert hosts_document(answers, hosts) == hosts


@pytest.mark.parametrize("answers", [SINGLE, CENTRE], ids=["single", "remote-centre"])
def test_they_are_for_the_other_profiles_too(answers: Any) -> None:
    main, hosts = main_variables(answers, {}, SMALL_NODE, SPECS), hosts_document(answers, {})
    found = answers_from(hosts, main, {})
    # What is as it usually is stands in no record.
    assert found == {key: value for key, value in answers.items() if key in found}
    assert {key for key in answers if key not in found} <= set(CENTRE_FIELDS)
    assert main_variables({**answers, **found}, main, SMALL_NODE, SPECS) == main
    assert hosts_document(answers, hosts) == hosts


def test_a_record_of_a_centre_holds_only_what_is_unusual() -> None:
    (record,) = main_variables(CENTRE, {}, SMALL_NODE, SPECS)["site_centres"]
    assert set(record) == {"name", "login", "host_key", "base_dir", "partitions"}
    changed = main_variables(
        {**CENTRE, "centre_module": "apptainer/1.4"}, {"site_centres": [record]}, SMALL_NODE, SPECS
    )
    assert changed["site_centres"] == [{**record, "module": "apptainer/1.4"}]


def test_other_centres_and_their_profiles_are_kept() -> None:
    existing = main_variables(CENTRE, {}, SMALL_NODE, SPECS)
    other = {"name": "state", "login": "l2", "host_key": "k", "base_dir": "/a/b", "partitions": ["gpu"]}
    existing["site_centres"].append(other)
    existing["site_profiles"].append(
        {**existing["site_profiles"][0], "name": "g", "cluster": "state", "partition": "gpu"}
    )
    again = main_variables({**CENTRE, "centre_partition": "teaching"}, existing, SMALL_NODE, SPECS)
    assert again["site_centres"][1] == other
    assert [record["partition"] for record in again["site_profiles"]] == ["teaching", "gpu"]
    hosts = hosts_document(CENTRE, {})
    hosts["all"]["children"]["centre_login"]["hosts"]["l2"] = {"ansible_user": "ab"}
    assert list(
        hosts_document({**CENTRE, "centre_login": "new"}, hosts)["all"]["children"]["centre_login"]["hosts"]
    ) == ["new", "l2"]


def test_another_profile_takes_its_traces_along() -> None:
    single, hosts = main_variables(SINGLE, {}, SMALL_NODE, SPECS), hosts_document(SINGLE, {})
    assert obsolete_variables(CENTRE, single)[:3] == ["site_hub_address", "site_login_address", "site_partitions"]
    assert "slurm" not in hosts_document(CENTRE, hosts)["all"]["children"]
    assert "site_hub_address" not in obsolete_variables(ANSWERS, {"site_hub_address": "hub.internal"})


@given(st.integers(1, 512), st.integers(256, 4_000_000))
def test_profiles_fit_the_node(cpus: Any, memory_mb: Any) -> None:
    profiles = profiles_for(NodeSize(cpus, memory_mb), "p", "i")
    assert profiles[0]["name"] == "small"
    for profile in profiles:
        assert profile["cpus"] <= cpus
        assert int(profile["memory"][:-1]) * 1024 <= max(1024, memory_mb * 9 // 10)
        assert 60 <= profile["time_limit_minutes"] <= 720


def test_large_nodes_get_larger_profiles() -> None:
    assert [profile["name"] for profile in profiles_for(NodeSize(64, 256_000), "p", "i")] == [
        "small",
        "medium",
        "large",
    ]
    assert [profile["name"] for profile in profiles_for(SMALL_NODE, "p", "i")] == ["small"]


def test_own_records_are_kept() -> None:
    existing = main_variables(ANSWERS, {}, SMALL_NODE, SPECS)
    existing["site_partitions"].append({"name": "exam", "max_time_minutes": 60})
    existing["site_profiles"][0]["label"] = "My own label"
    existing["site_course_physics101"]["students"] = ["bob"]
    existing["site_course_physics101"]["instructors"].append("rfeynman")
    existing["site_course_other"] = {"slug": "other", "title": "Other", "instructors": ["x"]}
    existing["site_accounts"].append({"name": "bob", "password_hash": HASH})
    again = main_variables({**ANSWERS, "course_title": "New title"}, existing, SMALL_NODE, SPECS)
    assert again["site_course_physics101"]["title"] == "New title"
    assert "site_course_other" not in again, "nobody asked about it"
    assert "site_courses" not in again
    # Who teaches needs an account.
    assert [record["name"] for record in again["site_accounts"]] == [
        "admin",
        "verify",
        "mcurie",
        "bob",
        "x",
        "rfeynman",
    ]
    del again["site_accounts"][4:]
    again["site_course_physics101"]["title"] = existing["site_course_physics101"]["title"]
    del existing["site_course_other"]
    assert again == existing


def test_a_course_of_the_list_stays_there() -> None:
    record = {"slug": "physics101", "title": "Old", "instructors": ["mcurie"], "start": "2026-10-12"}
    existing = {"site_courses": [{"slug": "a", "title": "A", "instructors": ["x"]}, record]}
    again = main_variables(ANSWERS, existing, SMALL_NODE, SPECS)
    assert again["site_courses"] == [existing["site_courses"][0], {**record, "title": "Physics 101"}]
    assert not [name for name in again if name.startswith("site_course_")]


def test_a_renamed_partition_takes_its_profiles_along() -> None:
    existing = main_variables(ANSWERS, {}, SMALL_NODE, SPECS)
    again = main_variables({**ANSWERS, "partition": "teaching"}, existing, SMALL_NODE, SPECS)
    assert [record["name"] for record in again["site_partitions"]] == ["teaching"]
    assert {record["partition"] for record in again["site_profiles"]} == {"teaching"}


def test_another_administrator_is_added() -> None:
    existing = main_variables(ANSWERS, {}, SMALL_NODE, SPECS)
    again = main_variables({**ANSWERS, "admin_name": "boss"}, existing, SMALL_NODE, SPECS)
    assert again["site_admins"] == ["admin", "boss"]
    assert [record["name"] for record in again["site_accounts"]] == ["admin", "verify", "mcurie", "boss"]


def test_every_instructor_without_an_account_gets_one() -> None:
    existing = main_variables(ANSWERS, {}, SMALL_NODE, SPECS)
    teaching = ["own", "var", "new", "mcurie", "admin"]
    existing["site_course_z"] = {"slug": "other", "title": "O", "instructors": teaching}
    existing["site_accounts"] += [
        {"name": "own", "password_hash": HASH},
        {"name": "var", "password_hash": "{{ my_own_variable }}"},
    ]
    secrets = {"vault_password_hashes": {"admin": HASH, "verify": HASH}}
    assert instructors_without_password(ANSWERS, existing, secrets) == {"mcurie": "physics101", "new": "other"}
    accounts = main_variables(ANSWERS, existing, SMALL_NODE, SPECS)["site_accounts"]
    assert accounts[:5] == existing["site_accounts"]
    assert accounts[5:] == [{"name": "new", "password_hash": "{{ vault_password_hashes['new'] }}"}]
    assert instructors_without_password(ANSWERS, existing, SECRETS) == {"new": "other"}


def test_a_hash_without_an_account_is_made_anew() -> None:
    assert instructors_without_password(ANSWERS, {}, SECRETS) == {"mcurie": "physics101"}


def test_another_authenticator_has_its_own_accounts() -> None:
    existing = {"jupyterhub_authenticator": "oauth"}
    assert instructors_without_password(ANSWERS, existing, {}) == {}
    accounts = main_variables(ANSWERS, existing, SMALL_NODE, SPECS)["site_accounts"]
    assert [record["name"] for record in accounts] == ["admin", "verify"]


def test_a_new_password_is_looked_up_in_the_vault() -> None:
    existing = {"site_accounts": [{"name": "admin", "password_hash": HASH}]}
    kept = main_variables(ANSWERS, existing, SMALL_NODE, SPECS)["site_accounts"][0]
    assert kept == {"name": "admin", "password_hash": HASH}
    renewed = main_variables({**ANSWERS, "admin_password": "correct horse"}, existing, SMALL_NODE, SPECS)[
        "site_accounts"
    ][0]
    assert renewed["password_hash"] == "{{ vault_password_hashes['admin'] }}"


def test_hosts_keep_their_own_variables() -> None:
    existing = hosts_document(ANSWERS, {})
    existing["all"]["children"]["slurm"]["children"]["slurm_compute"]["hosts"]["c1"] = {"site_node_gres": "gpu:2"}
    existing["all"]["children"]["printers"] = {"hosts": {"p1": None}}
    again = hosts_document({**ANSWERS, "compute": ["c1", "c3"]}, existing)
    groups = again["all"]["children"]
    assert groups["slurm"]["children"]["slurm_compute"]["hosts"] == {"c1": {"site_node_gres": "gpu:2"}, "c3": None}
    assert groups["printers"] == {"hosts": {"p1": None}}


def test_host_keys_are_checked_against_the_pinned_ones() -> None:
    arguments = hosts_document(ANSWERS, {})["all"]["vars"]["ansible_ssh_common_args"]
    assert "StrictHostKeyChecking=yes" in arguments
    assert "{{ inventory_dir }}/known_hosts.txt" in arguments


def test_this_machine_needs_no_ssh() -> None:
    local = {key: value for key, value in SINGLE.items() if key != "ssh_user"} | {"hub_connection": "local"}
    document = hosts_document(local, hosts_document(SINGLE, {}))
    assert document["all"]["children"]["hub"]["hosts"]["jupyter.example.org"] == {"ansible_connection": "local"}
    assert ssh_users(local) == {}
    assert list(ssh_users(ANSWERS)) == ["jupyter.example.org", "ctl", "login", "c1", "c2"]
    assert ssh_users(CENTRE) == {"jupyter.example.org": "admin", "login.hpc.example.net": "p123hub"}
    assert ssh_users({**CENTRE, "hub_connection": "local"}) == {"login.hpc.example.net": "p123hub"}
    assert ssh_users({"profile": "own-cluster", "hub_name": "h", "ssh_user": "root"}) == {"h": "root"}


def test_what_became_meaningless_is_named() -> None:
    assert set(obsolete_variables(ANSWERS, {})) == {
        "apptainer_deb_url", "apptainer_deb_checksum", "apache_certificate_file", "apache_certificate_key_file",
    }  # fmt: skip
    assert obsolete_variables({**ANSWERS, "apptainer": "deb", "tls": "provided"}, {}) == []


@pytest.mark.parametrize("profile", ["single", "own-cluster", "remote-centre"])
def test_the_worked_examples_can_be_read(profile: Any) -> None:
    from hpcampus.yaml_files import read_plain

    base = ROOT / "inventories" / profile
    found = answers_from(read_plain(base / "hosts.yml"), read_plain(base / "group_vars/all/main.yml"), {})
    assert found["profile"] == profile
    assert found["hub_name"] == "jupyter.example.org"
