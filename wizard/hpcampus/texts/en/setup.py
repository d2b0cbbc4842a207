# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The conversation of setup."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "setup.intro": "This asks about your site and writes {path}. Ctrl-C keeps your answers; start again to go on.",
    "setup.intro-keys": "In a line: Enter takes it, ? explains, < or Esc goes back.",
    "setup.intro-plain": "Enter takes what stands in brackets, ? explains, < goes back, - leaves an answer empty.",
    "setup.draft": "Going on with the answers of the last time.",
    "setup.again": "The answer to '{prompt}' is not valid any more: {problem}",
    "setup.wrong": "Not taken: {problem}",
    "setup.together": "The answers to '{prompt}' and '{earlier}' do not go together: {problem} Here are both questions again.",
    "setup.row": "{label}  {value}",
    "setup.row-complaint": "{row}  ! {complaint}",
    "setup.needed": "an answer is needed",
    "setup.other-value": "Another one",
    "setup.back": "Back",
    "setup.more": "More variables",
    "setup.found": "What was found out ({count} lines)",
    "setup.keys": "(arrows and Enter; Esc: back; ?: help)",
    "setup.keys-short": "(arrows and Enter; Esc: back)",
    "setup.no-help": "There is no more to say about it. Enter takes the answer, < goes back, Ctrl-C stops and keeps the answers.",
    "setup.looking": "Looking at what the hosts allow ...",
    "setup.line.ok": "  ok       {text}",
    "setup.line.note": "  note     {text}",
    "setup.line.problem": "  PROBLEM  {text}",
    "setup.trouble": "{what} {why} The questions go on.",
    "setup.variable": "Variable: a part of its name or of its description",
    "setup.variable-help": "Every variable of the roles that no question decides; docs/roles.md lists them. Several words have to match all.",
    "setup.variable-matches": "{count} variables match; narrow it down to at most {most}",
    "setup.variable-which": "Which one?",
    "setup.variable-type": "Type {type}, usually {default}. Lists as in YAML: [one, two].",
    "setup.changes": "This would change on disk:",
    "setup.confirm-writing": "Write it?",
    "setup.dry-run": "Nothing was written: this was a dry run.",
    "setup.recorded-file": "Answers for: hpcampus setup --non-interactive --answers FILE --admin-password-file FILE",
    "setup.recorded": "Recorded the answers, without passwords: {path}",
    "setup.plain-choice": "  {number}. {text}",
    "setup.plain-which": "Number",
    "setup.plain-number": "give a number from 1 to {most}",
    "setup.plain-prompt": "{prompt}: ",
    "setup.plain-prompt-offer": "{prompt} [{present}]",
    "setup.plain-yes": "yes",
    "setup.plain-no": "no",
    "setup.plain-yes-no": "answer {yes} or {no}",
    "setup.choose": "Write it, or change a section?",
    "setup.write": "Write the inventory",
    "setup.leave": "Leave without writing; the answers are kept",
    "setup.left": "Nothing was written. The answers are kept; start again to go on.",
    "setup.password-again": "The same password again",
    "setup.password-differs": "the two passwords differ",
    "setup.keep-password": "{prompt} (empty keeps the present one)",
    "setup.hidden": "(hidden)",
    "setup.kept": "(kept as it is)",
    "setup.scan": "Fetching host keys of {hosts}",
    "setup.key-new": "{host} shows a key that is not known yet:",
    "setup.key-changed": "{host} shows ANOTHER key than the one that was pinned:",
    "setup.key-row": "  {kind:<20} {fingerprint}",
    "setup.key-compare": "Compare it at the host's own console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
    "setup.key-confirm": "Are these the keys of {hosts}?",
    "setup.probe-failed": "Could not look at the compute nodes ({problem}); the profiles are made for a small node.",
    "setup.probe-sizes": "The smallest node has {cpus} cores and {memory} MB of memory.",
    "setup.written": "Written: {path}",
    "setup.unchanged": "Unchanged: {path}",
    "setup.vault-key": "Key of the vault: {path}  (keep a copy; without it the secrets are lost)",
    "setup.accounts": "Accounts made for instructors who had none. Write the passwords down, they are not shown again:",
    "setup.account": "  {name:<20} {password}   instructor of {course}",
    "setup.next": """Next
  hpcampus apply --check{inventory}    says what would be done
  hpcampus apply{inventory}            does it
  hpcampus verify{inventory}           proves it""",
    "setup.address": "Address       https://{name}/",
    "setup.first-login": "First login   {admin}, with the password that you gave",
    "setup.later": """Later
  hpcampus setup{inventory}            shows today's answers, and changes them
  hpcampus course add{inventory}       the next course; docs/users.md says how students come in
  hpcampus doctor{inventory}           when something is wrong""",
}
