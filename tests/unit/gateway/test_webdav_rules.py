# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the gateway refuses of a WebDAV folder: nothing may break a line of a configuration or name another directory."""

import pytest

from tests.unit.gateway.loading import load

checks = load("hpcampus_gateway.checks")
errors = load("hpcampus_gateway.errors")

PASSWORD = "café ;$(id) s3cret"
GOOD = {
    "url": "https://cloud.example.org/dav/files/al%20ice/",
    "user": "al.ice@uni x",
    "password": PASSWORD,
    "name": "c_1",
}


@pytest.mark.parametrize(
    "changes",
    [{}, {"url": "https://cloud.example.org:8443/"}, {"user": "a"}, {"password": "p" * 256}, {"name": "A" * 32}],
)
def test_good_folders_pass_as_they_are(changes: dict[str, str]) -> None:
    assert checks.check_webdav({**GOOD, **changes}) == {**GOOD, **changes}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", value)
        for value in (
            "",
            "http://cloud.example.org/",
            "https://cloud.example.org",
            "https://Cloud.example.org/",
            "https://alice:pw@cloud.example.org/",
            "https://cloud.example.org@evil.example.org/",
            "https://[::1]/",
            "https://cloud.example.org/a\nuser = root",
            "https://cloud.example.org/\n",
            "https://cloud.example.org/a%0auser",
            "https://cloud.example.org/a%7F",
            "https://cloud.example.org/../",
            "https://cloud.example.org/a/..",
            "https://cloud.example.org/a/%2e%2E/b",
            "https://cloud.example.org/a%2f../b",
            "https://cloud.example.org/?a=b",
            "https://cloud.example.org/#a",
            "https://cloud.example.org/%(pass)s",
            "https://cloud.example.org/`id`",
            "https://cloud.example.org/a b",
            "https://cloud.example.org:123456/",
            "https://cloud.example.org/" + "a" * 1001,
        )
    ]
    + [("user", value) for value in ("", " a", "a ", "a\nb", "a:b", "%(x)s", '"', "`", "a" * 129, "é")]
    + [("password", value) for value in ("", "a\nb", "a\r", "\x00", "\x7f", "\x85", "p" * 257)]
    + [("name", value) for value in ("", ".", "..", "a/b", "a b", "-a", ".ssh", "a\n", "a" * 33, "$(id)", "é")]
    + [(field, value) for field in GOOD for value in (None, 1, ["a"], {"a": "b"})],
)
def test_other_folders_are_refused_without_showing_them(field: str, value: object) -> None:
    with pytest.raises(errors.BadRequestError) as caught:
        checks.check_webdav({**GOOD, field: value})
    assert field in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "folder", [None, [], {}, {**GOOD, "cache": "/"}, {k: v for k, v in GOOD.items() if k != "user"}]
)
def test_a_folder_has_all_fields_and_no_other(folder: object) -> None:
    with pytest.raises(errors.BadRequestError):
        checks.check_webdav(folder)
