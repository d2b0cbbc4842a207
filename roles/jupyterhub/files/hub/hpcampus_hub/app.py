# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The hub: JupyterHub with links to clusters. Start it with ``python -m hpcampus_hub.app --config FILE``."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jupyterhub import orm
from jupyterhub.app import JupyterHub
from traitlets import Dict, Float, Integer, List, TraitError, Unicode

from . import courses, origin
from .auth import AccountsError, refuse_reserved_names
from .engine import SETTINGS_KEY, Engine
from .folders import SETTINGS_KEY as FOLDERS_KEY
from .folders import Folders
from .grading import HANDLERS as GRADING_HANDLERS
from .jobs import BookTimes
from .link import LinkTimes
from .ports import Lease
from .reaper import Owned, Reaper, ReaperTimes
from .record import SpawnRecord
from .settings import CARRIER_DIR, SQLITE, SettingsError, Site, read_site, today
from .spawner import HpcSpawner
from .standby import StandbyPool
from .storage import HANDLERS as STORAGE_HANDLERS
from .webdav import read_hosts

CONFIGURATION_ERROR = 78
"""Exit status (EX_CONFIG) after which the unit is not started again."""

TEMPLATES = str(Path(__file__).with_name("templates"))


class HpcHub(JupyterHub):
    """JupyterHub whose servers are Slurm jobs; configured with ``c.HpcHub``, and with ``c.JupyterHub`` as ever."""

    name = "jupyterhub"

    hub_id = Unicode("hub", help="Slug that marks the jobs of this hub in the cluster's queue.").tag(config=True)
    clusters = List(
        Dict(),
        help="Clusters: name, host, port, user, host_key, base_dir, key_file, and if wanted data_path, max_servers.",
    ).tag(config=True)
    profiles = List(
        Dict(),
        help="Sizes to pick: name, label, cluster, partition, cpus, memory (with unit), time_limit_minutes, image, and"
        " if wanted description, gres, account, qos, reservation, images, environment, ranges, courses, groups. The first is the"
        " default.",
    ).tag(config=True)
    tunnel = Dict(
        help="How jobs reach the hub: host, port, host_keys, user, port_min, port_max, registry_dir, signer_socket."
    ).tag(config=True)
    api_port = Integer(
        0,
        min=0,
        max=65535,
        help="Loopback port on which jobs reach the hub's API and the services; 0 is the hub's own port.",
    ).tag(config=True)
    carrier_dir = Unicode(CARRIER_DIR, help="Directory of the carrier, which connects to jobs.").tag(config=True)
    init_spawners_timeout = Integer(
        2, help="Seconds for which a starting hub waits for servers of an earlier one before it answers requests."
    ).tag(config=True)
    courses = List(
        Dict(), help="Courses, as the role courses writes them: slug, title, instructors, students and so on."
    ).tag(config=True)
    gradebook = Unicode(
        SQLITE, help="Where gradebooks are: sqlite, a file of each course; postgresql, databases on this host."
    ).tag(config=True)
    webdav_hosts: Any = List(help="Hosts of WebDAV servers whose folders people may connect; empty for none.").tag(
        config=True
    )

    query_fast_seconds = Float(0.3, help="Pause between two queries of the queue while a server starts or stops.").tag(
        config=True
    )
    query_slow_seconds = Float(5.0, help="Pause between two queries of the queue otherwise.").tag(config=True)
    reaper_pause_seconds = Float(15.0, help="Pause between two looks for jobs that no server owns.").tag(config=True)
    reaper_grace_seconds = Float(60.0, help="For how long a job may be without an owner.").tag(config=True)

    extra_handlers: Any
    load_groups: Any
    load_roles: Any
    tornado_settings: Any
    template_paths: Any
    template_vars: Any

    engine: Engine
    _reaper: Reaper | None = None

    def load_config_file(self, *args: Any, **kwargs: Any) -> None:
        """Load the configuration, then check what concerns clusters as a whole and derive what follows from it."""
        super().load_config_file(*args, **kwargs)
        site = read_site(
            hub_id=self.hub_id,
            clusters=self.clusters,
            profiles=self.profiles,
            tunnel=self.tunnel,
            courses=self.courses,
            carrier_dir=self.carrier_dir,
            gradebook=self.gradebook,
        )
        if not issubclass(self.spawner_class, HpcSpawner):
            raise SettingsError('JupyterHub.spawner_class: must be "hpcampus_hub.spawner.HpcSpawner" or made from it')
        self._use_site(site)
        self._use_folders(Folders(read_hosts(self.webdav_hosts)))

    def _use_folders(self, folders: Folders) -> None:
        """Put the page for WebDAV folders in place, if there are servers to connect to."""
        folders.require_key()
        self.tornado_settings = {**self.tornado_settings, FOLDERS_KEY: folders}
        if folders.hosts:
            self.extra_handlers = [*self.extra_handlers, *STORAGE_HANDLERS]
            self.template_vars = {**self.template_vars, "hpcampus_storage": True}

    def _use_site(self, site: Site) -> None:
        """Put links, courses and pages in place."""
        listed = list(site.courses.values())
        self.engine = Engine(
            site,
            self.log,
            self._add_route,
            self._records,
            LinkTimes(),
            BookTimes(fast=self.query_fast_seconds, slow=self.query_slow_seconds),
            self.api_port,
        )
        if listed:
            self.extra_handlers = [*self.extra_handlers, *GRADING_HANDLERS]
        self.load_groups = {**self.load_groups, **courses.load_groups(listed)}
        self.load_roles = [*self.load_roles, *courses.load_roles(listed)]
        self.tornado_settings = {**origin.settings_with(self.tornado_settings), SETTINGS_KEY: self.engine}
        base = self._template_paths_default()
        own = [TEMPLATES, *getattr(self.authenticator_class, "template_paths", ())]
        self.template_paths = [*(path for path in self.template_paths if path not in base), *own, *base]
        self.template_vars = {
            **self.template_vars,
            "hpcampus_courses_run": lambda user: courses.run_by(listed, user.name, today()) if user else [],
        }

    async def _add_route(self, user: Any, server_name: str) -> None:
        await self.proxy.add_user(user, server_name)

    def init_tornado_application(self) -> None:
        """Make the application that answers requests."""
        settings = {**self.tornado_settings, "hub_prefix": self.hub_prefix}
        self.tornado_application = origin.GuardedApplication(self.handlers, **settings)

    async def init_users(self) -> None:
        """Load users; nobody may log in as a course."""
        refuse_reserved_names(self.authenticator)
        await super().init_users()

    async def init_groups(self) -> None:
        """Load groups, and make those of the courses' members what the courses say."""
        await super().init_groups()
        wanted = courses.member_groups(self.engine.site.courses.values())
        known = {group.name: group for group in self.db.query(orm.Group)}
        for name, members in wanted.items():
            if name not in known:
                known[name] = orm.Group(name=name)
                self.db.add(known[name])
            await self._settle_group(known[name], members)
        for name in courses.obsolete_groups(known, wanted, self.load_groups):
            self.db.delete(known[name])
        self.db.commit()

    async def _settle_group(self, group: Any, members: Iterable[str]) -> None:
        names = {self.authenticator.normalize_username(name) for name in members}
        present = {user.name: user for user in group.users}
        for name in present.keys() - names:
            group.users.remove(present[name])
        for name in sorted(names - present.keys()):
            group.users.append(await self._get_or_create_user(name, hint=f"group: {group.name}"))

    async def init_spawners(self) -> Any:
        """Open the links first: servers of an earlier hub process are looked for through them."""
        self.engine.start()
        self._reaper = Reaper(
            self.engine,
            self._owned,
            ReaperTimes(pause=self.reaper_pause_seconds, grace=self.reaper_grace_seconds),
            self.db.rollback,
        )
        self._reaper.start()
        self.engine.standbys = StandbyPool(self.engine, self.engine.port_for_jobs(self.hub.port))
        self.engine.standbys.start()
        try:
            return await super().init_spawners()
        except asyncio.CancelledError:
            if self.engine.closing:
                return 0
            raise

    def _records(self) -> list[SpawnRecord]:
        """The jobs of servers: those in this process, and those of which only the database knows yet."""
        records = [
            spawner.record
            for user in self.users.values()
            for spawner in user.spawners.values()
            if isinstance(spawner, HpcSpawner)
        ]
        rows = self.db.query(orm.Spawner).filter(orm.Spawner.server != None)  # noqa: E711 (SQL)
        records += [SpawnRecord.from_state((row.state or {}).get("hpcampus") or {}) for row in rows]
        return [record for record in records if record is not None]

    def _owned(self) -> Owned:
        """What servers own, and what waits for one."""
        known = self._records() + (self.engine.standbys.records if self.engine.standbys is not None else [])
        return Owned(
            frozenset(record.spawn_id for record in known),
            frozenset(Lease(record.port, record.serial) for record in known),
        )

    async def cleanup(self) -> None:
        """Shut down; jobs go on and are found again by the next hub process."""
        self.engine.closing = True
        if self._reaper is not None:
            await self._reaper.stop()
        if self.engine.standbys is not None:
            await self.engine.standbys.stop()
        await super().cleanup()
        await self.engine.stop()

    async def launch_instance_async(self, argv: list[str] | None = None) -> None:
        """Start; a wrong setting ends the hub with one sentence instead of a traceback."""
        try:
            await self.initialize(argv)
            await self.start()
        except (SettingsError, AccountsError, TraitError) as error:
            self.log.critical("The hub's configuration is wrong. %s", error)
            self.exit(CONFIGURATION_ERROR)
        except Exception:
            self.log.exception("The hub could not start")
            self.exit(1)


def main() -> None:
    """Entry point."""
    HpcHub.launch_instance()


if __name__ == "__main__":
    from hpcampus_hub.app import main as start  # the classes of this module, not those of __main__

    start()
