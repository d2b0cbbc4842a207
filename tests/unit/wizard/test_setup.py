# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Setup from end to end, with somebody who answers from a list instead of a terminal."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hpcampus import cli, vault
from hpcampus.errors import AnswersError, HostKeyError, InventoryError
from hpcampus.host_keys import HostKey
from hpcampus.passwords import matches
from hpcampus.places import Site, site_at
from hpcampus.probes import Finding, Level, Line, Option, Probe, Prober
from hpcampus.render import NodeSize
from hpcampus.setup import LEAVE, WRITE, Back, Request, Setup
from hpcampus.setup.inputs import read_answers, write_answers
from hpcampus.yaml_files import read_plain
from tests.unit.wizard.conftest import ANSWERS, CANARY, CENTRE, QUESTIONS, ROOT, SINGLE, write_certificate

COURSE = "group_vars/all/courses/physics101.yml"
BLOB = "AAAAC3NzaC1lZDI1NTE5AAAAI"
PASSWORD = f"pw-{CANARY}"


def key_of(host: Any, last: Any = "A") -> Any:
    return HostKey(host, "ssh-ed25519", BLOB + last * 43)


class Person:
    """Gives prepared answers; stops where told to.

    Args:
        answers: By question; what is not among them stays as it is offered.
        choices: What is chosen in menus, one after another; at the end the inventory is written.
        stop_at: The question at which Ctrl-C is pressed.
        back_at: Questions at which the way back is taken, once each.
    """

    def __init__(
        self, answers: Any, choices: Any = (), *, stop_at: Any = "", back_at: Any = (), trusts: Any = True
    ) -> None:
        self.answers, self.choices, self.stop_at, self.trusts = dict(answers), list(choices), stop_at, trusts
        self.back_at = list(back_at)
        self.asked: list[str] = []
        self.notices: list[str] = []
        self.confirmed: list[Any] = []
        self.menus: list[Any] = []
        self.troubles: list[str] = []
        self.changes: list[str] = []
        self.lines: list[str] = []
        self.offered: dict[str, Any] = {}

    def ask(self, question: Any, present: Any, known: Any, inspector: Any, options: Any) -> Any:
        if question.key == self.stop_at:
            raise KeyboardInterrupt
        self.asked.append(question.key)
        self.offered[question.key] = (present, [option.value for option in options])
        if question.key in self.back_at:
            self.back_at.remove(question.key)
            raise Back
        if question.key not in self.answers:
            return None if question.optional(known) else question.parse(present)
        value = question.parse(self.answers[question.key])
        if inspector is not None:
            inspector(value, known)
        return value

    def choose(self, menu: Any) -> Any:
        self.menus.append(menu)
        choice = self.choices.pop(0) if self.choices else WRITE
        if choice is Back:
            raise Back
        assert choice in {row.key for row in (*menu.rows, *menu.actions)}
        return choice

    def variable(self, variables: Any, _values: Any, parse: Any) -> Any:
        name, text = self.answers["variable"]
        assert name in variables
        return name, parse(name, text)

    def confirm_keys(self, comparisons: Any) -> Any:
        self.confirmed += comparisons
        return self.trusts

    def confirm_writing(self, changes: Any) -> Any:
        self.changes.append(changes)
        return self.answers.get("write", True)

    def notice(self, problem: Any) -> None:
        self.notices.append(problem.key)

    def trouble(self, error: Any) -> None:
        self.troubles.append(error.what)

    def found(self, lines: Any) -> None:
        self.lines += [line.text for line in lines]

    def waiting(self, _key: Any) -> Any:
        return nullcontext()


FULL = {**ANSWERS, "admin_password": PASSWORD}
BIG = {"cpus": 64, "memory_mb": 256_000}


def finding(answers: Any, **parts: Any) -> Any:
    """Make a prober of one probe, which looks as soon as there are pinned keys."""

    def inputs(known: Any) -> Any:
        return str(known.get("known_hosts", "")) or None

    if isinstance(parts.get("facts"), Exception):

        def run(_inputs: Any) -> Any:
            raise parts["facts"]
    else:

        def run(_inputs: Any) -> Any:
            return Finding(answers, **parts)

    return lambda: Prober([Probe(answers, 5, inputs, run)])


def setup(
    site: Site, person: Any = None, *, fetch: Any = lambda host: [key_of(host)], prober: Any = None, **request: Any
) -> Any:
    site.state.make()
    prober = prober or finding("nodes", facts=BIG)
    return Setup(site, ROOT, Request(**request), person, lambda _key, _values: None, fetch, prober)


# The questions that somebody who is asked for the first time has to answer: nobody can find them out.
FIRST = ["profile", "hub_name", "ssh_user", "controller", "compute", "tls", "admin_password", "course_slug"]


def test_a_first_time(site: Site) -> None:
    person = Person(FULL)
    outcome = setup(site, person).run()
    assert person.asked == FIRST
    assert all(outcome.written.values())
    assert outcome.node == NodeSize(64, 256_000)
    main = read_plain(site.main_file)
    assert [profile["name"] for profile in main["site_profiles"]] == ["small", "medium", "large"]
    secrets = vault.decrypt(site.vault_file.read_text(), outcome.vault_key, site.vault_file)
    assert "site_verify_password:" in secrets
    assert [comparison.host for comparison in person.confirmed] == ["jupyter.example.org", "ctl", "c1", "c2"]
    assert site.known_hosts.read_text().count("ssh-ed25519") == 4
    assert "site_hub_name: jupyter.example.org" in person.changes[0]
    assert PASSWORD not in person.changes[0]
    assert not (site.state.path / "draft.json").exists()


def test_a_second_time_asks_nothing_and_changes_nothing(site: Site) -> None:
    setup(site, Person(FULL)).run()
    person = Person({})
    outcome = setup(site, person).run()
    assert (person.asked, person.confirmed) == ([], [])
    assert not any(outcome.written.values())


def test_one_section_is_changed(site: Site) -> None:
    setup(site, Person(FULL)).run()
    person = Person({"course_title": "Physics for all"}, ["course", "course_title", "back"])
    outcome = setup(site, person).run()
    assert person.asked == ["course_title"]
    assert [row.key for row in person.menus[1].rows] == ["course_slug", "course_title", "course_instructor"]
    assert {path.name for path, changed in outcome.written.items() if changed} == {"physics101.yml"}
    assert read_plain(site.inventory / COURSE)["site_course_physics101"]["title"] == "Physics for all"


def test_a_changed_profile_asks_what_it_needs(site: Site) -> None:
    single = {key: value for key, value in FULL.items() if key not in {"controller", "login", "compute", "shared_dir"}}
    setup(site, Person({**single, "profile": "single"})).run()
    person = Person(ANSWERS, ["platform", "profile", Back])
    setup(site, person).run()
    assert person.asked == ["profile", "controller", "compute"]
    groups = read_plain(site.hosts_file)["all"]["children"]["slurm"]["children"]
    assert list(groups["slurm_compute"]["hosts"]) == ["c1", "c2"]


def test_a_new_password_and_none(site: Site) -> Any:
    key = setup(site, Person(FULL)).run().vault_key

    def hashed() -> Any:
        text = vault.decrypt(site.vault_file.read_text(), key, site.vault_file)
        return read_yaml(text)["vault_password_hashes"]["admin"]

    before = hashed()
    assert matches(PASSWORD, before)
    setup(site, Person({}, choices=["admin", "admin_password", "back"])).run()
    assert hashed() == before
    setup(site, Person({"admin_password": "another password"}, choices=["admin", "admin_password", "back"])).run()
    assert matches("another password", hashed())


def test_an_instructor_can_log_in(site: Site) -> None:
    """The person named for the course has an account; its password is told once and kept as a hash only."""
    outcome = setup(site, from_file=ANSWERS, password=PASSWORD, accept_new=True).run()
    (account,) = outcome.accounts
    assert (account.name, account.course) == ("mcurie", "physics101")
    assert account.password not in repr(outcome)
    main = read_plain(site.main_file)
    assert [record["name"] for record in main["site_accounts"]] == ["admin", "verify", "mcurie"]

    def hashes() -> Any:
        text = vault.decrypt(site.vault_file.read_text(), outcome.vault_key, site.vault_file)
        assert account.password not in text
        return read_yaml(text)["vault_password_hashes"]

    before = hashes()
    assert matches(account.password, before["mcurie"])
    # Started again, it keeps them, and what an administrator added by hand.
    by_hand = f"  - name: hand\n    password_hash: {before['mcurie']}  # mine\n"
    text = site.main_file.read_text().replace("site_accounts:\n", f"site_accounts:\n{by_hand}")
    site.main_file.write_text(text)
    again = setup(site, Person({})).run()
    assert (again.accounts, hashes()) == ((), before)
    assert site.main_file.read_text() == text
    # Another instructor gets another account; the first one keeps the old.
    other = setup(site, Person({"course_instructor": "hand"}, ["course", "course_instructor", "back"])).run()
    assert other.accounts == ()
    other = setup(site, Person({"course_instructor": "rfeynman"}, ["course", "course_instructor", "back"])).run()
    assert [account.name for account in other.accounts] == ["rfeynman"]
    names = [record["name"] for record in read_plain(site.main_file)["site_accounts"]]
    assert names == ["hand", "admin", "verify", "mcurie", "rfeynman"]
    assert hashes() == {**before, "rfeynman": hashes()["rfeynman"]}


def test_an_administrator_who_teaches_needs_no_second_account(site: Site) -> None:
    outcome = setup(site, Person(FULL)).run()
    assert outcome.accounts == ()
    assert [record["name"] for record in read_plain(site.main_file)["site_accounts"]] == ["admin", "verify"]


def read_yaml(text: Any) -> Any:
    from ruamel.yaml import YAML

    return YAML(typ="safe").load(text)


@pytest.mark.parametrize("stop_at", FIRST)
def test_ctrl_c_at_every_question_and_going_on(site: Site, stop_at: Any) -> None:
    first = Person(FULL, stop_at=stop_at)
    with pytest.raises(KeyboardInterrupt):
        setup(site, first).run()
    assert not site.inventory.exists()
    draft = site.state.path / "draft.json"
    if first.asked:
        assert PASSWORD not in draft.read_text()
        assert draft.stat().st_mode & 0o077 == 0
    second = Person(FULL)
    assert all(setup(site, second).run().written.values())
    # A password is not kept, so it is asked again; nothing else is.
    assert [key for key in second.asked if key in first.asked] == [
        key for key in ["admin_password"] if key in first.asked
    ]


def test_leaving_writes_nothing_and_keeps_the_answers(site: Site) -> None:
    assert setup(site, Person(FULL, choices=[LEAVE])).run().written == {}
    assert not site.inventory.exists()
    assert json.loads((site.state.path / "draft.json").read_text())["course_slug"] == "physics101"


def test_a_damaged_draft_is_no_draft(site: Site) -> None:
    site.state.make()
    for text in ("{", "[]", '{"hub_name": 3, "odd": 1, "admin_password": "x"}'):
        (site.state.path / "draft.json").write_text(text)
        assert "hub_name" in (person := Person(FULL, choices=[LEAVE])).asked or setup(site, person).run().written == {}


def test_a_remembered_answer_that_is_not_valid_any_more_is_asked_again(site: Site) -> None:
    setup(site, Person(FULL)).run()
    site.main_file.write_text(
        site.main_file.read_text().replace("site_hub_name: jupyter.example.org", "site_hub_name: a b")
    )
    person = Person(ANSWERS)
    setup(site, person).run()
    assert person.asked == ["hub_name"]
    assert person.notices == ["hub_name"]


def test_without_a_person(site: Site) -> None:
    outcome = setup(site, from_file=ANSWERS, password=PASSWORD, accept_new=True).run()
    assert all(outcome.written.values())
    again = setup(site).run()
    assert not any(again.written.values())


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({"from_file": {}}, "hub_name: an answer is needed"),
        ({"from_file": {**ANSWERS, "hub_name": "a b"}}, "hub_name (--answers)"),
        ({"from_file": ANSWERS}, "admin_password: an answer is needed"),
        ({"from_file": {**ANSWERS, "admin_password": PASSWORD}}, "--admin-password-file"),
        ({"given": {"compute": "c[9-1]"}, "from_file": ANSWERS, "password": PASSWORD}, "compute (--set)"),
        ({"from_file": ANSWERS, "password": "short"}, "10 are needed"),
        (
            {
                "from_file": {**ANSWERS, "tls": "provided", "tls_certificate": "/none", "tls_key": "/none"},
                "password": PASSWORD,
            },
            "/none",
        ),
    ],
)
def test_wrong_answers_write_nothing(site: Site, request_: Any, says: Any) -> None:
    with pytest.raises(AnswersError) as caught:
        setup(site, skip_host_keys=True, **request_).run()
    assert says in caught.value.why
    assert PASSWORD not in caught.value.why
    assert not site.inventory.exists()


def test_a_certificate_that_does_not_match_its_key(site: Site, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_certificate(tmp_path, name)
    provided = {**ANSWERS, "tls": "provided", "tls_certificate": str(tmp_path / "a.pem")}
    wrong = {**provided, "tls_key": str(tmp_path / "b.key")}
    with pytest.raises(AnswersError) as caught:
        setup(site, from_file=wrong, password=PASSWORD, skip_host_keys=True).run()
    assert "does not belong" in caught.value.why
    right = {**provided, "tls_key": str(tmp_path / "a.key")}
    setup(site, from_file=right, password=PASSWORD, skip_host_keys=True).run()
    assert read_plain(site.main_file)["apache_certificate_file"] == str(tmp_path / "a.pem")
    # The self-signed one needs no files; what named them goes.
    setup(site, given={"tls": "selfsigned"}, skip_host_keys=True).run()
    assert "apache_certificate_file" not in read_plain(site.main_file)


class Stubborn(Person):
    """Gives the answers of a list one after the other, and says what each was refused for."""

    def __init__(self, answers: Any, **lists: Any) -> None:
        super().__init__(answers)
        self.lists = {key: list(values) for key, values in lists.items()}
        self.refusals: list[tuple[str, str]] = []
        self.reasons: list[tuple[str, str]] = []
        self.stops_at_notice = False

    def ask(self, question: Any, present: Any, known: Any, inspector: Any, options: Any) -> Any:
        while question.key in self.lists:
            assert self.lists[question.key], f"{question.key} is asked once too often: {self.refusals} {self.reasons}"
            raw = self.lists[question.key].pop(0)
            self.asked.append(question.key)
            try:
                value = question.parse(present if raw is ... else raw)
                if inspector is not None:
                    inspector(value, known)
            except ValueError as error:
                self.refusals.append((question.key, str(error)))
            else:
                return value
        return super().ask(question, present, known, inspector, options)

    def notice(self, problem: Any) -> None:
        if self.stops_at_notice:
            raise KeyboardInterrupt
        super().notice(problem)
        self.reasons.append((problem.key, problem.text))


PROVIDED = {**FULL, "tls": "provided"}


def test_what_can_be_seen_at_the_certificate_is_said_there(site: Site, tmp_path: Path) -> None:
    good, key = write_certificate(tmp_path, "good")
    old, _ = write_certificate(tmp_path, "old", days=-1)
    both, late = tmp_path / "both.pem", tmp_path / "late.pem"
    both.write_bytes(good.read_bytes() + key.read_bytes())
    late.write_bytes(b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n" + good.read_bytes())
    other = tmp_path / "other.pem"
    other.write_text("no certificate\n")
    wrong = [str(key), str(other), str(old), str(both), str(late), str(tmp_path), "/dev/zero", str(tmp_path / "none")]
    person = Stubborn(PROVIDED, tls_certificate=[*wrong, str(good)], tls_key=[str(good), str(key)])
    setup(site, person).run()
    assert person.lists == {"tls_certificate": [], "tls_key": []}
    said = [text for _, text in person.refusals]
    wanted = [
        "holds a private key", "not a PEM certificate", "expired on", "holds a private key", "must be the first", "not an ordinary file",
        "not an ordinary file", "No such file", "not an unencrypted PEM key",
    ]  # fmt: skip
    for text, part in zip(said, wanted, strict=True):
        assert part in text
        assert "apache_" not in text
    assert person.reasons == []
    assert read_plain(site.main_file)["apache_certificate_file"] == str(good)


def test_a_certificate_for_another_name_leads_back_to_the_name_too(site: Site, tmp_path: Path) -> None:
    other, _ = write_certificate(tmp_path, "other", "hub.example.org")
    good, key = write_certificate(tmp_path, "good")
    person = Stubborn(
        PROVIDED, hub_name=["jupiter.example.org", ..., "jupyter.example.org"], tls_certificate=[str(other), str(good), ...],
        tls_key=[str(key)],
    )  # fmt: skip
    setup(site, person).run()
    assert [key for key, _ in person.reasons] == ["tls_certificate", "tls_certificate"]
    assert "it is for hub.example.org, not for jupiter.example.org" in person.reasons[0][1]
    assert "apache_" not in str(person.reasons)
    main = read_plain(site.main_file)
    assert (main["site_hub_name"], main["apache_certificate_file"]) == ("jupyter.example.org", str(good))


@pytest.mark.parametrize("restarted", [False, True], ids=["at once", "after Ctrl-C"])
@pytest.mark.parametrize("mend", ["certificate", "key"])
def test_a_key_of_another_certificate_leads_back_to_the_certificate(
    site: Site, tmp_path: Path, mend: Any, restarted: Any
) -> None:
    (first, first_key), (second, second_key) = (write_certificate(tmp_path, name) for name in "ab")
    # The person has mixed up a pair; either half may be the one to mend.
    before = Stubborn(PROVIDED, tls_certificate=[str(first)], tls_key=[str(second_key)])
    mended: Any = {
        "certificate": {"tls_certificate": [str(second)], "tls_key": [str(second_key)]},
        "key": {"tls_certificate": [...], "tls_key": [str(first_key)]},
    }
    after = mended[mend]
    if restarted:
        before.stops_at_notice = True
        with pytest.raises(KeyboardInterrupt):
            setup(site, before).run()
        person = Stubborn(PROVIDED, **after)
    else:
        person = before
        for key, answers in after.items():
            person.lists[key] += answers
    setup(site, person).run()
    assert [key for key, _ in person.reasons] == ["tls_key"]
    assert "does not belong to the certificate" in person.reasons[0][1]
    assert "apache_" not in person.reasons[0][1]
    wanted = (str(second), str(second_key)) if mend == "certificate" else (str(first), str(first_key))
    main = read_plain(site.main_file)
    assert (main["apache_certificate_file"], main["apache_certificate_key_file"]) == wanted


def test_a_certificate_that_has_expired_since_is_named(site: Site, tmp_path: Path) -> None:
    good, key = write_certificate(tmp_path, "good")
    provided = {**ANSWERS, "tls": "provided", "tls_certificate": str(good), "tls_key": str(key)}
    setup(site, from_file=provided, password=PASSWORD, skip_host_keys=True).run()
    write_certificate(tmp_path, "good", days=-1)
    with pytest.raises(AnswersError) as caught:
        setup(site, skip_host_keys=True).run()
    assert "tls_certificate" in caught.value.why
    assert "expired on" in caught.value.why


def test_a_certificate_has_to_cover_the_aliases_of_the_inventory_too(site: Site, tmp_path: Path) -> None:
    setup(site, Person(FULL)).run()
    site.main_file.write_text(site.main_file.read_text() + "apache_server_aliases: [www.example.org]\n")
    good, key = write_certificate(tmp_path, "good")
    given = {"tls": "provided", "tls_certificate": str(good), "tls_key": str(key)}
    with pytest.raises(AnswersError) as caught:
        setup(site, given=given, skip_host_keys=True).run()
    assert "not for www.example.org" in caught.value.why


def test_contradictions_with_hand_edits_are_not_written(site: Site) -> None:
    setup(site, Person(FULL)).run()
    text = site.main_file.read_text().replace("    time_limit_minutes: 120", "    time_limit_minutes: 9999", 1)
    site.main_file.write_text(text)
    with pytest.raises(InventoryError) as caught:
        setup(site, given={"course_title": "X"}).run()
    assert "time_limit_minutes" in caught.value.why
    assert site.main_file.read_text() == text


def test_host_keys_nobody_confirmed(site: Site) -> None:
    with pytest.raises(HostKeyError) as caught:
        setup(site, from_file=ANSWERS, password=PASSWORD).run()
    assert "--accept-new-host-keys" in caught.value.cure
    assert "SHA256:" in caught.value.what
    with pytest.raises(HostKeyError):
        setup(site, Person(FULL, trusts=False)).run()
    assert not site.inventory.exists()


def test_a_changed_host_key(site: Site) -> Any:
    setup(site, from_file=ANSWERS, password=PASSWORD, accept_new=True).run()
    before = site.known_hosts.read_text()

    def other(host: Any) -> Any:
        return [key_of(host, "B" if host == "c1" else "A")]

    with pytest.raises(HostKeyError) as caught:
        setup(site, fetch=other, accept_new=True).run()
    assert "c1 has changed" in caught.value.what
    assert site.known_hosts.read_text() == before
    setup(site, fetch=other, accept_changed=True).run()
    assert key_of("c1", "B").line in site.known_hosts.read_text()
    assert key_of("c1").line not in site.known_hosts.read_text()


def test_a_host_that_does_not_answer(site: Site) -> None:
    def silent(host: Any) -> None:
        raise HostKeyError("host-key-missing", host=host, problem="Connection refused")

    person = Person(FULL)
    with pytest.raises(HostKeyError):
        setup(site, person, fetch=silent).run()
    # It is said when the host is met, and the questions go on.
    assert len(person.troubles) == 4
    assert person.asked == FIRST
    assert not site.inventory.exists()
    assert (site.state.path / "draft.json").exists()


def test_nodes_that_cannot_be_looked_at_get_small_profiles(site: Site) -> None:
    refused = finding("nodes", facts=OSError("Permission denied (publickey)."))
    outcome = setup(site, Person(FULL), prober=refused).run()
    assert "Permission denied" in outcome.probe_problem
    assert [profile["name"] for profile in read_plain(site.main_file)["site_profiles"]] == ["small"]


def test_ansible_reads_it(site: Site) -> None:
    """Groups and the decrypted account, as ansible-inventory sees them."""
    key = setup(site, Person(FULL)).run().vault_key
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-inventory")), "-i", str(site.inventory), "--list", "--vault-password-file", str(key)],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    data = json.loads(done.stdout)
    assert data["slurm_compute"]["hosts"] == ["c1", "c2"]
    variables = data["_meta"]["hostvars"]["c1"]
    assert variables["site_login_address"] == "ctl"
    # What is as the roles take it is not written.
    assert not {"site_partitions", "site_images", "site_profile", "apache_certificate"} & set(variables)
    assert matches(PASSWORD, variables["vault_password_hashes"]["admin"])
    assert "WARNING" not in done.stderr


def test_the_password_is_nowhere(site: Site, tmp_path: Path) -> None:
    setup(site, Person(FULL)).run()
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or PASSWORD.encode() not in path.read_bytes()


def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers, password = tmp_path / "answers.yml", tmp_path / "password"
    answers.write_text("".join(f"{key}: {json.dumps(value)}\n" for key, value in ANSWERS.items()))
    password.write_text(f"{PASSWORD}\n")
    arguments = ["setup", "--non-interactive", "--skip-host-keys", "--answers", str(answers), "--admin-password-file"]
    assert cli.run([*arguments, str(password), "--set", "course_title=From here"]) == 0
    shown = capsys.readouterr().out
    assert "Written: " in shown
    assert "Key of the vault: " in shown
    assert PASSWORD not in shown
    password_of = re.search(r"^  mcurie +(\S+)   instructor of physics101$", shown, re.MULTILINE)
    assert password_of is not None
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert password_of[1].encode() not in path.read_bytes()
    assert cli.run(arguments[:3]) == 0
    assert "instructor of" not in capsys.readouterr().out
    assert read_plain(tmp_path / "inventory" / COURSE)["site_course_physics101"]["title"] == "From here"


# Questions of a site at somebody else's cluster that nobody can find out.
FIRST_AT_A_CENTRE = [
    "profile", "hub_name", "ssh_user", "centre_login", "centre_account", "centre_base_dir", "centre_partition",
    "tls", "admin_password", "course_slug",
]  # fmt: skip
AT_A_CENTRE = {**CENTRE, "admin_password": PASSWORD}
SEEN = {
    "centre_base_dir": "/home/p123hub/hpcampus",
    "centre_partition": "interactive",
    "centre_module": "apptainer/1.4",
}


def test_a_centre_is_asked_about_and_its_key_pinned(site: Site) -> None:
    person = Person(AT_A_CENTRE)
    setup(site, person).run()
    assert person.asked == FIRST_AT_A_CENTRE
    (record,) = read_plain(site.main_file)["site_centres"]
    key = key_of("login.hpc.example.net")
    assert record["host_key"] == key.public
    assert key.line in site.known_hosts.read_text()
    again = Person({})
    assert not any(setup(site, again).run().written.values())
    assert (again.asked, again.confirmed) == ([], [])


def test_a_look_at_a_centre_is_waited_for(site: Site) -> None:
    """The key that was confirmed answers the first open question, and the next one has another probe."""

    def slow(_inputs: Any) -> Any:
        time.sleep(0.5)
        return Finding("centre", proposals=SEEN)

    def inputs(known: Any) -> Any:
        return str(known.get("known_hosts", "")) or None

    person = Person(AT_A_CENTRE)
    setup(site, person, prober=lambda: Prober([Probe("centre", 5, inputs, slow)])).run()
    assert person.asked == [key for key in FIRST_AT_A_CENTRE if key not in SEEN]


def test_what_is_found_at_a_centre_is_not_asked(site: Site) -> None:
    options = {"centre_partition": (Option("interactive", "interactive (up)"), Option("gpu", "gpu (up)"))}
    found = finding("centre", proposals=SEEN, options=options, facts=BIG, lines=(Line(Level.OK, "Slurm 24.11"),))
    person = Person(AT_A_CENTRE, ["centre", "centre_partition", "back", "found"])
    setup(site, person, prober=found).run()
    assert person.asked == [key for key in FIRST_AT_A_CENTRE if key not in SEEN] + ["centre_partition"]
    assert person.lines == ["Slurm 24.11"]
    assert person.offered["centre_partition"] == ("interactive", ["interactive", "gpu"])
    (record,) = read_plain(site.main_file)["site_centres"]
    assert (record["module"], record["base_dir"]) == ("apptainer/1.4", SEEN["centre_base_dir"])


def test_a_key_that_the_centre_publishes_needs_no_confirmation(site: Site) -> None:
    key = key_of("login.hpc.example.net")
    person = Person({**AT_A_CENTRE, "hub_connection": "local"})
    given = {"hub_connection": "local", "centre_host_key": key.public}
    setup(site, person, given=given).run()
    assert person.confirmed == []
    assert key.line in site.known_hosts.read_text()


def test_another_key_than_the_published_one_is_a_change(site: Site) -> None:
    given = {**CENTRE, "hub_connection": "local", "centre_host_key": key_of("x", "B").public}
    with pytest.raises(HostKeyError) as caught:
        setup(site, from_file=given, password=PASSWORD, accept_new=True).run()
    assert "has changed" in caught.value.what


@pytest.mark.parametrize("back_at", FIRST[1:])
def test_back_at_every_question(site: Site, back_at: Any) -> None:
    person = Person(FULL, back_at=[back_at])
    assert all(setup(site, person).run().written.values())
    number = FIRST.index(back_at)
    assert person.asked == [*FIRST[: number + 1], FIRST[number - 1], *FIRST[number:]]


def test_back_at_the_first_question_asks_it_again(site: Site) -> None:
    person = Person(FULL, back_at=["profile", "profile"])
    setup(site, person).run()
    assert person.asked == ["profile", "profile", *FIRST]


def test_what_is_shown_need_not_be_written(site: Site) -> None:
    person = Person({**FULL, "write": False}, [WRITE, WRITE, LEAVE])
    assert setup(site, person).run().written == {}
    assert len(person.changes) == 2
    assert not site.inventory.exists()


def test_a_dry_run_writes_nothing(site: Site) -> None:
    outcome = setup(site, from_file=ANSWERS, password=PASSWORD, accept_new=True, dry_run=True).run()
    assert (outcome.written, site.inventory.exists()) == ({}, False)
    assert "+site_hub_name: jupyter.example.org" in outcome.changes
    assert "admin_password" not in outcome.answers


def test_a_recorded_run_can_be_replayed(site: Site, tmp_path: Path) -> None:
    first = setup(site, Person(FULL)).run()
    record = tmp_path / "answers.yml"
    write_answers(record, first.answers)
    other = site_at(tmp_path / "other")
    setup(other, from_file=read_answers(record), password=PASSWORD, accept_new=True).run()
    assert other.main_file.read_text() == site.main_file.read_text()
    assert other.hosts_file.read_text() == site.hosts_file.read_text()


def test_any_other_variable_can_be_set(site: Site) -> None:
    person = Person({**FULL, "variable": ("site_max_servers", "40")}, ["more"])
    setup(site, person).run()
    assert read_plain(site.main_file)["site_max_servers"] == 40
    setup(site, given={"site_max_servers": "50"}).run()
    assert read_plain(site.main_file)["site_max_servers"] == 50


def test_a_contradiction_is_told_and_can_be_mended(site: Site) -> None:
    setup(site, Person(FULL)).run()
    text = site.main_file.read_text().replace("    time_limit_minutes: 120", "    time_limit_minutes: 9999", 1)
    site.main_file.write_text(text)
    person = Person({}, [WRITE, LEAVE])
    assert setup(site, person).run().written == {}
    assert "contradict" in person.troubles[0]


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=40)
    | st.sampled_from(["", " ", "a b", "{{ x }}", "-", "<"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)
NAMES = st.sampled_from([*(question.key for question in QUESTIONS), *sorted(QUESTIONS.specs.options)]) | st.text(
    max_size=20
)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([ANSWERS, CENTRE, SINGLE]), st.dictionaries(NAMES, ANYTHING, min_size=1, max_size=3))
def test_no_answer_of_any_type_breaks_it_or_is_written(site: Site, right: Any, wrong: Any) -> None:
    """What is wrong is said by name; only what the collection would refuse as a whole is an error of the inventory."""
    setting = setup(
        site,
        from_file={**right, **wrong},
        password=PASSWORD,
        skip_host_keys=True,
        dry_run=True,
        prober=lambda: Prober([]),
    )
    with suppress(AnswersError, InventoryError):
        setting.run()
    assert not site.inventory.exists()
