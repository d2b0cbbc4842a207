# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The inventory of a site as the book that its records are kept in: opened, changed, checked, written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hpcampus.collection_checks import inventory_problems
from hpcampus.course_files import course_records, course_variable
from hpcampus.defaults import role_defaults
from hpcampus.errors import InventoryError, UsageProblemError
from hpcampus.inventory_files import (
    Difference,
    Documents,
    Written,
    archive_course,
    differences,
    insert_record,
    places,
    plain,
    read_documents,
    replace,
    set_variables,
    variables,
    write_documents,
)
from hpcampus.passwords import generate_password, hash_password
from hpcampus.record_kinds import ACCOUNT_STEP, CLUSTER, COURSE, IMAGE, IMAGE_STEP, PROFILES, RecordKind
from hpcampus.records import centre_profile, find, refuse_known, with_login
from hpcampus.render import account_record, groups_of, host_variables, instructors_without_password
from hpcampus.setup.model import NewAccount
from hpcampus.specs import Specs, load_specs
from hpcampus.variable_places import members, owner

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from pathlib import Path

    from hpcampus.places import Site
    from hpcampus.vault import Key


@dataclass
class Book:
    """The records of a site.

    Attributes:
        site: Whose inventory.
        collection: Root of the collection.
        documents: The files, as they shall be.
        steps: Names of the steps that what was changed needs.
        accounts: The accounts that were made on the way.
    """

    site: Site
    collection: Path
    documents: Documents
    steps: set[str] = field(default_factory=set)
    accounts: tuple[NewAccount, ...] = ()

    @property
    def specs(self) -> Specs:
        """The variables of the collection."""
        return load_specs(self.collection)

    @property
    def main(self) -> dict[str, Any]:
        """The variables that count, those that no file sets with the roles' own values."""
        return {**role_defaults(self.collection), **variables(self.site, self.documents, secret=False)}

    @property
    def groups(self) -> dict[str, list[str]]:
        """The hosts of each group."""
        return groups_of(plain(self.documents.hosts))

    def records(self, kind: RecordKind) -> list[dict[str, Any]]:
        """Give the records of a kind, of courses those of every file."""
        if kind is COURSE:
            return course_records(self.main)
        return [dict(record) for record in self.main[kind.variable]]

    def add(self, kind: RecordKind, record: Mapping[str, Any]) -> None:
        """Put in a record.

        Raises:
            UsageProblemError: Its name is taken.
        """
        records = self.records(kind)
        refuse_known(records, kind, str(record[kind.key]))
        self.steps |= set(kind.steps)
        if kind is COURSE:
            if record.get("image_test"):
                self.steps.add(IMAGE_STEP)
            self._add_course(record)
        else:
            insert_record(self.site, self.documents, kind.variable, record, records)

    def course(self, slug: str) -> dict[str, Any]:
        """Give the record of a course.

        Raises:
            UsageProblemError: There is none.
        """
        records = self.records(COURSE)
        return records[find(records, COURSE, slug)]

    @property
    def url(self) -> str:
        """Address of the hub, with a final slash."""
        main = self.main
        found = str(main["site_public_url"])
        if "{{" not in found:
            return found
        name = str(main["site_hub_name"])
        return f"https://{self.groups['hub'][0] if '{{' in name else name}/"

    def place_of(self, slug: str) -> Path:
        """Give the file that the record of a course stands in."""
        variable = course_variable(slug)
        name = variable if variable in self.main else COURSE.variable
        place = owner(name, places(self.site, self.documents), members(self.documents.hosts))
        return self.site.main_file if place is None else place.path

    def archive(self, slug: str, day: dt.date) -> Path:
        """Take a course off the platform, and give the file in which its record is kept.

        Raises:
            UsageProblemError: There is none of that name.
        """
        self.course(slug)
        self.steps |= set(COURSE.steps)
        return archive_course(self.site, self.documents, slug, day)

    def _add_course(self, record: Mapping[str, Any]) -> None:
        """Put a course into a file of its own.

        Raises:
            UsageProblemError: Its variable is there, with another slug in it.
        """
        variable = course_variable(str(record["slug"]))
        if variable in self.main:
            raise UsageProblemError("record-known", kind=COURSE.name, name=record["slug"], variable=variable)
        set_variables(self.site, self.documents, {variable: record})
        self._add_accounts(record)

    def _add_accounts(self, course: Mapping[str, Any]) -> None:
        """Give the instructors of a course accounts, as setup does, where the hub keeps the passwords."""
        main, secrets = self.main, variables(self.site, self.documents, secret=True)
        answers = {
            "admin_name": next(iter(main["site_admins"]), ""),
            "course_slug": course["slug"],
            "course_title": course["title"],
            "course_instructor": next(iter(course["instructors"]), ""),
        }
        wanted = instructors_without_password(answers, main, secrets)
        self.accounts = tuple(NewAccount(name, generate_password(), slug) for name, slug in wanted.items())
        if not self.accounts:
            return
        self.steps.add(ACCOUNT_STEP)
        present = [str(record.get("name")) for record in main["site_accounts"]]
        for account in self.accounts:
            if account.name not in present:
                record = account_record(account.name)
                insert_record(self.site, self.documents, "site_accounts", record, main["site_accounts"])
        hashes = dict(secrets.get("vault_password_hashes") or {})
        hashes.update({account.name: hash_password(account.password) for account in self.accounts})
        set_variables(self.site, self.documents, {"vault_password_hashes": hashes}, secret=True)

    def add_login(self, login: str, account: str, known_hosts: str) -> None:
        """Put in the login node of a cluster, and the pinned host keys."""
        replace(self.documents.hosts, with_login(plain(self.documents.hosts), login, account))
        self.documents.known_hosts = known_hosts

    def propose_profile(self, cluster: Mapping[str, Any]) -> dict[str, Any]:
        """Give a notebook profile for a new cluster."""
        image = str(self.records(IMAGE)[0]["name"])
        return centre_profile(cluster, image, self.main[PROFILES])

    def add_profile(self, profile: Mapping[str, Any]) -> None:
        """Put in a notebook profile."""
        insert_record(self.site, self.documents, PROFILES, profile, self.main[PROFILES])
        self.steps |= set(CLUSTER.steps)

    def check(self) -> None:
        """Hold the result against the collection's own rules.

        Raises:
            InventoryError: It would be refused.
        """
        hosts = plain(self.documents.hosts)
        problems = inventory_problems(
            self.collection,
            variables(self.site, self.documents, secret=False),
            variables(self.site, self.documents, secret=True),
            groups_of(hosts),
            host_variables(hosts),
            self.site.inventory,
        )
        if problems:
            raise InventoryError("inventory-contradicts", problems="\n".join(problems), path=self.site.main_file)

    def changes(self) -> list[Difference]:
        """Give what would change on disk."""
        return differences(self.site, self.documents)

    def write(self, key: Key) -> Written:
        """Write it.

        Raises:
            InventoryError: It cannot be written; everything is as before.
        """
        return write_documents(self.site, self.documents, key)


def open_book(site: Site, collection: Path, key: Key | None) -> Book:
    """Read the inventory of a site.

    Raises:
        InventoryError: It cannot be read.
        VaultError: The key does not fit.
    """
    return Book(site, collection, read_documents(site, key))
