# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a job is told: whose server it is, and all that the gateway needs to submit it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .names import slug_of
from .options import Choice, Membership
from .paths.base import Offer
from .ports import LOOPBACK
from .protocol import Secrets, Submit
from .settings import API_PORT_OFFSET


@dataclass(frozen=True)
class Identity:
    """Whose server it is. A job knows it from the beginning, or hears of it when it has waited for somebody.

    Args:
        user_id: slug of the person, or of the course.
        server_id: slug of a named server; "" is the usual one.
        courses: slug and role of each course whose directories are mounted, and where it is so, that its ``data`` or what is
            ``shared`` is mounted too.
        base_url: path of the server on the hub.
        default_url: page on which it opens.
        env: its environment; it holds the server's token.
    """

    user_id: str
    server_id: str
    courses: tuple[Mapping[str, str | bool], ...]
    base_url: str
    default_url: str
    env: Mapping[str, str] = field(repr=False)

    def fields(self) -> dict[str, Any]:
        """The identity as a hand-over sends it."""
        return asdict(self)


def identity_of(
    choice: Choice,
    port: int,
    *,
    user_name: str,
    server_name: str,
    base_url: str,
    default_url: str,
    hub_env: Mapping[str, Any],
) -> Identity:
    """Whose server a job is.

    Args:
        choice: what was asked.
        port: loopback port of the server; it says on which port the job finds the hub's API.
        user_name: the hub's name of the person or course.
        server_name: name of a named server.
        base_url: path of the server on the hub.
        default_url: page on which it opens.
        hub_env: the environment as the hub makes it for any server.
    """
    user_id = slug_of(user_name)
    env = {
        **_environment(hub_env, choice, port + API_PORT_OFFSET),
        "JUPYTERHUB_DEFAULT_URL": default_url,
        "HPCAMPUS_USER_ID": user_id,
    }
    return Identity(
        user_id=user_id,
        server_id=slug_of(server_name) if server_name else "",
        courses=tuple(_mounted(course) for course in choice.memberships),
        base_url=base_url,
        default_url=default_url,
        env=env,
    )


def _mounted(course: Membership) -> dict[str, str | bool]:
    """A course for the gateway; one of an older release knows slug and role only."""
    shows = {name: True for name in ("data", "shared") if getattr(course, name)}
    return {"slug": course.slug, "role": course.role, **shows}


def _environment(hub_env: Mapping[str, Any], choice: Choice, api_port: int) -> dict[str, str]:
    """The environment of hub, profile and courses; the hub's API is reached through the job's own tunnel."""
    env: dict[str, Any] = {**hub_env, **choice.profile.environment}
    for name in ("JPY_API_TOKEN", "JUPYTERHUB_SERVICE_URL"):
        env.pop(name, None)
    for name in ("JUPYTERHUB_API_URL", "JUPYTERHUB_ACTIVITY_URL"):
        env[name] = urlsplit(env[name])._replace(scheme="http", netloc=f"{LOOPBACK}:{api_port}").geturl()
    env["HPCAMPUS_COURSES"] = ",".join(course.slug for course in choice.memberships)
    if choice.course is not None:
        env["HPCAMPUS_COURSE"] = choice.course.slug
        env["HPCAMPUS_COURSE_ROLE"] = choice.course.role
    return {name: str(value) for name, value in env.items() if value is not None}


def submission(
    choice: Choice,
    identity: Identity,
    offer: Offer,
    *,
    standby: str | None = None,
    webdav: Mapping[str, str] | None = None,
) -> Submit:
    """Everything the gateway needs to submit a job; secrets in their own part.

    Args:
        choice: what was asked.
        identity: whose server it is.
        offer: what its data path needs.
        standby: for a job that waits until it is known whose it is, what a hand-over must know.
        webdav: the person's WebDAV folder.
    """
    profile = choice.profile
    return Submit(
        spawn_id=offer.record.spawn_id,
        user_id=identity.user_id,
        server_id=identity.server_id,
        partition=profile.partition,
        cpus=choice.cpus,
        memory_mb=choice.memory_mb,
        time_limit_minutes=choice.time_limit_minutes,
        gres=choice.gres,
        account=profile.account,
        qos=profile.qos,
        reservation=choice.reservation,
        image=choice.image,
        overlay_mb=profile.overlay_mb,
        courses=identity.courses,
        secrets=Secrets(
            env=identity.env,
            tunnel=offer.tunnel,
            door=offer.door,
            base_url=identity.base_url,
            default_url=identity.default_url,
            standby=standby,
            webdav=webdav,
        ),
    )
