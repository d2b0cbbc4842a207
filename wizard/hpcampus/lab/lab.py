# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Bring a lab up, look at it, take it down."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from hpcampus.lab import keys
from hpcampus.lab.errors import LabError
from hpcampus.lab.inventory import IMAGE_STORE, SHARED_DIR, connection, inventory, role_settings
from hpcampus.lab.machine import MIRROR_VARIABLE, Machine, read_machine
from hpcampus.lab.model import LABEL, Host, Opening, Spec, check_lab_name
from hpcampus.lab.packages import install_packages, is_present, missing_packages
from hpcampus.lab.places import cache_dir, lab_dir, labs_dir
from hpcampus.lab.podman import Podman
from hpcampus.lab.recipes import FRESH_LISTS_HOURS, MAX_AGE_DAYS, Recipe, recipe
from hpcampus.lab.walls import Walls

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_BOOT_SECONDS = 90
_SETTLED = {"running", "degraded"}
# New packages go into the cache for the next lab; ending the ssh sessions closes the connections that Ansible keeps
# open, which would otherwise point at the next host with the same address.
_FAREWELL = "cp --no-clobber /var/cache/apt/archives/*.deb /var/cache/hpcampus-lab/apt/ 2>/dev/null; pkill sshd; true"


class Progress(Protocol):
    """Takes one line of text about what is being done now."""

    def __call__(self, message: str, /) -> None:
        """Show the line."""


@dataclass(frozen=True)
class HostStatus:
    """How a host is: `state` is `running`, `stopped` or `missing`; `address` is empty unless it runs."""

    name: str
    state: str
    address: str


def site_settings() -> dict[str, object]:
    """Return the site variables that installing from inside this machine's network needs.

    Returns:
        `site_ca_certificates` (absolute paths), `site_pip_index_url` and `site_npm_registry` (empty when not set).
    """
    return read_machine().site_settings()


class Lab:
    """A lab on this machine.

    Args:
        name: Lower-case letters, digits and hyphens; part of the containers' names.
        hosts: The hosts, in the order they are started.
        openings: What the walls between the hosts' networks let through from the start.
    """

    def __init__(self, name: str, hosts: Iterable[Host], openings: Iterable[Opening] = ()) -> None:
        self.spec = Spec(name, tuple(hosts), tuple(openings))
        self.directory = lab_dir(name)
        self._machine = read_machine()
        self._podman = _podman(self._machine)
        self.walls = Walls(self.spec, self._podman)

    @classmethod
    def saved(cls, name: str) -> Lab:
        """Return a lab that was brought up, or begun, before.

        Raises:
            LabError: When there is none of that name.
        """
        check_lab_name(name)
        path = lab_dir(name) / "lab.json"
        try:
            spec = parse_spec(name, path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            known = ", ".join(sorted(p.parent.name for p in labs_dir().glob("*/lab.json"))) or "none"
            msg = f"There is no lab {name} on this machine."
            raise LabError(msg, cure=f"Labs that exist: {known}.") from None
        return cls(name, spec.hosts, spec.openings)

    def up(self, progress: Progress) -> list[HostStatus]:
        """Bring every host up; what is there already is kept.

        Args:
            progress: Told of every step.

        Returns:
            One status per host, all running.

        Raises:
            LabError: When a program is missing and cannot be installed, an image cannot be built, or a host does not
                boot.
        """
        self._save_spec()
        tags = ensure_images(self.spec.images(), progress, self._machine)
        with _lock(self.directory / "lock"):
            self._ensure_networks()
            if self.spec.networks:
                self.walls.ensure_router(tags[self.spec.hosts[0].image])
            self._ensure_hosts(tags, progress)
            statuses = self._wait(progress)
            self._write_connection_files(statuses)
        return statuses

    def power_off(self, host: str) -> None:
        """Take the power from a host, without a word to anything that runs on it.

        Raises:
            LabError: When there is no such host, or it does not run.
        """
        self._podman.run("kill", self._container(host))

    def restart(self, host: str) -> None:
        """Shut a host down, unless it is off, start it again, and wait until it has booted.

        Raises:
            LabError: When there is no such host, or it does not boot.
        """
        with _lock(self.directory / "lock"):
            self._podman.run("restart", "--time", "10", self._container(host))
            if self.spec.networks:
                self.walls.guard(host)
            self._wait_for(next(known for known in self.spec.hosts if known.name == host))

    def down(self, progress: Progress) -> None:
        """Remove the lab's containers, network, volume and keys; whatever is not labelled with its name stays."""
        label = f"{LABEL}={self.spec.name}"
        containers = self._podman.names("container", label)
        if containers:
            progress(f"Remove {len(containers)} test host{'s' if len(containers) > 1 else ''} of lab {self.spec.name}")
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(self._farewell, containers))
            self._podman.run("rm", "--force", "--time", "0", *containers)
        for kind in ("network", "volume"):
            for name in self._podman.names(kind, label):
                self._podman.run(kind, "rm", "--force", name)
        for kept in Path(keys.CONTROL_DIR).glob(Path(keys.control_path(self.directory)).name.replace("%C", "*")):
            kept.unlink(missing_ok=True)
        shutil.rmtree(self.directory, ignore_errors=True)

    def status(self) -> list[HostStatus]:
        """Return how every host is."""
        return [self._host_status(host) for host in self.spec.hosts]

    def inventory_hosts(self) -> dict[str, dict[str, str]]:
        """Return the connection variables of every host, by name, for any Ansible inventory."""
        return {host.name: connection(self.directory) for host in self.spec.hosts}

    def exec(
        self, host: str, argv: Sequence[str], *, stdin: str = "", timeout: float = 600
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as root in a host and return what it printed.

        Args:
            host: Name of the host.
            argv: The command; no shell is involved.
            stdin: Text for its standard input.
            timeout: Seconds after which it is given up.
        """
        name = self._container(host)
        return self._podman.run(
            "exec", "--interactive", name, *argv, stdin=stdin.encode(), check=False, timeout=timeout
        )

    def attach(self, host: str, argv: Sequence[str], *, terminal: bool) -> int:
        """Run a command as root in a host on the caller's own terminal or streams and return its exit status."""
        return self._podman.attach(self._container(host), argv, terminal=terminal)

    def _container(self, host: str) -> str:
        if host not in {h.name for h in self.spec.hosts}:
            msg = f"Lab {self.spec.name} has no host {host}."
            raise LabError(msg, cure=f"Its hosts are {', '.join(h.name for h in self.spec.hosts)}.")
        return self.spec.container(host)

    def _save_spec(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(self.directory / "lab.json", json.dumps(self.spec.data(), indent=1))

    def _ensure_networks(self) -> None:
        if not self._podman.ask("network", "exists", self.spec.network):
            self._podman.run("network", "create", "--label", f"{LABEL}={self.spec.name}", self.spec.network)
        self.walls.ensure_networks()
        if any(host.shared for host in self.spec.hosts) and not self._podman.ask("volume", "exists", self.spec.volume):
            self._podman.run("volume", "create", "--label", f"{LABEL}={self.spec.name}", self.spec.volume)

    def _ensure_hosts(self, tags: dict[str, str], progress: Progress) -> None:
        lab_key = keys.ensure_key(self.directory / "id_ed25519", f"hpcampus-lab-{self.spec.name}")
        host_keys = {h.name: keys.ensure_key(self._host_key(h.name), h.name) for h in self.spec.hosts}
        _write(self.directory / "known_hosts", keys.known_hosts(host_keys))
        for host in self.spec.hosts:
            made_from = f"{tags[host.image]} {host.digest()}"
            found = self._podman.usable(self.spec.container(host.name))
            if found and found["Config"]["Labels"].get(f"{LABEL}.made-from") != made_from:
                progress(f"Replace {host.name}: its description has changed")
                self._podman.run("rm", "--force", "--time", "0", self.spec.container(host.name))
                found = {}
            if found.get("State", {}).get("Running"):
                continue
            if not found:
                progress(f"Create {host.name} ({host.image})")
                self._podman.run(*self._create_argv(host, tags[host.image], made_from))
            # Again on every start: a creation that was interrupted may not have come this far.
            fresh = _age_seconds(self._podman, tags[host.image]) < FRESH_LISTS_HOURS * 3600
            files = self.walls.plan().files(host.name) if self.spec.networks else []
            archive = keys.key_tar(self._host_key(host.name), lab_key, fresh_lists=fresh, files=files)
            self._podman.run("cp", "--archive=false", "-", f"{self.spec.container(host.name)}:/", stdin=archive)
            self._podman.run("start", self.spec.container(host.name))
            if self.spec.networks:
                self.walls.guard(host.name)

    def _create_argv(self, host: Host, image: str, made_from: str) -> list[str]:
        cache = cache_dir()
        volumes = [
            # A layer over the cache: hosts read what is there, and each has its own lock.
            f"{_made(cache / 'apt' / host.image)}:/var/cache/apt/archives:O",
            f"{_made(cache / 'apt' / host.image)}:/var/cache/hpcampus-lab/apt",
            f"{_made(cache / 'images', 0o1777)}:{IMAGE_STORE}",
            f"{_made(cache / 'pip')}:/root/.cache/pip",
            f"{_made(cache / 'npm')}:/root/.npm",
        ]
        if host.shared:
            volumes.append(f"{self.spec.volume}:{SHARED_DIR}")
        argv = ["create", "--name", self.spec.container(host.name), "--hostname", host.name, "--no-hosts"]
        argv += self.walls.network_argv(host)
        for publish in host.publish:
            argv += ["--publish", f"127.0.0.1:{publish.on}:{publish.port}"]
        argv += ["--systemd=always", "--privileged", "--pids-limit=-1", "--shm-size=512m"]
        argv += ["--label", f"{LABEL}={self.spec.name}", "--label", f"{LABEL}.made-from={made_from}"]
        for volume in volumes:
            argv += ["--volume", volume]
        return [*argv, image, "/sbin/init"]

    def _wait(self, progress: Progress) -> list[HostStatus]:
        progress(f"Wait for systemd in {', '.join(host.name for host in self.spec.hosts)}")
        with ThreadPoolExecutor(len(self.spec.hosts)) as pool:
            return list(pool.map(self._wait_for, self.spec.hosts))

    def _wait_for(self, host: Host) -> HostStatus:
        name = self.spec.container(host.name)
        deadline = time.monotonic() + _BOOT_SECONDS
        state = ""
        while time.monotonic() < deadline:
            done = self._podman.run(
                "exec", name, "systemctl", "is-system-running", "--wait", check=False, timeout=_BOOT_SECONDS
            )
            state = done.stdout.strip() or done.stderr.strip()
            status = self._host_status(host)
            if state in _SETTLED and _answers(status.address, 22):
                return status
            time.sleep(0.3)
        journal = self._podman.run(
            "exec", name, "journalctl", "--boot", "--priority=err", "--lines=15", "--no-pager", check=False
        )
        msg = f"Host {host.name} did not boot within {_BOOT_SECONDS} s; systemd says: {state or 'nothing'}."
        raise LabError(
            msg, detail=journal.stdout, cure=f"Look at it with `podman logs {name}`; `down` and `up` make it anew."
        )

    def _host_status(self, host: Host) -> HostStatus:
        found = self._podman.inspect(self.spec.container(host.name))
        if not found:
            return HostStatus(host.name, "missing", "")
        if not found["State"]["Running"]:
            return HostStatus(host.name, "stopped", "")
        address = found["NetworkSettings"]["Networks"].get(self.spec.network, {}).get("IPAddress", "")
        return HostStatus(host.name, "running", address)

    def _write_connection_files(self, statuses: list[HostStatus]) -> None:
        Path(keys.CONTROL_DIR).mkdir(mode=0o700, parents=True, exist_ok=True)
        addresses = {status.name: status.address for status in statuses}
        _write(self.directory / "ssh_config", keys.ssh_config(addresses, self.directory))
        # JSON is YAML; a person reads it as well.
        _write(self.directory / "hosts.yml", json.dumps(inventory(self.spec, self.directory), indent=2) + "\n")
        settings = {**connection(self.directory), **self._machine.site_settings(), **role_settings()}
        _write(self.directory / "settings.json", json.dumps(settings, indent=2) + "\n")

    def _host_key(self, host: str) -> Path:
        return self.directory / "host-keys" / host / "ssh_host_ed25519_key"

    def _farewell(self, container: str) -> None:
        # A stopped host has nothing to say.
        self._podman.run("exec", container, "sh", "-c", _FAREWELL, check=False, timeout=60)


def ensure_images(names: Iterable[str], progress: Progress, machine: Machine | None = None) -> dict[str, str]:
    """Build the images that are missing or older than a week, and return the full name of each.

    Args:
        names: Names such as `debian-13`.
        progress: Told of every step.
        machine: This machine's settings; read when None.

    Raises:
        LabError: When programs are missing and cannot be installed, or a build fails.
    """
    machine = machine or read_machine()
    if not machine.mirrors.archive:
        msg = "This machine's apt names no mirror of Debian's archive, from which test hosts are made."
        raise LabError(msg, cure=f"Name one in the environment: {MIRROR_VARIABLE}=http://mirror.example.org/debian")
    install_packages(missing_packages(is_present, runc="runc" in machine.containers_conf), progress)
    _ensure_fuse()
    podman = _podman(machine)
    certificates = {Path(path).name: Path(path).read_text(encoding="utf-8") for path in machine.ca_certificates}
    recipes = {n: recipe(n, machine.mirrors, is_debian=machine.is_debian, certificates=certificates) for n in names}
    with _lock(_made(cache_dir()) / "images.lock"):
        stale = [r for r in recipes.values() if _age_seconds(podman, r.tag) > MAX_AGE_DAYS * 86400]
        for wanted in stale:
            progress(f"Build the image {wanted.name} from Debian's packages (about a minute, kept for a week)")
        if stale:
            with ThreadPoolExecutor(len(stale)) as pool:
                list(pool.map(lambda wanted: _build(podman, wanted), stale))
    return {name: wanted.tag for name, wanted in recipes.items()}


def remove_images(progress: Progress) -> None:
    """Remove the images of test hosts and everything the labs keep for the next time."""
    podman = _podman(read_machine())
    images = podman.run(
        "images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", "reference=localhost/hpcampus-lab-*"
    ).stdout.split()
    for image in images:
        progress(f"Remove the image {image}")
        podman.run("rmi", image)
    shutil.rmtree(cache_dir(), ignore_errors=True)


def _age_seconds(podman: Podman, tag: str) -> float:
    """Return how old an image is; one that does not exist is older than any."""
    done = podman.run("image", "inspect", "--format", '{{index .Labels "hpcampus.built"}}', tag, check=False)
    built = done.stdout.strip()
    return time.time() - int(built) if done.returncode == 0 and built.isdigit() else float("inf")


def _build(podman: Podman, wanted: Recipe) -> None:
    with tempfile.TemporaryDirectory(dir=_made(cache_dir() / "build")) as scratch:
        tar, stage = Path(scratch) / "root.tar", Path(scratch) / "stage.tar"
        files = [(f.path, f.content, f.mode) for f in wanted.files]
        stage.write_bytes(keys.files_tar([*files, ("/root/lab-setup", wanted.setup, 0o600)]))
        done = subprocess.run(
            wanted.argv(str(tar), str(stage)), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        if done.returncode:
            msg = f"mmdebstrap could not build {wanted.name}."
            cure = f"Can this machine reach {wanted.sources[0].split()[1]}? The mirrors come from /etc/apt."
            raise LabError(msg, detail=done.stderr, cure=cure)
        old = podman.run("images", "--quiet", "--filter", f"reference={wanted.tag.rpartition(':')[0]}").stdout.split()
        change = f"LABEL hpcampus.built={int(time.time())}"
        podman.run("import", "--quiet", "--change", change, str(tar), wanted.tag)
    for image in dict.fromkeys(old):
        # One that a running lab still uses stays until the next build.
        podman.run("rmi", image, check=False)


def _ensure_fuse() -> None:
    if not Path("/dev/fuse").exists():
        subprocess.run(["modprobe", "fuse"], check=False, capture_output=True)
    if not Path("/dev/fuse").exists():
        msg = "This machine has no /dev/fuse, which Apptainer mounts its images with."
        raise LabError(msg, cure="Load the kernel module `fuse` and try again.")


def _podman(machine: Machine) -> Podman:
    if not machine.containers_conf:
        return Podman()
    path = _made(cache_dir()) / "containers.conf"
    if not path.exists() or path.read_text(encoding="utf-8") != machine.containers_conf:
        _write(path, machine.containers_conf)
    return Podman(path)


def _answers(address: str, port: int) -> bool:
    if not address:
        return False
    with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=2) as connected:
        return connected.recv(4).startswith(b"SSH")
    return False


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("w", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _made(path: Path, mode: int | None = None) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    if mode is not None:
        path.chmod(mode)
    return path


def _write(path: Path, text: str) -> None:
    """Write a file in one piece: a reader sees the old text or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def parse_spec(name: str, text: str) -> Spec:
    """Read a specification from JSON text: a list of hosts, or a mapping with `hosts` and perhaps `open`.

    Raises:
        LabError: When it is not that.
    """
    try:
        data: Any = json.loads(text)
    except ValueError as error:
        msg = f"The description of lab {name} is not JSON: {error}."
        raise LabError(msg) from None
    hosts = data.get("hosts") if isinstance(data, dict) else data
    openings = data.get("open", []) if isinstance(data, dict) else []
    if not isinstance(hosts, list) or not all(isinstance(host, dict) for host in hosts):
        msg = f"The description of lab {name} must be a list of hosts."
        raise LabError(msg)
    if not isinstance(openings, list) or not all(isinstance(opening, str) for opening in openings):
        msg = f"What the walls of lab {name} let through must be a list of texts."
        raise LabError(msg, cure="Write each as `source -> destination:port`.")
    return Spec.from_data(name, hosts, openings)
