# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the platform promises, once, from the login to the tear-down."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest

from hpcampus_hub.probe import ProbeError, run_cell
from tests.e2e.conftest import COMPUTE
from tests.e2e.left_over import left_over
from tests.e2e.waiting import until

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform

LIBRARIES = "numpy scipy pandas matplotlib sklearn nbgrader nbgitpuller ipykernel"


async def test_a_cell_runs_as_a_job_in_a_container_on_a_compute_node(platform: Platform):
    async with platform.running("student1", profile="small") as notebook:
        (comment,) = platform.jobs()
        assert re.fullmatch(r"hpcampus:demo:student1::[0-9a-f]{32}", comment)
        found = await notebook.json_cell(
            "import json, os, platform\n"
            "print(json.dumps({'node': os.environ['HPCAMPUS_NODE'], 'image': os.environ.get('APPTAINER_CONTAINER'),"
            " 'uid': os.getuid(), 'home': os.getcwd(), 'sum': sum(range(5))}))"
        )
        assert found["node"] in COMPUTE
        assert found["image"].endswith(".sif")
        assert (found["uid"], found["home"], found["sum"]) == (2900, "/home/jovyan", 10)
        running = platform.on(
            "login", "squeue", "--noheader", "--states", "RUNNING", "--format", "%N %u %P %C %m"
        ).split()
        assert running == [found["node"], "hpcampus", "jupyter", "1", "1G"]
        told = notebook.events[-1]["hpcampus"]
        assert (told["cluster"], told["node"]) == ("demo", found["node"])
        assert set(told["legs"]) >= {"submit", "queue", "tunnel", "server"}


async def test_nothing_is_left_behind(platform: Platform):
    result = await run_cell(
        platform.url,
        "student1",
        platform.passwords["student1"],
        ssl_context=platform.context,
        options={"profile": "small"},
    )
    assert result.node in COMPUTE

    def nothing() -> bool:
        assert left_over(platform) == []
        return True

    await until("nothing is left", nothing)


async def test_what_the_image_promises(platform: Platform):
    async with platform.running("student2") as notebook:
        for name in LIBRARIES.split():
            await notebook.cell(f"import {name}")


async def test_a_home_outlives_its_job(platform: Platform):
    async with platform.running("student1") as notebook:
        await notebook.cell("open('kept.txt', 'w').write('from the first job')")
    async with platform.running("student1") as notebook:
        assert await notebook.cell("print(open('kept.txt').read())") == "from the first job"


INSTALL = """
import os, subprocess, sys, zipfile
wheel, record = "/scratch/hpcampus_own-1-py3-none-any.whl", "hpcampus_own-1.dist-info"
with zipfile.ZipFile(wheel, "w") as archive:
    archive.writestr("hpcampus_own.py", "")
    archive.writestr(record + "/METADATA", "Metadata-Version: 2.1\\nName: hpcampus_own\\nVersion: 1\\n")
    archive.writestr(record + "/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    archive.writestr(record + "/RECORD", "hpcampus_own.py,,\\n")
done = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-index", wheel], capture_output=True)
print(done.returncode, os.path.exists(wheel))
"""


async def test_a_persons_packages_outlive_the_job_and_scratch_does_not(platform: Platform):
    async with platform.running("student1") as notebook:
        assert await notebook.cell(INSTALL) == "0 True"
    async with platform.running("student1") as notebook:
        assert await notebook.cell("import hpcampus_own, os; print(os.listdir('/scratch'))") == "[]"
        assert (
            await notebook.cell(
                "import hpcampus_own, os; print(hpcampus_own.__file__.startswith(os.environ['PYTHONUSERBASE']))"
            )
            == "True"
        )
        assert await notebook.cell("!pip uninstall --quiet --yes hpcampus_own && echo gone") == "gone"


async def test_two_sizes(platform: Platform):
    async with platform.running("student1", profile="large") as notebook:
        asked = platform.on("login", "squeue", "--noheader", "--format", "%C %m %l").split()
        assert asked == ["2", "2G", "4:00:00"]
        assert await notebook.cell("print(6 * 7)") == "42"


@pytest.mark.parametrize(
    "options",
    [
        {"profile": "huge"},
        {"profile": "small; touch /tmp/owned"},
        {"profile": "small\n#SBATCH --mem=0"},
        {"profile": "../small"},
        {"profile": "ß" * 300},
        {"profile": ["small"]},
        {"profile": {"name": "small"}},
        {"course": "physics101/../../x"},
        {"partition": "jupyter"},
        {"memory": "64G"},
        {"cmd": ["sh"]},
        {"req_memory": "64G", "batch_script": "#!/bin/sh\nid"},
        {"ip": "192.0.2.1", "port": 22},
    ],
    ids=",".join,
)
async def test_options_that_are_not_on_offer_are_refused(platform: Platform, options: dict[str, object]):
    notebook = platform.notebook("student1")
    try:
        await notebook.login()
        await notebook.stop()
        answer = await notebook.ask("POST", "/hub/api/users/student1/server", json={"user_options": options})
        plain = await notebook.ask("POST", "/hub/api/users/student1/server", json=options)
        assert (answer.code, plain.code) == (400, 400), (answer.body, plain.body)
        assert platform.jobs() == []
        assert not await notebook.has_server()
    finally:
        await notebook.close()


async def test_a_wrong_password_and_an_unknown_user_look_the_same(platform: Platform):
    said = []
    for user, password in (("student1", "wrong"), ("nobody-here", "wrong"), ("course-physics101", "x")):
        with pytest.raises(ProbeError) as caught:
            await run_cell(platform.url, user, password, ssl_context=platform.context)
        said.append(str(caught.value).replace(user, "USER"))
    assert said[0] == said[1] == said[2]


async def test_two_at_once(platform: Platform):
    async with platform.running("student1") as first, platform.running("student2") as second:
        assert tuple(await asyncio.gather(first.cell("print(1)"), second.cell("print(2)"))) == ("1", "2")
        assert len(platform.jobs()) == 2
