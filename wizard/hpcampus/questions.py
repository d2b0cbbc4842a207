# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The questions, as data: what each is called, when it is asked, what it takes, what it defaults to. Pure.

Prompts and choices are texts: `prompt.<key>` and `choice.<key>.<value>`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hpcampus import validators
from hpcampus.texts import t

Answers = Mapping[str, Any]


class Kind(StrEnum):
    """How a question is asked."""

    TEXT = "text"
    CHOICE = "choice"
    HOSTS = "hosts"
    SECRET = "secret"  # noqa: S105 -- a kind, not a password


def _always(_answers: Answers) -> bool:
    return True


def _none(_answers: Answers) -> object:
    return None


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        key: Name of the answer.
        section: Which section it belongs to.
        parse: Takes what was given and returns the answer; raises ValueError with a text for the person.
        kind: How it is asked.
        choices: Values of a choice.
        default: Gives the default from the answers so far; None means that there is none.
        when: Whether it is asked at all, from the answers so far.
        optional: Whether it may stay without an answer, from the answers so far.
    """

    key: str
    section: str
    parse: Callable[[object], Any]
    kind: Kind = Kind.TEXT
    choices: tuple[str, ...] = ()
    default: Callable[[Answers], object] = _none
    when: Callable[[Answers], bool] = _always
    optional: Callable[[Answers], bool] = lambda _answers: False

    @property
    def prompt(self) -> str:
        """What a person reads."""
        return t(f"prompt.{self.key}")

    def choice_text(self, value: str) -> str:
        """What a person reads for one of the choices."""
        return t(f"choice.{self.key}.{value}")


def _constant(value: object) -> Callable[[Answers], object]:
    return lambda _answers: value


def _same_as(key: str) -> Callable[[Answers], object]:
    return lambda answers: answers.get(key)


def _is(key: str, value: str) -> Callable[[Answers], bool]:
    return lambda answers: answers.get(key) == value


def _uses_ssh(answers: Answers) -> bool:
    return answers.get("profile") == "own-cluster" or answers.get("hub_connection") == "ssh"


def _choice(key: str, section: str, choices: tuple[str, ...], default: str) -> Question:
    return Question(
        key=key,
        section=section,
        parse=validators.one_of(choices),
        kind=Kind.CHOICE,
        choices=choices,
        default=_constant(default),
    )


OWN_CLUSTER = _is("profile", "own-cluster")
SECTIONS = ("platform", "cluster", "tls", "admin", "course")
# Set by whoever reads the existing inventory: the administrator whose password it holds already.
KNOWN_ADMIN = "known_admin"

QUESTIONS: tuple[Question, ...] = (
    Question(
        key="profile",
        section="platform",
        parse=validators.profile,
        kind=Kind.CHOICE,
        choices=("single", "own-cluster"),
        default=_constant("single"),
    ),
    Question(key="hub_name", section="platform", parse=validators.hub_name),
    _choice("hub_connection", "platform", ("ssh", "local"), "ssh"),
    Question(key="controller", section="cluster", parse=validators.host, when=OWN_CLUSTER),
    Question(key="login", section="cluster", parse=validators.host, default=_same_as("controller"), when=OWN_CLUSTER),
    Question(key="compute", section="cluster", parse=validators.hosts, kind=Kind.HOSTS, when=OWN_CLUSTER),
    Question(
        key="shared_dir",
        section="cluster",
        parse=validators.plain_path,
        default=_constant("/srv/hpcampus"),
        when=OWN_CLUSTER,
    ),
    Question(
        key="ssh_user",
        section="cluster",
        parse=validators.matching(validators.UNIX_USER, "unix-user"),
        default=_constant("root"),
        when=_uses_ssh,
    ),
    _choice("apptainer", "cluster", ("present", "deb", "distribution"), "present"),
    Question(
        key="apptainer_url",
        section="cluster",
        parse=validators.matching(validators.DEB_URL, "deb-url"),
        when=_is("apptainer", "deb"),
    ),
    Question(
        key="apptainer_checksum",
        section="cluster",
        parse=validators.matching(validators.CHECKSUM, "checksum"),
        when=_is("apptainer", "deb"),
    ),
    Question(
        key="partition",
        section="cluster",
        parse=validators.matching(validators.PARTITION, "partition"),
        default=_constant("jupyter"),
    ),
    Question(
        key="image",
        section="cluster",
        parse=validators.matching(validators.SLUG, "slug"),
        default=_constant("notebook"),
    ),
    _choice("tls", "tls", ("selfsigned", "provided"), "selfsigned"),
    Question(key="tls_certificate", section="tls", parse=validators.file_path, when=_is("tls", "provided")),
    Question(key="tls_key", section="tls", parse=validators.file_path, when=_is("tls", "provided")),
    Question(key="admin_name", section="admin", parse=validators.user, default=_constant("admin")),
    Question(
        key="admin_password",
        section="admin",
        parse=validators.password,
        kind=Kind.SECRET,
        optional=lambda answers: (
            answers.get("admin_name") is not None and answers.get("admin_name") == answers.get(KNOWN_ADMIN)
        ),
    ),
    Question(key="course_slug", section="course", parse=validators.matching(validators.SLUG, "slug")),
    Question(key="course_title", section="course", parse=validators.title, default=_same_as("course_slug")),
    Question(key="course_instructor", section="course", parse=validators.user, default=_same_as("admin_name")),
)
BY_KEY = {question.key: question for question in QUESTIONS}
