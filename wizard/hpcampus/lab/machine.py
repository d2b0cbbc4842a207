# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What this machine is like: its package mirrors, certificates and cgroups. Detected, never assumed."""

from __future__ import annotations

import configparser
import os
import re
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MIRROR_VARIABLE = "HPCAMPUS_DEBIAN_MIRROR"
"""Names the mirror of Debian's archive on a machine whose apt has none, such as one that is not Debian."""

CA_DIR = "usr/local/share/ca-certificates"
_CAP_SYS_RESOURCE = 24
_LIST_LINE = re.compile(r"deb\s+(?:\[[^\]]*\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>.+)")


@dataclass(frozen=True)
class Mirrors:
    """Where Debian packages come from, empty where nothing says it; `proxy` is apt's own HTTP proxy or empty."""

    archive: str = ""
    security: str = ""
    proxy: str = ""


@dataclass(frozen=True)
class _Source:
    uri: str
    suite: str
    components: tuple[str, ...]


def parse_mirrors(deb822: Iterable[str], lists: Iterable[str], codename: str) -> Mirrors:
    """Find the Debian mirrors in the texts of apt's sources.

    Args:
        deb822: Contents of `*.sources` files.
        lists: Contents of `sources.list` and `*.list` files.
        codename: Debian release of this machine; sources of other suites and vendors are not Debian's archive.

    Returns:
        The first archive and the first security mirror that are reachable over HTTP.
    """
    sources = [s for text in deb822 for s in _deb822(text)] + [s for text in lists for s in _one_line(text)]
    usable = [s for s in sources if s.uri.startswith(("http://", "https://")) and "main" in s.components]
    archive = [s.uri for s in usable if s.suite in {codename, f"{codename}-updates"}]
    security = [s.uri for s in usable if s.suite in {f"{codename}-security", f"{codename}/updates"}]
    return Mirrors(
        archive=archive[0].rstrip("/") if archive else "",
        security=security[0].rstrip("/") if security else "",
    )


def _deb822(text: str) -> Iterator[_Source]:
    for stanza in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        last = ""
        for line in stanza.splitlines():
            if line.startswith("#") or not line.strip():
                continue
            if line[0].isspace():
                fields[last] = f"{fields.get(last, '')} {line.strip()}"
            elif ":" in line:
                key, _, value = line.partition(":")
                last = key.strip().lower()
                fields[last] = value.strip()
        if fields.get("enabled", "yes").lower() in {"no", "false"} or "deb" not in fields.get("types", "").split():
            continue
        components = tuple(fields.get("components", "").split())
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield _Source(uri, suite, components)


def _one_line(text: str) -> Iterator[_Source]:
    for line in text.splitlines():
        match = _LIST_LINE.fullmatch(line.split("#", 1)[0].strip())
        if match:
            yield _Source(match["uri"], match["suite"], tuple(match["components"].split()))


def parse_os_release(text: str) -> dict[str, str]:
    """Return the keys of an os-release file with their quotes removed."""
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {key.strip(): value.strip().strip("\"'") for key, value in pairs}


def parse_pip_index(texts: Iterable[str], environment: Mapping[str, str]) -> str:
    """Return the package index that pip on this machine is told to use, or an empty string.

    Args:
        texts: Contents of pip's configuration files, the weakest first.
        environment: Variables; PIP_INDEX_URL is stronger than every file, as for pip.

    Returns:
        An http or https address. Others mean nothing to another host and are left out.
    """
    found = ""
    for text in texts:
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read_string(text)
        except configparser.Error:
            continue
        found = parser.get("global", "index-url", fallback=found)
    return _web(environment.get("PIP_INDEX_URL", found))


def parse_npm_registry(texts: Iterable[str], environment: Mapping[str, str]) -> str:
    """Return the registry that npm on this machine is told to use, or an empty string; see `parse_pip_index`."""
    found = ""
    for text in texts:
        for line in text.splitlines():
            key, _, value = line.partition("=")
            if key.strip() == "registry":
                found = value.strip().strip("\"'")
    lower = {key.lower(): value for key, value in environment.items()}
    return _web(lower.get("npm_config_registry", found))


def _web(address: str) -> str:
    return address if address.startswith(("http://", "https://")) else ""


def has_hybrid_cgroups(mounts: str) -> bool:
    """Tell from the text of /proc/mounts whether v1 controllers and a v2 hierarchy are mounted side by side."""
    kinds = {fields[2] for fields in (line.split() for line in mounts.splitlines()) if len(fields) > 2}
    return {"cgroup", "cgroup2"} <= kinds


def may_raise_limits(status: str) -> bool:
    """Tell from the text of /proc/self/status whether this process holds CAP_SYS_RESOURCE."""
    match = re.search(r"^CapEff:\s*([0-9a-f]+)$", status, re.MULTILINE)
    return bool(match and int(match[1], 16) >> _CAP_SYS_RESOURCE & 1)


def containers_conf(*, hybrid: bool, raise_limits: bool, open_files: int, processes: int) -> str:
    """Return a containers.conf with only what podman needs on this machine, or an empty string where it needs nothing.

    Args:
        hybrid: Whether cgroups are in hybrid mode, which crun refuses and runc does not.
        raise_limits: Whether limits may be raised; else containers get limits that this process already has.
        open_files: Hard limit of open files of this process.
        processes: Hard limit of processes of this process; podman lowers its own to the largest process number.
    """
    lines = []
    if not raise_limits:
        limits = f'["nofile={open_files}:{open_files}", "nproc={processes}:{processes}"]'
        lines += ["[containers]", f"default_ulimits = {limits}"]
    if hybrid:
        lines += ["[engine]", 'runtime = "runc"']
    return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True)
class Machine:
    """The settings of this machine that test hosts need."""

    mirrors: Mirrors
    ca_certificates: tuple[str, ...] = ()
    pip_index_url: str = ""
    npm_registry: str = ""
    containers_conf: str = ""
    is_debian: bool = True

    def site_settings(self) -> dict[str, object]:
        """Return the site variables that installing from inside this machine's network needs."""
        return {
            "site_ca_certificates": list(self.ca_certificates),
            "site_pip_index_url": self.pip_index_url,
            "site_npm_registry": self.npm_registry,
        }


def read_machine(root: Path = Path("/"), environment: Mapping[str, str] | None = None) -> Machine:
    """Read this machine's settings.

    Args:
        root: Top of the file system; another one in tests.
        environment: Variables; those of this process when None.
    """
    env = os.environ if environment is None else environment
    home = root / env.get("HOME", "/root").lstrip("/")
    release = parse_os_release(_text(root / "etc/os-release"))
    apt = root / "etc/apt"
    mirrors = parse_mirrors(
        [_text(path) for path in sorted(apt.glob("sources.list.d/*.sources"))],
        [_text(apt / "sources.list"), *(_text(path) for path in sorted(apt.glob("sources.list.d/*.list")))],
        release.get("VERSION_CODENAME", "") if release.get("ID") == "debian" else "",
    )
    config = Path(env["XDG_CONFIG_HOME"]) if env.get("XDG_CONFIG_HOME") else home / ".config"
    return Machine(
        mirrors=Mirrors(
            mirrors.archive or env.get(MIRROR_VARIABLE, "").rstrip("/"),
            mirrors.security,
            apt_proxy([_text(p) for p in sorted(apt.glob("apt.conf.d/*"))]),
        ),
        ca_certificates=tuple(str(path) for path in sorted((root / CA_DIR).rglob("*.crt"))),
        pip_index_url=parse_pip_index(
            _texts([root / "etc/pip.conf", config / "pip/pip.conf", home / ".pip/pip.conf"]),
            env,
        ),
        npm_registry=parse_npm_registry(_texts([root / "etc/npmrc", home / ".npmrc"]), env),
        containers_conf=containers_conf(
            hybrid=has_hybrid_cgroups(_text(root / "proc/mounts")),
            raise_limits=may_raise_limits(_text(root / "proc/self/status")),
            open_files=_hard_limit(resource.RLIMIT_NOFILE),
            processes=min(_hard_limit(resource.RLIMIT_NPROC), _number(root / "proc/sys/kernel/pid_max")),
        ),
        is_debian=release.get("ID") == "debian",
    )


def apt_proxy(texts: Iterable[str]) -> str:
    """Return apt's HTTP proxy from the texts of its configuration files, or an empty string."""
    pattern = re.compile(r'^\s*Acquire::http::Proxy\s+"(http[^"]+)"\s*;', re.MULTILINE | re.IGNORECASE)
    found = [match[1] for text in texts for match in pattern.finditer(text)]
    return found[-1] if found else ""


def _hard_limit(kind: int) -> int:
    hard = resource.getrlimit(kind)[1]
    return 1048576 if hard == resource.RLIM_INFINITY else hard


def _number(path: Path) -> int:
    text = _text(path).strip()
    return int(text) if text.isdigit() else 32768


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _texts(paths: Sequence[Path]) -> list[str]:
    return [_text(path) for path in paths]
