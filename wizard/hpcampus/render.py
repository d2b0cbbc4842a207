# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""From answers to the variables of an inventory, and back. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hpcampus.course_files import LIST, course_records, course_variable, listed, own
from hpcampus.questions import KNOWN_ADMIN, Answers

if TYPE_CHECKING:
    from hpcampus.specs import Specs

SSH_ARGUMENTS = (
    "-o 'UserKnownHostsFile=\"{{ inventory_dir }}/known_hosts.txt\"' -o GlobalKnownHostsFile=/dev/null"
    " -o StrictHostKeyChecking=yes"
)
VERIFY_USER = "verify"
OWN_CLUSTER = "cluster"
# Only where the hub keeps the passwords itself does a person need one here.
OWN_PASSWORDS = "local"
GROUPS = ("slurm_controller", "slurm_login", "slurm_compute")
CENTRES = "centre_login"
# Answers about a centre that are fields of its record.
CENTRE_FIELDS = {
    "centre_name": "name",
    "centre_login": "login",
    "centre_host_key": "host_key",
    "centre_base_dir": "base_dir",
    "centre_data_path": "data_path",
    "centre_apptainer": "apptainer",
    "centre_module": "module",
    "centre_python": "python",
    "centre_slurm_dir": "slurm_dir",
    "centre_max_servers": "max_servers",
}
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
    if answers["profile"] == "remote-centre":
        return {"hub": [hub], CENTRES: [answers["centre_login"]]}
    return {
        "hub": [hub],
        "slurm_controller": [answers["controller"]],
        "slurm_login": [answers["login"]],
        "slurm_compute": list(answers["compute"]),
    }


def ssh_users(answers: Answers) -> dict[str, str]:
    """Give every host that is reached by ssh, once, in a stable order, with the user; hosts not named yet are left out."""
    local = answers.get("hub_connection") == "local"
    user = answers.get("ssh_user")
    users = {} if local or user is None else {answers.get("hub_name"): user}
    if answers.get("profile") == "own-cluster" and user is not None:
        names = [answers.get("controller"), answers.get("login"), *(answers.get("compute") or [])]
        users.update({name: user for name in names if name != answers.get("hub_name") or not local})
    if answers.get("profile") == "remote-centre" and answers.get("centre_account") is not None:
        users[answers.get("centre_login")] = answers["centre_account"]
    return {name: user for name, user in users.items() if name is not None}


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


def main_variables(answers: Answers, existing: Mapping[str, Any], node: NodeSize, specs: Specs) -> dict[str, Any]:
    """Give the variables that setup decides, for `group_vars/all/main.yml`.

    Args:
        answers: Complete and valid.
        existing: The variables that are there; records a person added or edited are kept.
        node: The smallest compute node.
        specs: The collection's variables, whose defaults are left out of records.
    """
    image = answers["image"]
    values: dict[str, Any] = {
        "site_profile": answers["profile"],
        "site_hub_name": answers["hub_name"],
        **_cluster_variables(answers, existing, specs),
        "site_profiles": _profiles(answers, existing, node),
        "site_images": _images(image, existing),
        **_course_variables(answers, existing),
        "site_admins": _with(_names(existing.get("site_admins")), answers["admin_name"]),
        "site_accounts": _accounts(answers, existing),
        "apptainer_source": answers["apptainer"],
        "apache_certificate": answers["tls"],
    }
    if answers["apptainer"] == "deb":
        values["apptainer_deb_url"] = answers["apptainer_url"]
        values["apptainer_deb_checksum"] = answers["apptainer_checksum"]
    if answers["tls"] == "provided":
        values["apache_certificate_file"] = answers["tls_certificate"]
        values["apache_certificate_key_file"] = answers["tls_key"]
    return values


def _cluster_variables(answers: Answers, existing: Mapping[str, Any], specs: Specs) -> dict[str, Any]:
    """Give the variables that say where notebooks run."""
    match answers["profile"]:
        case "single":
            return {
                # Jobs and the hub's own connection stay on the server.
                "site_hub_address": "localhost",
                "site_login_address": "localhost",
                "site_shared_dir": existing.get("site_shared_dir", "/srv/hpcampus"),
                "site_partitions": _partitions(answers["partition"], existing),
            }
        case "remote-centre":
            return {"site_centres": _centres(answers, existing, specs)}
        case _:
            return {
                "site_login_address": answers["login"],
                "site_shared_dir": answers["shared_dir"],
                "site_partitions": _partitions(answers["partition"], existing),
            }


def _centres(answers: Answers, existing: Mapping[str, Any], specs: Specs) -> list[dict[str, Any]]:
    """Give the centres; the first is the one that setup asked about."""
    first, *others = _records(existing.get("site_centres")) or [{}]
    for key, field in CENTRE_FIELDS.items():
        usual = specs.variable(f"site_centres[].{field}").default
        if field in first or answers[key] != usual:
            first[field] = answers[key]
    partitions = _names(first.get("partitions"))
    # The first is the one that setup asked for.
    first["partitions"] = list(dict.fromkeys([answers["centre_partition"], *partitions[1:]]))
    return [first, *others]


def obsolete_variables(answers: Answers, existing: Mapping[str, Any]) -> list[str]:
    """Name variables that an earlier answer wrote and this one makes meaningless."""
    names = []
    if answers["profile"] != "single" and existing.get("site_hub_address") == "localhost":
        names.append("site_hub_address")
    if answers["profile"] == "remote-centre":
        names += ["site_login_address", "site_partitions"]
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


def _profiles(answers: Answers, existing: Mapping[str, Any], node: NodeSize) -> list[dict[str, Any]]:
    """Give the notebook profiles; those of other clusters are none of setup's business."""
    records = _records(existing.get("site_profiles"))
    if answers["profile"] == "remote-centre":
        partition, cluster = answers["centre_partition"], answers["centre_name"]
        before = next(iter(_records(existing.get("site_centres"))), {})
        names = [partition, *_names(before.get("partitions"))[1:]]
        own = {None, cluster, before.get("name")}
    else:
        partition, cluster = answers["partition"], None
        names = [record.get("name") for record in _partitions(partition, existing)]
        own = {None, existing.get("site_cluster_name", OWN_CLUSTER)}
    if not records:
        return profiles_for(node, partition, answers["image"])
    changed = []
    for record in records:
        if record.get("cluster") in own:
            if record.get("partition") not in names:
                record["partition"] = partition
            if record.get("cluster") is not None and cluster is not None:
                record["cluster"] = cluster
        changed.append(record)
    return changed


def _images(name: str, existing: Mapping[str, Any]) -> list[dict[str, Any]]:
    records = _records(existing.get("site_images"))
    if any(record.get("name") == name for record in records):
        return records
    return [*records, {"name": name, "label": "Python for data analysis"}]


def _course_variables(answers: Answers, existing: Mapping[str, Any]) -> dict[str, Any]:
    """Give the variable that holds the course that setup asked about: the list that has it, or one of its own."""
    slug = answers["course_slug"]
    records = listed(existing)
    for record in records:
        if record.get("slug") == slug:
            record.update(_named_course(answers, record))
            return {LIST: records}
    variable = course_variable(slug)
    present = own(existing).get(variable)
    if present is not None:
        return {variable: {**present, **_named_course(answers, present)}}
    # Open, for a platform without a single student's name yet; docs/courses.md says how to close it.
    return {
        variable: {
            "slug": slug,
            **_named_course(answers, {}),
            "open": True,
            "image": answers["image"],
            "profile": _profiles(answers, existing, SMALL_NODE)[0]["name"],
        }
    }


def _named_course(answers: Answers, present: Mapping[str, Any]) -> dict[str, Any]:
    """Give title and instructors; the first is the one that setup asked for."""
    instructors = _names(present.get("instructors"))
    return {
        "title": answers["course_title"],
        "instructors": list(dict.fromkeys([answers["course_instructor"], *instructors[1:]])),
    }


def _courses(answers: Answers, existing: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give all courses as they will be."""
    return course_records({**existing, **_course_variables(answers, existing)})


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
    if ssh_users(answers):
        variables["ansible_ssh_common_args"] = SSH_ARGUMENTS
    if "ssh_user" in answers:
        variables["ansible_user"] = answers["ssh_user"]
    if variables:
        top["vars"] = variables
    children = top.get("children") or {}
    top["children"] = children
    wanted = group_hosts(answers)
    children["hub"] = _group(children.get("hub"), wanted["hub"])
    if answers["profile"] == "remote-centre":
        children.pop("slurm", None)
        children[CENTRES] = _centre_group(children.get(CENTRES), answers)
    else:
        slurm = children.get("slurm") or {}
        children["slurm"] = slurm
        inner = slurm.get("children") or {}
        slurm["children"] = inner
        for group in GROUPS:
            inner[group] = _group(inner.get(group), wanted[group])
    _connect_hub(children["hub"]["hosts"], answers)
    return document


def _centre_group(existing: object, answers: Answers) -> dict[str, Any]:
    """Give the group of the centres' login nodes: the first is the one that setup asked about."""
    before = dict(_mapping(_mapping(existing).get("hosts")))
    others = dict(list(before.items())[1:])
    login = answers["centre_login"]
    own = {**_mapping(before.get(login)), "ansible_user": answers["centre_account"]}
    return {
        **_mapping(existing),
        "hosts": {login: own, **{name: value for name, value in others.items() if name != login}},
    }


def groups_of(document: Mapping[str, Any]) -> dict[str, list[str]]:
    """Give the hosts of each group of a `hosts.yml`, and of `all`, in order.

    Args:
        document: `hosts.yml` as plain objects.
    """
    groups: dict[str, list[str]] = {}
    hosts_in("all", _mapping(document.get("all")), groups)
    return groups


def hosts_in(name: str, group: Mapping[str, Any], groups: dict[str, list[str]]) -> list[str]:
    """Give the hosts of a group and of the groups in it, and note those of each in `groups`."""
    found = [str(host) for host in _mapping(group.get("hosts"))]
    for child, content in _mapping(group.get("children")).items():
        found += hosts_in(str(child), _mapping(content), groups)
    groups[name] = list(dict.fromkeys([*groups.get(name, []), *found]))
    return groups[name]


def host_variables(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Give what `hosts.yml` says of each centre's login node."""
    children = _mapping(_mapping(document.get("all")).get("children"))
    hosts = _mapping(_mapping(children.get(CENTRES)).get("hosts"))
    return {str(name): dict(_mapping(variables)) for name, variables in hosts.items()}


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
    found: dict[str, Any] = {
        "profile": main.get("site_profile"),
        "hub_name": main.get("site_hub_name"),
        "ssh_user": _mapping(_mapping(hosts.get("all")).get("vars")).get("ansible_user"),
        "apptainer": main.get("apptainer_source"),
        "apptainer_url": main.get("apptainer_deb_url"),
        "apptainer_checksum": main.get("apptainer_deb_checksum"),
        "tls": main.get("apache_certificate"),
        "tls_certificate": main.get("apache_certificate_file"),
        "tls_key": main.get("apache_certificate_key_file"),
        "image": next((record.get("name") for record in _records(main.get("site_images"))), None),
        "admin_name": next(iter(_names(main.get("site_admins"))), None),
    }
    if hub:
        connection = _mapping(next(iter(hub.values()))).get("ansible_connection")
        found["hub_connection"] = "local" if connection == "local" else "ssh"
    if found["profile"] == "remote-centre":
        found.update(_centre_answers(main, children))
    else:
        found["partition"] = (_default_partition(main) or {}).get("name")
    if found["profile"] == "own-cluster":
        found.update(_cluster_answers(main, children))
    found.update(_course_answers(main))
    if found["admin_name"] in _known_accounts(main, secrets):
        found[KNOWN_ADMIN] = found["admin_name"]
    return {key: value for key, value in found.items() if value is not None}


def _cluster_answers(main: Mapping[str, Any], children: Mapping[str, Any]) -> dict[str, Any]:
    inner = _mapping(_mapping(children.get("slurm")).get("children"))
    controller, login, compute = ([*_mapping(_mapping(inner.get(group)).get("hosts"))] for group in GROUPS)
    return {
        "controller": next(iter(controller), None),
        "login": next(iter(login), None),
        "compute": compute or None,
        "shared_dir": main.get("site_shared_dir"),
    }


def _centre_answers(main: Mapping[str, Any], children: Mapping[str, Any]) -> dict[str, Any]:
    centre = next(iter(_records(main.get("site_centres"))), {})
    hosts = _mapping(_mapping(children.get(CENTRES)).get("hosts"))
    host = _mapping(hosts.get(str(centre.get("login"))))
    return {
        **{key: centre.get(field) for key, field in CENTRE_FIELDS.items()},
        "centre_partition": next(iter(_names(centre.get("partitions"))), None),
        "centre_account": centre.get("account") or host.get("ansible_user"),
    }


def _known_accounts(main: Mapping[str, Any], secrets: Mapping[str, Any]) -> set[str]:
    """Name the accounts whose password the inventory holds, in the vault or as a hash in the clear."""
    literal = {
        str(record.get("name"))
        for record in _records(main.get("site_accounts"))
        if str(record.get("password_hash", "")).startswith("$2")
    }
    return literal | set(_mapping(secrets.get("vault_password_hashes")))


def _course_answers(main: Mapping[str, Any]) -> dict[str, Any]:
    course = next(iter(course_records(main)), {})
    return {
        "course_slug": course.get("slug"),
        "course_title": course.get("title"),
        "course_instructor": next(iter(_names(course.get("instructors"))), None),
    }


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
