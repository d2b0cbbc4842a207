# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Every contradiction in an inventory is found, named and comes with a cure."""

import copy
import datetime as dt
import pathlib
import re

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from hpcampus_hub import settings
from plugins.module_utils import site_problems as checks
from plugins.module_utils.site_problems import environment
from plugins.module_utils.site_problems.accounts import USER
from plugins.module_utils.site_problems.findings import SLUG
from plugins.module_utils.site_problems.memory import UNITS_KB, memory_kb
from plugins.module_utils.site_problems.profiles import GRES

ROOT = pathlib.Path(__file__).parents[3]

GROUPS = {"all": ["h", "l", "c"], "hub": ["h"], "slurm_controller": ["l"], "slurm_login": ["l"], "slurm_compute": ["c"]}
HASH = "$2b$12$" + "a" * 53


def site(**changes):
    values = yaml.safe_load((ROOT / "roles/site/defaults/main.yml").read_text())
    values.update(
        site_hub_name="hub.example.org", site_hub_address="hub.example.org", site_public_url="https://hub.example.org/"
    )
    values.update(changes)
    return values


def record(variable, /, **changes):
    return {**copy.deepcopy(site()[variable][0]), **changes}


def profile(**changes):
    return record("site_profiles", **changes)


def span(key, low, high):
    return {key: {"min": low, "max": high}}


COURSE = {"slug": "a1", "title": "A", "instructors": ["eve"]}


def test_the_defaults_are_consistent():
    assert checks.site_problems({}, site(), GROUPS) == []


@pytest.mark.parametrize(
    ("changes", "variable", "words"),
    [
        (
            {"site_profiles": [record("site_profiles", partition="juypter")]},
            "site_profiles[0].partition",
            "perhaps 'jupyter' is meant",
        ),
        ({"site_profiles": [record("site_profiles", memory="2")]}, "site_profiles[0].memory", "needs a unit"),
        ({"site_profiles": [record("site_profiles", memory=2048)]}, "site_profiles[0].memory", "needs a unit"),
        (
            {
                "site_partitions": [record("site_partitions", max_cpus_per_node=1)],
                "site_profiles": [record("site_profiles", cpus=2)],
            },
            "site_profiles[0].cpus",
            "allows 1 to 1",
        ),
        ({"site_profiles": [record("site_profiles", memory="63M")]}, "site_profiles[0].memory", "less than 64M"),
        ({"site_profiles": [record("site_profiles", overlay_mb=63)]}, "site_profiles[0].overlay_mb", "64 to 1048576"),
        (
            {"site_profiles": [record("site_profiles", overlay_mb=512, standby=1)]},
            "site_profiles[0].overlay_mb",
            "wait warm",
        ),
        ({"site_profiles": [record("site_profiles", overlay_mb=-1)]}, "site_profiles[0].overlay_mb", "64 to 1048576"),
        ({"site_profiles": [record("site_profiles", label="two\nlines")]}, "site_profiles[0].label", "one line"),
        (
            {"site_partitions": [record("site_partitions", max_memory_per_node="64000000K")]},
            "site_partitions[0].max_memory_per_node",
            "unit M, G or T",
        ),
        (
            {"site_partitions": [record("site_partitions", max_cpus_per_node=0)]},
            "site_partitions[0].max_cpus_per_node",
            "no job could run",
        ),
        ({"site_images": [record("site_images", label="")]}, "site_images[0].label", "one line"),
        ({"site_images": [record("site_images", apt_packages=["a b"])]}, "site_images[0].apt_packages", "package"),
        ({"site_courses": [{**COURSE, "title": "two\nlines"}]}, "site_courses[0].title", "one line"),
        ({"site_courses": [{**COURSE, "title": 2026}]}, "site_courses[0].title", "one line"),
        (
            {"site_courses": [{**COURSE, "students": ["course-a1"]}]},
            "site_courses[0].students",
            "belong to the courses",
        ),
        ({"site_hub_name": "Hub.example.org"}, "site_hub_name", "upper case"),
        ({"site_hub_name": "hub-.example.org"}, "site_hub_name", "host name"),
        ({"site_webdav_hosts": ["https://cloud.example.org/"]}, "site_webdav_hosts", "host name"),
        ({"site_webdav_hosts": ["cloud.example.org", "*.sciebo.de"]}, "site_webdav_hosts", "host name"),
        ({"site_admins": ["anna."]}, "site_admins", "user name"),
        (
            {"site_accounts": [{"name": "eve", "password_hash": HASH}], "site_admins": ["evw"]},
            "site_admins",
            "perhaps 'eve' is meant",
        ),
        ({"site_profiles": [record("site_profiles", cpus=0)]}, "site_profiles[0].cpus", "needs a core"),
        (
            {"site_profiles": [record("site_profiles", time_limit_minutes=721)]},
            "site_profiles[0].time_limit_minutes",
            "1 to 720",
        ),
        ({"site_profiles": [record("site_profiles", image="r")]}, "site_profiles[0].image", "no such name"),
        ({"site_profiles": [record("site_profiles", name="a b")]}, "site_profiles[0].name", "short name"),
        ({"site_profiles": [profile(description="x" * 501)]}, "site_profiles[0].description", "one line"),
        ({"site_profiles": [profile(cluster="far")]}, "site_profiles[0].cluster", "known are: cluster"),
        ({"site_profiles": [profile(account="a b")]}, "site_profiles[0].account", "Slurm"),
        ({"site_profiles": [profile(qos="$(id)")]}, "site_profiles[0].qos", "Slurm"),
        ({"site_profiles": [profile(reservation="-x")]}, "site_profiles[0].reservation", "Slurm"),
        ({"site_profiles": [profile(gres="gpu 1")]}, "site_profiles[0].gres", "gpu:1"),
        ({"site_profiles": [profile(images=["notebook", "r"])]}, "site_profiles[0].images", "no such name"),
        (
            {
                "site_images": [record("site_images"), record("site_images", name="r")],
                "site_profiles": [profile(images=["r"])],
            },
            "site_profiles[0].images",
            "'notebook', is missing",
        ),
        ({"site_profiles": [profile(images=[])]}, "site_profiles[0].images", "nothing is named"),
        ({"site_profiles": [profile(images=["notebook"] * 2)]}, "site_profiles[0].images", "named twice"),
        ({"site_profiles": [profile(courses=["b"])]}, "site_profiles[0].courses", "no such name"),
        ({"site_profiles": [profile(groups=[])]}, "site_profiles[0].groups", "nothing is named"),
        ({"site_profiles": [profile(ranges=span("cpus", 2, 4))]}, "site_profiles[0].ranges.cpus", "1, does not lie"),
        ({"site_profiles": [profile(ranges=span("cpus", 0, 4))]}, "site_profiles[0].ranges.cpus", "needs a core"),
        ({"site_profiles": [profile(ranges=span("cpus", 1, 5000))]}, "site_profiles[0].ranges.cpus", "1 to 4096"),
        (
            {"site_profiles": [profile(ranges=span("memory", "1", "2G"))]},
            "site_profiles[0].ranges.memory.min",
            "needs a unit",
        ),
        ({"site_profiles": [profile(ranges=span("memory", "2G", "4G"))]}, "site_profiles[0].ranges.memory", "1G, does"),
        ({"site_profiles": [profile(ranges=span("memory", "8M", "4G"))]}, "site_profiles[0].ranges.memory", "than 64M"),
        (
            {
                "site_partitions": [record("site_partitions", max_memory_per_node="2G")],
                "site_profiles": [profile(ranges=span("memory", "1G", "4G"))],
            },
            "site_profiles[0].ranges.memory",
            "allows 2G",
        ),
        (
            {"site_profiles": [profile(ranges=span("time_limit_minutes", 30, 721))]},
            "site_profiles[0].ranges.time_limit_minutes",
            "1 to 720",
        ),
        (
            {"site_profiles": [profile(ranges={"gres": ["gpu:1"]})]},
            "site_profiles[0].ranges.gres",
            "'none', is missing",
        ),
        ({"site_profiles": [profile(ranges={"gres": []})]}, "site_profiles[0].ranges.gres", "nothing is named"),
        ({"site_profiles": [profile(ranges={"gres": ["none", "a b"]})]}, "site_profiles[0].ranges.gres", "or none"),
        (
            {"site_profiles": [profile(environment={"LD_PRELOAD": "x"})]},
            "site_profiles[0].environment",
            "no profile may",
        ),
        ({"site_profiles": [profile(environment={"A": True})]}, "site_profiles[0].environment.A", "one line"),
        (
            {"site_profiles": [profile(environment={f"A{n}": "" for n in range(51)})]},
            "site_profiles[0].environment",
            "at most 50",
        ),
        (
            {
                "site_courses": [COURSE, {**COURSE, "slug": "b"}],
                "site_profiles": [profile(courses=["b"])],
            },
            "site_courses[0].profile",
            "for b alone",
        ),
        ({"site_profiles": [record("site_profiles"), record("site_profiles")]}, "site_profiles[1].name", "same name"),
        ({"site_profiles": []}, "site_profiles", "nothing to choose"),
        ({"site_partitions": []}, "site_partitions", "no partition"),
        (
            {"site_partitions": [record("site_partitions"), record("site_partitions", name="b")]},
            "site_partitions",
            "more than one is the default",
        ),
        (
            {"site_partitions": [record("site_partitions", default_time_minutes=800)]},
            "site_partitions[0].default_time_minutes",
            "between 1",
        ),
        (
            {"site_partitions": [record("site_partitions", max_memory_per_node="512M")]},
            "site_profiles[0].memory",
            "allows 512M",
        ),
        ({"site_images": [record("site_images"), record("site_images")]}, "site_images[1].name", "same name"),
        ({"site_images": [record("site_images", lock="/no/such")]}, "site_images[0].lock", "no such file"),
        ({"site_courses": [{**COURSE, "slug": "../x"}]}, "site_courses[0].slug", "course slug"),
        ({"site_courses": [COURSE, COURSE]}, "site_courses[1].slug", "same slug"),
        ({"site_courses": [{**COURSE, "instructors": []}]}, "site_courses[0].instructors", "gradebook"),
        ({"site_courses": [{**COURSE, "students": ["a;b"]}]}, "site_courses[0].students", "user name"),
        ({"site_accounts": [{"name": "eve", "password_hash": "hunter2"}]}, "site_accounts[0].password_hash", "bcrypt"),
        (
            {"site_accounts": [{"name": "course-x", "password_hash": HASH}]},
            "site_accounts[0].name",
            "belong to the courses",
        ),
        ({"site_accounts": [{"name": "a\nb", "password_hash": HASH}]}, "site_accounts[0].name", "user name"),
        ({"site_admins": ["Root"]}, "site_admins", "user name"),
        ({"site_profile": "single"}, "site_profile", "hold 3 hosts"),
        ({"site_public_url": "http://hub.example.org"}, "site_public_url", "not an address"),
        ({"site_hub_name": "hub example"}, "site_hub_name", "host name"),
        ({"site_hub_id": "Hub"}, "site_hub_id", "short name"),
        ({"site_account": "a b"}, "site_account", "Unix user name"),
        ({"site_account_uid": 0}, "site_account_uid", "ordinary user id"),
        ({"site_hub_ssh_port": 0}, "site_hub_ssh_port", "not a port"),
        ({"site_shared_dir": "/srv/../etc"}, "site_shared_dir", "plain absolute path"),
        ({"site_ca_certificates": ["/no/such.pem"]}, "site_ca_certificates[0]", "no such file"),
        (
            {"site_ca_certificates": ["-----BEGIN CERTIFICATE-----" + "x" * 999]},
            "site_ca_certificates[0]",
            "no such file",
        ),
    ],
)
def test_each_contradiction_is_found(changes, variable, words):
    problems = checks.site_problems({}, site(**changes), GROUPS)
    assert [text for text in problems if text.startswith(f"{variable} = ") and words in text], problems


def test_a_profile_with_every_choice_is_consistent():
    ranges = {**span("cpus", 1, 4), **span("memory", "512M", "8G"), **span("time_limit_minutes", 30, 720)}
    offers = {"ranges": {**ranges, "gres": ["none", "gpu:1"]}, "images": ["notebook"], "courses": ["a1"]}
    names = {"cluster": "cluster", "account": "teaching", "qos": "short", "reservation": "", "groups": ["staff"]}
    made = profile(**offers, **names, environment={"OMP_NUM_THREADS": 4, "TZ": ""}, description="For all.")
    assert checks.site_problems({}, site(site_profiles=[made], site_courses=[COURSE]), GROUPS) == []


def test_a_value_of_the_environment_is_never_repeated():
    problems = checks.site_problems({}, site(site_profiles=[profile(environment={"TOKEN": "hunter2\n"})]), GROUPS)
    assert problems
    assert not any("hunter2" in text for text in problems)


def test_inventory_and_hub_go_by_the_same_rules():
    """Or hosts would have been changed before the mistake is named."""
    assert environment.ENVIRONMENT_NAME == settings.ENVIRONMENT_NAME
    assert environment.ENVIRONMENT_NAMES_MAX == settings.ENVIRONMENT_NAMES_MAX
    assert environment.ENVIRONMENT_VALUE_MAX == settings.ENVIRONMENT_VALUE_MAX


@given(st.text(max_size=12) | st.from_regex(GRES, fullmatch=True))
def test_a_gres_request_that_is_let_through_is_not_refused_by_the_hub(text):
    if GRES.fullmatch(text):
        settings.parse_gres(text)
    elif text:
        with pytest.raises(settings.SettingsError):
            settings.parse_gres(text)


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ({**GROUPS, "hub": []}, "group hub = []: it has no host"),
        ({**GROUPS, "slurm_controller": ["l", "c"]}, "more than one host"),
        ({**GROUPS, "all": ["h", "l", "c", "lost"]}, "host lost = 'no group'"),
    ],
)
def test_groups(groups, words):
    assert any(words in text for text in checks.site_problems({}, site(), groups))


def test_a_misspelt_variable_is_named():
    (text,) = checks.site_problems({"site_profils": []}, site(), GROUPS)
    assert text == "site_profils = 'set': there is no such variable. Did you mean site_profiles?"


def test_whoever_signs_up_needs_no_account_but_an_administrator_does():
    accounts = [{"name": "eve", "password_hash": HASH}]
    variables = {"jupyterhub_authenticator": "native"}
    courses = [{**COURSE, "instructors": ["ada"]}]
    named = site(site_accounts=accounts, site_admins=["eve"], site_courses=courses)
    assert checks.site_problems(variables, named, GROUPS) == []
    assert [text.split(" = ")[0] for text in checks.site_problems({}, named, GROUPS)] == ["site_courses[0].instructors"]
    (text,) = checks.site_problems(variables, {**named, "site_admins": ["ada"]}, GROUPS)
    assert text.startswith("site_admins = 'ada'")


def test_a_matriculation_number_is_a_user_name():
    assert checks.site_problems({}, site(site_courses=[{**COURSE, "students": ["1234567"]}]), GROUPS) == []


@pytest.mark.parametrize(
    ("variables", "variable"),
    [
        ({"apptainer_deb_url": "https://x/a.tar"}, "apptainer_deb_url"),
        ({"apptainer_deb_url": "https://x/a.deb", "apptainer_deb_checksum": "sha256:1"}, "apptainer_deb_checksum"),
    ],
)
def test_a_package_file_needs_its_address_and_checksum(variables, variable):
    good = {"apptainer_deb_url": "https://x/a.deb", "apptainer_deb_checksum": "sha256:" + "a" * 64}
    assert checks.site_problems({"apptainer_source": "deb", **good}, site(), GROUPS) == []
    problems = checks.site_problems({"apptainer_source": "deb", **variables}, site(), GROUPS)
    assert any(text.startswith(variable) for text in problems)


def _rule(role: str, variable: str) -> re.Pattern[str]:
    """Return the pattern by which a role's own check goes."""
    text = (ROOT / f"roles/{role}/tasks/preflight.yml").read_text()
    (found,) = re.findall(rf"{variable} \| reject\('match', '(.*?)'\)", text)
    return re.compile(found)


@given(st.text("ab1.-_@+A/", max_size=12))
def test_what_is_let_through_is_not_refused_by_a_role_later(text):
    """Or hosts would have been changed before the mistake is named."""
    users, hosts = _rule("jupyterhub", "__jupyterhub_names"), _rule("apache", "__apache_names")
    assert bool(USER.fullmatch(text)) == bool(users.match(text))
    found = [p for p in checks.site_problems({}, site(site_hub_name=text), GROUPS) if p.startswith("site_hub_name")]
    assert found or hosts.match(text)


def test_a_password_is_never_repeated():
    problems = checks.site_problems({}, site(site_accounts=[{"name": "eve", "password_hash": "hunter2"}]), GROUPS)
    assert problems
    assert not any("hunter2" in text for text in problems)


@given(st.text(max_size=300))
def test_any_text_is_either_a_slug_or_a_problem(text):
    found = [
        p
        for p in checks.site_problems({}, site(site_courses=[{**COURSE, "slug": text}]), GROUPS)
        if p.startswith("site_courses[0].slug")
    ]
    assert bool(found) != bool(SLUG.fullmatch(text))
    if not found:
        assert set(text) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
        assert len(text) <= 32


@given(st.integers(1, 10**6), st.sampled_from("KMGT"))
def test_memory(amount, unit):
    assert memory_kb(f"{amount}{unit}") == amount * UNITS_KB[unit]


def certificate(path, name, key, days):
    now = dt.datetime.now(dt.UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder(
            subject, subject, key.public_key(), 1, now - dt.timedelta(days=9), now + dt.timedelta(days=days)
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def keys(tmp_path):
    made = []
    for name in ("own", "other"):
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (tmp_path / name).write_bytes(pem)
        made.append((key, tmp_path / name))
    return made


@pytest.mark.parametrize(
    ("name", "which", "days", "words"),
    [
        ("hub.example.org", 0, 30, None),
        ("*.example.org", 0, 30, None),
        ("hub.example.org", 1, 30, "does not belong"),
        ("www.example.org", 0, 30, "not for hub.example.org"),
        ("hub.example.org", 0, -1, "expired"),
    ],
)
def test_a_provided_certificate(tmp_path, keys, name, which, days, words):
    path = certificate(tmp_path / "cert.pem", name, keys[0][0], days)
    variables = {
        "apache_certificate": "provided",
        "apache_certificate_file": str(path),
        "apache_certificate_key_file": str(keys[which][1]),
    }
    problems = checks.site_problems(variables, site(), GROUPS)
    alias = checks.site_problems({**variables, "apache_server_aliases": ["else.example.net"]}, site(), GROUPS)
    assert any("not for" in text and "else.example.net" in text for text in alias)
    assert problems == [] if words is None else len(problems) == 1 and words in problems[0]


def test_certificate_files_that_are_no_pem(tmp_path):
    (tmp_path / "junk").write_text("junk")
    junk = str(tmp_path / "junk")
    assert "not a PEM certificate" in checks.certificate_problems(junk, junk, "hub.example.org")[0]
    assert "no such file" in checks.certificate_problems("/no/such", junk, "hub.example.org")[0]


CENTRE = {
    "name": "physics",
    "login": "login.hpc.example.net",
    "host_key": "ssh-ed25519 AAAA" + "B" * 64,
    "base_dir": "/project/p1/hub",
    "partitions": ["interactive"],
    "account": "p1hub",
}
CENTRE_GROUPS = {"all": ["h", "login.hpc.example.net"], "hub": ["h"], "centre_login": ["login.hpc.example.net"]}


def at_a_centre(centre=None, groups=CENTRE_GROUPS, hosts=None, **changes):
    values = {"site_centres": [{**CENTRE, **(centre or {})}], "site_profile": "remote-centre"}
    values["site_profiles"] = [record("site_profiles", partition="interactive", time_limit_minutes=2000)]
    return checks.site_problems({}, site(**{**values, **changes}), groups, hosts)


def test_a_site_needs_no_cluster_of_its_own():
    assert at_a_centre() == []


def test_a_site_may_have_both():
    both = {**GROUPS, "all": [*GROUPS["all"], "login.hpc.example.net"], "centre_login": ["login.hpc.example.net"]}
    own, theirs = (
        record("site_profiles"),
        record("site_profiles", name="far", partition="interactive", cluster="physics"),
    )
    assert at_a_centre(groups=both, site_profile="own-cluster", site_profiles=[own, theirs]) == []
    # Without a word of the cluster, it is the own one.
    (found,) = at_a_centre(groups=both, site_profile="own-cluster", site_profiles=[{**theirs, "cluster": None}])
    assert found.startswith("site_profiles[0].partition = 'interactive': site_partitions has no such name")


def test_the_account_is_that_of_the_inventory_unless_it_is_named():
    nobody = at_a_centre({"account": ""})
    assert [text for text in nobody if text.startswith("site_centres[0].account")]
    assert at_a_centre({"account": ""}, hosts={"login.hpc.example.net": {"ansible_user": "p1hub"}}) == []


@pytest.mark.parametrize(
    ("centre", "variable", "words"),
    [
        ({"name": "Physics"}, "site_centres[0].name", "short name"),
        ({"login": "login.hpc.example.ne"}, "site_centres[0].login", "perhaps 'login.hpc.example.net' is meant"),
        ({"host_key": "SHA256:abc"}, "site_centres[0].host_key", "public host key"),
        ({"host_key": "login ssh-ed25519 AAAA" + "B" * 64}, "site_centres[0].host_key", "public host key"),
        ({"base_dir": "/project"}, "site_centres[0].base_dir", "a path"),
        ({"base_dir": "/project/../etc"}, "site_centres[0].base_dir", "a path"),
        ({"base_dir": "project/x"}, "site_centres[0].base_dir", "a path"),
        ({"base_dir": "/project/$USER"}, "site_centres[0].base_dir", "a path"),
        ({"partitions": []}, "site_centres[0].partitions", "no notebook"),
        ({"partitions": ["interactive", "a;b"]}, "site_centres[0].partitions", "name of a partition"),
        ({"partitions": ["other"]}, "site_profiles[0].partition", "site_centres, physics, has no such name"),
        ({"address": "-oProxyCommand=id"}, "site_centres[0].address", "host name"),
        ({"port": 70000}, "site_centres[0].port", "not a port"),
        ({"account": "a b"}, "site_centres[0].account", "Unix user name"),
        ({"max_servers": -1}, "site_centres[0].max_servers", "number of servers"),
        ({"apptainer": "bin/apptainer"}, "site_centres[0].apptainer", "path of a program"),
        ({"module": "apptainer; id"}, "site_centres[0].module", "environment module"),
        ({"python": "python3"}, "site_centres[0].python", "absolute path"),
        ({"slurm_dir": "opt"}, "site_centres[0].slurm_dir", "absolute path"),
        ({"key_from": ['10.0.0.1"']}, "site_centres[0].key_from", "an address"),
        ({"networks": ["10.0.0.1/8"]}, "site_centres[0].networks", "not a network"),
    ],
)
def test_each_contradiction_of_a_centre_is_found(centre, variable, words):
    problems = at_a_centre(centre)
    assert [text for text in problems if text.startswith(f"{variable} = ") and words in text], problems


def test_login_nodes_and_centres_belong_together():
    found = at_a_centre(site_centres=[])
    assert [text for text in found if text.startswith("site_profile = 'remote-centre'")]
    assert [text for text in found if text.startswith("host login.hpc.example.net = 'centre_login'")]
    twice = at_a_centre(site_centres=[CENTRE, {**CENTRE, "name": "again"}])
    assert [text for text in twice if text.startswith("site_centres[1].login") and "same login" in text]
    unknown = at_a_centre(site_profiles=[record("site_profiles", partition="interactive", cluster="phisics")])
    assert [text for text in unknown if text.startswith("site_profiles[0].cluster") and "known are: physics" in text]


def test_half_a_cluster_of_its_own_is_found():
    groups = {**CENTRE_GROUPS, "all": [*CENTRE_GROUPS["all"], "l"], "slurm_login": ["l"]}
    found = at_a_centre(groups=groups)
    assert [text for text in found if text.startswith("group slurm_controller")]
    assert [text for text in found if text.startswith("group slurm_compute")]


POOL = {"site_account_mode": "pool", "site_account_pool": [{"name": "p1", "uid": 2911}, {"name": "p2", "uid": 2912}]}
STUDENTS = {"site_account_mode": "students"}


@pytest.mark.parametrize("changes", [POOL, STUDENTS, {**STUDENTS, "site_account_source_addresses": ["192.0.2.1/32"]}])
def test_every_mode_of_accounts_can_be_had(changes):
    assert checks.site_problems({}, site(**changes), GROUPS) == []


@pytest.mark.parametrize(
    ("changes", "variable", "words"),
    [
        ({"site_account_mode": "pool"}, "site_account_pool", "nothing to lease"),
        ({"site_account_pool": POOL["site_account_pool"]}, "site_account_pool", "site_account_mode is 'one'"),
        ({**POOL, "site_account_pool": [{"name": "P 1", "uid": 2911}]}, "site_account_pool[0].name", "Unix user"),
        ({**POOL, "site_account_pool": [{"name": "hpcampus", "uid": 2911}]}, "site_account_pool[0].name", "leased"),
        ({**POOL, "site_account_pool": [{"name": "root", "uid": 2911}]}, "site_account_pool[0].name", "leased"),
        ({**POOL, "site_account_pool": [{"name": "p1", "uid": 0}]}, "site_account_pool[0].uid", "ordinary"),
        ({**POOL, "site_account_pool": [{"name": "p1", "uid": 2900}]}, "site_account_pool[0].uid", "site_account"),
        (
            {**POOL, "site_account_pool": [{"name": "p1", "uid": 2911}, {"name": "p2", "uid": 2911}]},
            "site_account_pool[1].uid",
            "the same uid",
        ),
        (
            {**POOL, "site_courses": [COURSE]},
            "site_courses[0].profile",
            "with site_account_mode 'pool' no job can mount",
        ),
        ({**STUDENTS, "site_courses": [COURSE]}, "site_courses[0].profile", "'students' no job can mount"),
        ({**POOL, "site_data_path": "relay"}, "site_data_path", "cannot enter"),
        ({**STUDENTS, "site_data_path": "auto"}, "site_data_path", "cannot enter"),
        (
            {**POOL, "site_profiles": [record("site_profiles", standby=1)]},
            "site_profiles[0].standby",
            "before it starts",
        ),
        ({**STUDENTS, "site_account_pattern": "["}, "site_account_pattern", "not a regular expression"),
        ({**STUDENTS, "site_account_pattern": "a b"}, "site_account_pattern", "spaces"),
        ({**STUDENTS, "site_account_prefix": "S"}, "site_account_prefix", "lower case"),
        ({**STUDENTS, "site_account_group": "The group"}, "site_account_group", "group name"),
        ({**STUDENTS, "site_account_source_addresses": ["hub"]}, "site_account_source_addresses", "not an address"),
    ],
)
def test_accounts_of_the_cluster_that_cannot_be(changes, variable, words):
    found = checks.site_problems({}, site(**changes), GROUPS)
    assert any(message.startswith(f"{variable} = ") and words in message for message in found), found


def test_a_centre_serves_courses_beside_a_cluster_with_accounts_for_students():
    login = "login.hpc.example.net"
    groups = {**GROUPS, "all": [*GROUPS["all"], login], "centre_login": [login]}
    theirs = record("site_profiles", name="physics", partition="interactive", cluster="physics", standby=1)
    both = {**STUDENTS, "site_centres": [CENTRE], "site_profiles": [record("site_profiles"), theirs]}
    at_theirs = {**COURSE, "profile": "physics"}
    assert checks.site_problems({}, site(**both, site_courses=[at_theirs]), groups) == []
    (found,) = checks.site_problems({}, site(**both, site_courses=[at_theirs, {**COURSE, "slug": "a2"}]), groups)
    assert found.startswith("site_courses[1].profile = 'small': it runs on cluster ")
    assert at_a_centre(**STUDENTS, site_courses=[COURSE]) == [], "there is no other cluster than the centre"


def test_names_that_people_choose_are_no_accounts_of_the_cluster():
    (found,) = checks.site_problems({"jupyterhub_authenticator": "native"}, site(**STUDENTS), GROUPS)
    assert found.startswith("jupyterhub_authenticator = 'native': people choose their names")
    assert checks.site_problems({"jupyterhub_authenticator": "native"}, site(**POOL), GROUPS) == []
