# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Reading and writing the files of an inventory; comments and whatever the wizard does not know are kept."""

from __future__ import annotations

import difflib
import shutil
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from hpcampus import backups, vault
from hpcampus.course_files import (
    DIRECTORY,
    LIST,
    archive_file,
    as_written,
    course_file,
    course_variable,
    is_course_variable,
    listed,
    own,
)
from hpcampus.errors import InventoryError, VaultError
from hpcampus.files import PRIVATE_FILE, PUBLIC_FILE, NewFile, write_together
from hpcampus.old_names import Renamed, load_names, rename_old
from hpcampus.texts import t
from hpcampus.variable_places import ALL, Place, Rank, inline_places, members, owner
from hpcampus.yaml_files import check_mapping, dump_document, header_of, load_document, spelled
from hpcampus.yaml_lists import insert_item, remove_item

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from hpcampus.places import Site
    from hpcampus.vault import Key

SUFFIXES = (".yml", ".yaml")
HEADER = "# Written by 'hpcampus setup', which keeps your comments and your own variables.\n"


SECRET_NAMES = ("site_verify_password", "vault_password_hashes")


@dataclass
class OtherFile:
    """A further file of variables, which somebody wrote by hand.

    Attributes:
        path: The file.
        name: Group or host that it is for.
        rank: How strong it is.
        variables: What it sets.
        secret: Whether it is encrypted, with the key of the vault.
        before: What it held when it was read, in the clear.
    """

    path: Path
    name: str
    rank: Rank
    variables: CommentedMap
    secret: bool
    before: str = field(repr=False)


@dataclass
class Documents:
    """The files of an inventory, parsed.

    Attributes:
        hosts: `hosts.yml`.
        main: `group_vars/all/main.yml`.
        secrets: `group_vars/all/vault.yml`, decrypted.
        known_hosts: Lines of the pinned host keys.
        others: Further files of variables that could be read.
        secrets_before: Variables of the vault as they were when it was read.
        renamed: Variables that stood there under an old name.
        removed: Paths of other files that shall be gone.
        archived: Text of new files that Ansible does not read, by path.
    """

    hosts: CommentedMap = field(default_factory=CommentedMap)
    main: CommentedMap = field(default_factory=CommentedMap)
    secrets: CommentedMap = field(default_factory=CommentedMap, repr=False)
    known_hosts: str = ""
    others: list[OtherFile] = field(default_factory=list)
    secrets_before: Mapping[str, Any] = field(default_factory=dict, repr=False)
    renamed: list[Renamed] = field(default_factory=list)
    removed: set[Path] = field(default_factory=set)
    archived: dict[Path, str] = field(default_factory=dict)


def read_documents(site: Site, key: Key | None) -> Documents:
    """Read what is there; what is missing is empty.

    Args:
        site: Whose inventory.
        key: Key of the vault; without one the secrets stay unread.

    Raises:
        InventoryError: A file is not YAML or cannot be read.
        VaultError: The key does not fit.
    """
    secrets = read_file(site.vault_file)
    if secrets and key is not None:
        secrets = vault.decrypt(secrets, key, site.vault_file)
    elif vault.is_encrypted(secrets):
        secrets = ""
    documents = Documents(
        hosts=_parse(read_file(site.hosts_file), site.hosts_file),
        main=_parse(read_file(site.main_file), site.main_file),
        secrets=_parse(secrets, site.vault_file),
        known_hosts=read_file(site.known_hosts),
        others=list(_other_files(site, key)),
    )
    documents.secrets_before = plain(documents.secrets)
    for place in places(site, documents):
        documents.renamed += rename_old(place.variables, place.path, load_names())
    return documents


def _other_files(site: Site, key: Key | None) -> Iterator[OtherFile]:
    """Read the files of variables that the wizard does not write by itself, as Ansible finds them."""
    for directory, whole, single in (
        ("group_vars", Rank.ALL_FILE, Rank.GROUP_FILE),
        ("host_vars", Rank.HOST_FILE, Rank.HOST_FILE),
    ):
        for name, path in _variable_files(site.inventory / directory):
            if path in {site.main_file, site.vault_file}:
                continue
            text, encrypted = read_file(path), False
            if vault.is_encrypted(text):
                try:
                    text, encrypted = vault.decrypt(text, key, path) if key else "", True
                except VaultError:
                    # It has a key of its own, which only Ansible knows.
                    continue
            try:
                document = load_document(text, str(path))
            except ValueError:
                # What Ansible takes and we do not, such as a name that stands twice, is left alone.
                continue
            yield OtherFile(path, name, whole if name == ALL else single, document, encrypted, text)


def _variable_files(directory: Path) -> Iterator[tuple[str, Path]]:
    """Give the files with the group or host that each is for, in Ansible's order; of a directory and a file, the directory."""
    entries = sorted(directory.iterdir()) if directory.is_dir() else []
    for entry in entries:
        if entry.name.startswith(".") or entry.name.endswith("~"):
            continue
        if entry.is_dir():
            inside = (path for path in sorted(entry.rglob("*")) if path.is_file() and path.suffix in SUFFIXES)
            hidden = (
                path for path in inside if not any(part.startswith(".") for part in path.relative_to(entry).parts)
            )
            yield from ((entry.name, path) for path in hidden)
        elif entry.suffix in SUFFIXES and not entry.with_suffix("").is_dir():
            yield entry.stem, entry


def places(site: Site, documents: Documents) -> list[Place]:
    """Give every mapping of variables of an inventory, those of one rank in the order in which Ansible reads them."""
    files = [
        Place(Rank.ALL_FILE, ALL, site.main_file, documents.main),
        Place(Rank.ALL_FILE, ALL, site.vault_file, documents.secrets, secret=True),
        *(Place(file.rank, file.name, file.path, file.variables, file.secret) for file in documents.others),
    ]
    return [*inline_places(documents.hosts, site.hosts_file), *sorted(files, key=lambda place: place.path)]


def variables(site: Site, documents: Documents, *, secret: bool) -> dict[str, Any]:
    """Give the variables that count for all hosts that use them, wherever they are set, as plain objects.

    Args:
        site: Whose inventory.
        documents: Its files.
        secret: Whether to give those of the vault and of other encrypted files, or all others.
    """
    found, groups = places(site, documents), members(documents.hosts)
    names = dict.fromkeys(str(name) for place in found for name in place.variables)
    owners = {name: owner(name, found, groups) for name in names}
    return {
        name: plain(place.variables[name])
        for name, place in owners.items()
        if place is not None and place.secret == secret
    }


def set_variables(site: Site, documents: Documents, values: Mapping[str, object], *, secret: bool = False) -> None:
    """Set variables where they are set already, with the comments there, and new ones in `main.yml` or in the vault.

    A new course comes into a file of its own.

    Raises:
        InventoryError: That file is there, and cannot be read.
    """
    found, groups = places(site, documents), members(documents.hosts)
    for name, value in values.items():
        place = owner(name, found, groups)
        if place is not None:
            target = place.variables
        elif is_course_variable(name) and isinstance(value, Mapping) and not secret:
            target = _course_document(site, documents, str(value["slug"]))
        else:
            target = documents.secrets if secret else documents.main
        update(target, {name: value})


def _course_document(site: Site, documents: Documents, slug: str) -> CommentedMap:
    """Give the document of a course's own file, empty if there is none yet."""
    path = site.inventory / course_file(slug)
    for other in documents.others:
        if other.path == path and not other.secret:
            return other.variables
    if path.exists():
        raise InventoryError("inventory-unreadable", path=path, problem=t("records.file-taken"))
    documents.others.append(OtherFile(path, ALL, Rank.ALL_FILE, CommentedMap(), secret=False, before=""))
    return documents.others[-1].variables


def archive_course(site: Site, documents: Documents, slug: str, day: dt.date) -> Path:
    """Take a course out of what Ansible reads, and keep its record beside it.

    A file that holds nothing but the course is kept as it stands, with the comments in it.

    Args:
        site: Whose inventory.
        documents: Its files.
        slug: Of a course that is there.
        day: Of the archive.

    Returns:
        The file in which the record is kept.
    """
    text, name = "", ""
    for number, record in enumerate(listed(variables(site, documents, secret=False))):
        if record.get("slug") == slug:
            text = dump_document(CommentedMap({course_variable(slug): spelled(as_written(record))}))
            remove_record(site, documents, LIST, number)
    for name, record in own(variables(site, documents, secret=False)).items():
        if record.get("slug") == slug:
            text = _cut_course(site, documents, name)
    path = _free_archive(site, documents, slug, day)
    documents.archived[path] = t("records.archived-on", date=day, directory=DIRECTORY) + text
    return path


def _cut_course(site: Site, documents: Documents, name: str) -> str:
    """Take the variable of a course out of its file, the file as well if nothing else is in it; give the text to keep."""
    place = owner(name, places(site, documents), members(documents.hosts))
    if place is None:
        return ""
    alone = CommentedMap({name: place.variables[name]})
    for other in documents.others:
        if other.variables is place.variables and list(other.variables) == [name] and not other.secret:
            documents.removed.add(other.path)
            text = other.before
            other.variables = CommentedMap()
            return text
    del place.variables[name]
    return dump_document(alone)


def _free_archive(site: Site, documents: Documents, slug: str, day: dt.date) -> Path:
    number = 1
    while (path := site.inventory / archive_file(slug, day, number)).exists() or path in documents.archived:
        number += 1
    return path


def insert_record(site: Site, documents: Documents, name: str, record: Mapping[str, Any], usual: Sequence[Any]) -> None:
    """Put a record at the end of a list, where it is set.

    Args:
        site: Whose inventory.
        documents: Its files.
        name: The variable.
        record: The new record.
        usual: What the roles take when no file sets the list; it stays in it.
    """
    if owner(name, places(site, documents), members(documents.hosts)) is None and usual:
        update(documents.main, {name: plain(usual)})
    _change_list(site, documents, name, lambda document: insert_item(document, name, record))


def remove_record(site: Site, documents: Documents, name: str, number: int) -> None:
    """Take a record out of a list, where it is set."""
    _change_list(site, documents, name, lambda document: remove_item(document, name, number))


def _change_list(site: Site, documents: Documents, name: str, change: Callable[[CommentedMap], CommentedMap]) -> None:
    place = owner(name, places(site, documents), members(documents.hosts))
    for other in documents.others:
        if place is not None and place.variables is other.variables:
            other.variables = change(other.variables)
            return
    if place is None or place.variables is documents.main:
        documents.main = change(documents.main)
    elif place.variables is documents.secrets:
        documents.secrets = change(documents.secrets)
    else:
        # In the list of hosts, the document around it knows where its comments are.
        place.variables[name] = change(place.variables)[name]


def remove_variables(site: Site, documents: Documents, names: Sequence[str]) -> None:
    """Remove variables from the place that counts."""
    found, groups = places(site, documents), members(documents.hosts)
    for name in names:
        place = owner(name, found, groups)
        if place is not None:
            del place.variables[name]


def check_readable(site: Site, key: Key | None) -> None:
    """Find what Ansible would stumble over without saying where: a file that is not YAML, a key that does not fit.

    Only the form of the YAML counts here: what Ansible takes, such as a name that stands twice, is left to Ansible.

    Args:
        site: Whose inventory.
        key: Key of the vault, if there is one.

    Raises:
        InventoryError: A file is not YAML or cannot be read; names the file and the line.
        VaultError: The key does not fit.
    """
    variables = [path for place in ("group_vars", "host_vars") for path in (site.inventory / place).rglob("[!.]*.y*ml")]
    for path in [site.hosts_file, *sorted(path for path in variables if path.is_file())]:
        text = read_file(path)
        if vault.is_encrypted(text):
            # Another file may have a key of its own, which only Ansible knows.
            if path != site.vault_file or key is None:
                continue
            text = vault.decrypt(text, key, path)
        try:
            check_mapping(text, str(path))
        except ValueError as error:
            raise InventoryError("inventory-unreadable", path=path, problem=error) from error


def read_file(path: Path) -> str:
    """Read a file of an inventory; one that is missing is empty.

    Raises:
        InventoryError: It cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise InventoryError("inventory-unreadable", path=path, problem=error) from error


def _parse(text: str, path: Path) -> CommentedMap:
    try:
        return load_document(text, str(path))
    except ValueError as error:
        raise InventoryError("inventory-unreadable", path=path, problem=error) from error


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        files: For each file, whether it changed.
        backup: Directory with copies of what was replaced, if anything was.
        kept: The files that lie there, relative to it.
        removed: Files that are gone.
    """

    files: Mapping[Path, bool]
    backup: Path | None = None
    kept: tuple[Path, ...] = ()
    removed: tuple[Path, ...] = ()


@dataclass(frozen=True)
class _Planned:
    """What a file shall hold, in the clear; one that shall be gone holds nothing."""

    path: Path
    text: str = field(repr=False)
    mode: int
    secret: bool = False
    gone: bool = False


def _plan(site: Site, documents: Documents) -> list[_Planned]:
    """Give the files, the list of hosts last: without it the directory is no inventory."""
    planned = [
        _Planned(site.vault_file, dump_document(documents.secrets), PRIVATE_FILE, secret=True),
        _Planned(site.main_file, _render(documents.main, read_file(site.main_file)), PUBLIC_FILE),
    ]
    for other in documents.others:
        mode = stat.S_IMODE(other.path.stat().st_mode) if other.path.exists() else PUBLIC_FILE
        if other.path in documents.removed:
            planned.append(_Planned(other.path, "", mode, gone=True))
        # Somebody's own file is written only if it says something else, not for the sake of its spelling.
        elif dump_document(other.variables) != dump_document(load_document(other.before, str(other.path))):
            planned.append(_Planned(other.path, _render(other.variables, other.before), mode, other.secret))
    planned += [_Planned(path, text, PUBLIC_FILE) for path, text in documents.archived.items()]
    if documents.known_hosts:
        planned.append(_Planned(site.known_hosts, documents.known_hosts, PUBLIC_FILE))
    planned.append(_Planned(site.hosts_file, _render(documents.hosts, read_file(site.hosts_file)), PUBLIC_FILE))
    return planned


def write_documents(site: Site, documents: Documents, key: Key, *, backup: bool = True) -> Written:
    """Write all files or none, after a copy of what is replaced.

    Args:
        site: Whose inventory.
        documents: What it shall hold.
        key: Key of the vault.
        backup: Whether to keep what was there.

    Raises:
        InventoryError: The directory cannot be written; everything is as before.
        VaultError: The key does not fit what is there.
    """
    try:
        planned = _plan(site, documents)
        before = {file.path: file.path.read_bytes() for file in planned if file.path.exists()}
        files = [_as_file(file, before.get(file.path), key) for file in planned]
        changed = [file for file in files if file.data != before.get(file.path)]
        for file in changed:
            file.path.parent.mkdir(parents=True, exist_ok=True)
        place, contents = None, {}
        if backup:
            contents = {
                file.path.relative_to(site.inventory): _unreadable(before[file.path], key, secret=secret)
                for file, secret in ((file, file.path == site.vault_file) for file in changed)
                if file.path in before
            }
            place = backups.keep(site.backups, contents) if contents else None
        try:
            write_together(changed)
        except BaseException:
            if place is not None:
                shutil.rmtree(place, ignore_errors=True)
            raise
        for file in files:
            if file.data is not None:
                file.path.chmod(file.mode)
        if place is not None:
            backups.forget_old(site.backups)
    except OSError as error:
        raise InventoryError("inventory-unwritable", path=site.inventory, problem=error) from error
    left = {file.path: file in changed for file in files if file.data is not None}
    return Written(left, place, tuple(contents), tuple(file.path for file in changed if file.data is None))


def _as_file(planned: _Planned, before: bytes | None, key: Key) -> NewFile:
    """Encrypt again only when something changed, for every encryption gives another file."""
    if planned.gone:
        return NewFile(planned.path, None, planned.mode)
    if not planned.secret:
        return NewFile(planned.path, planned.text.encode(), planned.mode)
    present = "" if before is None else before.decode(errors="replace")
    if vault.is_encrypted(present) and vault.decrypt(present, key, planned.path) == planned.text:
        return NewFile(planned.path, present.encode(), planned.mode)
    return NewFile(planned.path, vault.encrypt(planned.text, key).encode(), planned.mode)


def _unreadable(data: bytes, key: Key, *, secret: bool) -> bytes:
    """Encrypt what was a vault in the clear: its copy is a secret too."""
    text = data.decode(errors="replace")
    return data if not secret or vault.is_encrypted(text) else vault.encrypt(text, key).encode()


@dataclass(frozen=True)
class Difference:
    """What would change in a file.

    Attributes:
        path: The file, relative to the inventory.
        text: The unified diff; empty for a file with secrets.
        added: Names of its variables that are new; for a file with secrets only.
        changed: Names of those that get another value.
        removed: Names of those that go.
    """

    path: Path
    text: str = ""
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def differences(site: Site, documents: Documents) -> list[Difference]:
    """Compare what would be written with what is on disk; of secrets only the names are told.

    Raises:
        InventoryError: A file cannot be read.
    """
    others = {other.path: other for other in documents.others}
    found = []
    for planned in _plan(site, documents):
        path = planned.path.relative_to(site.inventory)
        if planned.path == site.vault_file:
            found.append(changed_names(path, documents.secrets_before, plain(documents.secrets)))
        elif planned.secret or any(name in planned.text for name in SECRET_NAMES if planned.path in others):
            before = plain(load_document(others[planned.path].before, str(path)))
            found.append(changed_names(path, before, plain(others[planned.path].variables)))
        else:
            found.append(Difference(path, unified(path, read_file(planned.path), planned.text)))
    return [item for item in found if item != Difference(item.path)]


def unified(path: Path, before: str, after: str) -> str:
    """Give the unified diff of a file, without times."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), str(path), str(path), lineterm="")
    return "\n".join(lines)


def changed_names(path: Path, before: Mapping[str, Any], after: Mapping[str, Any]) -> Difference:
    """Compare variables by name; no value is told."""
    return Difference(
        path,
        added=tuple(name for name in after if name not in before),
        changed=tuple(name for name in after if name in before and not _equal(before[name], after[name])),
        removed=tuple(name for name in before if name not in after),
    )


def _equal(one: object, other: object) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _render(document: CommentedMap, before: str) -> str:
    """Write a document with the beginning that its file had: lines above the three hyphens, or no hyphens at all."""
    text = dump_document(document)
    if not before:
        return HEADER + text
    header = header_of(before)
    return header + text if header or before.startswith("---") else text.removeprefix("---\n")


def update(document: CommentedMap, values: Mapping[str, object]) -> None:
    """Set variables; whatever keeps its value keeps its very spelling and comments."""
    for name, value in values.items():
        document[name] = _merged(document.get(name), value)


def replace(document: CommentedMap, wanted: Mapping[str, object]) -> None:
    """Make a document hold exactly what is wanted, with the comments of what stays."""
    _merged(document, wanted)


def _merged(present: object, wanted: object) -> object:
    """Change 'present' in place into what is wanted, as far as it has the same shape, and give it back."""
    if isinstance(present, CommentedMap) and isinstance(wanted, Mapping):
        for name in [name for name in present if name not in wanted]:
            del present[name]
        update(present, wanted)
        return present
    if isinstance(present, CommentedSeq) and isinstance(wanted, list):
        del present[len(wanted) :]
        for number, value in enumerate(wanted[: len(present)]):
            present[number] = _merged(present[number], value)
        present.extend(spelled(value) for value in wanted[len(present) :])
        return present
    same_kind = isinstance(present, bool) == isinstance(wanted, bool)  # for Python, True equals 1
    return present if present == wanted and same_kind else spelled(wanted)


def plain(value: Any) -> Any:
    """Give a document, or a part of it, as plain Python objects."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value
