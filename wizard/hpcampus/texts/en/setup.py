# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The conversation of setup."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "setup.intro": "This asks about your site and writes {path}. Ctrl-C keeps your answers; start again to go on.",
    "setup.draft": "Going on with the answers of the last time.",
    "setup.again": "The answer to '{prompt}' is not valid any more: {problem}",
    "setup.wrong": "Not taken: {problem}",
    "setup.together": "The answers to '{prompt}' and '{earlier}' do not go together: {problem} Here are both questions again.",
    "setup.review": "These are the answers:",
    "setup.row": "  {prompt:<44} {value}",
    "setup.section-title": "{title}",
    "setup.choose": "Write the inventory, or change a section?",
    "setup.write": "Write the inventory",
    "setup.change": "Change: {section}",
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
    "setup.key-confirm": "Is this the key of {host}?",
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
}
