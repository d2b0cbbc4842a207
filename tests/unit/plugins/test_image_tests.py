# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The notebook with which a course tests its image: where it may lie, what goes with it, and which image it is for."""

import base64
import datetime as dt
import io
import json
import os
import zipfile

import pytest
from ansible.errors import AnsibleFilterError
from ansible.plugins.loader import filter_loader, init_plugin_loader
from hypothesis import assume, given
from hypothesis import strategies as st

from hpcampus_hub.options import choose
from hpcampus_hub.settings import read_site
from plugins.module_utils import site_problems as checks
from plugins.module_utils.site_problems import image_tests
from tests.unit.hub import sites
from tests.unit.plugins.test_site_problems import COURSE, GROUPS, ROOT, site

PLACE = ".tests/a1/test.ipynb"


def book(*cells, **changes):
    listed = [{"cell_type": kind, "source": source, "metadata": {}} for kind, source in cells]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": listed, **changes})


GOOD = book(("markdown", "# A"), ("code", "import numpy"))


@pytest.fixture
def inventory(tmp_path):
    """An inventory with a test that can be used."""
    directory = tmp_path / "inventory"
    (directory / ".tests/a1/data").mkdir(parents=True)
    (directory / PLACE).write_text(GOOD)
    (directory / ".tests/a1/data/points.csv").write_text("x,y\n1,2\n")
    return directory


@pytest.fixture(scope="module")
def filters():
    """Load a filter by its short name, as Ansible does."""
    init_plugin_loader()
    return lambda name: filter_loader.get(f"hpcampus.platform.{name}").j2_function


def found(inventory, path=PLACE):
    place = None if inventory is None else str(inventory)
    return checks.site_problems({}, site(site_course_a1={**COURSE, "image_test": path}), GROUPS, inventory=place)


def test_a_notebook_that_is_there_can_be_used(inventory):
    assert found(inventory) == []
    assert found(None) == [], "files of an inventory that nobody knows are not looked for"
    assert found(inventory, "") == []


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/etc/passwd", "inside the inventory"),
        (".tests/../../x.ipynb", "inside the inventory"),
        (".tests/a1/check.py", "no notebook"),
        (".tests/a1/.hidden.ipynb", "no notebook"),
        ("files/a1/test.ipynb", "for hosts or variables"),
        ("group_vars/all/test.ipynb", "for hosts or variables"),
        (".test.ipynb", "no notebook"),
        ("test.ipynb", "for hosts or variables"),
        (".tests/a1/other.ipynb", "there is no file"),
        (".tests/a1", "no notebook"),
    ],
)
def test_a_place_that_will_not_do_is_named_with_a_cure(inventory, path, words):
    (text,) = found(inventory, path)
    assert text.startswith(f"site_course_a1.image_test = {path!r}: ")
    assert words in text
    if "there is no file" not in words:
        assert found(None, path) == [text], "it needs no look at the disk"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not what Jupyter calls a notebook"),
        (b"\xff\xfe", "not what Jupyter calls a notebook"),
        (b"[]", "not what Jupyter calls a notebook"),
        (b'{"cells": []}', "not what Jupyter calls a notebook"),
        (b'{"nbformat": 3, "worksheets": []}', "old format"),
        (b'{"nbformat": 4}', "no cell with code"),
        (b'{"nbformat": 4, "cells": [7, null]}', "no cell with code"),
        (book(("markdown", "# only words")).encode(), "no cell with code"),
    ],
)
def test_what_is_no_notebook_is_found_before_an_image_is_built(inventory, content, words):
    (inventory / PLACE).write_bytes(content)
    (text,) = found(inventory)
    assert words in text


def _too_many(directory):
    for number in range(image_tests.FILES_MAX):
        (directory / f"data/{number}").touch()


def _too_large(directory):
    with (directory / "data/large.bin").open("wb") as file:
        file.truncate(image_tests.MB_MAX * 1_000_000)


def _linked(directory):
    (directory / "data/secret").symlink_to("/etc/passwd")


def _linked_directory(directory):
    (directory / "etc").symlink_to("/etc")


def _pipe(directory):
    os.mkfifo(directory / "data/pipe")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_too_many, "more than 200 files"),
        (_too_large, "5 MB"),
        (_linked, "data/secret is a link"),
        (_linked_directory, "etc is a link"),
        (_pipe, "data/pipe is a link, or no file at all"),
    ],
)
def test_what_goes_with_a_test_is_bounded(inventory, spoil, words):
    spoil(inventory / ".tests/a1")
    (text,) = found(inventory)
    assert words in text


def test_a_link_out_of_the_inventory_is_refused(inventory, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/test.ipynb").write_text(GOOD)
    (inventory / ".linked").symlink_to(tmp_path / "elsewhere")
    (text,) = found(inventory, ".linked/test.ipynb")
    assert "leads out of the inventory" in text


def test_the_archive_holds_what_lies_beside_but_hidden_files(inventory, filters):
    for name in (".ipynb_checkpoints/test-checkpoint.ipynb", ".secret", "data/.cache", "__pycache__/a.pyc"):
        (inventory / ".tests/a1" / name).parent.mkdir(exist_ok=True)
        (inventory / ".tests/a1" / name).write_text("x")
    packed = base64.b64decode(filters("notebook_archive")(str(inventory / PLACE)))
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "test.ipynb": GOOD.encode(),
            "data/points.csv": b"x,y\n1,2\n",
        }


@given(st.dictionaries(st.sampled_from(["a.csv", "b.csv", "c"]), st.binary(max_size=4)), st.binary(max_size=4))
def test_the_digest_is_that_of_names_and_contents(tmp_path_factory, files, other):
    def written(contents):
        top = tmp_path_factory.mktemp("test")
        (top / "test.ipynb").write_text(GOOD)
        for name, content in contents.items():
            (top / name).write_bytes(content)
        return top / "test.ipynb"

    changed = {**files, "a.csv": other}
    one, same, another = written(files), written(dict(reversed(files.items()))), written(changed)
    assert image_tests.digest_of(one) == image_tests.digest_of(same)
    assert image_tests.archive_of(one) == image_tests.archive_of(same)
    assert (image_tests.digest_of(one) == image_tests.digest_of(another)) is (files == changed)


def test_a_notebook_of_another_name_is_another_test(inventory):
    (inventory / ".tests/a1/more.ipynb").write_text(GOOD)
    names = ("test.ipynb", "more.ipynb")
    assert len({image_tests.digest_of(inventory / ".tests/a1" / name) for name in names}) == 2


PROFILES = [{"name": "small", "image": "base"}, {"name": "gpu", "image": "ml"}, {"name": "exam", "image": "lock"}]


def test_every_course_with_a_test_asks_for_its_image(inventory, filters):
    day = dt.datetime.now(dt.UTC).date()
    records = [
        {"slug": "a", "image_test": PLACE},
        {"slug": "b", "image_test": PLACE, "profile": "gpu"},
        {"slug": "c", "image_test": PLACE, "profile": "gpu", "image": "own"},
        {"slug": "none"},
        {"slug": "empty", "image_test": ""},
        {"slug": "over", "image_test": "gone.ipynb", "expires": str(day)},
        {"slug": "last-day", "image_test": PLACE, "expires": str(day + dt.timedelta(days=2))},
    ]
    tests = filters("course_image_tests")(records, PROFILES, str(inventory))
    assert [(test["course"], test["image"]) for test in tests] == [
        ("a", "base"),
        ("b", "ml"),
        ("c", "own"),
        ("last-day", "base"),
    ]
    assert {test["notebook"] for test in tests} == {str(inventory / PLACE)}
    (ours,) = filters("tests_of_image")(tests, "ml")
    assert (ours["course"], ours["name"], len(ours["digest"])) == ("b", "test.ipynb", 16)
    assert filters("tests_of_image")(tests, "unused") == []


def test_a_test_that_cannot_be_used_stops_before_a_host_is_touched(inventory, filters):
    record = {"slug": "a", "image_test": ".tests/a1/gone.ipynb"}
    with pytest.raises(AnsibleFilterError, match="image_test of the course a: there is no file"):
        filters("course_image_tests")([record], PROFILES, str(inventory))
    (inventory / PLACE).write_text("no notebook")
    test = {"course": "a", "image": "base", "notebook": str(inventory / PLACE)}
    with pytest.raises(AnsibleFilterError, match=r"The test of the course a, .* is not what Jupyter calls a notebook"):
        filters("tests_of_image")([test], "base")
    _linked(inventory / ".tests/a1")
    with pytest.raises(AnsibleFilterError, match="Put a copy in its place"):
        filters("notebook_archive")(str(inventory / PLACE))


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "image": st.sampled_from(["", "own", "base"]),
            "profile": st.sampled_from(["", "small", "gpu", "exam"]),
            "profiles": st.lists(st.sampled_from(["small", "gpu", "exam"]), unique=True, max_size=2),
        },
    )
)
def test_the_image_is_the_one_that_the_hub_starts(fields):
    profiles = [sites.profile(name=one["name"], image=one["image"]) for one in PROFILES]
    assume(not fields.get("profile") or fields["profile"] in (fields.get("profiles") or [fields["profile"]]))
    hub = read_site(**sites.settings(profiles=profiles, courses=[sites.course(**fields)]))
    assert image_tests.image_of(fields, PROFILES) == choose(hub, "course-py1", {}).image


def test_the_check_of_an_inventory_looks_for_its_tests(inventory, filters):
    values = {"site_course_a1": {**COURSE, "image_test": PLACE}}
    hosts = {host: {**values, "inventory_dir": str(inventory)} for host in GROUPS["all"]}
    roles = str(ROOT / "roles")
    assert filters("site_problems")(hosts, site(), GROUPS, roles) == []
    (inventory / PLACE).unlink()
    (text,) = filters("site_problems")(hosts, site(), GROUPS, roles)
    assert text.startswith(
        f"site_course_a1.image_test = {PLACE!r}: there is no file {inventory / PLACE} on the controller"
    )
