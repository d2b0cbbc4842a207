# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a person may enter as a WebDAV folder."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus_hub.settings import SettingsError
from hpcampus_hub.webdav import Folder, FolderError, check_folder, check_url, judge, read_hosts, shown_hosts
from tests.unit.gateway.loading import load

HOSTS = read_hosts(["cloud.example.org", "files.example.org:8443"])
gateway = load("hpcampus_gateway.checks")


def test_hosts_are_names_with_or_without_a_port() -> None:
    assert {"cloud.example.org:443", "files.example.org:8443"} == HOSTS
    assert shown_hosts(HOSTS) == ["cloud.example.org", "files.example.org:8443"]
    assert read_hosts([]) == frozenset()


@pytest.mark.parametrize(
    "value",
    ["cloud.example.org", [""], ["localhost"], ["Cloud.example.org"], ["https://cloud.example.org"], ["*.example.org"],
     ["a.b/c"], ["a.b:0"], ["a.b:70000"], ["[::1]"], ["a.b\n"], [None], None],
)  # fmt: skip
def test_other_hosts_are_refused(value: object) -> None:
    with pytest.raises(SettingsError, match="webdav_hosts"):
        read_hosts(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://cloud.example.org", "https://cloud.example.org/"),
        (" https://CLOUD.example.org:443/a/b%20c/ ", "https://cloud.example.org/a/b%20c/"),
        ("https://files.example.org:8443/dav", "https://files.example.org:8443/dav"),
    ],
)
def test_addresses_are_put_into_one_form(text: str, expected: str) -> None:
    assert check_url(text, HOSTS) == expected


HOSTILE_URLS = [
    "", "http://cloud.example.org/", "cloud.example.org", "ftp://cloud.example.org/", "https://evil.example.org/",
    "https://cloud.example.org.evil.org/", "https://cloud.example.org:8443/", "https://files.example.org/",
    "https://alice:pw@cloud.example.org/", "https://cloud.example.org@evil.example.org/", "https://127.0.0.1/",
    "https://[::1]/", "https://[::ffff:127.0.0.1]:443/", "https://cloud.example.org\\@evil.example.org/",
    "https://cloud.example.org/\nuser = root", "https://cloud.example.org/a%0d%0auser", "https://cloud.example.org/a?b=c",
    "https://cloud.example.org/#b", "https://cloud.example.org/../x", "https://cloud.example.org/%2e%2e/x",
    "https://cloud.example.org/a%2f..%2fb", "https://cloud.example.org:99999/", "https://cloud.example.org:0443/x\x00",
    "https://cloud.example.org/$(id)", "https://cloud.example.org/`id`", "https://cloud.example.org/%(pass)s",
    "https://cloud.example.org/" + "a" * 1000, "javascript:alert(1)", "https:///x", "https://cloud.example.org/é",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE_URLS)
def test_hostile_addresses_are_refused(text: str) -> None:
    with pytest.raises(FolderError):
        check_url(text, HOSTS)


@given(st.text(max_size=80) | st.from_regex(r"https://cloud\.example\.org[^ ]{0,40}", fullmatch=True))
def test_what_passes_leads_to_an_allowed_host_and_through_the_gateway(text: str) -> None:
    try:
        url = check_url(text, HOSTS)
    except FolderError:
        return
    parts = urlsplit(url)
    assert (parts.scheme, parts.hostname, parts.port) == ("https", "cloud.example.org", None)
    assert (parts.username, parts.query, parts.fragment) == (None, "", "")
    gateway.check_webdav({"url": url, "user": "a", "password": "p", "name": "c"})


@given(st.text(max_size=140), st.text(max_size=260), st.text(max_size=40))
def test_what_the_hub_lets_pass_the_gateway_does_too(user: str, password: str, name: str) -> None:
    password = "s3cret" + password
    try:
        folder = check_folder("https://cloud.example.org/", user, password, name, HOSTS)
    except FolderError as error:
        assert "s3cret" not in str(error)  # noqa: PT017 (it may or may not be refused)
        return
    assert gateway.check_webdav(folder.fields()) == folder.fields()


def test_a_folder_does_not_show_its_password() -> None:
    assert "s3cret" not in repr(Folder("https://cloud.example.org/", "alice", "s3cret", "cloud"))


@pytest.mark.parametrize(
    ("status", "works", "part"),
    [
        (207, True, "right"),
        (401, False, "refuses"),
        (404, False, "no folder"),
        (301, False, "another"),
        (200, False, "200"),
    ],
)
def test_answers_of_a_server(status: int, works: bool, part: str) -> None:
    assert judge(status)[0] is works
    assert part in judge(status)[1]
