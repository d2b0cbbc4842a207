# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A copy to give on has what students got, with a licence and its packages; what students must not get stops it."""

import io
import json
import tarfile
import zipfile
from typing import Any

import pytest

from hpcampus_courses.licences import SPDX, licence_text
from hpcampus_courses.settings import SettingsError, read
from plugins.module_utils.site_problems import course_material
from tests.unit.courses.client import Client
from tests.unit.courses.site import RECORDS, Site, configuration
from tests.unit.courses.tars import tar_of

NOTEBOOK = json.dumps({"cells": [{"cell_type": "code", "source": "# YOUR CODE HERE\nraise NotImplementedError()"}]})


async def copied(client: Client) -> dict[str, str]:
    answer = await client.get("courses", "py1", "public-copy")
    assert answer.status == 200, answer
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert archive.testzip() is None
        assert all(one.external_attr >> 16 == 0o100644 for one in archive.infolist() if "/ps" in one.filename)
        return {name: archive.read(name).decode() for name in archive.namelist()}


async def need(site: Site, assignment: str, packages: dict[str, str], *missing: str, python: str = "3.11.2") -> None:
    body = {"version": 1, "python": python, "packages": packages, "missing": missing}
    answer = await site.as_("ida").put("courses", "py1", "assignments", assignment, "requirements", json_body=body)
    assert answer.status == 200, answer


async def test_it_has_what_students_got(site: Site) -> None:
    ida = site.as_("ida")
    await ida.release("py1", "ps1", tar_of(**{"p1.ipynb": NOTEBOOK, "data/räw.csv": "1,2" * 600_000}))
    await ida.release("py1", "ps2", tar_of(**{"p1.ipynb": NOTEBOOK}))
    await ida.release("py1", "taken back", tar_of(**{"p1.ipynb": "solution"}))
    await ida.delete("courses", "py1", "assignments", "taken back", "release")
    await site.as_("bob").submit("py1", "ps1", b"bob's work")
    found = await copied(ida)
    assert set(found) == {
        "py1/README.md", "py1/LICENSE", "py1/requirements.txt", "py1/ps1/p1.ipynb", "py1/ps1/data/räw.csv", "py1/ps2/p1.ipynb",
    }  # fmt: skip
    assert (found["py1/ps1/p1.ipynb"], found["py1/ps1/data/räw.csv"]) == (NOTEBOOK, "1,2" * 600_000)
    assert found["py1/README.md"].startswith("# Python 1\n")
    assert "- `ps1`: p1\n- `ps2`: p1\n" in found["py1/README.md"]
    assert "all rights are reserved" in found["py1/LICENSE"]
    assert "Made by ida, ivan." in found["py1/LICENSE"]
    assert site.store.audit.listed("py1")[0].action == "public copy"


async def test_of_two_versions_of_a_package_the_newer_release_counts(site: Site) -> None:
    ida = site.as_("ida")
    for number, assignment in enumerate(("ps3", "ps1", "ps2", "ps4")):
        site.set_time(f"2026-11-26T10:0{number}:00+00:00")
        await ida.release("py1", assignment, tar_of(**{"p1.ipynb": NOTEBOOK}))
    await need(site, "ps1", {"numpy": "2.3.1", "PyYAML": "6.0"}, python="3.13.1")
    await need(site, "ps2", {"numpy": "2.4.0"}, "ourlib", python="3.13.1")
    await need(site, "ps3", {"numpy": "2.3.1"})
    found = await copied(ida)
    assert found["py1/requirements.txt"] == (
        "# Made with Python 3.13.1, 3.11.2.\n"
        "# It is not known what ps4 needs.\n"
        "# ps2 imports ourlib, which came from no package.\n"
        "# ps1, ps3: made with numpy 2.3.1\n"
        "numpy==2.4.0  # ps2\n"
        "PyYAML==6.0  # ps1\n"
    )


async def test_without_releases_it_says_so(site: Site) -> None:
    found = await copied(site.as_("ida"))
    assert "Nothing has been released." in found["py1/README.md"]
    assert found["py1/requirements.txt"] == "\n"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("p1.ipynb", json.dumps({"source": "### BEGIN HIDDEN TESTS\nassert f(1) == 2"}), "has a hidden test"),
        ("p1.ipynb", json.dumps({"source": "### BEGIN SOLUTION\nreturn 1"}), "has a solution"),
        ("p1.ipynb", json.dumps({"source": "=== BEGIN MARK SCHEME ==="}), "has a mark scheme"),
        ("sub/helper.py", "# BEGIN SOLUTION", "has a solution"),
        # The mark lies over the edge of what is read at once.
        ("big.txt", "x" * (2**20 - 5) + "BEGIN SOLUTION", "has a solution"),
        ("../other", "x", "is no plain file"),
        ("/etc/x", "x", "is no plain file"),
    ],
)
async def test_what_students_must_not_get_is_refused_by_name(site: Site, name: str, content: str, says: str) -> None:
    ida = site.as_("ida")
    await ida.release("py1", "ps1", tar_of(**{"p1.ipynb": NOTEBOOK}))
    await ida.release("py1", "ps2", tar_of(**{"data.csv": "1", name: content}))
    answer = await ida.get("courses", "py1", "public-copy")
    assert (answer.status, answer.error) == (409, "not-fit")
    assert f"ps2/{name} {says}" in answer.json["message"]
    await ida.delete("courses", "py1", "assignments", "ps2", "release")
    assert "py1/ps1/p1.ipynb" in await copied(ida)


async def test_links_and_what_is_no_tar_are_refused(site: Site) -> None:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        entry = tarfile.TarInfo("link")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(entry)
    for data, says in ((written.getvalue(), "ps1/link is no plain file"), (b"no tar" * 100, "ps1 is no tar")):
        await site.as_("ida").release("py1", "ps1", data)
        answer = await site.as_("ida").get("courses", "py1", "public-copy")
        assert answer.status == 409
        assert says in answer.json["message"]


@pytest.mark.parametrize(
    ("licence", "says"),
    [
        ("CC-BY-4.0", "Creative Commons Attribution 4.0 International\nhttps://creativecommons.org/licenses/by/4.0/\n"),
        ("EUPL-1.2", "EUPL-1.2\nhttps://spdx.org/licenses/EUPL-1.2.html\n"),
    ],
)
async def test_the_licence_is_that_of_the_record(site: Site, licence: str, says: str) -> None:
    site.configure(courses=[{**RECORDS[0], "licence": licence}])
    text = (await copied(site.as_("ida")))["py1/LICENSE"]
    assert says in text
    assert text.endswith(f"SPDX-License-Identifier: {licence}\n")
    assert text == licence_text(licence, "Python 1", "ida, ivan")


@pytest.mark.parametrize("licence", ["CC BY 4.0", "MIT\nx", "-MIT", "a" * 65, 4, ["MIT"]])
def test_what_is_no_id_of_a_licence_is_refused(site: Site, tmp_path: Any, licence: Any) -> None:
    data = configuration(tmp_path, site.hub, courses=[{**RECORDS[0], "licence": licence}])
    with pytest.raises(SettingsError, match=r"courses\[0\]\.licence: .* such as CC-BY-4\.0"):
        read(data)


def test_the_rule_of_licences_is_that_of_the_inventory() -> None:
    assert course_material.LICENCE.pattern == SPDX.pattern
