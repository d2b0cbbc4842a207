# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""One run of setup: gather answers, with or without a person, and write the inventory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hpcampus import host_keys
from hpcampus.answers import Inspector, Layer, Problem, Resolved, misplaced_secrets, resolve, without_secrets
from hpcampus.collection_checks import inspectors, inventory_problems
from hpcampus.defaults import role_defaults, without_defaults
from hpcampus.errors import AnswersError, InventoryError
from hpcampus.files import PRIVATE_FILE, write_atomically
from hpcampus.inventory_files import (
    Documents,
    differences,
    plain,
    read_documents,
    remove_variables,
    replace,
    set_variables,
    variables,
    write_documents,
)
from hpcampus.passwords import generate_password, hash_password
from hpcampus.probes import Prober
from hpcampus.questions import KNOWN_ADMIN, Answers, load_questions
from hpcampus.render import (
    SMALL_NODE,
    VERIFY_USER,
    NodeSize,
    answers_from,
    groups_of,
    host_variables,
    hosts_document,
    instructors_without_password,
    main_variables,
    obsolete_variables,
)
from hpcampus.setup.changes import describe
from hpcampus.setup.conversation import Conversation
from hpcampus.setup.draft import load_draft, save_draft
from hpcampus.setup.hosts import Hosts
from hpcampus.setup.model import NewAccount, Outcome, Request
from hpcampus.vault import ensure_key, find_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from hpcampus.host_keys import HostKey
    from hpcampus.places import Site
    from hpcampus.probes import Finding, Line
    from hpcampus.setup.asker import Asker

PROBE_SECONDS = 30
# The probes that look at the hosts where notebooks will run, by profile.
NODE_PROBES = {"single": ("hub", "machine"), "own-cluster": ("nodes",), "remote-centre": ("centre",)}


@dataclass
class Setup:
    """One run of setup.

    Attributes:
        site: Where the inventory is, or will be.
        collection: Root of the collection.
        request: What was asked for on the command line.
        asker: Who asks a person; None when nobody can be asked.
        say: Says a text, by its key and the values in it.
        fetch: Asks a host for its keys.
        prober: What looks at the world meanwhile.
    """

    site: Site
    collection: Path
    request: Request
    asker: Asker | None
    say: Callable[[str, Mapping[str, object]], None]
    fetch: Callable[[str], list[HostKey]] = host_keys.fetch
    prober: Callable[[], Prober] = Prober

    def __post_init__(self) -> None:
        self.questions = load_questions(self.collection)
        self.inspectors: Mapping[str, Inspector] = {}
        self.now: dict[str, Any] = {}
        self.draft: Mapping[str, object] = {}
        self.remembered: Mapping[str, object] = {}
        self.defaults = role_defaults(self.collection)
        self.hosts = Hosts(self.request, self.asker, self.fetch)
        self.probes = self.prober()
        # Whether the keys that are confirmed in this run stand in the file for the probes.
        self._met = False

    @property
    def _usual(self) -> dict[str, Any]:
        """The defaults that are answers: neither empty nor worked out by Ansible."""
        return {name: value for name, value in self.defaults.items() if value != "" and "{{" not in str(value)}

    @property
    def draft_file(self) -> Path:
        """Answers of a setup that was stopped, without secrets."""
        return self.site.state.path / "draft.json"

    @property
    def met_file(self) -> Path:
        """The host keys that are confirmed so far, for the probes."""
        return self.site.state.path / "met_hosts"

    def run(self) -> Outcome:
        """Ask, look, check, and write.

        Raises:
            AnswersError: An answer that was given is wrong, or one is missing and nobody can be asked.
            HostKeyError: A host key could not be fetched or was not confirmed.
            InventoryError: The inventory cannot be read or written, or would contradict itself.
            VaultError: The vault cannot be opened.
        """
        key = find_key(self.site, self.request.vault_password_file)
        documents = read_documents(self.site, key)
        for renamed in documents.renamed:
            self.say(*renamed.notice())
        present = variables(self.site, documents, secret=False)
        aliases = present.get("apache_server_aliases")
        self.inspectors = inspectors(self.collection, aliases if isinstance(aliases, list) else [])
        secrets = variables(self.site, documents, secret=True)
        if documents.hosts:
            # An inventory leaves out what is as the roles take it.
            self.remembered = answers_from(plain(documents.hosts), {**self._usual, **present}, secrets)
        self.hosts.pinned = documents.known_hosts
        self._refuse_misplaced_secrets()
        self.site.state.make()
        with self.probes:
            while True:
                resolved = self._gather()
                if resolved is None:
                    return Outcome({})
                if resolved.problems:
                    problems = "\n".join(str(problem) for problem in _explained(resolved))
                    raise AnswersError("answers-wrong", problems=problems)
                outcome = self._write(resolved, documents)
                if outcome is not None:
                    return outcome
                documents = read_documents(self.site, key)

    def _gather(self) -> Resolved | None:
        if self.asker is not None:
            self.draft = load_draft(self.questions, self.draft_file)
            if self.draft:
                self.say("setup.draft", {})
            return Conversation(self, self.asker).run()
        resolved = self.resolve()
        if not any(problem.text and not problem.missing for problem in resolved.problems):
            self.meet(resolved)
            self.wait_for(self.probes.running())
        return self.resolve()

    def _refuse_misplaced_secrets(self) -> None:
        layers = (Layer("--set", self.request.given), Layer("--answers", self.request.from_file))
        problems = [problem for layer in layers for problem in misplaced_secrets(self.questions, layer)]
        if problems:
            raise AnswersError("answers-wrong", problems="\n".join(str(problem) for problem in problems))

    def resolve(self) -> Resolved:
        """Decide every answer from all that is known now."""
        password = {} if self.request.password is None else {"admin_password": self.request.password}
        remembered = {key: value for key, value in self.remembered.items() if key != KNOWN_ADMIN}
        layers = [
            Layer("", self.now),
            Layer("--admin-password-file", password),
            Layer("--set", self.request.given),
            Layer("--answers", self.request.from_file),
            Layer("draft", self.draft, lenient=True),
            Layer(str(self.site.inventory), remembered, lenient=True),
            Layer("found", self.probes.proposals(), lenient=True),
        ]
        facts = {KNOWN_ADMIN: self.remembered.get(KNOWN_ADMIN)}
        return resolve(self.questions, layers, facts, self.inspectors)

    def known(self, resolved: Resolved) -> dict[str, Any]:
        """Give what questions and probes may look at: answers and facts."""
        known = {KNOWN_ADMIN: self.remembered.get(KNOWN_ADMIN), **resolved.values}
        return {**known, "known_hosts": self.met_file} if self._met else known

    def answer(self, key: str, value: object) -> None:
        """Take an answer, and keep it for the case that this run is stopped."""
        self.now[key] = value
        if self.asker is not None:
            save_draft(self.questions, self.draft_file, {**self.draft, **self.now})

    def meet(self, resolved: Resolved) -> None:
        """Meet the hosts that the answers name, and begin to look at what they allow.

        Raises:
            HostKeyError: A key was not confirmed.
        """
        unmet = [] if self.request.skip_host_keys else self.hosts.unmet(resolved.values)
        if unmet:
            self.say("setup.scan", {"hosts": ", ".join(unmet)})
            met = self.hosts.meet(resolved.values)
            login = resolved.values.get("centre_login")
            if login in met and not _same_key(resolved.values.get("centre_host_key"), met[login]):
                self.answer("centre_host_key", met[login].public)
        if self.hosts.pinned:
            write_atomically(self.met_file, self.hosts.pinned, PRIVATE_FILE)
            self._met = True
        self.look(resolved)

    def look(self, resolved: Resolved) -> None:
        """Begin to look at what the answers allow to look at."""
        self.probes.look(self.known(resolved))

    def wait_for(self, names: Sequence[str]) -> None:
        """Wait for probes, and say so."""
        running = [name for name in self.probes.running() if name in names]
        if not running:
            return
        if self.asker is None:
            self.probes.proposals(running, PROBE_SECONDS)
        else:
            with self.asker.waiting("setup.looking"):
                self.probes.proposals(running, PROBE_SECONDS)

    def findings(self) -> list[Line]:
        """Give everything that the probes have seen so far."""
        found = [self.probes.finding(name) for name in self.probes.names]
        return [line for finding in found if finding is not None for line in finding.lines]

    def _node(self, answers: Answers) -> tuple[NodeSize, str]:
        """Give the size of the smallest node, or zeros and the reason why it is not known."""
        names = NODE_PROBES[answers["profile"]]
        found: list[Finding] = [one for name in names if (one := self.probes.finding(name)) is not None]
        for finding in found:
            if {"cpus", "memory_mb"} <= set(finding.facts):
                return NodeSize(finding.facts["cpus"], finding.facts["memory_mb"]), ""
        return NodeSize(0, 0), "; ".join(line.text for finding in found for line in finding.problems)

    def _prepare(self, resolved: Resolved, documents: Documents) -> tuple[NewAccount, ...]:
        """Change the documents into what the answers say, and check the result as the collection does.

        Returns:
            The accounts that were made on the way.

        Raises:
            InventoryError: It would contradict itself.
        """
        answers = resolved.values
        existing = variables(self.site, documents, secret=False)
        secrets = variables(self.site, documents, secret=True)
        node, _ = self._node(answers)
        accounts = tuple(
            NewAccount(name, generate_password(), course)
            for name, course in instructors_without_password(answers, existing, secrets).items()
        )
        specs = self.questions.specs
        values = main_variables(answers, existing, node if node.cpus else SMALL_NODE, specs)
        unusual = without_defaults({**values, **resolved.variables}, existing, self.defaults)
        set_variables(self.site, documents, unusual)
        remove_variables(self.site, documents, obsolete_variables(answers, existing))
        set_variables(self.site, documents, _secrets(answers, secrets, accounts), secret=True)
        replace(documents.hosts, hosts_document(answers, plain(documents.hosts)))
        documents.known_hosts = self.hosts.pinned
        hosts = plain(documents.hosts)
        problems = inventory_problems(
            self.collection,
            variables(self.site, documents, secret=False),
            variables(self.site, documents, secret=True),
            groups_of(hosts),
            host_variables(hosts),
            self.site.inventory,
        )
        if problems:
            raise InventoryError("inventory-contradicts", problems="\n".join(problems), path=self.site.main_file)
        return accounts

    def _write(self, resolved: Resolved, documents: Documents) -> Outcome | None:
        """Show what would change, and write it; None when the person does not want it so."""
        if not self.request.skip_host_keys:
            self._meet_all(resolved)
        try:
            accounts = self._prepare(resolved, documents)
        except InventoryError as error:
            if self.asker is None:
                raise
            self.asker.trouble(error)
            return None
        changes = describe(differences(self.site, documents))
        answers = without_secrets(self.questions, {**resolved.values, **resolved.variables})
        if self.request.dry_run:
            return Outcome({}, answers, changes=changes)
        if self.asker is not None and changes and not self.asker.confirm_writing(changes):
            return None
        node, trouble = self._node(resolved.values)
        key = ensure_key(self.site, self.request.vault_password_file, self.request.vault)
        written = write_documents(self.site, documents, key)
        for path in (self.draft_file, self.met_file):
            path.unlink(missing_ok=True)
        seen = node if node.cpus else None
        return Outcome(
            written.files, answers, key, seen, trouble, accounts, changes, backup=written.backup, kept=written.kept
        )

    def _meet_all(self, resolved: Resolved) -> None:
        """Meet the hosts that gave no key before once more: without their keys nothing can be sent to them."""
        self.hosts.try_again()
        self.meet(resolved)
        for error in self.hosts.silent(resolved.values):
            raise error


def _same_key(published: object, key: HostKey) -> bool:
    return isinstance(published, str) and published.split()[:2] == [key.kind, key.blob]


def _explained(resolved: Resolved) -> list[Problem]:
    """Give the problems; where an answer is missing because a remembered one was dropped, say why it was."""
    dropped = {notice.key: notice for notice in resolved.notices}
    return [dropped.get(problem.key, problem) if problem.missing else problem for problem in resolved.problems]


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
