# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A course's notebook decides whether jobs get an image: one that fails keeps the old image, whether the new one is built or published."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.testinfra.plays import refused_playbook, run_playbook
from tests.testinfra.reach import hosts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testinfra.host import Host

testinfra_hosts = hosts("slurm_login")
IMAGES = "/shared/hpcampus/images"
LINK = f"{IMAGES}/notebook.sif"
STORE = "/var/tmp/hpcampus-other-store"
STEP = "hpcampus.platform.steps.images"
# Another recipe of the same image: its digest is another one, and nobody has to build it, since the store has it.
OTHER = ("--extra-vars", json.dumps({"images_compression": "zstd", "images_store_dir": STORE}))


def failing() -> tuple[str, str]:
    """The course with a notebook that asks for what no image has."""
    record = {
        "slug": "mechanics",
        "title": "Mechanics",
        "instructors": ["teacher"],
        "image_test": ".tests/failing/test.ipynb",
    }
    return "--extra-vars", json.dumps({"site_course_mechanics": record})


def target(host: Host) -> str:
    """What jobs use."""
    return host.check_output(f"readlink {LINK}")


def remembered(host: Host) -> list[str]:
    """The tests that images have passed."""
    return host.check_output(f"find {IMAGES} -name '*.tested' -printf '%f\\n' | sort").split()


@pytest.fixture(scope="module")
def other(host: Host) -> Iterator[str]:
    """Put the image into a store under the digest that another recipe has; gives that digest."""
    said = run_playbook(STEP, "--check", *OTHER)
    (digest,) = set(re.findall(rf"{IMAGES}/notebook/([0-9a-f]{{16}})\.sif", said))
    host.check_output(f"mkdir {STORE} && cp {LINK} {STORE}/{digest}.sif")
    yield digest
    host.check_output(f"rm -rf {STORE} {IMAGES}/notebook/{digest}.*")


def test_the_test_of_the_scenario_has_passed_and_left_nothing(host: Host):
    digest = target(host).removeprefix("notebook/").removesuffix(".sif")
    (name,) = remembered(host)
    assert name.startswith(digest)
    assert host.file(f"{IMAGES}/notebook/{name}").content_string == "mechanics test.ipynb\n"
    assert host.check_output("find /var/tmp/hpcampus-images -mindepth 1") == ""


def test_a_test_that_fails_leaves_the_published_image(host: Host):
    before, passed = target(host), remembered(host)
    said = refused_playbook(STEP, *failing())
    assert "is published already: it stays" in said
    assert "Course mechanics" in said
    assert "inventory/.tests/failing/test.ipynb" in said
    assert "cell 3, which begins with 'import hpcampus_no_such_package', raised ModuleNotFoundError" in said
    assert "No module named" in said
    assert (target(host), remembered(host)) == (before, passed)
    assert host.check_output("find /var/tmp/hpcampus-images -mindepth 1") == ""


def test_a_new_image_that_fails_is_not_what_jobs_get(host: Host, other: str):
    before = target(host)
    said = refused_playbook(STEP, *OTHER, *failing())
    assert f"is not published: jobs keep {before}" in said
    assert target(host) == before
    assert not any(name.startswith(other) for name in remembered(host))
    # The same image with a notebook that it can run: it is there already, and jobs get it.
    run_playbook(STEP, *OTHER)
    assert target(host) == f"notebook/{other}.sif"
    assert [name for name in remembered(host) if name.startswith(other)]
    # And back: the older image has passed this very test, which is not run once more.
    said = run_playbook(STEP)
    assert target(host) == before
    assert re.search(r"changed=1 .*failed=0", said), said[-2000:]
