# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Errors: what happened, why, and what to do."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "error.label.why": "Why: {text}",
    "error.label.cure": "What to do: {text}",
}

ERRORS: Final[dict[str, tuple[str, str, str]]] = {
    "catalogue-shape": (
        "The step catalogue cannot be read: {source}",
        "{problem}",
        "Restore the file from the collection's source.",
    ),
    "collection-missing": (
        "The collection hpcampus.platform was not found.",
        "None of these places has it:\n  {searched}",
        "Run the command from a checkout, or install the collection: ansible-galaxy collection install hpcampus.platform",
    ),
    "ansible-missing": (
        "{program} is not installed.",
        "It is neither beside this Python nor on PATH.",
        "Make the environment with 'make venv', or: pip install ansible-core",
    ),
    "user-and-password": (
        "--user and --password-file belong together.",
        "A directory lets in a name with its password, or nobody's name without one.",
        "Give both of them, or neither.",
    ),
    "step-and-from": (
        "--step and --from exclude each other.",
        "One runs a single step, the other all from it on.",
        "Give one of them.",
    ),
    "unknown-step": ("There is no step '{name}'.{hint}", "The steps are: {names}.", "See 'hpcampus steps'."),
    "inventory-missing": (
        "There is no inventory at {path}.",
        "The directory does not exist.",
        "Make one with 'hpcampus setup', or name another with --inventory DIR.",
    ),
    "inventory-without-hosts": (
        "{path} is not an inventory.",
        "It has no hosts.yml.",
        "Make one with 'hpcampus setup', or name another with --inventory DIR.",
    ),
    "inventory-unreadable": (
        "The inventory cannot be read: {path}",
        "{problem}",
        "Correct the file, or restore it; nothing was changed.",
    ),
    "address-unknown": (
        "The address of the platform is not known.",
        "No file of {path} says it in plain words, as site_public_url, site_hub_name or the host of the group hub.",
        "Set site_public_url in group_vars/all/main.yml.",
    ),
    "inventory-unwritable": (
        "The inventory cannot be written: {path}",
        "{problem}",
        "Choose another directory with --inventory DIR, or make room. Everything is as it was before.",
    ),
    "inventory-contradicts": (
        "These answers contradict what the inventory holds; nothing was written.",
        "{problems}",
        "Correct the values named here, in the answers or in {path}.",
    ),
    "answers-wrong": ("Some answers are wrong; nothing was written.", "{problems}", "Correct them and start again."),
    "answers-unreadable": (
        "The answers cannot be read: {path}",
        "{problem}",
        "Give a YAML file with one answer in a line, as NAME: VALUE.",
    ),
    "answers-unwritable": (
        "The answers cannot be recorded: {path}",
        "{problem}",
        "Name another file with --record; the inventory is written.",
    ),
    "set-shape": (
        "--set {text} cannot be read.",
        "It must be NAME=VALUE.",
        "For example: --set hub_name=jupyter.example.org",
    ),
    "password-unreadable": (
        "The password file cannot be read: {path}",
        "{problem}",
        "Give a file with the password on its first line.",
    ),
    "known-hosts-missing": (
        "There is no file {path} with host keys.",
        "A host whose key is not known could be anybody.",
        "Log in to the host with ssh once, compare its fingerprint with the one that its operators tell, or give another file with --known-hosts.",
    ),
    "host-key-missing": (
        "No host key could be fetched from {host}.",
        "{problem}",
        "Check that the host is up and its name is right, or leave this for later with --skip-host-keys. Your answers are kept.",
    ),
    "host-key-refused": (
        "The host key of {host} was not confirmed.",
        "Without a pinned key nothing is sent to a host.",
        "Compare the fingerprint at the host's console and start again. Your answers are kept.",
    ),
    "host-key-unconfirmed": (
        "The host key of {host} is not known: {fingerprints}",
        "Nobody was there to confirm it.",
        "Compare it and start again with --accept-new-host-keys.",
    ),
    "host-key-changed": (
        "The host key of {host} has changed: {fingerprints}",
        "Either the host was reinstalled, or another machine answers in its place.",
        "Compare it at the host's console; if it is right, start again with --accept-changed-host-keys.",
    ),
    "course-link": (
        "No link can be made of this.",
        "{problem}",
        "Give another value, or correct the record of the course.",
    ),
    "work-there": (
        "{path} is there already.",
        "An archive never replaces another file.",
        "Name another file, or move this one away.",
    ),
    "work-place": (
        "Nothing can be written to {path}.",
        "{problem}",
        "Name a file in a directory that is yours.",
    ),
    "work-not-brought": ("The archive was not brought; nothing was written.", "", ""),
    "work-unreadable": (
        "{path} cannot be read.",
        "{problem}",
        "Name the file that 'hpcampus course export SLUG --work FILE' wrote, or that the course page gave.",
    ),
    "work-wrong": (
        "{path} is not a whole archive of the course.",
        "{problem}",
        "Bring it anew from the hub: hpcampus course export SLUG --work FILE",
    ),
    "course-choice": (
        "'{value}' cannot be chosen as {option}.",
        "There are: {names}.",
        "Take one of them.",
    ),
    "record-known": (
        "There is a {kind} '{name}' already.",
        "{variable} has a record of that name.",
        "Take another name; to change what is there, edit the record and run the steps.",
    ),
    "record-unknown": (
        "There is no {kind} '{name}'.",
        "There are: {names}.",
        "See 'hpcampus {kind} list'.",
    ),
    "record-incomplete": (
        "The {kind} is not complete; nothing was written.",
        "Missing: {options}",
        "Give them, or start the command in a terminal without --yes, which asks.",
    ),
    "record-unconfirmed": (
        "Nothing was written.",
        "There is no terminal in which somebody could agree.",
        "Look at the changes above, and start again with --yes.",
    ),
    "request-without-centre": (
        "There is no centre to ask.",
        "The inventory has none in site_centres, and the answers are not those of the profile remote-centre.",
        "Add one with 'hpcampus cluster add', or give answers with the profile remote-centre and the hub_name: --answers FILE.",
    ),
    "request-which-centre": (
        "There are several centres.",
        "They are: {names}.",
        "Name one of them: hpcampus request NAME",
    ),
    "cluster-port": (
        "The host key cannot be fetched from port {port}.",
        "Host keys are pinned for the usual port alone.",
        "Give the key that the centre publishes with --host-key, and --skip-host-keys; name the port as ansible_port in hosts.yml.",
    ),
    "locked": (
        "Another run works on this inventory (process {pid}).",
        "Two at once would disturb each other.",
        "Wait for it, or stop it with Ctrl-C where it runs.",
    ),
    "no-terminal": (
        "Setup asks questions, and there is no terminal.",
        "Standard input or output is not one.",
        "Give the answers: hpcampus setup --non-interactive --answers FILE --admin-password-file FILE --accept-new-host-keys",
    ),
    "vault-key-missing": (
        "The key of the vault was not found.",
        "{path} is encrypted, and neither --vault-password-file, ANSIBLE_VAULT_PASSWORD_FILE nor {default} gives its key.",
        "Give the file with --vault-password-file.",
    ),
    "vault-key-unreadable": (
        "The key of the vault cannot be used: {path}",
        "{problem}",
        "Give a readable file with --vault-password-file.",
    ),
    "vault-closed": (
        "The vault cannot be opened: {path}",
        "The key does not fit, or the file is damaged.",
        "Give the right key with --vault-password-file.",
    ),
    "vault-key-unasked": (
        "The key of the vault has to be typed, and there is no terminal.",
        "It was chosen that nothing keeps the key of this site.",
        "Start the command in a terminal, or give a file with --vault-password-file or ANSIBLE_VAULT_PASSWORD_FILE.",
    ),
    "vault-key-unchosen": (
        "No key was chosen for the vault; nothing was written.",
        "What was typed {tries} times will not do.",
        "Start again, or have the key kept: --vault file, --vault keyring.",
    ),
    "vault-key-not-in-keyring": (
        "The keyring does not hold the key of the vault of {inventory}.",
        "It belongs to the account that chose --vault keyring, or the entry was removed.",
        "Work as that account, or give a copy of the key with --vault-password-file FILE --vault keyring.",
    ),
    "vault-key-inline": (
        "The vault cannot get another key: {path}",
        "The file holds single values that are encrypted with the present one.",
        "Move them into vault.yml first (hpcampus setup keeps what it does not know), or keep the key: --vault file, --vault keyring.",
    ),
    "keyring-unusable": (
        "The keyring cannot be used.",
        "{problem}",
        "Keyrings need a session that has one, such as a desktop; on a server take --vault file or --vault ask.",
    ),
    "runner-broke": (
        "The playbook {playbook} could not be run.",
        "{problem}",
        "Check that ansible-core and ansible-runner are installed and that the disk has room.",
    ),
    "step-failed": ("The step '{name}' failed.", "", ""),
    "steps-skipped": (
        "The run is over, but without: {names}",
        "A person chose to go on without what failed.",
        "Make up for it with: hpcampus apply{options}",
    ),
    "no-menu": (
        "A menu needs a terminal, and there is none.",
        "Standard input or output is not one.",
        "Use 'hpcampus steps', 'hpcampus apply' and 'hpcampus verify'.",
    ),
    "no-log-of-step": ("There is no log of '{name}'.", "Kept are logs of: {names}.", "See 'hpcampus logs'."),
    "verify-failed": ("The platform does not do what it should.", "", ""),
    "verify-silent": (
        "The playbook ran, but gave no result.",
        "It has no task named '{task}'.",
        "Use the collection and the command of the same version.",
    ),
    "doctor-broken": (
        "Something is broken.",
        "",
        "The cure of each broken leg stands below it; docs/troubleshooting.md says more of each leg.",
    ),
    "doctor-failed": ("The legs could not be walked.", "", ""),
    "doctor-silent": (
        "The playbook ran, but its findings cannot be read.",
        "Its task '{task}' says something else.",
        "Use the collection and the command of the same version, and run: hpcampus apply --step hub",
    ),
    "stopped": (
        "Stopped.",
        "",
        "Start the same command again to go on. A command that was running on a host may still be ending there.",
    ),
    "setup-stopped": ("Stopped; nothing was written.", "", "Start the same command again to go on with your answers."),
    "lab-failed": ("The containers of the demo could not be made.", "{problem}", "{cure}"),
    "demo-not-up": ("The demo is not up.", "There is no container '{host}'.", "Start it with: hpcampus demo up"),
    "demo-not-made": ("The demo is not up.", "It has no inventory yet.", "Start it with: hpcampus demo up"),
    "demo-unknown-host": ("The demo has no host '{host}'.", "Its hosts are: {hosts}.", "Name one of them."),
    "internal": (
        "hpcampus itself failed: {problem}",
        "This is a defect of the program, not of your answers.",
        "The details are in {path}; report them, after looking that nothing secret is in them.",
    ),
}
