# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What can be wrong with an inventory, found by reading it.

Every message has the same shape: the variable (or group), its value, what is wrong with it, and the cure.
"""

from __future__ import annotations

import datetime as dt
import difflib
import ipaddress
import pathlib
import re
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
PARTITION = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")
USER = re.compile(r"[a-z0-9](?:[a-z0-9._@+-]{0,62}[a-z0-9])?")
UNIX_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_LOWER_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
WEBDAV_HOST = re.compile(rf"{_LOWER_LABEL}(?:\.{_LOWER_LABEL})+(?::[1-9][0-9]{{0,4}})?")
PUBLIC_URL = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?/")
MEMORY = re.compile(r"[1-9][0-9]*[KMGT]")
PARTITION_MEMORY = re.compile(r"[1-9][0-9]*[MGT]")
_GRES_ITEM = r"[A-Za-z][A-Za-z0-9_]{0,31}(?::[A-Za-z0-9_.-]{1,32})?(?::[0-9]{1,4})?"
GRES = re.compile(rf"(?:{_GRES_ITEM}(?:,{_GRES_ITEM}){{0,3}})?")
SLURM_NAME = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9_.-]{0,63})?")
# What decides which program runs, what it loads or whose it is stays with the platform; the hub refuses the same names.
_ENVIRONMENT_KEPT = (
    "(?:APPTAINER|BASH|DYLD_|GIT_|GLIBC_|HPCAMPUS_|IPYTHON|JPY_|JUPYTER|LD_|MALLOC_|NODE_|OPENSSL_|PERL|PYTHON|RUBY"
    "|R_ENVIRON|R_PROFILE|SBATCH_|SINGULARITY|SLURM|SRUN_|SSH_|XDG_)"
    "|(?:CDPATH|ENV|GCONV_PATH|HOME|HOSTALIASES|IFS|JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|LOCPATH|LOGNAME|NLSPATH|OLDPWD"
    r"|PATH|PROMPT_COMMAND|PS4|PWD|R_HOME|SHELL|SHELLOPTS|TMPDIR|USER)\Z"
)
ENVIRONMENT_NAME = re.compile(rf"(?!(?i:{_ENVIRONMENT_KEPT}))[A-Za-z][A-Za-z0-9_]{{0,63}}")
ENVIRONMENT_NAMES_MAX = 50
ENVIRONMENT_VALUE_MAX = 4096
PACKAGE = re.compile(r"[a-z0-9][a-z0-9.+-]+")
HOST_KEY = re.compile(
    r"(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) AAAA[A-Za-z0-9+/]{36,2000}={0,2}(?: .*)?"
)
CENTRE_DIR = re.compile(r"(?:/[A-Za-z0-9_][A-Za-z0-9._-]{0,63}){2,8}")
CENTRE_PARTITION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
PROGRAM_PATH = re.compile(r"(?:/[A-Za-z0-9._+-]{1,64}){1,12}")
PROGRAM = re.compile(r"[a-z][a-z0-9-]{0,31}|(?:/[A-Za-z0-9._+-]{1,64}){1,12}")
MODULE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}(?:/[A-Za-z0-9][A-Za-z0-9._+-]{0,63}){0,4}")
KEY_FROM = re.compile(r"[A-Za-z0-9:./*-]{1,100}")
DEB_URL = re.compile(r"https://[^ ]+\.deb")
DEB_CHECKSUM = re.compile(r"sha256:[0-9a-f]{64}")
BCRYPT = re.compile(r"\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53}")

GROUPS = {"hub": "one", "slurm_controller": "one", "slurm_login": "some", "slurm_compute": "some"}
OWN_CLUSTER = ("slurm_controller", "slurm_login", "slurm_compute")
CENTRES = "centre_login"
UNITS_KB = {"K": 1, "M": 1024, "G": 1024**2, "T": 1024**3}
SMALLEST_JOB_KB = 64 * 1024
OVERLAY_MB_MIN, OVERLAY_MB_MAX = 64, 1024 * 1024
COURSE_PREFIX = "course-"
USER_WORDS = "a user name of lower case letters, digits and . _ @ + -, with a letter or digit at both ends"

Record = t.Mapping[str, t.Any]


def problem(variable: str, value: object, what: str, cure: str) -> str:
    """Put one finding into the shape that all messages share."""
    end = "" if cure.endswith("?") else "."
    return f"{variable} = {value!r}: {what}. {cure}{end}"


def memory_kb(text: str) -> int:
    """Read an amount of memory.

    Args:
        text: A whole number with the unit K, M, G or T, for example ``4G``.

    Returns:
        The amount in KiB.

    Raises:
        ValueError: The text has no unit or is no amount.
    """
    if not MEMORY.fullmatch(text):
        raise ValueError(text)
    return int(text[:-1]) * UNITS_KB[text[-1]]


def _records(site: Record, name: str) -> list[tuple[str, Record]]:
    """Return the records of a list variable, each with the name to call it by in a message."""
    return [(f"{name}[{index}]", record) for index, record in enumerate(site[name])]


def _matches(variable: str, value: object, pattern: re.Pattern[str], wanted: str) -> t.Iterator[str]:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        yield problem(variable, value, f"this is not {wanted}", f"Write {wanted}")


def _unique(site: Record, name: str, key: str) -> t.Iterator[str]:
    seen: dict[object, str] = {}
    for where, record in _records(site, name):
        value = record[key]
        if value in seen:
            yield problem(f"{where}.{key}", value, f"the same {key} stands in {seen[value]}", "Give each its own")
        seen.setdefault(value, where)


def _known(variable: str, value: object, names: t.Sequence[str], listed_in: str) -> t.Iterator[str]:
    if value not in names:
        near = difflib.get_close_matches(str(value), names, 1)
        hint = f"perhaps {near[0]!r} is meant" if near else f"known are: {', '.join(names) or 'none'}"
        yield problem(
            variable, value, f"{listed_in} has no such name; {hint}", f"Add it to {listed_in}, or change it here"
        )


def _memory(variable: str, value: object) -> t.Iterator[str]:
    if not isinstance(value, str) or not MEMORY.fullmatch(value):
        yield problem(
            variable,
            value,
            "an amount of memory needs a unit",
            "Write a whole number with K, M, G or T, for example '2G'",
        )


def _line(variable: str, value: object, most: int = 200) -> t.Iterator[str]:
    if not (isinstance(value, str) and 0 < len(value) <= most and value.isprintable()):
        yield problem(
            variable, value, "this is not one line of text", f"Write 1 to {most} characters, a number in quotes"
        )


def _person(variable: str, name: object) -> t.Iterator[str]:
    yield from _matches(variable, name, USER, USER_WORDS)
    if str(name).startswith(COURSE_PREFIX):
        yield problem(
            variable, name, f"names that begin with {COURSE_PREFIX!r} belong to the courses", "Choose another name"
        )


def has_own_cluster(groups: t.Mapping[str, t.Sequence[str]]) -> bool:
    """Say whether any host is in a group of the own cluster."""
    return any(groups.get(name) for name in OWN_CLUSTER)


def group_problems(groups: t.Mapping[str, t.Sequence[str]]) -> t.Iterator[str]:
    """Check that each group has the hosts it needs and that no host is left over. A site with centres needs no own cluster."""
    own = has_own_cluster(groups) or not groups.get(CENTRES)
    for name, wanted in GROUPS.items():
        hosts = list(groups.get(name, []))
        if name in OWN_CLUSTER and not own:
            continue
        if not hosts:
            yield problem(f"group {name}", hosts, "it has no host", f"Add a host to {name} in the inventory")
        elif wanted == "one" and len(hosts) > 1:
            yield problem(f"group {name}", hosts, "it has more than one host", "Keep exactly one")
    known = (*GROUPS, CENTRES)
    placed = {host for name in known for host in groups.get(name, [])}
    for host in groups.get("all", []):
        if host not in placed and host != "localhost":
            yield problem(
                f"host {host}",
                "no group",
                "no step would touch it",
                f"Put it into one of {', '.join(known)}, or remove it",
            )


def profile_shape_problems(site: Record, groups: t.Mapping[str, t.Sequence[str]]) -> t.Iterator[str]:
    """Check that a site of one server has one server, and that one of a remote centre has a centre."""
    if site["site_profile"] == "remote-centre" and not site["site_centres"]:
        yield problem("site_profile", "remote-centre", "site_centres names no centre", "Describe one in site_centres")
    hosts = sorted({host for name in GROUPS for host in groups.get(name, [])})
    if site["site_profile"] == "single" and len(hosts) > 1:
        yield problem(
            "site_profile",
            "single",
            f"the groups hold {len(hosts)} hosts",
            "Put the one server into every group, or choose own-cluster",
        )


def name_problems(site: Record) -> t.Iterator[str]:
    """Check single values: names, addresses, the shared directory."""
    yield from _matches(
        "site_hub_id", site["site_hub_id"], SLUG, "a short name of lower case letters, digits and hyphens"
    )
    yield from _matches(
        "site_cluster_name", site["site_cluster_name"], SLUG, "a short name of lower case letters, digits and hyphens"
    )
    yield from _matches("site_account", site["site_account"], UNIX_USER, "a Unix user name")
    for name in ("site_hub_name", "site_hub_address", "site_login_address"):
        yield from _matches(name, site[name], HOST, "a host name or an IPv4 address")
    if str(site["site_hub_name"]) != str(site["site_hub_name"]).lower():
        yield problem("site_hub_name", site["site_hub_name"], "it has upper case letters", "Write it in lower case")
    yield from _matches(
        "site_public_url", site["site_public_url"], PUBLIC_URL, "an address such as https://hub.example.org/"
    )
    for name in site["site_webdav_hosts"]:
        yield from _matches(
            "site_webdav_hosts",
            name,
            WEBDAV_HOST,
            "a host name in lower case such as cloud.example.org, with a port if not 443",
        )
    for name in ("site_hub_ssh_port", "site_login_ssh_port"):
        if not 1 <= int(site[name]) <= 65535:
            yield problem(name, site[name], "this is not a port", "Write a number from 1 to 65535")
    if not 1000 <= int(site["site_account_uid"]) < 60000:
        yield problem(
            "site_account_uid",
            site["site_account_uid"],
            "this is not an ordinary user id",
            "Write a number from 1000 to 59999",
        )
    shared = str(site["site_shared_dir"])
    if not re.fullmatch(r"(/[A-Za-z0-9._-]+)+", shared) or "/.." in shared:
        yield problem(
            "site_shared_dir",
            shared,
            "this is not a plain absolute path",
            "Write a path such as /srv/hpcampus, without spaces and '..'",
        )


def centre_problems(
    site: Record, groups: t.Mapping[str, t.Sequence[str]], hosts: t.Mapping[str, Record]
) -> t.Iterator[str]:
    """Check the clusters of others against the login nodes of the inventory.

    Args:
        site: The ``site_`` variables.
        groups: Host names of each group.
        hosts: What is known of the variables of every host.
    """
    yield from _unique(site, "site_centres", "name")
    yield from _unique(site, "site_centres", "login")
    logins = list(groups.get(CENTRES, []))
    for where, record in _records(site, "site_centres"):
        yield from _matches(
            f"{where}.name", record["name"], SLUG, "a short name of lower case letters, digits and hyphens"
        )
        if has_own_cluster(groups) and record["name"] == site["site_cluster_name"]:
            yield problem(
                f"{where}.name",
                record["name"],
                "the own cluster has this name (site_cluster_name)",
                "Give each its own",
            )
        yield from _known(f"{where}.login", record["login"], logins, f"group {CENTRES}")
        yield from _centre_value_problems(where, record)
        account = record.get("account") or hosts.get(record["login"], {}).get("ansible_user")
        yield from _matches(
            f"{where}.account", account, UNIX_USER, "a Unix user name, or ansible_user of the login node"
        )
    named = [record["login"] for record in site["site_centres"]]
    for host in logins:
        if host not in named:
            yield problem(
                f"host {host}", CENTRES, "no record of site_centres names it", "Describe the centre, or remove the host"
            )


def _centre_value_problems(where: str, record: Record) -> t.Iterator[str]:
    """Check the values of one centre that stand for themselves."""
    yield from _matches(
        f"{where}.host_key", record["host_key"], HOST_KEY, "a public host key such as 'ssh-ed25519 AAAA...'"
    )
    yield from _matches(f"{where}.base_dir", record["base_dir"], CENTRE_DIR, "a path such as /project/p123/hpcampus")
    if not record["partitions"]:
        yield problem(f"{where}.partitions", [], "no notebook could run there", "Name at least one")
    for name in record["partitions"]:
        yield from _matches(
            f"{where}.partitions", name, CENTRE_PARTITION, "the name of a partition, as sinfo prints it"
        )
    if record.get("address"):
        yield from _matches(f"{where}.address", record["address"], HOST, "a host name or an IPv4 address")
    if not 1 <= int(record.get("port") or 22) <= 65535:
        yield problem(f"{where}.port", record["port"], "this is not a port", "Write a number from 1 to 65535")
    if int(record.get("max_servers") or 0) < 0:
        yield problem(f"{where}.max_servers", record["max_servers"], "this is no number of servers", "Write 0 or more")
    for key, pattern, wanted in (
        ("apptainer", PROGRAM, "the path of a program, or its name"),
        ("module", MODULE, "the name of an environment module, such as apptainer/1.4"),
        ("python", PROGRAM_PATH, "the absolute path of a Python"),
        ("slurm_dir", PROGRAM_PATH, "an absolute path"),
    ):
        if record.get(key):
            yield from _matches(f"{where}.{key}", record[key], pattern, wanted)
    yield from _source_problems(where, record)


def _source_problems(where: str, record: Record) -> t.Iterator[str]:
    """Check from where the centre sees the hub, and the hub the centre."""
    for source in record.get("key_from") or []:
        yield from _matches(f"{where}.key_from", source, KEY_FROM, "an address or a network")
    for network in record.get("networks") or []:
        try:
            ipaddress.ip_network(network)
        except ValueError:
            yield problem(f"{where}.networks", network, "this is not a network", "Write one such as 192.0.2.0/24")


def cluster_account_problems(site: Record) -> t.Iterator[str]:
    """Check under which accounts of the cluster notebooks run."""
    mode, pool = site["site_account_mode"], site["site_account_pool"]
    if (mode == "pool") != bool(pool):
        what, cure = (
            ("there is nothing to lease", "Add accounts, each with name and uid")
            if mode == "pool"
            else (f"site_account_mode is {mode!r}", "Set site_account_mode to pool, or empty the list")
        )
        yield problem("site_account_pool", [record["name"] for record in pool], what, cure)
    yield from _unique(site, "site_account_pool", "name")
    yield from _unique(site, "site_account_pool", "uid")
    for where, record in _records(site, "site_account_pool"):
        yield from _matches(f"{where}.name", record["name"], UNIX_USER, "a Unix user name")
        if record["name"] in ("root", site["site_account"]):
            yield problem(f"{where}.name", record["name"], "this account cannot be leased", "Choose another name")
        if not 1000 <= int(record["uid"]) < 60000 or int(record["uid"]) == int(site["site_account_uid"]):
            yield problem(
                f"{where}.uid",
                record["uid"],
                "this is not an ordinary user id, or it is that of site_account",
                "Write another number from 1000 to 59999",
            )
    if mode != "one" and site["site_courses"]:
        yield problem(
            "site_account_mode",
            mode,
            "courses need 'one': their directories belong to that account, and no other can mount them",
            "Set it to one, or remove the courses",
        )
    if mode != "one":
        yield from _unshared_problems(site)
    if mode == "students":
        yield from _own_account_problems(site)


def _unshared_problems(site: Record) -> t.Iterator[str]:
    """Check what needs one account for all: a way through the service account, and jobs that wait for nobody in particular."""
    mode = site["site_account_mode"]
    if site["site_data_path"] != "reverse":
        yield problem(
            "site_data_path",
            site["site_data_path"],
            f"with site_account_mode {mode!r} the hub's account cannot enter the jobs of students",
            "Set it to reverse, or site_account_mode to one",
        )
    for where, record in _records(site, "site_profiles"):
        if record.get("standby") and (record.get("cluster") or site["site_cluster_name"]) == site["site_cluster_name"]:
            yield problem(
                f"{where}.standby",
                record["standby"],
                f"with site_account_mode {mode!r} a job needs its student's account before it starts",
                "Set it to 0, or site_account_mode to one",
            )


def _own_account_problems(site: Record) -> t.Iterator[str]:
    """Check the rule that leads from a student's name on the hub to the account on the cluster."""
    pattern = site["site_account_pattern"]
    try:
        re.compile(pattern)
    except re.error as error:
        yield problem("site_account_pattern", pattern, f"this is not a regular expression ({error})", "Mend it")
    if not re.fullmatch(r"[!-~]+", pattern):
        yield problem(
            "site_account_pattern", pattern, "it is empty, or has spaces", "Write printable ASCII without spaces"
        )
    yield from _matches("site_account_group", site["site_account_group"], UNIX_USER, "a Unix group name")
    if site["site_account_prefix"]:
        yield from _matches(
            "site_account_prefix",
            site["site_account_prefix"],
            re.compile(r"[a-z_][a-z0-9_-]{0,15}"),
            "up to 16 lower case letters, digits, '-' and '_'",
        )
    for address in site["site_account_source_addresses"]:
        try:
            ipaddress.ip_network(address)
        except ValueError:
            yield problem(
                "site_account_source_addresses", address, "this is not an address", "Write it as 192.0.2.10/32"
            )


def partition_problems(site: Record) -> t.Iterator[str]:
    """Check the partitions."""
    yield from _unique(site, "site_partitions", "name")
    for where, record in _records(site, "site_partitions"):
        yield from _matches(
            f"{where}.name", record["name"], PARTITION, "a partition name of letters, digits, '_' and '-'"
        )
        longest, usual = int(record.get("max_time_minutes", 720)), int(record.get("default_time_minutes", 120))
        if not 1 <= usual <= longest:
            yield problem(
                f"{where}.default_time_minutes",
                usual,
                f"it must lie between 1 and max_time_minutes ({longest})",
                "Lower it, or raise max_time_minutes",
            )
        if record.get("max_memory_per_node") is not None:
            yield from _matches(
                f"{where}.max_memory_per_node",
                record["max_memory_per_node"],
                PARTITION_MEMORY,
                "an amount of memory with the unit M, G or T, for example '64G'",
            )
        if record.get("max_cpus_per_node") is not None and int(record["max_cpus_per_node"]) < 1:
            yield problem(
                f"{where}.max_cpus_per_node", record["max_cpus_per_node"], "no job could run", "Write 1 or more"
            )
    defaults = [record["name"] for _, record in _records(site, "site_partitions") if record.get("default")]
    if len(defaults) > 1:
        yield problem(
            "site_partitions", defaults, "more than one is the default", "Keep 'default: true' in one of them"
        )
    if not site["site_partitions"]:
        yield problem("site_partitions", [], "there is no partition", "Add one; notebooks are Slurm jobs")


def cluster_partitions(site: Record, groups: t.Mapping[str, t.Sequence[str]]) -> dict[str, dict[str, Record]]:
    """Name the clusters that jobs can go to, the one of profiles that name none first, each with its partitions.

    Of somebody else's partitions nothing but the names is known here.
    """
    clusters: dict[str, dict[str, Record]]
    clusters = {centre["name"]: {name: {} for name in centre["partitions"]} for centre in site["site_centres"]}
    if clusters and not has_own_cluster(groups):
        return clusters
    return {site["site_cluster_name"]: {record["name"]: record for record in site["site_partitions"]}, **clusters}


def profile_problems(site: Record, groups: t.Mapping[str, t.Sequence[str]]) -> t.Iterator[str]:
    """Check the profiles against clusters, partitions, images and courses."""
    clusters = cluster_partitions(site, groups)
    images = [record["name"] for record in site["site_images"]]
    courses = [record["slug"] for record in site["site_courses"]]
    yield from _unique(site, "site_profiles", "name")
    for where, record in _records(site, "site_profiles"):
        yield from _matches(
            f"{where}.name", record["name"], SLUG, "a short name of lower case letters, digits and hyphens"
        )
        yield from _line(f"{where}.label", record["label"])
        if record.get("description"):
            yield from _line(f"{where}.description", record["description"], 500)
        yield from _cluster_problems(f"{where}.cluster", record, list(clusters))
        cluster = record.get("cluster") or next(iter(clusters))
        partitions = clusters.get(cluster, {record["partition"]: {}})
        listed_in = "site_partitions" if cluster == site["site_cluster_name"] else f"site_centres, {cluster},"
        yield from _known(f"{where}.partition", record["partition"], list(partitions), listed_in)
        yield from _known(f"{where}.image", record["image"], images, "site_images")
        yield from _memory(f"{where}.memory", record["memory"])
        size = int(record.get("overlay_mb") or 0)
        if size != 0 and not OVERLAY_MB_MIN <= size <= OVERLAY_MB_MAX:
            yield problem(
                f"{where}.overlay_mb",
                size,
                f"a file for packages has {OVERLAY_MB_MIN} to {OVERLAY_MB_MAX} megabytes",
                "Write such a number, or 0 to keep packages in the home",
            )
        if size != 0 and record.get("standby"):
            yield problem(
                f"{where}.overlay_mb",
                size,
                "jobs that wait warm cannot mount the file of who comes later",
                "Set overlay_mb or standby to 0",
            )
        yield from _limit_problems(where, record, partitions.get(record["partition"], {}))
        for name in ("account", "qos", "reservation"):
            yield from _matches(f"{where}.{name}", record.get(name) or "", SLURM_NAME, "a name that Slurm uses")
        yield from _matches(f"{where}.gres", record.get("gres") or "", GRES, "a GRES request such as gpu:1")
        yield from _choice_problems(where, record, images)
        yield from _range_problems(where, record, partitions.get(record["partition"], {}))
        yield from _environment_problems(f"{where}.environment", record.get("environment") or {})
        for slug in record.get("courses") or []:
            yield from _known(f"{where}.courses", slug, courses, "site_courses")
        for name in ("images", "courses", "groups"):
            yield from _some_or_unset(f"{where}.{name}", record.get(name))
    if not site["site_profiles"]:
        yield problem("site_profiles", [], "there is nothing to choose from", "Add a profile")


def _limit_problems(where: str, record: Record, partition: Record) -> t.Iterator[str]:
    """Hold what a profile asks for against what its partition allows."""
    most_cpus = int(partition.get("max_cpus_per_node") or 4096)
    if not 1 <= int(record["cpus"]) <= most_cpus:
        yield problem(
            f"{where}.cpus",
            record["cpus"],
            f"a job needs a core, and partition {record['partition']!r} allows 1 to {most_cpus}",
            "Change it, or max_cpus_per_node of the partition",
        )
    # Of somebody else's partition no limit is known here; 366 days are the most that a job can ask for.
    longest = int(partition.get("max_time_minutes", 720 if partition else 366 * 24 * 60))
    if not 1 <= int(record["time_limit_minutes"]) <= longest:
        yield problem(
            f"{where}.time_limit_minutes",
            record["time_limit_minutes"],
            f"partition {record['partition']!r} allows 1 to {longest} minutes",
            "Lower it, or raise max_time_minutes of the partition",
        )
    if not MEMORY.fullmatch(str(record["memory"])):
        return
    most = str(partition.get("max_memory_per_node") or "")
    if memory_kb(record["memory"]) < SMALLEST_JOB_KB:
        yield problem(f"{where}.memory", record["memory"], "no notebook runs in less than 64M", "Write more")
    if PARTITION_MEMORY.fullmatch(most) and memory_kb(record["memory"]) > memory_kb(most):
        yield problem(
            f"{where}.memory",
            record["memory"],
            f"partition {record['partition']!r} allows {most}",
            "Lower it, or raise max_memory_per_node",
        )


def _cluster_problems(variable: str, record: Record, names: t.Sequence[str]) -> t.Iterator[str]:
    if record.get("cluster") is not None and record["cluster"] not in names:
        yield problem(
            variable,
            record["cluster"],
            f"there is no such cluster; known are: {', '.join(names)}",
            f"Name one of them, or leave it out for {names[0]}",
        )


def _some_or_unset(variable: str, entries: t.Sequence[object] | None) -> t.Iterator[str]:
    """An empty list could mean everything as well as nothing."""
    if entries is not None and not entries:
        yield problem(variable, entries, "nothing is named", "Name at least one, or remove the line")
    for entry in {entry for entry in entries or [] if list(entries or []).count(entry) > 1}:
        yield problem(variable, entry, "it is named twice", "Name it once")


def _choice_problems(where: str, record: Record, images: t.Sequence[str]) -> t.Iterator[str]:
    """Check lists to choose from; what there is without a choice has to be among them."""
    for name in record.get("images") or []:
        yield from _known(f"{where}.images", name, images, "site_images")
    if record.get("images") and record["image"] not in record["images"]:
        yield problem(
            f"{where}.images", record["images"], f"the usual image, {record['image']!r}, is missing", "Add it"
        )
    offered = (record.get("ranges") or {}).get("gres")
    yield from _some_or_unset(f"{where}.ranges.gres", offered)
    for entry in offered or []:
        yield from _matches(f"{where}.ranges.gres", entry, GRES, "a GRES request such as gpu:1, or none")
    usual = record.get("gres") or "none"
    if offered and usual not in [entry or "none" for entry in offered]:
        yield problem(f"{where}.ranges.gres", offered, f"the usual one, {usual!r}, is missing", "Add it")


def _range_problems(where: str, record: Record, partition: Record) -> t.Iterator[str]:
    """Check what a student may ask for: it holds what the profile has, and the partition allows it all."""
    ranges = record.get("ranges") or {}
    for key, unit in (("cpus", int), ("memory", memory_kb), ("time_limit_minutes", int)):
        found = ranges.get(key)
        if found is None:
            continue
        if key == "memory":
            wrong = [text for end in ("min", "max") for text in _memory(f"{where}.ranges.memory.{end}", found[end])]
            yield from wrong
            if wrong or not MEMORY.fullmatch(str(record["memory"])):
                continue
        if not unit(found["min"]) <= unit(record[key]) <= unit(found["max"]):
            yield problem(
                f"{where}.ranges.{key}",
                f"{found['min']} to {found['max']}",
                f"the usual value, {record[key]}, does not lie in it",
                f"Widen it, or change {key} of the profile",
            )
        for end in ("min", "max"):
            asked = {**record, key: found[end]}
            yield from (text for text in _limit_problems(f"{where}.ranges", asked, partition) if f".{key} = " in text)


def _environment_problems(variable: str, environment: t.Mapping[t.Any, t.Any]) -> t.Iterator[str]:
    """Check the variables that a profile sets for notebook servers. A value is never repeated in a message."""
    if len(environment) > ENVIRONMENT_NAMES_MAX:
        yield problem(
            variable,
            len(environment),
            f"at most {ENVIRONMENT_NAMES_MAX} names can be set",
            "Put the rest into the image",
        )
    for name, value in environment.items():
        if not isinstance(name, str) or not ENVIRONMENT_NAME.fullmatch(name):
            yield problem(
                variable,
                name,
                "no profile may set such a name: it is malformed, or loaders, interpreters, shells, Slurm or the platform go by it",
                "Remove it, or set it in the image",
            )
        text = str(value) if type(value) is int else value
        if not isinstance(text, str) or len(text) > ENVIRONMENT_VALUE_MAX or not (text.isprintable() or not text):
            yield problem(
                f"{variable}.{name}",
                "(hidden)",
                f"this is not one line of text of at most {ENVIRONMENT_VALUE_MAX} characters",
                "Write one, in quotes",
            )


def image_problems(site: Record) -> t.Iterator[str]:
    """Check the images."""
    yield from _unique(site, "site_images", "name")
    for where, record in _records(site, "site_images"):
        yield from _matches(
            f"{where}.name", record["name"], SLUG, "a short name of lower case letters, digits and hyphens"
        )
        if record.get("label") is not None:
            yield from _line(f"{where}.label", record["label"])
        for name in record.get("apt_packages", []):
            yield from _matches(f"{where}.apt_packages", name, PACKAGE, "the name of a Debian package")


def course_problems(site: Record) -> t.Iterator[str]:
    """Check the courses against images and profiles."""
    yield from _unique(site, "site_courses", "slug")
    for where, record in _records(site, "site_courses"):
        yield from _matches(
            f"{where}.slug", record["slug"], SLUG, "a course slug of lower case letters, digits and hyphens"
        )
        yield from _line(f"{where}.title", record["title"])
        yield from _known(
            f"{where}.image",
            record.get("image", "notebook"),
            [image["name"] for image in site["site_images"]],
            "site_images",
        )
        yield from _known(
            f"{where}.profile",
            record.get("profile", "small"),
            [profile["name"] for profile in site["site_profiles"]],
            "site_profiles",
        )
        yield from _usual_profile_problems(where, record, site["site_profiles"])
        if not record["instructors"]:
            yield problem(f"{where}.instructors", [], "nobody could open the gradebook", "Name at least one instructor")
        for role in ("instructors", "students"):
            for name in record.get(role, []):
                yield from _person(f"{where}.{role}", name)


def _usual_profile_problems(where: str, course: Record, profiles: t.Sequence[Record]) -> t.Iterator[str]:
    """A course's profile must not be one that is for other courses alone."""
    usual = course.get("profile", "small")
    for profile in profiles:
        closed = profile["name"] == usual and profile.get("courses") and not profile.get("groups")
        if closed and course["slug"] not in profile["courses"]:
            yield problem(
                f"{where}.profile",
                usual,
                f"it is for {', '.join(profile['courses'])} alone",
                f"Add {course['slug']} to the courses of the profile, or choose another one",
            )


def account_problems(site: Record) -> t.Iterator[str]:
    """Check the local accounts. A password is never repeated in a message."""
    yield from _unique(site, "site_accounts", "name")
    for where, record in _records(site, "site_accounts"):
        yield from _person(f"{where}.name", record["name"])
        if not BCRYPT.fullmatch(str(record["password_hash"])):
            yield problem(
                f"{where}.password_hash",
                "(hidden)",
                "this is not a bcrypt hash",
                "Make one with: mkpasswd -m bcrypt -R 12",
            )
    for name in site["site_admins"]:
        yield from _person("site_admins", name)


def login_problems(site: Record, authenticator: str) -> t.Iterator[str]:
    """Find people who are named and could not log in.

    Args:
        site: The ``site_`` variables.
        authenticator: ``local`` or ``native``; where people sign up, only administrators cannot.
    """
    known = [record["name"] for record in site["site_accounts"]]
    named = [("site_admins", name) for name in site["site_admins"]]
    cure = "Add the account"
    if authenticator == "local":
        cure += ", or set jupyterhub_authenticator to native, where people sign up themselves"
        for where, record in _records(site, "site_courses"):
            named += [
                (f"{where}.{role}", name) for role in ("instructors", "students") for name in record.get(role, [])
            ]
    for variable, name in named:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, 1)
            hint = f"; perhaps {near[0]!r} is meant" if near else ""
            yield problem(
                variable, name, f"site_accounts has no such account, so this person could not log in{hint}", cure
            )


def apptainer_problems(variables: Record) -> t.Iterator[str]:
    """Check where Apptainer comes from when it is a package file."""
    if variables.get("apptainer_source") == "deb":
        yield from _matches(
            "apptainer_deb_url", variables.get("apptainer_deb_url", ""), DEB_URL, "the https address of a .deb file"
        )
        yield from _matches(
            "apptainer_deb_checksum",
            variables.get("apptainer_deb_checksum", ""),
            DEB_CHECKSUM,
            "its checksum as 'sha256:' and 64 hexadecimal digits",
        )


def unknown_problems(variables: t.Iterable[str], site: Record) -> t.Iterator[str]:
    """Find site_ variables that do not exist: almost always a typing error."""
    for name in sorted(variables):
        if name.startswith("site_") and name not in site:
            near = difflib.get_close_matches(name, list(site), 1)
            yield problem(name, "set", "there is no such variable", f"Did you mean {near[0]}?" if near else "Remove it")


def file_problems(site: Record) -> t.Iterator[str]:
    """Check that the files an inventory names are on the controller."""
    for index, path in enumerate(site["site_ca_certificates"]):
        if not pathlib.Path(path).is_file():
            yield problem(
                f"site_ca_certificates[{index}]",
                path,
                "there is no such file on the controller",
                "Give the path of a PEM file",
            )
    for where, record in _records(site, "site_images"):
        if record.get("lock") and not pathlib.Path(record["lock"]).is_file():
            yield problem(
                f"{where}.lock",
                record["lock"],
                "there is no such file on the controller",
                "Give the path of a pip lock file with hashes",
            )


def certificate_problems(
    certificate: str, key: str, server_name: str, now: dt.datetime | None = None, aliases: t.Sequence[str] = ()
) -> list[str]:
    """Check a provided TLS certificate against its key, its names and the date.

    Args:
        certificate: Path of the PEM file with the server's certificate first.
        key: Path of the PEM file with the private key.
        server_name: DNS name that students type.
        now: The time to check against; the present when not given.
        aliases: Further names of the server.

    Returns:
        One message for each problem; empty when all is well.
    """
    for variable, path in (("apache_certificate_file", certificate), ("apache_certificate_key_file", key)):
        if not pathlib.Path(path).is_file():
            return [problem(variable, path, "there is no such file on the controller", "Give the path of a PEM file")]
    try:
        found = x509.load_pem_x509_certificate(pathlib.Path(certificate).read_bytes())
    except ValueError:
        return [
            problem(
                "apache_certificate_file",
                certificate,
                "this is not a PEM certificate",
                "Export it as PEM, the server's certificate first",
            )
        ]
    try:
        private = load_pem_private_key(pathlib.Path(key).read_bytes(), password=None)
    except (ValueError, TypeError):
        return [
            problem(
                "apache_certificate_key_file",
                key,
                "this is not an unencrypted PEM key",
                "Export it as PEM without a passphrase",
            )
        ]

    def spki(public: t.Any) -> bytes:
        return t.cast("bytes", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    problems = []
    if spki(found.public_key()) != spki(private.public_key()):
        problems.append(
            problem(
                "apache_certificate_key_file",
                key,
                f"it does not belong to the certificate {certificate}",
                "Give the key that the certificate was requested with",
            )
        )
    moment = now or dt.datetime.now(dt.UTC)
    if moment > found.not_valid_after_utc:
        problems.append(
            problem(
                "apache_certificate_file",
                certificate,
                f"it expired on {found.not_valid_after_utc:%Y-%m-%d}",
                "Renew it",
            )
        )
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(
            x509.DNSName
        )
    except x509.ExtensionNotFound:
        names = []
    missing = [
        name for name in (server_name, *aliases) if name not in names and "*." + name.partition(".")[2] not in names
    ]
    if missing:
        problems.append(
            problem(
                "apache_certificate_file",
                certificate,
                f"it is for {', '.join(names) or 'no name'}, not for {', '.join(missing)}",
                "Request one for every name of the server",
            )
        )
    return problems


def site_problems(
    variables: Record,
    site: Record,
    groups: t.Mapping[str, t.Sequence[str]],
    hosts: t.Mapping[str, Record] | None = None,
) -> list[str]:
    """Find everything that is wrong with an inventory whose variables have the shapes that the roles want.

    Args:
        variables: All variables of one host, for names that do not exist and for what other roles are told.
        site: The ``site_`` variables with their defaults filled in.
        groups: Host names of each group.
        hosts: What is known of the variables of every host, for the login nodes of centres.

    Returns:
        One message for each problem, in a stable order; empty when all is well.
    """
    problems = [
        *group_problems(groups),
        *profile_shape_problems(site, groups),
        *unknown_problems(variables, site),
        *name_problems(site),
        *centre_problems(site, groups, hosts or {}),
        *cluster_account_problems(site),
        *partition_problems(site),
        *image_problems(site),
        *profile_problems(site, groups),
        *course_problems(site),
        *account_problems(site),
        *file_problems(site),
        *apptainer_problems(variables),
    ]
    if site["site_account_mode"] == "students" and variables.get("jupyterhub_authenticator") == "native":
        problems.append(
            problem(
                "jupyterhub_authenticator",
                "native",
                "people choose their names there, and with site_account_mode 'students' a name is an account of the cluster",
                "Choose a login that knows the cluster's names, or another site_account_mode",
            )
        )
    # A site without any account is one that is not finished yet, such as the worked example of the demo.
    if site["site_accounts"]:
        problems += login_problems(site, str(variables.get("jupyterhub_authenticator", "local")))
    if variables.get("apache_certificate") == "provided":
        problems += certificate_problems(
            str(variables.get("apache_certificate_file", "")),
            str(variables.get("apache_certificate_key_file", "")),
            str(site["site_hub_name"]),
            aliases=[str(name) for name in variables.get("apache_server_aliases", [])],
        )
    return problems
