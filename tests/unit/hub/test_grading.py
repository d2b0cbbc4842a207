# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Runs of submissions: what follows from a course's record, and which requests are refused."""

import pytest

from hpcampus_hub.grading import read_request, terms_of
from tests.unit.hub.sites import course, site

RUN = "0123456789abcdef0123456789abcdef"


def test_a_course_without_a_profile_runs_as_the_first_one() -> None:
    found = terms_of(site(courses=[course(slug="a", profile="", image="")]), "a")
    assert found is not None
    assert found.image == found.profile.image
    assert terms_of(site(), "nosuch") is None


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"run": RUN},
        {"run": RUN, "tasks": 0},
        {"run": RUN, "tasks": 2001},
        {"run": RUN, "tasks": True},
        {"run": "x", "tasks": 1},
        {"run": RUN.upper(), "tasks": 1},
        {"run": RUN, "tasks": 1, "more": 1},
    ],
)
def test_requests_of_another_form_are_refused(body: object) -> None:
    with pytest.raises(ValueError, match="expected"):
        read_request(body)
