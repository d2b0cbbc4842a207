# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What an assignment needs is kept for each of its versions, and nothing else is taken for it."""

from typing import Any

import pytest

from hpcampus_courses.store.requirements import Requirements
from tests.unit.courses.site import Site

NEEDED = {"version": 1, "python": "3.11.2", "packages": {"numpy": "2.3.1"}, "missing": ["ourlib"]}
WHERE = ("courses", "py1", "assignments", "ps1", "requirements")


async def test_each_version_has_its_own(site: Site) -> None:
    ida = site.as_("ida")
    await ida.release("py1", "ps1", b"one")
    assert (await ida.put(*WHERE, json_body=NEEDED)).status == 200
    await ida.release("py1", "ps1", b"two")
    assert site.store.needs.of("py1", "ps1", 2) is None
    for numpy in ("2.4.0", "2.4.1"):
        sent = {**NEEDED, "version": 2, "packages": {"numpy": numpy}}
        assert (await site.at_server("ida").put(*WHERE, json_body=sent)).status == 200
    assert site.store.needs.of("py1", "ps1", 1) == Requirements("3.11.2", {"numpy": "2.3.1"}, ("ourlib",))
    assert site.store.needs.of("py1", "ps1", 2) == Requirements("3.11.2", {"numpy": "2.4.1"}, ("ourlib",))


@pytest.mark.parametrize("version", [0, 2, 7])
async def test_a_version_that_was_not_released_has_none(site: Site, version: int) -> None:
    ida = site.as_("ida")
    await ida.release("py1", "ps1")
    answer = await ida.put(*WHERE, json_body={**NEEDED, "version": version})
    assert (answer.status, answer.error) == (404, "not-released")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"packages": ["numpy"]}, "packages must be"),
        ({"packages": {"numpy": 2}}, "packages must be"),
        ({"packages": {"numpy": "2.3\n--index-url=https://evil.example"}}, "packages must be"),
        ({"packages": {"numpy @ https://evil.example/x.zip": "1"}}, "packages must be"),
        ({"packages": {f"p{number}": "1" for number in range(501)}}, "at most 500"),
        ({"python": "3.11; x"}, "python must be"),
        ({"missing": ["a b"]}, "missing must be"),
        ({"version": "1"}, "version must be"),
    ],
)
async def test_what_is_no_list_of_packages_is_refused(site: Site, changed: dict[str, Any], says: str) -> None:
    ida = site.as_("ida")
    await ida.release("py1", "ps1")
    answer = await ida.put(*WHERE, json_body={**NEEDED, **changed})
    assert (answer.status, answer.error) == (400, "bad-value")
    assert says in answer.json["message"]
    assert site.store.needs.of("py1", "ps1", 1) is None
