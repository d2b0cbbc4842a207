# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the hub is configured to be, read as the hub itself reads it, the administrator's own lines included."""

import contextlib
import inspect
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from traitlets.config.loader import PyFileConfigLoader

from hpcampus_hub.settings import Site, read_site

NO_CLUSTER = "no-cluster.invalid"
"""Host of the stand-in that conf.d/20-clusters.py configures while there is no cluster."""

COURSES = "courses"
"""Name of the course service on the hub."""


class ConfigurationError(Exception):
    """The configuration cannot be loaded; the text is the hub's own."""


@dataclass(frozen=True)
class Hub:
    """What the doctor needs to know of a hub.

    Args:
        site: clusters, profiles and tunnel.
        url: the public address, or "".
        proxy_port: loopback port of the proxy.
        hub_port: loopback port of the hub.
        db_url: the database; may hold a password.
        data_dir: the hub's own directory.
        api_port: loopback port to which the ways of jobs lead.
        courses_url: address of the course service, or "".
    """

    site: Site
    url: str
    proxy_port: int
    hub_port: int
    db_url: str = field(repr=False)
    data_dir: str = "/var/lib/jupyterhub"
    api_port: int = 0
    courses_url: str = ""

    @property
    def port_for_jobs(self) -> int:
        """Loopback port to which the ways of jobs lead."""
        return self.api_port or self.hub_port

    @property
    def public(self) -> SplitResult:
        """The public address in parts."""
        return urlsplit(self.url)

    @property
    def host(self) -> str:
        """Host of the public address."""
        return self.public.hostname or ""

    @property
    def port(self) -> int:
        """Port of the public address."""
        return self.public.port or (80 if self.public.scheme == "http" else 443)


def load_hub(etc: Path, url: str = "") -> Hub:
    """Load ``<etc>/jupyterhub_config.py`` without starting anything.

    Args:
        etc: the hub's configuration directory.
        url: public address to use instead of the configured one.

    Raises:
        ConfigurationError: it cannot be loaded, or a setting is wrong.
    """
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            config = PyFileConfigLoader("jupyterhub_config.py", path=str(etc)).load_config()
        return _hub(config, url)
    except SystemExit:
        raise ConfigurationError(complaint.getvalue().strip() or "it ends the hub without a word") from None
    except Exception as error:
        raise ConfigurationError(f"{type(error).__name__}: {error}") from error


def _hub(config: Any, url: str) -> Hub:
    site = read_site(**site_settings(config.HpcHub))
    jupyterhub = config.JupyterHub
    return Hub(
        site=site,
        url=url or str(jupyterhub.get("public_url", "")),
        proxy_port=_port(jupyterhub.get("bind_url"), 8000),
        hub_port=_port(jupyterhub.get("hub_bind_url"), 8081),
        db_url=str(jupyterhub.get("db_url", "sqlite:///jupyterhub.sqlite")),
        api_port=int(config.HpcHub.get("api_port", 0)),
        courses_url=_service_url(jupyterhub.get("services", ()), COURSES),
    )


def _service_url(services: Iterable[Mapping[str, Any]], name: str) -> str:
    """The address of a service, "" when there is no such service."""
    return next((str(service.get("url", "")) for service in services if service.get("name") == name), "")


def site_settings(configured: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of ``read_site`` as ``c.HpcHub`` has them; what is missing is empty."""
    parameters = inspect.signature(read_site).parameters.values()
    return {
        parameter.name: configured.get(parameter.name, ())
        for parameter in parameters
        if parameter.name in configured or parameter.default is parameter.empty
    }


def _port(url: object, usual: int) -> int:
    return (urlsplit(url).port or usual) if isinstance(url, str) else usual
