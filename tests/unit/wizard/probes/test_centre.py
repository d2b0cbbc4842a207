# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The look at a centre: its script runs in a plain shell, and what it says becomes lines, proposals and choices."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus.probes import Finding, Level, Prober, centre, clocks, directories, ssh
from hpcampus.probes.sections import parse_sections
from tests.unit.wizard.probes.conftest import VERSIONS, answering, commands, marked, sample

USER = "hpcteach"
GOOD = {
    "release": 'PRETTY_NAME="Rocky Linux 9.4 (Blue Onyx)"',
    "groups": "hpcteach p123",
    "profile": "Welcome\nhpcampus:container=/usr/bin/apptainer\nhpcampus:version=apptainer version 1.3.4",
    "slurm_dir": "/usr/bin",
    "pythons": "/usr/bin/python3 3.9",
    "subordinate": "subuid 1\nnamespaces 100000",
    "places": "named|/project/p123|400000000|lustre|\nhome|/home/hpcteach|9000000|nfs|",
    "complete": "",
}


def slurm(version: str = "24.11") -> dict[str, str]:
    said = answering(commands(version))
    return {
        "version": said["sinfo --version"],
        "sinfo": said["sinfo"],
        "partitions": said["scontrol show partition"],
        "config": said["scontrol show config"],
        "reservations": said["scontrol show reservation"],
        "associations": said["sacctmgr show assoc"],
        "qos": said["sacctmgr show qos"],
    }


def examined(**changes: str | None) -> Finding:
    given = {**GOOD, **slurm(), **changes}
    sections = parse_sections(marked({name: text for name, text in given.items() if text is not None}))
    return centre.examine(sections, USER, 0, 0)


def texts(finding: Finding, level: Level = Level.PROBLEM) -> list[str]:
    return [line.text for line in finding.lines if line.level is level]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_good_centre(version: str):
    found = examined(**slurm(version))
    assert texts(found) == []
    assert found.proposals == {
        "centre_partition": "interactive",
        "centre_python": "/usr/bin/python3",
        "centre_apptainer": "/usr/bin/apptainer",
        "centre_base_dir": "/project/p123/hpcampus",
    }
    assert [option.text for option in found.options["centre_partition"]] == [
        "interactive (up, 2 nodes, at most 4 h, 64 cores)",
        "batch (default, up, 5 nodes, at most 7 d, 64 cores)",
        "gpu (up, not open to this account, 1 node, at most 2 d, 64 cores, gpu:a100:4)",
        "hidden (up, not open to this account, 1 node, at most 30 min, 8 cores)",
        "staff (up, not open to this account, 1 node, 8 cores)",
        "test (down, 1 node, at most 30 min, 8 cores)",
    ]
    assert [option.value for option in found.options["centre_base_dir"]] == [
        "/project/p123/hpcampus",
        "/home/hpcteach/hpcampus",
    ]
    assert found.facts["slurm_version"].startswith(version)
    assert (found.facts["cpus"], found.facts["memory_mb"], found.facts["max_jobs"]) == (64, 257000, 40)
    assert (found.facts["accounts"], found.facts["qos"]) == (["p123", "teaching"], ["normal", "teaching"])
    assert found.facts["reservations"] == ["course"]
    assert found.facts["partitions"]["gpu"]["gres"] == ["gpu:a100:4"]
    assert any("data_path: auto" in text for text in texts(found, Level.NOTE))


def test_a_real_login_node():
    found = centre.examine(sample("centre_login"), "admin", 1795686886, 1795686887)
    assert texts(found) == []
    assert found.proposals["centre_partition"] == "jupyter"
    assert found.proposals["centre_base_dir"] == "/home/admin/hpcampus"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"slurm_dir": ""}, "no sbatch"),
        ({"version": "slurm 21.08.8"}, "older than 22.05"),
        ({"sinfo": "batch*|up|1:00:00|n/a|2|64|257000|(null)|down*"}, "Seen: batch (default, up, 0 nodes"),
        ({"associations": ""}, "this one has none"),
        ({"pythons": "/usr/bin/python3 3.5"}, "Seen: /usr/bin/python3 3.5"),
        ({"profile": ""}, "Neither apptainer nor singularity"),
        ({"profile": "hpcampus:avail=apptainer/1.3.4"}, "(apptainer/1.3.4)"),
        ({"places": ""}, "No directory"),
        ({"places": "named|/project/p123|400000000|lustre|somebody"}, "No directory"),
        ({"quotas": "/home 98000000 100000000 110000000 5 0 0"}, "nearly full: 93 GB of 95 GB"),
        ({"complete": None}, "before the look was over"),
    ],
)
def test_what_is_a_problem(changes: dict[str, str | None], words: str):
    problems = texts(examined(**changes))
    assert len(problems) == 1
    assert words in problems[0]


def test_a_controller_that_does_not_answer():
    given = marked({**GOOD, "version": "slurm 24.11.5"})
    given += "\n@@hpcampus begin sinfo\nslurm_load_partitions: Unable to contact slurm controller\n@@hpcampus end 1\n"
    found = centre.examine(parse_sections(given), USER, 0, 0)
    assert "Unable to contact slurm controller" in texts(found)[0]
    assert "centre_partition" not in found.proposals
    assert found.proposals["centre_base_dir"] == "/project/p123/hpcampus"


@pytest.mark.parametrize(("now", "away"), [(1000000000, 0), (1000000004, 0), (999999900, 99), (1000000300, 298)])
def test_a_clock_that_differs(now: int, away: int):
    found = clocks.clock_lines("", parse_sections(marked({"now": str(now)})), 1000000000, 1000000002)
    assert [f" by {away} s:" in line.text for line in found] == ([True] if away else [])


def test_a_module():
    profile = """hpcampus:modules=yes
hpcampus:avail=/opt/modulefiles:
hpcampus:avail=apptainer/1.3.4
hpcampus:avail=apptainer/1.4.1(default)
hpcampus:avail=No module(s) or extension(s) found!
hpcampus:loaded=apptainer
hpcampus:loaded_path=/opt/apptainer/1.4.1/bin/apptainer
hpcampus:loaded_version=apptainer version 1.4.1
hpcampus:loaded_list=Currently Loaded Modulefiles:
hpcampus:loaded_list=gcc/13
hpcampus:loaded_list=apptainer/1.4.1"""
    found = examined(profile=profile)
    assert (found.proposals["centre_apptainer"], found.proposals["centre_module"]) == ("apptainer", "apptainer/1.4.1")
    assert [option.value for option in found.options["centre_module"]] == ["apptainer/1.3.4", "apptainer/1.4.1"]
    assert texts(found) == []


@pytest.mark.parametrize("system", ["environment-modules", "lmod"])
def test_real_systems_of_modules(system: str):
    found = examined(profile=sample(f"modules_{system}")["profile"].text)
    assert (found.proposals["centre_apptainer"], found.proposals["centre_module"]) == ("apptainer", "apptainer/1.4.1")
    assert [option.value for option in found.options["centre_module"]] == ["apptainer/1.3.4", "apptainer/1.4.1"]
    assert texts(found) == []


def test_the_places():
    home = "home|/home/hpcteach|400000000|nfs|"
    little = "named|/project/p123|9000000|lustre|"
    assert examined(places=f"{little}\n{home}").proposals["centre_base_dir"] == "/home/hpcteach/hpcampus"
    found = examined(places=little)
    assert found.proposals["centre_base_dir"] == "/project/p123/hpcampus"
    assert "8.6 GB free, lustre" in " ".join(texts(found, Level.NOTE))
    there = examined(places=f"named|/project/p123|400000000|lustre|{USER}")
    assert "there already" in there.options["centre_base_dir"][0].text
    odd = examined(places="named|/project/a b|400000000|lustre|")
    assert "centre_base_dir" not in odd.proposals


def test_quotas():
    text = """Disk quotas for user hpcteach (uid 1001):
     Filesystem  blocks   quota   limit   grace   files   quota   limit   grace
server:/home 10485760* 52428800 62914560         120       0       0
/lustre  1048576       0       0       -       5       0       0       -
none"""
    assert directories.parse_quotas(text) == [("server:/home", 10.0, 50.0)]


VALUES = st.one_of(st.text(max_size=60), st.sampled_from([*GOOD.values(), *slurm().values()]))


@given(st.dictionaries(st.sampled_from([*GOOD, *slurm(), "now", "quotas"]), VALUES), st.text(max_size=8))
def test_garbage_proposes_nothing_that_a_site_could_not_have(given: dict[str, str], user: str):
    found = centre.examine(parse_sections(marked(given)), user, 0, 0)
    for key, value in found.proposals.items():
        assert centre.RULES[key].fullmatch(value)
    for key, options in found.options.items():
        assert all(centre.RULES[key].fullmatch(option.value) and option.text.isprintable() for option in options)
    assert all(line.text.isprintable() and line.text for line in found.lines)


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a home whose login shell greets, finds Slurm and has modules; give it."""
    home, slurm_dir = tmp_path / "home", tmp_path / "slurm" / "bin"
    home.mkdir()
    slurm_dir.mkdir(parents=True)
    for command, said in answering(commands("22.05")).items():
        (slurm_dir / f"said_{command.replace(' ', '_')}").write_text(said, encoding="utf-8")
    for name in ("sbatch", "sinfo", "scontrol", "sacctmgr"):
        program = slurm_dir / name
        program.write_text(
            f'#!/bin/sh\ncd {slurm_dir}\n[ -z "$(cat)" ] || exit 9\ncase "$0 $*" in *version) cat "said_sinfo_--version";;'
            " *sinfo*) cat said_sinfo;; *partition*) cat said_scontrol_show_partition;; *reservation*) cat said_scontrol_show_reservation;;"
            " *config*) cat said_scontrol_show_config;; *assoc*) cat said_sacctmgr_show_assoc;; *qos*) cat said_sacctmgr_show_qos;; esac\n"
        )
        program.chmod(0o755)
    modules = tmp_path / "modules" / "bin"
    modules.mkdir(parents=True)
    (modules / "apptainer").write_text("#!/bin/sh\necho apptainer version 1.4.1\n")
    (modules / "apptainer").chmod(0o755)
    project = tmp_path / "project" / "p123"
    project.mkdir(parents=True)
    (tmp_path / "link").symlink_to(project)
    (home / ".bash_profile").write_text(f"""
echo "Welcome to the physics centre"; echo "@@hpcampus is not a mark"
PATH=$PATH:{slurm_dir}; WORK={tmp_path}/link; export PATH WORK
module() {{
    case "$*" in
        "-t avail apptainer") printf '%s\\n' /opt/modules: apptainer/1.4.1 >&2 ;;
        "load apptainer") PATH=$PATH:{modules} ;;
        "-t list") echo apptainer/1.4.1 >&2 ;;
        *) return 1 ;;
    esac
}}
""")
    monkeypatch.setenv("HOME", str(home))
    return home


def test_the_script_over_a_connection(cluster: Path, ssh_program: Path, tmp_path: Path):
    before = sorted(str(path) for path in cluster.rglob("*"))
    known = {
        "profile": "remote-centre",
        "centre_login": "login.example.org",
        "centre_account": "hpcteach",
        "known_hosts": str(tmp_path / "known hosts"),
    }
    (tmp_path / "known hosts").write_text("login.example.org ssh-ed25519 AAAA\n")
    with Prober() as prober:
        prober.look(known)
        found = prober.finding("centre", wait=30)
    assert found is not None
    assert found.problems == ()
    assert found.proposals["centre_partition"] == "interactive"
    assert found.proposals["centre_slurm_dir"] == str(tmp_path / "slurm/bin")
    assert (found.proposals["centre_module"], found.proposals["centre_apptainer"]) == ("apptainer/1.4.1", "apptainer")
    # Behind the symbolic link, and before the home.
    assert next(option.value for option in found.options["centre_base_dir"]) == f"{tmp_path}/project/p123/hpcampus"
    assert found.facts["accounts"] == ["p123", "teaching"]
    assert sorted(str(path) for path in cluster.rglob("*")) == before
    arguments = ssh_program.read_text().splitlines()
    assert arguments[-4:] == ["hpcteach", "--", "login.example.org", "sh -s"]
    assert "StrictHostKeyChecking=yes" in arguments
    assert f'UserKnownHostsFile="{tmp_path}/known hosts"' in arguments


@pytest.mark.parametrize("shell", ["dash", "bash --posix"])
@pytest.mark.usefixtures("cluster")
def test_the_scripts_are_plain_shell(shell: str):
    for name in ("centre", "host"):
        done = subprocess.run(
            [*shell.split(), "-s"], input=ssh.script(name), capture_output=True, text=True, check=True, timeout=60
        )
        sections = parse_sections(done.stdout)
        assert sections.complete
        assert done.stderr == ""


@pytest.mark.usefixtures("cluster")
def test_a_script_that_is_cut_short_does_nothing():
    text = ssh.script("centre")
    done = subprocess.run(
        ["dash", "-s"], input=text[: text.rindex("main <")], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_what_a_host_says_cannot_steer_a_terminal():
    found = examined(
        places="named|/project/p123|400000000|\x1b]0;title\x07\x1b[2J|", release='PRETTY_NAME="\x1b[31mred"'
    )
    shown = [line.text for line in found.lines] + [
        option.text for options in found.options.values() for option in options
    ]
    assert all(text.isprintable() for text in shown)
