# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Keeps the course pages from scripts of notebook servers, which share their origin, and what students hand in from the pages.

``hpcampus_hub.origin`` says why pages of this origin are for a person who opens them and not for scripts. The same holds here:

* a page answers navigations of a whole tab only: no fetch, no element, no frame. Browsers say which it is, in headers that no script sets;
* pages stay in no cache, and their XSRF cookie is hidden from scripts;
* what a page asks while it is open (the progress of grading) needs the XSRF token that stands in the page, for reading too.

A page runs and loads the service's own files alone, by their path: anything else of this origin may be a student's. Pages that come
from what students wrote (feedback) are opened in a sandbox without scripts and forms, as if they were of another origin.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

COOKIE = {"httponly": True}
"""Attributes of the XSRF token's cookie, for tornado's setting ``xsrf_cookie_kwargs``."""

_TOP_LEVEL = ("", "document")
_NO_BROWSER = ""


def is_opened(headers: Mapping[str, str]) -> bool:
    """Say whether a request comes from a person who opens a page in a tab, or from what is no browser."""
    mode, destination = headers.get("Sec-Fetch-Mode", _NO_BROWSER), headers.get("Sec-Fetch-Dest", "")
    return mode == _NO_BROWSER or (mode == "navigate" and destination in _TOP_LEVEL)


def is_asked_by_own_origin(headers: Mapping[str, str]) -> bool:
    """Say whether a fetch comes from this origin; whether from a page of the service its token must tell."""
    return headers.get("Sec-Fetch-Site", "same-origin") == "same-origin" and headers.get("Sec-Fetch-Mode", "") in (
        _NO_BROWSER,
        "cors",
        "same-origin",
    )


def page_headers(public_url: str, prefix: str, hub_prefix: str) -> dict[str, str]:
    """Headers of a page.

    Args:
        public_url: address of the site as browsers see it; only scheme, host and port count.
        prefix: path of the service with a slash at its end.
        hub_prefix: path of the hub with a slash at its end; its logo is shown.
    """
    parts = urlsplit(public_url)
    origin = f"{parts.scheme}://{parts.netloc}"
    static = f"{origin}{prefix}static/"
    policy = {
        "default-src": "'none'",
        "style-src": static,
        "script-src": static,
        "img-src": f"{static} {origin}{hub_prefix}logo {origin}{hub_prefix}static/favicon.ico",
        "connect-src": f"{origin}{prefix}course/",
        "form-action": f"{origin}{prefix}",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    return {**_COMMON, "Content-Security-Policy": _written(policy)}


def foreign_headers() -> dict[str, str]:
    """Headers of a page that a student may have written: no script, no form, nothing from elsewhere, no rights of this origin."""
    policy = {
        "sandbox": "",
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",
        "img-src": "data:",
        "font-src": "data:",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    return {**_COMMON, "Content-Security-Policy": _written(policy), "Referrer-Policy": "no-referrer"}


_COMMON = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def _written(policy: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {value}".strip() for name, value in policy.items())
