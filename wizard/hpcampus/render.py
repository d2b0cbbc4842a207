# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""From answers to the variables of an inventory, and back. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hpcampus.questions import KNOWN_ADMIN, Answers

SSH_ARGUMENTS = (
    "-o 'UserKnownHostsFile=\"{{ inventory_dir }}/known_hosts.txt\"' -o GlobalKnownHostsFile=/dev/null"
    " -o StrictHostKeyChecking=yes"
)
VERIFY_USER = "verify"
# Only where the hub keeps the passwords itself does a person need one here.
OWN_PASSWORDS = "local"
GROUPS = ("slurm_controller", "slurm_login", "slurm_compute")
MAX_MINUTES = 720
USUAL_MINUTES = 120


@dataclass(frozen=True)
class NodeSize:
    """What the smallest compute node offers."""

    cpus: int
    memory_mb: int


SMALL_NODE = NodeSize(cpus=2, memory_mb=4096)


def group_hosts(answers: Answers) -> dict[str, list[str]]:
    """Give the hosts of each group."""
    hub = answers["hub_name"]
    if answers["profile"] == "single":
        return {"hub": [hub], **{group: [hub] for group in GROUPS}}
    return {
        "hub": [hub],
        "slurm_controller": [answers["controller"]],
        "slurm_login": [answers["login"]],
        "slurm_compute": list(answers["compute"]),
    }


def ssh_hosts(answers: Answers) -> list[str]:
    """Give every host that is reached by ssh, once, in a stable order."""
    names = [name for hosts in group_hosts(answers).values() for name in hosts]
    local = {answers["hub_name"]} if answers.get("hub_connection") == "local" else set()
    return [name for name in dict.fromkeys(names) if name not in local]


def profiles_for(node: NodeSize, partition: str, image: str) -> list[dict[str, Any]]:
    """Give profiles that fit a node: a small one always, larger ones while at least two of them fit.

    A tenth of the memory stays with the system, as in the collection.
    """
    usable = node.memory_mb * 9 // 10
    profiles = [_profile("small", 1, max(1, min(2, usable // 1024)), 120, partition, image)]
    for name, cpus, memory_gb, minutes in (("medium", 2, 4, 240), ("large", 4, 8, 240)):
        if node.cpus >= 2 * cpus and usable >= 2 * memory_gb * 1024:
            profiles.append(_profile(name, cpus, memory_gb, minutes, partition, image))
    return profiles


def _profile(name: str, cpus: int, memory_gb: int, minutes: int, partition: str, image: str) -> dict[str, Any]:
    cores = "1 core" if cpus == 1 else f"{cpus} cores"
    return {
        "name": name,
        "label": f"{name.capitalize()} ({cores}, {memory_gb} GB, {minutes // 60} hours)",
        "partition": partition,
        "cpus": cpus,
        "memory": f"{memory_gb}G",
        "time_limit_minutes": minutes,
        "image": image,
    }


def main_variables(answers: Answers, existing: Mapping[str, Any], node: NodeSize) -> dict[str, Any]:
    """Give the variables that setup decides, for `group_vars/all/main.yml`.

    Args:
        answers: Complete and valid.
        existing: The variables that are there; records a person added or edited are kept.
        node: The smallest compute node.
    """
    single = answers["profile"] == "single"
    partition, image = answers["partition"], answers["image"]
    values: dict[str, Any] = {
        "site_profile": answers["profile"],
        "site_hub_name": answers["hub_name"],
        "site_login_address": "localhost" if single else answers["login"],
        "site_shared_dir": existing.get("site_shared_dir", "/srv/hpcampus") if single else answers["shared_dir"],
        "site_partitions": _partitions(partition, existing),
        "site_profiles": _profiles(partition, image, existing, node),
        "site_images": _images(image, existing),
        "site_courses": _courses(answers, existing),
        "site_admins": _with(_names(existing.get("site_admins")), answers["admin_name"]),
        "site_accounts": _accounts(answers, existing),
        "apptainer_source": answers["apptainer"],
        "apache_certificate": answers["tls"],
    }
    if single:
        # Jobs and the hub's own connection stay on the server.
        values["site_hub_address"] = "localhost"
    if answers["apptainer"] == "deb":
        values["apptainer_deb_url"] = answers["apptainer_url"]
        values["apptainer_deb_checksum"] = answers["apptainer_checksum"]
    if answers["tls"] == "provided":
        values["apache_certificate_file"] = answers["tls_certificate"]
        values["apache_certificate_key_file"] = answers["tls_key"]
    return values


def obsolete_variables(answers: Answers) -> list[str]:
    """Name variables that an earlier answer wrote and this one makes meaningless."""
    names = []
    if answers["apptainer"] != "deb":
        names += ["apptainer_deb_url", "apptainer_deb_checksum"]
    if answers["tls"] != "provided":
        names += ["apache_certificate_file", "apache_certificate_key_file"]
    return names


def _records(value: object) -> list[dict[str, Any]]:
    return [dict(item) for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _names(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _with(names: list[str], name: str) -> list[str]:
    return names if name in names else [*names, name]


def _default_partition(existing: Mapping[str, Any]) -> dict[str, Any] | None:
    records = _records(existing.get("site_partitions"))
    return next((record for record in records if record.get("default")), records[0] if records else None)


def _partitions(name: str, existing: Mapping[str, Any]) -> list[dict[str, Any]]:
    records = _records(existing.get("site_partitions"))
    if not records:
        return [
            {
                "name": name,
                "nodes": "all",
                "default": True,
                "max_time_minutes": MAX_MINUTES,
                "default_time_minutes": USUAL_MINUTES,
            }
        ]
    if any(record.get("name") == name for record in records):
        return records
    chosen = _default_partition(existing)
    return [{**record, "name": name} if record == chosen else record for record in records]


def _profiles(partition: str, image: str, existing: Mapping[str, Any], node: NodeSize) -> list[dict[str, Any]]:
    records = _records(existing.get("site_profiles"))
    if not records:
        return profiles_for(node, partition, image)
    names = [record.get("name") for record in _partitions(partition, existing)]
    return [record if record.get("partition") in names else {**record, "partition": partition} for record in records]


def _images(name: str, existing: Mapping[str, Any]) -> list[dict[str, Any]]:
    records = _records(existing.get("site_images"))
    if any(record.get("name") == name for record in records):
        return records
    return [*records, {"name": name, "label": "Python for data analysis"}]


def _courses(answers: Answers, existing: Mapping[str, Any]) -> list[dict[str, Any]]:
    records = _records(existing.get("site_courses"))
    slug = answers["course_slug"]
    for record in records:
        if record.get("slug") == slug:
            record["title"] = answers["course_title"]
            instructors = _names(record.get("instructors"))
            # The first is the one that setup asked for.
            record["instructors"] = list(dict.fromkeys([answers["course_instructor"], *instructors[1:]]))
            return records
    # Open, for a platform without a single student's name yet; the file says how to close it.
    first = _profiles(answers["partition"], answers["image"], existing, SMALL_NODE)[0]["name"]
    new = {
        "slug": slug,
        "title": answers["course_title"],
        "instructors": [answers["course_instructor"]],
        "open": True,
        "image": answers["image"],
        "profile": first,
    }
    return [*records, new]


def account_record(name: str) -> dict[str, str]:
    """Give an entry of `site_accounts`: the name in the clear, the hash from the vault."""
    return {"name": name, "password_hash": f"{{{{ vault_password_hashes['{name}'] }}}}"}


def _accounts(answers: Answers, existing: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the accounts; a new password goes to the vault, so its account must look there.

    Instructors come last: without an account nobody could log in as the one that was just named.
    """
    admin = answers["admin_name"]
    renewed = {VERIFY_USER} | ({admin} if answers.get("admin_password") is not None else set())
    records = [
        {**record, **account_record(record["name"])} if record.get("name") in renewed else record
        for record in _records(existing.get("site_accounts"))
    ]
    present = [str(record.get("name")) for record in records]
    wanted = dict.fromkeys([admin, VERIFY_USER, *_instructors(answers, existing)])
    return [*records, *(account_record(name) for name in wanted if name not in present)]


def _instructors(answers: Answers, existing: Mapping[str, Any]) -> list[str]:
    """Name the instructors of all courses, if it is the hub that keeps their passwords."""
    if existing.get("jupyterhub_authenticator", OWN_PASSWORDS) != OWN_PASSWORDS:
        return []
    courses = _courses(answers, existing)
    return list(dict.fromkeys(name for course in courses for name in _names(course.get("instructors"))))


def instructors_without_password(
    answers: Answers, existing: Mapping[str, Any], secrets: Mapping[str, Any]
) -> dict[str, str]:
    """Give the instructors for whom a password has to be made, each with the short name of the first course.

    An account that a person wrote, with whatever hash, is that person's business. A hash in the vault without an account
    is no password that anybody was told of: a run may have ended between the two files.

    Args:
        answers: Complete and valid.
        existing: Variables of `group_vars/all/main.yml` before they change.
        secrets: Variables of the vault before they change.
    """
    hashes = set(_mapping(secrets.get("vault_password_hashes")))
    records = {
        str(record.get("name")): record.get("password_hash") for record in _records(existing.get("site_accounts"))
    }
    able = {name for name, value in records.items() if name in hashes or value != account_record(name)["password_hash"]}
    able |= {answers["admin_name"], VERIFY_USER}
    courses = _courses(answers, existing)
    return {
        name: next(str(course.get("slug")) for course in courses if name in _names(course.get("instructors")))
        for name in _instructors(answers, existing)
        if name not in able
    }


def hosts_document(answers: Answers, existing: Mapping[str, Any]) -> dict[str, Any]:
    """Give `hosts.yml`; variables of hosts that stay, and groups that setup does not know, are kept."""
    document: dict[str, Any] = _copy(existing)
    top = document.setdefault("all", {}) or {}
    document["all"] = top
    variables = top.get("vars") or {}
    if "ssh_user" in answers:
        variables["ansible_user"] = answers["ssh_user"]
        variables["ansible_ssh_common_args"] = SSH_ARGUMENTS
    if variables:
        top["vars"] = variables
    children = top.get("children") or {}
    top["children"] = children
    wanted = group_hosts(answers)
    children["hub"] = _group(children.get("hub"), wanted["hub"])
    slurm = children.get("slurm") or {}
    children["slurm"] = slurm
    inner = slurm.get("children") or {}
    slurm["children"] = inner
    for group in GROUPS:
        inner[group] = _group(inner.get(group), wanted[group])
    _connect_hub(children["hub"]["hosts"], answers)
    return document


def _connect_hub(hub: dict[str, Any], answers: Answers) -> None:
    name = answers["hub_name"]
    variables = dict(hub[name] or {})
    if answers.get("hub_connection") == "local":
        variables["ansible_connection"] = "local"
    elif variables.get("ansible_connection") == "local":
        del variables["ansible_connection"]
    hub[name] = variables or None


def _group(existing: object, names: Sequence[str]) -> dict[str, Any]:
    group: dict[str, Any] = dict(existing) if isinstance(existing, Mapping) else {}
    before = group.get("hosts")
    before = before if isinstance(before, Mapping) else {}
    group["hosts"] = {name: before.get(name) for name in names}
    return group


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def answers_from(hosts: Mapping[str, Any], main: Mapping[str, Any], secrets: Mapping[str, Any]) -> dict[str, Any]:
    """Read the answers back from an inventory, so that it is the wizard's memory.

    Returns:
        By key of the question, what could be read; and `known_admin` when the vault holds that one's password.
    """
    children = _mapping(_mapping(hosts.get("all")).get("children"))
    hub = _mapping(_mapping(children.get("hub")).get("hosts"))
    inner = _mapping(_mapping(children.get("slurm")).get("children"))
    found: dict[str, Any] = {
        "profile": main.get("site_profile"),
        "hub_name": main.get("site_hub_name"),
        "ssh_user": _mapping(_mapping(hosts.get("all")).get("vars")).get("ansible_user"),
        "apptainer": main.get("apptainer_source"),
        "apptainer_url": main.get("apptainer_deb_url"),
        "apptainer_checksum": main.get("apptainer_deb_checksum"),
        "shared_dir": main.get("site_shared_dir"),
        "tls": main.get("apache_certificate"),
        "tls_certificate": main.get("apache_certificate_file"),
        "tls_key": main.get("apache_certificate_key_file"),
        "partition": (_default_partition(main) or {}).get("name"),
        "image": next((record.get("name") for record in _records(main.get("site_images"))), None),
        "admin_name": next(iter(_names(main.get("site_admins"))), None),
    }
    if hub:
        connection = _mapping(next(iter(hub.values()))).get("ansible_connection")
        found["hub_connection"] = "local" if connection == "local" else "ssh"
    if found["profile"] == "single":
        # Its groups name the hub itself, which is no answer to where a cluster's hosts are.
        inner, found["shared_dir"] = {}, None
    for key, group in (("controller", "slurm_controller"), ("login", "slurm_login")):
        found[key] = next(iter(_mapping(_mapping(inner.get(group)).get("hosts"))), None)
    found["compute"] = list(_mapping(_mapping(inner.get("slurm_compute")).get("hosts"))) or None
    found.update(_course_answers(main))
    if found["admin_name"] in _known_accounts(main, secrets):
        found[KNOWN_ADMIN] = found["admin_name"]
    return {key: value for key, value in found.items() if value is not None}


def _known_accounts(main: Mapping[str, Any], secrets: Mapping[str, Any]) -> set[str]:
    """Name the accounts whose password the inventory holds, in the vault or as a hash in the clear."""
    literal = {
        str(record.get("name"))
        for record in _records(main.get("site_accounts"))
        if str(record.get("password_hash", "")).startswith("$2")
    }
    return literal | set(_mapping(secrets.get("vault_password_hashes")))


def _course_answers(main: Mapping[str, Any]) -> dict[str, Any]:
    course = next(iter(_records(main.get("site_courses"))), {})
    return {
        "course_slug": course.get("slug"),
        "course_title": course.get("title"),
        "course_instructor": next(iter(_names(course.get("instructors"))), None),
    }


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
