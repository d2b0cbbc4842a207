# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Setup: from questions to an inventory on disk. What a person sees and types comes through an `Asker`."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from hpcampus import host_keys, node_size
from hpcampus.answers import (
    Inspector,
    Layer,
    Problem,
    Resolved,
    by_itself,
    misplaced_secrets,
    resolve,
    without_secrets,
)
from hpcampus.collection_checks import inspectors, inventory_problems
from hpcampus.errors import AnswersError, HostKeyError, InventoryError
from hpcampus.files import PRIVATE_FILE, write_atomically
from hpcampus.inventory_files import Documents, plain, read_documents, replace, update, write_documents
from hpcampus.passwords import generate_password, hash_password
from hpcampus.questions import KNOWN_ADMIN, QUESTIONS, Answers, Kind, Question
from hpcampus.render import (
    SMALL_NODE,
    VERIFY_USER,
    NodeSize,
    answers_from,
    group_hosts,
    hosts_document,
    instructors_without_password,
    main_variables,
    obsolete_variables,
    ssh_hosts,
)
from hpcampus.vault import ensure_key, find_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hpcampus.host_keys import Comparison, HostKey
    from hpcampus.places import Site

WRITE = "write"
LEAVE = "leave"


class Asker(Protocol):
    """Asks a person. Every method may raise KeyboardInterrupt."""

    def ask(self, question: Question, present: object, known: Answers, inspector: Inspector | None) -> Any:
        """Ask until the answer is valid; None keeps an optional one as it is."""

    def review(self, values: Answers) -> str:
        """Show all answers; give `write`, `leave`, or the section to change."""

    def confirm_key(self, comparison: Comparison) -> bool:
        """Show fingerprints; give whether they are right."""

    def notice(self, problem: Problem) -> None:
        """Say that an answer is not valid any more, or does not go together with an earlier one."""


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line.

    Attributes:
        given: Answers of --set.
        from_file: Answers of the answers file.
        password: The administrator's password, from a file.
        vault_password_file: Key of the vault.
        accept_new: Pin unknown host keys without asking.
        accept_changed: Pin changed host keys without asking.
        skip_host_keys: Do not look at hosts at all.
    """

    given: Mapping[str, object] = field(default_factory=dict)
    from_file: Mapping[str, object] = field(default_factory=dict)
    password: str | None = field(default=None, repr=False)
    vault_password_file: Path | None = None
    accept_new: bool = False
    accept_changed: bool = False
    skip_host_keys: bool = False


@dataclass(frozen=True)
class NewAccount:
    """An account that setup made a password for; only its hash is kept, so it is shown once."""

    name: str
    password: str = field(repr=False)
    course: str


@dataclass(frozen=True)
class Outcome:
    """What setup did.

    Attributes:
        written: For each file, whether it changed; empty when the person left without writing.
        vault_key: Where the key of the vault is.
        node: Size of the smallest node, if it was looked at.
        probe_problem: Why it could not be.
        accounts: Those of instructors who had none.
    """

    written: Mapping[Path, bool]
    vault_key: Path | None = None
    node: NodeSize | None = None
    probe_problem: str = ""
    accounts: tuple[NewAccount, ...] = ()


@dataclass
class Setup:
    """One run of setup."""

    site: Site
    collection: Path
    request: Request
    asker: Asker | None
    say: Callable[[str, Mapping[str, object]], None]
    fetch: Callable[[str], list[HostKey]] = host_keys.fetch
    probe: Callable[[Sequence[str], str, Path], NodeSize] = node_size.probe

    def __post_init__(self) -> None:
        self.inspectors: Mapping[str, Inspector] = {}
        self.now: dict[str, Any] = {}
        self.draft: Mapping[str, object] = {}
        self.remembered: Mapping[str, object] = {}

    @property
    def draft_file(self) -> Path:
        """Answers of a setup that was stopped, without secrets."""
        return self.site.state.path / "draft.json"

    def run(self) -> Outcome:
        """Ask, check, and write.

        Raises:
            AnswersError: An answer that was given is wrong, or one is missing and nobody can be asked.
            HostKeyError: A host key could not be fetched or was not confirmed.
            InventoryError: The inventory cannot be read or written, or would contradict itself.
            VaultError: The vault cannot be opened.
        """
        key = find_key(self.site, self.request.vault_password_file)
        documents = read_documents(self.site, key)
        aliases = plain(documents.main).get("apache_server_aliases")
        self.inspectors = inspectors(self.collection, aliases if isinstance(aliases, list) else [])
        self.remembered = answers_from(plain(documents.hosts), plain(documents.main), plain(documents.secrets))
        self._refuse_misplaced_secrets()
        if self.asker is None:
            resolved = self._resolve()
        else:
            self.draft = load_draft(self.draft_file)
            if self.draft:
                self.say("setup.draft", {})
            found = self._converse(self.asker)
            if found is None:
                return Outcome({})
            resolved = found
        if resolved.problems:
            raise AnswersError("answers-wrong", problems="\n".join(str(problem) for problem in _explained(resolved)))
        return self._write(resolved.values, documents)

    def _refuse_misplaced_secrets(self) -> None:
        layers = (Layer("--set", self.request.given), Layer("--answers", self.request.from_file))
        problems = [problem for layer in layers for problem in misplaced_secrets(layer)]
        if problems:
            raise AnswersError("answers-wrong", problems="\n".join(str(problem) for problem in problems))

    def _resolve(self) -> Resolved:
        password = {} if self.request.password is None else {"admin_password": self.request.password}
        remembered = {key: value for key, value in self.remembered.items() if key != KNOWN_ADMIN}
        layers = [
            Layer("", self.now),
            Layer("--admin-password-file", password),
            Layer("--set", self.request.given),
            Layer("--answers", self.request.from_file),
            Layer("draft", self.draft, lenient=True),
            Layer(str(self.site.inventory), remembered, lenient=True),
        ]
        facts = {KNOWN_ADMIN: self.remembered.get(KNOWN_ADMIN)}
        return resolve(layers, facts, self.inspectors)

    def _known(self, resolved: Resolved) -> dict[str, Any]:
        return {KNOWN_ADMIN: self.remembered.get(KNOWN_ADMIN), **resolved.values}

    def _converse(self, asker: Asker) -> Resolved | None:
        """Ask what is open, then let the person review; None when nothing shall be written."""
        asked: set[str] = set()
        while True:
            resolved = self._resolve()
            question = self._next(resolved, asked)
            if question is not None:
                asked |= self._ask_open(asker, question, resolved)
                continue
            if resolved.problems:
                # Only names of questions that do not exist are left: nobody can answer those.
                return resolved
            choice = asker.review(resolved.values)
            if choice == WRITE:
                return resolved
            if choice == LEAVE:
                return None
            self._ask_section(asker, choice)

    def _ask_open(self, asker: Asker, question: Question, resolved: Resolved) -> set[str]:
        """Ask an open question, after the reason why it is open again, and give the keys of what was asked.

        Where two answers contradict each other either may be the wrong one, so the earlier one is asked again first.
        """
        reasons = [
            problem
            for problem in (*resolved.notices, *resolved.problems)
            if problem.key == question.key and not problem.missing
        ]
        for reason in reasons:
            asker.notice(reason)
        earlier = {reason.earlier for reason in reasons if reason.earlier}
        for other in QUESTIONS:
            if other.key in earlier:
                self._ask(asker, other, resolved)
        if earlier:
            resolved = self._resolve()
            if question.key in resolved.values:
                return {question.key, *earlier}
        self._ask(asker, question, resolved)
        return {question.key, *earlier}

    def _next(self, resolved: Resolved, asked: set[str]) -> Question | None:
        known = self._known(resolved)
        wrong = {problem.key for problem in resolved.problems}
        for question in QUESTIONS:
            key = question.key
            if not question.when(known):
                continue
            if key in wrong or (key not in asked and not resolved.sources.get(key) and key not in self.now):
                if question.optional(known) and key not in wrong:
                    continue
                return question
        return None

    def _ask_section(self, asker: Asker, section: str) -> None:
        for question in QUESTIONS:
            resolved = self._resolve()
            if question.section == section and question.when(self._known(resolved)):
                self._ask(asker, question, resolved)

    def _ask(self, asker: Asker, question: Question, resolved: Resolved) -> None:
        known = self._known(resolved)
        present = resolved.values.get(question.key, self.now.get(question.key, question.default(known)))
        answer = asker.ask(question, present, known, by_itself(self.inspectors.get(question.key)))
        if answer is not None:
            self.now[question.key] = answer
            self.site.state.make()
            save_draft(self.draft_file, {**self.draft, **self.now})

    def _write(self, answers: Answers, documents: Documents) -> Outcome:
        node, trouble = NodeSize(0, 0), ""
        if not self.request.skip_host_keys:
            documents.known_hosts = self._pin(answers, documents.known_hosts)
        existing = plain(documents.main)
        if not existing.get("site_profiles"):
            node, trouble = self._look_at_nodes(answers, documents.known_hosts)
        accounts = self._change(documents, answers, node if node.cpus else SMALL_NODE)
        problems = inventory_problems(
            self.collection, plain(documents.main), plain(documents.secrets), _groups(answers)
        )
        if problems:
            raise InventoryError("inventory-contradicts", problems="\n".join(problems), path=self.site.main_file)
        key = ensure_key(self.site, self.request.vault_password_file)
        written = write_documents(self.site, documents, key)
        self.draft_file.unlink(missing_ok=True)
        return Outcome(written, key, node if node.cpus else None, trouble, accounts)

    def _change(self, documents: Documents, answers: Answers, node: NodeSize) -> tuple[NewAccount, ...]:
        existing, secrets = plain(documents.main), plain(documents.secrets)
        accounts = tuple(
            NewAccount(name, generate_password(), course)
            for name, course in instructors_without_password(answers, existing, secrets).items()
        )
        update(documents.main, main_variables(answers, existing, node))
        for name in obsolete_variables(answers):
            documents.main.pop(name, None)
        replace(documents.hosts, hosts_document(answers, plain(documents.hosts)))
        update(documents.secrets, _secrets(answers, secrets, accounts))
        return accounts

    def _pin(self, answers: Answers, text: str) -> str:
        hosts = ssh_hosts(answers)
        if not hosts:
            return text
        self.say("setup.scan", {"hosts": ", ".join(hosts)})
        pinned = host_keys.parse_keys(text)
        confirmed = []
        for host in hosts:
            comparison = host_keys.compare(host, self.fetch(host), pinned)
            if comparison.changed or comparison.new:
                self._confirm(comparison)
                confirmed.append(comparison)
        return host_keys.pin(text, confirmed)

    def _confirm(self, comparison: Comparison) -> None:
        request, shown = self.request, {"host": comparison.host, "fingerprints": comparison.fingerprints}
        if request.accept_changed if comparison.changed else request.accept_new:
            return
        if self.asker is None:
            raise HostKeyError("host-key-changed" if comparison.changed else "host-key-unconfirmed", **shown)
        if not self.asker.confirm_key(comparison):
            raise HostKeyError("host-key-refused", host=comparison.host)

    def _look_at_nodes(self, answers: Answers, known_hosts: str) -> tuple[NodeSize, str]:
        """Give the size of the smallest node, or zeros and the reason."""
        if answers["profile"] == "single" and answers.get("hub_connection") == "local":
            return node_size.this_machine(), ""
        if self.request.skip_host_keys:
            return NodeSize(0, 0), ""
        hosts = group_hosts(answers)["slurm_compute"]
        with tempfile.TemporaryDirectory() as scratch:
            pinned = Path(scratch) / "known_hosts"
            write_atomically(pinned, known_hosts, PRIVATE_FILE)
            try:
                return self.probe(hosts, answers["ssh_user"], pinned), ""
            except (OSError, ValueError) as error:
                return NodeSize(0, 0), str(error)


def _explained(resolved: Resolved) -> list[Problem]:
    """Give the problems; where an answer is missing because a remembered one was dropped, say why it was."""
    dropped = {notice.key: notice for notice in resolved.notices}
    return [dropped.get(problem.key, problem) if problem.missing else problem for problem in resolved.problems]


def _groups(answers: Answers) -> dict[str, list[str]]:
    groups = group_hosts(answers)
    return {**groups, "all": list(dict.fromkeys(host for hosts in groups.values() for host in hosts))}


def _secrets(answers: Answers, existing: Mapping[str, Any], accounts: Sequence[NewAccount]) -> dict[str, Any]:
    """Give the variables of the vault: hashes, and the password of the account that proves the platform."""
    hashes = dict(existing.get("vault_password_hashes") or {})
    hashes.update({account.name: hash_password(account.password) for account in accounts})
    if answers.get("admin_password") is not None:
        hashes[answers["admin_name"]] = hash_password(answers["admin_password"])
    verify_password = existing.get("site_verify_password")
    if not verify_password or VERIFY_USER not in hashes:
        verify_password = generate_password(24)
        hashes[VERIFY_USER] = hash_password(verify_password)
    return {"site_verify_password": verify_password, "vault_password_hashes": hashes}


def load_draft(path: Path) -> dict[str, object]:
    """Read a draft; anything unreadable counts as none."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    known = {question.key for question in QUESTIONS if question.kind is not Kind.SECRET}
    return {key: value for key, value in data.items() if key in known} if isinstance(data, dict) else {}


def save_draft(path: Path, values: Mapping[str, object]) -> None:
    """Keep the answers so far, without secrets."""
    write_atomically(path, json.dumps(without_secrets(values), indent=2) + "\n", PRIVATE_FILE)
