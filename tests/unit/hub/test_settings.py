# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The administrator's settings are checked before anything starts, and every message names the place."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus_hub.settings import (
    Range,
    SettingsError,
    environment_name,
    memory_text,
    parse_gres,
    parse_memory_mb,
    read_site,
)
from tests.unit.hub.sites import HOST_KEY, cluster, course, profile, settings, site, tunnel


@pytest.mark.parametrize(
    ("text", "megabytes"), [("1G", 1024), ("512M", 512), ("2048K", 2), ("2T", 2097152), ("1025K", 1), ("100G", 102400)]
)
def test_memory_sizes(text: str, megabytes: int) -> None:
    assert parse_memory_mb(text) == megabytes


@pytest.mark.parametrize(
    "text", ["", "4", 4, "4g", "4GB", "0G", "-1G", "1.5G", " 1G", "1G\n", "512K", None, "٤G", "1G;id"]
)
def test_what_is_no_memory_size(text: object) -> None:
    with pytest.raises(SettingsError):
        parse_memory_mb(text)


@given(st.integers(1, 10**6), st.sampled_from("MGT"))
def test_memory_sizes_grow_with_their_numbers(number: int, unit: str) -> None:
    assert parse_memory_mb(f"{number}{unit}") < parse_memory_mb(f"{number + 1}{unit}")


@given(st.integers(1, 10**9 - 1))
def test_a_memory_size_is_read_as_it_was_written(megabytes: int) -> None:
    assert parse_memory_mb(memory_text(megabytes)) == megabytes


@pytest.mark.parametrize("text", ["", "gpu", "gpu:1", "gpu:a100:2", "gpu:1,shard:4"])
def test_gres_requests(text: str) -> None:
    assert parse_gres(text) == text


def test_no_gres_has_a_word() -> None:
    assert parse_gres("none") == ""


@pytest.mark.parametrize(
    "text", ["gpu:", ":1", "gpu:1 --exclusive", "gpu:1\n", "$(id)", None, 1, "gpu:1,,gpu:2", "-gpu"]
)
def test_what_is_no_gres_request(text: object) -> None:
    with pytest.raises(SettingsError):
        parse_gres(text)


def test_a_good_configuration() -> None:
    good = site()
    assert list(good.profiles) == ["small", "gpu"]
    assert good.profiles["small"].memory_mb == 4096
    assert good.profiles["small"].overlay_mb == 0
    assert site(profiles=[profile(overlay_mb=2048)], courses=[]).profiles["small"].overlay_mb == 2048
    assert list(good.courses) == ["py1", "ml", "intro"]
    assert good.tunnel.known_hosts == (f"hub.example.org {HOST_KEY}",)
    assert replace(good.tunnel, port=2222).known_hosts == (f"[hub.example.org]:2222 {HOST_KEY}",)
    assert (good.tunnel.port_min, good.tunnel.port_max) == (20000, 24999)
    assert (good.clusters["lab"].data_path, good.clusters["lab"].max_servers) == ("reverse", 0)
    several = site(clusters=[cluster(), cluster(name="centre", data_path="auto", max_servers=20)])
    assert (several.clusters["centre"].data_path, several.clusters["centre"].max_servers) == ("auto", 20)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"hub_id": "My Hub"}, "HpcHub.hub_id"),
        ({"clusters": []}, "HpcHub.clusters"),
        ({"clusters": "lab"}, "HpcHub.clusters"),
        ({"clusters": [cluster(), cluster()]}, r"clusters\[1\]\.name.*used twice"),
        ({"clusters": [cluster(host_key="ssh-ed25519")]}, "host_key"),
        ({"clusters": [cluster(key_file="~/.ssh/id")]}, "key_file"),
        ({"clusters": [cluster(user="root;id")]}, "user"),
        ({"clusters": [cluster(port=True)]}, "port"),
        ({"clusters": [cluster(password="x")]}, "unknown setting password"),
        ({"clusters": [cluster(data_path="tunnel")]}, "data_path"),
        ({"clusters": [cluster(max_servers=-1)]}, "max_servers"),
        ({"profiles": []}, "HpcHub.profiles"),
        ({"profiles": [profile(memory="4")]}, r"profiles\[0\]\.memory.*unit"),
        ({"profiles": [profile(cluster="other")]}, r"profiles\[small\]\.cluster.*lab"),
        ({"profiles": [profile(cpus=0)]}, "cpus"),
        ({"profiles": [profile(label="a\nb")]}, "label"),
        ({"profiles": [profile(qos="a b")]}, "qos"),
        ({"profiles": [profile(overlay_mb=63)]}, "overlay_mb.*or 0 for packages in the home"),
        ({"profiles": [profile(overlay_mb=False)]}, "overlay_mb"),
        ({"profiles": [profile(overlay_mb=512, standby=1)], "courses": []}, "overlay_mb.*wait warm"),
        ({"profiles": [{"name": "small"}]}, "label: is missing"),
        ({"profiles": [profile(partition="a,b")]}, "partition"),
        ({"profiles": [profile(description="x" * 501)]}, "description"),
        ({"profiles": [profile(images=["r"])]}, r"profiles\[small\]\.images: .*base, is not among them"),
        ({"profiles": [profile(images=["base", "base"])]}, "images.*twice"),
        ({"profiles": [profile(images=[])]}, "images.*leave the setting out"),
        ({"profiles": [profile(images="base")]}, "images.*not a list"),
        ({"profiles": [profile(images=["../base"])]}, "images.*slug"),
        ({"profiles": [profile(ranges=[])]}, "ranges.*not a mapping"),
        ({"profiles": [profile(ranges={"nodes": {"min": 1, "max": 2}})]}, "ranges: unknown setting nodes"),
        (
            {"profiles": [profile(ranges={"cpus": 4})]},
            r"profiles\[small\]\.ranges\.cpus: 4 is not a range; write min and max",
        ),
        ({"profiles": [profile(ranges={"cpus": {"min": 1}})]}, "ranges.cpus.*write min and max"),
        ({"profiles": [profile(ranges={"cpus": {"min": 1, "max": 2, "step": 1}})]}, "ranges.cpus.*write min and max"),
        ({"profiles": [profile(ranges={"cpus": {"min": True, "max": 2}})]}, "ranges.cpus.*whole number"),
        ({"profiles": [profile(ranges={"cpus": {"min": 0, "max": 2}})]}, "ranges.cpus.*whole number"),
        ({"profiles": [profile(ranges={"cpus": {"min": 3, "max": 2}})]}, "ranges.cpus: min 3 is above max 2"),
        (
            {"profiles": [profile(ranges={"cpus": {"min": 3, "max": 8}})]},
            "ranges.cpus: 3 to 8 does not hold .* cpus, 2",
        ),
        (
            {"profiles": [profile(ranges={"memory": {"min": "5G", "max": "8G"}})]},
            "ranges.memory: 5G to 8G .* memory, 4G",
        ),
        ({"profiles": [profile(ranges={"memory": {"min": 1, "max": "8G"}})]}, "ranges.memory: .*unit"),
        (
            {"profiles": [profile(ranges={"time_limit_minutes": {"min": 10, "max": 60}})]},
            "ranges.time_limit_minutes: 10 to 60 .* time_limit_minutes, 480",
        ),
        ({"profiles": [profile(ranges={"gres": ["gpu:1", "gpu:2"]})]}, "ranges.gres: .*own gres, none, is not among"),
        ({"profiles": [profile(ranges={"gres": ["none", ""]})]}, "ranges.gres.*twice"),
        ({"profiles": [profile(ranges={"gres": ["none", "gpu 1"]})]}, "ranges.gres.*GRES"),
        ({"profiles": [profile(environment=["A=1"])]}, "environment.*mapping"),
        ({"profiles": [profile(environment={"LD_PRELOAD": "x"})]}, "environment: 'LD_PRELOAD' is not a name"),
        ({"profiles": [profile(environment={"A": "two\nlines"})]}, "environment: the value of A must be one line"),
        ({"profiles": [profile(environment={"A": True})]}, "environment: the value of A.*in quotes"),
        ({"profiles": [profile(environment={"A": 0.5})]}, "environment: the value of A.*in quotes"),
        ({"profiles": [profile(environment={f"A{n}": "" for n in range(51)})]}, "environment.*at most 50"),
        ({"profiles": [profile(courses=["Py 1"])]}, "courses.*slug"),
        ({"profiles": [profile(courses=[])]}, "courses.*leave the setting out"),
        ({"profiles": [profile(groups="staff")]}, "groups.*not a list"),
        ({"tunnel": {}}, "HpcHub.tunnel.host: is missing"),
        ({"tunnel": tunnel(host_keys=[])}, "host key"),
        ({"tunnel": tunnel(port_min=2000, port_max=1999)}, "above port_max"),
        ({"tunnel": tunnel(port_min=30000, port_max=33000)}, "32768"),
        ({"tunnel": None}, "HpcHub.tunnel"),
        ({"courses": [course(slug="Py 1")]}, r"courses\[0\]\.slug"),
        ({"courses": [course(slug="x" * 60)]}, "too long"),
        ({"courses": [course(profile="none")]}, r"courses\[py1\]\.profile.*small, gpu"),
        ({"courses": [course(students="alice")]}, "students"),
        ({"courses": [course(open="yes")]}, "open"),
        ({"courses": [course(graders="gus")]}, "graders"),
        ({"courses": [course(profiles=["small", "huge"])]}, r"courses\[py1\]\.profiles.*huge.*small, gpu"),
        (
            {"courses": [course(profiles=["small"], profile="gpu")]},
            r"courses\[py1\]\.profile: 'gpu' is not one of small",
        ),
        ({"courses": [course(reservation="a b")]}, "reservation.*Slurm"),
        ({"courses": [course(data=["../other"])]}, "data.*directory"),
        ({"courses": [course(start="12.10.2026")]}, "start.*2026-10-12"),
        ({"courses": [course(end="2026-02-30")]}, "end.*2026-10-12"),
        ({"courses": [course(start="2026-10-12", end="2026-10-11")]}, "not in this order"),
        ({"courses": [course(end="2026-10-12", expires="2026-10-11")]}, "not in this order"),
        ({"courses": [course(grading={"slots": 0})]}, r"courses\[0\]\.grading: grading\.slots"),
        ({"courses": [course(grading={"memory": "lots"})]}, r"grading\.memory"),
        ({"courses": [course(grading={"nodes": 2})]}, "unknown setting nodes"),
    ],
)
def test_a_wrong_setting_is_named(changes: dict[str, Any], place: str) -> None:
    with pytest.raises(SettingsError, match=place):
        read_site(**settings(**changes))


def test_a_profile_with_choices() -> None:
    ranges = {
        "cpus": {"min": 1, "max": 8},
        "memory": {"min": "512M", "max": "16G"},
        "time_limit_minutes": {"min": 30, "max": 720},
        "gres": ["none", "gpu:1"],
    }
    environment = {"OMP_NUM_THREADS": 4, "https_proxy": "http://proxy.example.org:3128/", "GREETING": "$(id) 'é\""}
    made = site(
        profiles=[profile(ranges=ranges, images=["base", "r"], environment=environment, description="For all.")],
        courses=[],
    )
    found = made.profiles["small"]
    assert found.ranges == {
        "cpus": Range(1, 8),
        "memory_mb": Range(512, 16384),
        "time_limit_minutes": Range(30, 720),
    }
    assert found.gres_choices == ("", "gpu:1")
    assert found.images == ("base", "r")
    assert found.environment == {**environment, "OMP_NUM_THREADS": "4"}
    assert found.range_of("cpus") == Range(1, 8)
    assert site().profiles["small"].range_of("cpus") == Range(2, 2)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "OMP_NUM_THREADS",
            "MKL_NUM_THREADS",
            "TZ",
            "LANG",
            "LC_ALL",
            "https_proxy",
            "NO_PROXY",
            "HF_HOME",
            "PIP_INDEX_URL",
        ),
        *(
            "JULIA_NUM_THREADS",
            "REQUESTS_CA_BUNDLE",
            "PATHS",
            "HOMEPAGE",
            "USERS",
            "NBGITPULLER_DEPTH",
            "MEM_LIMIT",
            "A",
        ),
    ],
)
def test_names_that_a_profile_may_set(name: str) -> None:
    assert environment_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *(
            "LD_PRELOAD",
            "LD_LIBRARY_PATH",
            "ld_preload",
            "PYTHONPATH",
            "PYTHONSTARTUP",
            "PYTHONHOME",
            "PATH",
            "path",
            "HOME",
        ),
        *(
            "APPTAINER_BIND",
            "APPTAINERENV_X",
            "SINGULARITY_BIND",
            "SINGULARITYENV_LD_PRELOAD",
            "SLURM_JOB_ID",
            "SLURMD_X",
        ),
        *(
            "SBATCH_PARTITION",
            "BASH_ENV",
            "BASH_FUNC_ls",
            "BASHOPTS",
            "ENV",
            "IFS",
            "PS4",
            "SHELLOPTS",
            "GLIBC_TUNABLES",
        ),
        *(
            "JUPYTERHUB_API_TOKEN",
            "JUPYTER_CONFIG_DIR",
            "JUPYTER_PATH",
            "JPY_API_TOKEN",
            "HPCAMPUS_USER_ID",
            "IPYTHONDIR",
        ),
        *("PERL5OPT", "RUBYOPT", "NODE_OPTIONS", "R_PROFILE_USER", "GIT_SSH_COMMAND", "SSH_ASKPASS", "XDG_CONFIG_HOME"),
        *(
            "_A",
            "__A",
            "1A",
            "A-B",
            "A B",
            "A=B",
            "A\n",
            "\nA",
            "A\x00",
            "",
            "Ä",
            "A٤",
            "A" * 65,
            None,
            1,
            "A;id",
            "A$(id)",
        ),
    ],
)
def test_names_that_no_profile_may_set(name: object) -> None:
    with pytest.raises(SettingsError, match="not a name that a profile may set"):
        environment_name(name)


@given(st.text(max_size=70) | st.from_regex(r"(LD_|PYTHON|SLURM|APPTAINER|JUPYTER)[A-Z_]{0,20}", fullmatch=True))
def test_whatever_name_is_let_through_is_harmless_in_a_shell(name: str) -> None:
    try:
        environment_name(name)
    except SettingsError:
        return
    assert name.isascii()
    assert name.replace("_", "a").isalnum()
    assert not name.upper().startswith(("LD_", "PYTHON", "SLURM", "APPTAINER", "JUPYTER"))


def test_a_course_is_there_from_its_first_day_to_its_last_and_for_who_runs_it_until_it_expires() -> None:
    dated = course(graders=["gus"], start="2026-10-12", end="2027-02-12", expires="2027-10-01")
    found = site(courses=[dated]).courses["py1"]
    days = {
        "before": date(2026, 10, 11),
        "first": date(2026, 10, 12),
        "last": date(2027, 2, 12),
        "after": date(2027, 2, 13),
        "kept": date(2027, 9, 30),
        "expired": date(2027, 10, 1),
    }

    def has(name: str) -> list[str]:
        return [word for word, day in days.items() if found.is_offered_to(name, day)]

    assert has("alice") == ["first", "last"]
    assert has("ida") == has("gus") == ["before", "first", "last", "after", "kept"]
    assert has("stranger") == []
    assert [day for day in days.values() if found.has_expired(day)] == [days["expired"]]
    undated = site(courses=[course()]).courses["py1"]
    assert undated.is_offered_to("alice", date(1999, 1, 1))
    assert undated.is_offered_to("alice", date(2999, 1, 1))


def test_where_gradebooks_are_is_checked() -> None:
    assert site().gradebook == "sqlite"
    assert read_site(**settings(gradebook="postgresql")).gradebook == "postgresql"
    with pytest.raises(SettingsError, match=r"HpcHub.gradebook: 'mysql' is not one of sqlite, postgresql"):
        read_site(**settings(gradebook="mysql"))
