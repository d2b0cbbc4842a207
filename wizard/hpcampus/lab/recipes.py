# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How an image of a test host is made from Debian's own packages, as data. The digest of the recipe names the image."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hpcampus.lab.machine import Mirrors

SUITES = {"debian-12": "bookworm", "debian-13": "trixie", "debian-13-cluster": "trixie"}
IMAGE_NAMES = tuple(SUITES)
MAX_AGE_DAYS = 7
# Package lists younger than this count as just fetched on a new host.
FRESH_LISTS_HOURS = 20
USER = "admin"
SID_SOURCE = "/etc/apt/sources.list.d/lab-sid.list"
# Debian has Apptainer only in unstable.
FROM_SID = ("apptainer",)
# What the roles base, slurm and apptainer install. A host of somebody else's cluster has it before anybody comes, and the demo's are up
# minutes earlier with it; nothing of it is set up or started.
CLUSTER_PACKAGES = (
    "acl",
    "e2fsprogs",
    "fuse2fs",
    "munge",
    "slurm-client",
    "slurmctld",
    "slurmd",
    "squashfs-tools",
    "squashfuse",
    "uidmap",
)
CLUSTER_UNITS = ("munge", "slurmctld", "slurmd")

# What an installed Debian server has when its admin has just logged in for the first time.
_PACKAGES = (
    "ca-certificates",
    "curl",
    "dbus",
    "iproute2",
    "less",
    "libpam-systemd",
    "openssh-server",
    "procps",
    "python3",
    "python3-apt",
    "sudo",
    "systemd",
    "systemd-sysv",
)

# Runs in the new root, after the files are in place. Timers of apt would hold its lock just when a test needs it, and what others
# write at night would look as if a role had written it. Host keys belong to a host, not to an image; there are no kernel modules to
# load in a container.
_SETUP = f"""\
set -eu
useradd --create-home --shell /bin/bash --password '*' {USER}
rm -f /etc/ssh/ssh_host_*
systemctl mask apt-daily.timer apt-daily-upgrade.timer apt-daily.service apt-daily-upgrade.service
systemctl mask dpkg-db-backup.timer logrotate.timer man-db.timer
systemctl mask systemd-modules-load.service
systemctl disable e2scrub_reap.service 2>/dev/null || true
systemctl enable lab-mounts.service
rm -f /etc/machine-id /var/lib/dbus/machine-id
touch /etc/machine-id
"""

# On a host of its own systemd lets mounts spread; in a container it leaves that to whoever has started it. Without it no unit gets
# the secrets that LoadCredential names.
_MOUNTS_UNIT = """\
[Unit]
Description=Mounts spread, as on every host
DefaultDependencies=no
Before=sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=mount --make-rshared /

[Install]
WantedBy=sysinit.target
"""


@dataclass(frozen=True)
class File:
    """A file of an image: absolute path, content and mode."""

    path: str
    content: str
    mode: int = 0o644


@dataclass(frozen=True)
class Recipe:
    """Everything an image is made from.

    Attributes:
        name: Name of the image, such as `debian-13`.
        suite: Debian suite.
        sources: Lines of apt's sources.list.
        packages: Packages besides the minimal base.
        files: Files put into the image.
        setup: Shell script that runs in the image at the end.
        installed: Packages that apt installs in the image as on a host, those of unstable too.
        off: Units that such packages would have started.
        keyring: Keyring file for machines that are not Debian, or empty.
        proxy: HTTP proxy of apt, or empty.
    """

    name: str
    suite: str
    sources: tuple[str, ...]
    packages: tuple[str, ...]
    files: tuple[File, ...]
    setup: str
    installed: tuple[str, ...] = ()
    off: tuple[str, ...] = ()
    keyring: str = ""
    proxy: str = ""

    def digest(self) -> str:
        """Return the digest that names the image: the same recipe always gives the same one."""
        parts = {
            "sources": self.sources,
            "packages": self.packages,
            "files": [(f.path, f.content, f.mode) for f in self.files],
            "setup": self.setup,
            "argv": self.argv("root.tar", "stage.tar"),
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]

    @property
    def tag(self) -> str:
        """Full name of the image in podman's storage."""
        return f"localhost/hpcampus-lab-{self.name}:{self.digest()}"

    def argv(self, target: str, stage: str) -> list[str]:
        """Return the mmdebstrap command.

        Args:
            target: Tar file to write.
            stage: Tar file with `files` and the setup script, unpacked into the root.
        """
        update = "-o Acquire::Check-Valid-Until=false update"
        options = [f'--aptopt=Acquire::http::Proxy "{self.proxy}"'] if self.proxy else []
        options += [f"--keyring={self.keyring}"] if self.keyring else []
        indexed = '"$1/var/lib/apt/lists" "$1/var/lib/dpkg/status"'
        return [
            "mmdebstrap",
            "--quiet",
            "--variant=minbase",
            "--format=tar",
            '--aptopt=Acquire::Languages "none"',
            "--skip=cleanup/apt",
            f"--include={','.join(self.packages)}",
            *options,
            f"--customize-hook=tar-in {stage} /",
            '--customize-hook=chroot "$1" sh /root/lab-setup',
            '--customize-hook=rm "$1/root/lab-setup"',
            f'--customize-hook=APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get --quiet=2 {update}',
            *self._filter_of_unstable(),
            *self._install(),
            # Hosts begin with apt's own index of the lists, which takes seconds to make. It is good for files of exactly
            # these dates, and the archive of the root dates everything back to the start of this command.
            f"--customize-hook=find {indexed} -newermt '1 hour ago' -exec touch --date='1 hour ago' {{}} +",
            '--customize-hook=rm -f "$1"/var/cache/apt/archives/*.deb; chroot "$1" apt-cache gencaches --quiet=2',
            self.suite,
            target,
            *self.sources,
        ]

    def _install(self) -> tuple[str, ...]:
        """Return the hooks that install packages the way a host does, and keep their services off."""
        if not self.installed:
            return ()
        install = "apt-get install --quiet=2 --yes --no-install-recommends"
        return (
            f'--customize-hook=chroot "$1" env DEBIAN_FRONTEND=noninteractive {install} {" ".join(self.installed)}',
            f'--customize-hook=chroot "$1" systemctl disable --quiet {" ".join(self.off)}',
        )

    def _filter_of_unstable(self) -> tuple[str, ...]:
        """Return the hook that leaves of unstable's list what is wanted of it: apt reads the whole at every turn."""
        if not any(file.path == SID_SOURCE for file in self.files):
            return ()
        lists = '"$1"/var/lib/apt/lists/*_sid_main_binary-*_Packages'
        keep = f"sed --in-place --regexp-extended --quiet '/^Package: ({'|'.join(FROM_SID)})$/,/^$/p'"
        return (f'--customize-hook=for list in {lists}; do {keep} "$list"; done',)


def recipe(
    image: str, mirrors: Mirrors, *, is_debian: bool = True, certificates: Mapping[str, str] | None = None
) -> Recipe:
    """Return the recipe of an image for this machine's mirrors.

    Args:
        image: One of `IMAGE_NAMES`.
        mirrors: Where packages come from.
        is_debian: Whether this machine is Debian and so trusts Debian's keys by itself.
        certificates: Name and PEM text of this machine's own CAs. They are put into the image only when a mirror is
            reached over TLS, since installing them on hosts is otherwise the business of the role `base`.
    """
    suite = SUITES[image]
    files = [
        File(f"/etc/sudoers.d/{USER}", f"{USER} ALL=(ALL:ALL) NOPASSWD: ALL\n", 0o440),
        File("/etc/hosts", "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"),
        File("/etc/apt/apt.conf.d/90lab", _apt_conf(mirrors.proxy)),
        # What is lost with the power is not worth waiting for the disk; images of containers commonly have this.
        File("/etc/dpkg/dpkg.cfg.d/lab", "force-unsafe-io\n"),
        # Real hosts have it so by a udev rule; containers have no udev.
        File("/etc/tmpfiles.d/lab.conf", "c /dev/fuse 0666 root root - 10:229\nz /dev/fuse 0666 root root -\n"),
        File("/etc/systemd/system/lab-mounts.service", _MOUNTS_UNIT),
    ]
    if suite == "trixie":
        # The pin keeps out what is there in a better-known release.
        files += [
            File(SID_SOURCE, f"deb {mirrors.archive} sid main\n"),
            File("/etc/apt/preferences.d/lab-sid", "Package: *\nPin: release n=sid\nPin-Priority: 90\n"),
        ]
    packages = _PACKAGES
    if "https" in {mirrors.archive.split(":")[0], mirrors.security.split(":")[0]}:
        files += [
            File(f"/usr/local/share/ca-certificates/{n}", text) for n, text in sorted((certificates or {}).items())
        ]
    setup = _SETUP + ("update-ca-certificates\n" if certificates else "")
    cluster = image == "debian-13-cluster"
    return Recipe(
        name=image,
        suite=suite,
        sources=(
            f"deb {mirrors.archive} {suite} main",
            f"deb {mirrors.archive} {suite}-updates main",
            *([f"deb {mirrors.security} {suite}-security main"] if mirrors.security else []),
        ),
        packages=packages,
        files=tuple(files),
        setup=setup,
        installed=(*CLUSTER_PACKAGES, *(f"{name}/sid" for name in FROM_SID)) if cluster else (),
        off=CLUSTER_UNITS if cluster else (),
        keyring="" if is_debian else "/usr/share/keyrings/debian-archive-keyring.gpg",
        proxy=mirrors.proxy,
    )


def _apt_conf(proxy: str) -> str:
    # unstable's Release file on a mirror may be older than it says it is good for.
    lines = ['Acquire::Languages "none";', 'Acquire::Check-Valid-Until "false";']
    if proxy:
        lines.append(f'Acquire::http::Proxy "{proxy}";')
    return "".join(f"{line}\n" for line in lines)
