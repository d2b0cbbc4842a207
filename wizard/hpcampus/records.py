# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What is added to a platform later: clusters, courses and images, each a record in a list of the inventory. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hpcampus.errors import UsageProblemError
from hpcampus.render import CENTRES, SMALL_NODE, SSH_ARGUMENTS, profiles_for
from hpcampus.specs import Variable
from hpcampus.texts import t
from hpcampus.validators import wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hpcampus.questions import Questions
    from hpcampus.record_kinds import RecordKind
    from hpcampus.specs import Specs

LONGEST_NAME = 32


def fields(specs: Specs, kind: RecordKind) -> dict[str, Variable]:
    """Give the fields of a record, as the argument_specs describe them, each with the default of the field itself."""
    options = specs.variable(f"{kind.variable}[]").option["options"]
    return {
        str(name): Variable(f"{kind.variable}[].{name}", option, option.get("default"))
        for name, option in options.items()
    }


def missing(specs: Specs, kind: RecordKind, given: Mapping[str, Any]) -> list[str]:
    """Name the fields that must be there and are not."""
    known = fields(specs, kind)
    needed = [name for name in known if known[name].option.get("required")] if kind.needed is None else kind.needed
    return [name for name in needed if name not in given]


def parsers(questions: Questions, kind: RecordKind) -> dict[str, Callable[[object], Any]]:
    """Give, by field, what takes a value of it, or one entry of it: the one that the question about it has, or any text."""
    asked = {question.target: question.parse for question in questions}
    return {
        name: asked.get(field.path) or asked.get(f"{field.path}[]") or plain_text
        for name, field in fields(questions.specs, kind).items()
    }


def plain_text(value: object) -> str:
    """Take a text that is nothing but itself: printable, without a template."""
    text = str(value).strip()
    if not text.isprintable() or "{{" in text or "{%" in text:
        raise wrong("variable-template", value=text)
    return text


def wrong_values(questions: Questions, kind: RecordKind, given: Mapping[str, Any]) -> list[str]:
    """Say what is wrong with values that were given, each by itself."""
    found = []
    known = parsers(questions, kind)
    for name, value in given.items():
        for place, part in _parts(name, value):
            try:
                if isinstance(part, str) and part:
                    known[name](part)
            except ValueError as error:
                found.append(f"{place}: {error}")
    return found


def _parts(name: str, value: Any) -> list[tuple[str, Any]]:
    """Give the single values of a field, each with the name to call it by."""
    if isinstance(value, Mapping):
        return [(f"{name}.{key}", part) for key, part in value.items()]
    return [(name, part) for part in (value if isinstance(value, list) else [value])]


def make_record(specs: Specs, kind: RecordKind, given: Mapping[str, Any]) -> dict[str, Any]:
    """Give a record with the fields in the order of the specs, without those that have their usual value."""
    record = {}
    for name, field in fields(specs, kind).items():
        if name not in given:
            continue
        value = given[name]
        if isinstance(value, Mapping):
            parts = field.option["options"]
            value = {key: part for key, part in value.items() if part != parts[key].get("default")}
        if field.option.get("required") or value != field.default:
            record[name] = value
    return record


def split(text: str) -> list[str]:
    """Split a list of names at commas and spaces, each name once."""
    return list(dict.fromkeys(text.replace(",", " ").split()))


def find(records: Sequence[Mapping[str, Any]], kind: RecordKind, name: str) -> int:
    """Give the number of the record called `name`.

    Raises:
        UsageProblemError: There is none.
    """
    names = [str(record.get(kind.key)) for record in records]
    if name not in names:
        raise UsageProblemError("record-unknown", kind=kind.name, name=name, names=", ".join(names) or "-")
    return names.index(name)


def refuse_known(records: Sequence[Mapping[str, Any]], kind: RecordKind, name: str) -> None:
    """Refuse a name that is taken.

    Raises:
        UsageProblemError: It is.
    """
    if any(str(record.get(kind.key)) == name for record in records):
        raise UsageProblemError("record-known", kind=kind.name, name=name, variable=kind.variable)


def centre_profile(record: Mapping[str, Any], image: str, profiles: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Propose a small profile for the first partition of a new cluster."""
    cluster, partition = str(record["name"]), str(record["partitions"][0])
    profile = profiles_for(SMALL_NODE, partition, image)[0]
    taken = {str(other.get("name")) for other in profiles}
    name = f"{cluster}-{profile['name']}"[-LONGEST_NAME:].strip("-")
    label = t("records.profile-label", label=profile["label"], cluster=cluster)
    return {**profile, "name": _free_name(name, taken), "label": label, "cluster": cluster}


def _free_name(name: str, taken: set[str]) -> str:
    number, found = 2, name
    while found in taken:
        found, number = f"{name[: LONGEST_NAME - 4]}-{number}", number + 1
    return found


def with_login(hosts: Mapping[str, Any], login: str, account: str) -> dict[str, Any]:
    """Give `hosts.yml` with a centre's login node, reached with pinned keys; what is there stays.

    Args:
        hosts: `hosts.yml` as plain objects.
        login: Name of the login node.
        account: The account there.
    """
    top = dict(hosts.get("all") or {})
    variables, children = dict(top.get("vars") or {}), dict(top.get("children") or {})
    variables.setdefault("ansible_ssh_common_args", SSH_ARGUMENTS)
    group = dict(children.get(CENTRES) or {})
    known = dict(group.get("hosts") or {})
    own = dict(known.get(login) or {})
    if account:
        own["ansible_user"] = account
    children[CENTRES] = {**group, "hosts": {**known, login: own or None}}
    return {**hosts, "all": {**top, "vars": variables, "children": children}}


def course_directories(slug: str, main: Mapping[str, Any], groups: Mapping[str, Sequence[str]]) -> list[str]:
    """Name the directories of a course: on the own cluster, if there is one, and at each centre.

    Args:
        slug: Of the course.
        main: Variables that count, defaults included.
        groups: Hosts of each group.
    """
    places = []
    if groups.get("slurm_login"):
        places.append(f"{groups['slurm_login'][0]}:{main['site_shared_dir']}/courses/{slug}")
    places += [f"{centre.get('login')}:{centre.get('base_dir')}/courses/{slug}" for centre in main["site_centres"]]
    return places


def rows(kind: RecordKind, records: Sequence[Mapping[str, Any]], specs: Specs) -> list[list[str]]:
    """Give the table of the records, a row of names first."""
    known = fields(specs, kind)
    table = [list(kind.shown)]
    for record in records:
        values = [record.get(name, known[name].default) for name in kind.shown]
        if record.get("open") and "students" in kind.shown:
            values[kind.shown.index("students")] = t("records.everybody")
        table.append([_cell(value) for value in values])
    return table


def _cell(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
