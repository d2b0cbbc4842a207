# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The page on which a person enters, tests and removes a WebDAV folder: ``/hub/storage``.

Only a person's browser session gets here, and it sees its own folder alone: the page knows no user but the one who is logged in,
and takes no token, so that what runs in a notebook cannot reach it. The password goes in and never comes out.
"""

import asyncio
from typing import Any

from jupyterhub.handlers import BaseHandler
from tornado import web

from .folders import SETTINGS_KEY, Folders
from .names import course_of
from .webdav import FolderError, check_folder, probe_folder, shown_hosts

PATH = "/storage"
FIELDS = ("url", "user", "password", "name")
DEFAULT_NAME = "cloud"
_LONGEST = 2000


class StorageHandler(BaseHandler):
    """Shows the form, and does what its buttons say."""

    _testing: set[int] = set()  # noqa: RUF012 (shared on purpose: one test at a time for each person)

    def _person(self) -> Any:
        """Who is logged in; the account of a course has no folder, its server is not one person's."""
        user = self.current_user
        if course_of(user.name) is not None:
            raise web.HTTPError(403, "The account of a course has no cloud storage.")
        return user.orm_user

    @property
    def _folders(self) -> Folders:
        folders: Folders = self.settings[SETTINGS_KEY]
        if not folders.hosts:
            raise web.HTTPError(404)
        return folders

    @web.authenticated
    async def get(self) -> None:
        """Show what is stored, without the password."""
        await self._show(self._folders, self._person(), done=self.get_query_argument("done", ""))

    @web.authenticated
    async def post(self) -> None:
        """Save, test or remove."""
        folders, person = self._folders, self._person()
        action = self.get_body_argument("action", "")
        if action == "save":
            await self._save(folders, person)
        elif action == "test":
            await self._test(folders, person)
        elif action == "remove":
            folders.remove(self.db, person)
            self.log.info("%s removed the WebDAV folder", person.name)
            self._back("removed")
        else:
            raise web.HTTPError(400, "The form needs an action: save, test or remove.")

    def _back(self, done: str) -> None:
        self.redirect(f"{self.hub.base_url.rstrip('/')}{PATH}?done={done}")

    async def _save(self, folders: Folders, person: Any) -> None:
        entered = {
            name: self.get_body_argument(name, "", strip=name != "password").replace("\r\n", "\n") for name in FIELDS
        }
        try:
            folder = check_folder(**entered, hosts=folders.hosts)
        except FolderError as error:
            await self._show(folders, person, problem=str(error), entered=entered)
            return
        await folders.save(self.db, person, folder)
        self.log.info("%s stored a WebDAV folder", person.name)
        self._back("saved")

    async def _test(self, folders: Folders, person: Any) -> None:
        try:
            folder = await folders.load(self.db, person)
        except FolderError as error:
            await self._show(folders, person, problem=str(error))
            return
        if folder is None:
            await self._show(folders, person, problem="There is nothing to test yet.")
            return
        if person.id in self._testing:
            raise web.HTTPError(429, "A test is under way already.")
        self._testing.add(person.id)
        try:
            works, text = await probe_folder(folder)
            await asyncio.sleep(0 if works else 1)  # no tool for trying passwords
        finally:
            self._testing.discard(person.id)
        await self._show(folders, person, **({"good": text} if works else {"problem": text, "status": 200}))

    async def _show(
        self,
        folders: Folders,
        person: Any,
        *,
        problem: str = "",
        good: str = "",
        done: str = "",
        entered: dict[str, str] | None = None,
        status: int = 400,
    ) -> None:
        """Render the page; of what was entered everything comes back but the password."""
        stored = folders.has(self.db, person)
        shown = {"url": "", "user": "", "name": DEFAULT_NAME}
        try:
            folder = await folders.load(self.db, person)
        except FolderError as error:
            problem = problem or str(error)
        else:
            if folder is not None:
                shown = {"url": folder.url, "user": folder.user, "name": folder.name}
        if entered is not None:
            shown = {name: entered[name][:_LONGEST] for name in shown}
        if problem and self.request.method == "POST":
            self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.finish(
            await self.render_template(
                "hpcampus_storage.html",
                hosts=shown_hosts(folders.hosts),
                stored=stored,
                shown=shown,
                problem=problem,
                good=good,
                done=done if done in ("saved", "removed") else "",
            )
        )


HANDLERS = [(PATH, StorageHandler)]
