# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Where people's WebDAV folders are kept: one row each in a table of the hub's own database.

A table and no files: the database is there already, on SQLite and PostgreSQL alike, and is backed up. A row belongs to the user's
id, not to the name. So it goes with the user when the user is deleted (the database itself sees to that), follows a renamed user,
and never falls to somebody who takes an old name. The hub makes the table when it is not there.

A row holds one text that is encrypted with the hub's key (``CryptKeeper.keys``), address and user name included; inside it is the
user's id, so that a row that is moved to another user in the database does not open. The user's encrypted state of the hub is not
used: a login overwrites it.
"""

from typing import Any

from jupyterhub import orm
from jupyterhub.crypto import CryptKeeper, EncryptionUnavailable, InvalidToken, decrypt, encrypt
from sqlalchemy import Column, ForeignKey, Integer, LargeBinary
from sqlalchemy.orm import Session

from .settings import SettingsError
from .webdav import Folder, FolderError, check_folder

SETTINGS_KEY = "hpcampus_folders"
"""Where the hub's tornado settings hold the folders."""


class Row(orm.Base):
    """A person's folder, encrypted."""

    __tablename__ = "hpcampus_folders"
    user_id = Column(Integer, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    sealed = Column(LargeBinary, nullable=False)


class Folders:
    """The folders of all people.

    Args:
        hosts: servers that folders may be on, see :func:`hpcampus_hub.webdav.read_hosts`; none switches all of it off.
    """

    def __init__(self, hosts: frozenset[str]) -> None:
        self.hosts = hosts

    def require_key(self) -> None:
        """Say what is missing before anybody enters a password.

        Raises:
            SettingsError: there are hosts, but no key.
        """
        try:
            if self.hosts:
                CryptKeeper.instance().check_available()
        except EncryptionUnavailable as error:
            raise SettingsError(f"HpcHub.webdav_hosts: {error}; set CryptKeeper.keys, or leave the hosts out") from None

    @staticmethod
    def _row(db: Session, user: orm.User) -> Any:
        return db.query(Row).filter(Row.user_id == user.id).one_or_none()

    def has(self, db: Session, user: orm.User) -> bool:
        """Whether something is stored for a user."""
        return self._row(db, user) is not None

    async def load(self, db: Session, user: orm.User) -> Folder | None:
        """A user's folder, or None when there is none.

        Raises:
            FolderError: it cannot be read with the hub's key any more, or its server is no longer allowed.
        """
        row = self._row(db, user)
        if row is None:
            return None
        try:
            opened: dict[str, Any] = await decrypt(row.sealed)
        except (InvalidToken, EncryptionUnavailable, ValueError):
            opened = {}
        if opened.pop("owner", None) != user.id:
            raise FolderError("What is stored cannot be read any more. Enter it again.")
        return check_folder(**opened, hosts=self.hosts)

    async def save(self, db: Session, user: orm.User, folder: Folder) -> None:
        """Store a user's folder in the place of an earlier one."""
        sealed = await encrypt({**folder.fields(), "owner": user.id})
        row = self._row(db, user)
        if row is None:
            db.add(Row(user_id=user.id, sealed=sealed))
        else:
            row.sealed = sealed
        db.commit()

    def remove(self, db: Session, user: orm.User) -> None:
        """Forget a user's folder."""
        db.query(Row).filter(Row.user_id == user.id).delete()
        db.commit()
