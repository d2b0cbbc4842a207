# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Links that log in, start a notebook of a course, bring a git repository into it, and open a file: for nbgitpuller."""

from posixpath import normpath
from urllib.parse import quote, urlencode, urlsplit


class LinkError(ValueError):
    """A link cannot be made of this; the text says what is wrong."""


def course_link(
    hub_url: str,
    course: str,
    repository: str = "",
    *,
    branch: str = "",
    path: str = "",
    profile: str = "",
    image: str = "",
) -> str:
    """A link to a notebook of a course.

    Args:
        hub_url: address of the hub up to its path, such as ``https://hub.example.org/``.
        course: slug of the course.
        repository: address of a git repository; "" for a link that only starts the notebook.
        branch: its branch; "" for the repository's own choice.
        path: file or directory in the repository that opens; "" for the repository itself.
        profile: name of a size; "" for the course's own.
        image: name of an image; "" for the course's own.

    Raises:
        LinkError: the repository has no address that everybody can fetch from, or the path leads out of it.
    """
    base = hub_url.rstrip("/") + "/"
    options = {"opt-profile": profile, "opt-course": course, "opt-image": image}
    query = {name: value for name, value in options.items() if value}
    if repository:
        query["next"] = _pull(urlsplit(base).path, repository, branch, path)
    return f"{base}hub/spawn?{urlencode(query, quote_via=quote, safe='')}"


def _pull(base_path: str, repository: str, branch: str, path: str) -> str:
    """The path on the hub that brings the repository."""
    parts = urlsplit(repository)
    directory = parts.path.rstrip("/").rpartition("/")[2].removesuffix(".git")
    # The directory's name is made of the address; one that begins with a dot is hidden, or leads out of the home.
    is_named = directory != "" and not directory.startswith(".")
    if parts.scheme not in {"https", "http"} or not parts.hostname or not is_named or _has_blanks(repository):
        raise LinkError(
            "Repository: give the address of a git repository, such as https://git.example.org/physics/exercises."
        )
    if parts.username is not None:
        raise LinkError(
            "Repository: leave name and password out of the address; everybody who gets the link could read them."
        )
    file = normpath(path.strip().lstrip("/")) if path.strip() else ""
    if file == ".." or file.startswith("../") or _has_controls(file):
        raise LinkError("File: give its path within the repository, such as week1/start.ipynb.")
    if _has_blanks(branch):
        raise LinkError("Branch: its name holds no blanks.")
    place = quote(f"{directory}/{file}" if file not in {"", "."} else directory)
    query = {"repo": repository, "branch": branch, "urlpath": f"lab/tree/{place}"}
    if repository.rstrip("/").rpartition("/")[2] != directory:
        # nbgitpuller would take the last part of the address as it stands, .git included.
        query["targetpath"] = directory
    asked = urlencode({name: value for name, value in query.items() if value}, quote_via=quote, safe="")
    return f"{base_path}hub/user-redirect/git-pull?{asked}"


def _has_blanks(text: str) -> bool:
    return any(sign.isspace() for sign in text) or _has_controls(text)


def _has_controls(text: str) -> bool:
    return not text.isprintable()
