# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Help of the command line."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "help.main": """Install a teaching JupyterHub whose notebooks are Slurm jobs in Apptainer containers.

    The usual way is: setup, apply, verify. Every command takes --help and shows examples there. All but the demo work on
    one inventory directory: --inventory DIR, by default ./inventory.
    """,
    "help.exit-codes": """\b
    Exit codes:
      0 done                    6 another run holds the lock
      1 a step failed           7 a question, but no terminal
      2 wrong command line      8 the platform does not do what it should
      3 no such inventory       9 the containers of the demo failed
      4 an answer is wrong     10 the Ansible collection is missing
      5 a host key is unknown  11 the vault cannot be opened
      70 an error of hpcampus itself    130 stopped by Ctrl-C
    """,
    "help.group.look": "Look at it on this machine",
    "help.group.install": "Install it on your own hosts",
    "help.group.later": "Add to it later",
    "help.group.find-out": "Use it, and find out what is wrong",
    "help.group.command": "This command itself",
    "help.examples": "Examples:",
    "help.language": "Language of what hpcampus says; by default that of HPCAMPUS_LANGUAGE, LC_ALL, LC_MESSAGES or LANG.",
    "help.version": "Print the version and stop.",
    "help.inventory": "Directory of the inventory.",
    "help.open": """Print the address of the platform, and show it in a browser if there is a display.

    The address is read from the inventory; no host is contacted.
    """,
    "help.open.demo": "The platform of the demo.",
    "help.open.page": "A page of the hub in place of its first one.",
    "help.open.url": "Print the address only.",
    "help.completion": """Print the script that completes this command in a shell.

    \b
    Where it goes:
      bash  hpcampus completion bash > ~/.local/share/bash-completion/completions/hpcampus
      zsh   hpcampus completion zsh > ~/.zsh/completions/_hpcampus, a directory of fpath
      fish  hpcampus completion fish > ~/.config/fish/completions/hpcampus.fish
    """,
    "help.apply": """Run the steps of the installation, the check of the inventory first.

    A run that was stopped or that failed goes on where it was. A finished run starts from the beginning: steps that find
    nothing to do change nothing. On a terminal, a step that fails asks what to do: again, without it, a shell, or the end.
    """,
    "help.apply.step": "Run this step; may be given several times.",
    "help.apply.from": "Start from this step.",
    "help.apply.changed": "Run only steps that are not done, or whose playbook, roles or variables changed since.",
    "help.apply.check": "Change nothing; say what would be changed.",
    "help.vault-file": "File, or program, that gives the password of the vault.",
    "help.ask-become": "Ask for the password of sudo on the hosts.",
    "help.plain": "Print plain lines, one for each thing that happens, even on a terminal.",
    "help.verify": "Prove that the installed platform works: log in, start a notebook, run a cell, tear it down.",
    "help.doctor": """Walk every leg from the public name to a notebook's cell, and say for each what was seen and what cures it.

    A broken leg ends nothing: what does not need it is looked at all the same. It ends with 8 when something is broken.
    """,
    "help.json": "Print one object of JSON; what happens meanwhile goes to standard error.",
    "help.steps": """List the steps in their order: what each does, on which hosts, how it stands and how long it took.

    With --menu, on a terminal, ask what to run.
    """,
    "help.steps.menu": "Ask what to run.",
    "help.logs": "List the runs that are kept; with the name of a step, print what Ansible said in its newest run.",
    "help.logs.last": "Print the newest run.",
    "help.logs.follow": "Print what is running now as it comes, and those after it, while they last.",
    "help.probe": """Look at one thing of the world, as setup does in the background, and say what was seen and what it proposes.

    Nothing is changed anywhere. It ends with 8 when something is a problem.
    """,
    "help.probe.machine": "Look at this machine: system, size, ports, web servers, firewall.",
    "help.probe.name": "Look at the name of the hub: its addresses, and whether a certificate by ACME could be had.",
    "help.probe.nodes": "Look at hosts of an own cluster: system, size, sudo, clocks, Slurm, what they share.",
    "help.probe.centre": "Look at the login node of somebody else's cluster: Slurm, partitions, Python, Apptainer, directories.",
    "help.probe.moodle": "Look at what a Moodle says of itself for LTI: issuer, addresses, keys.",
    "help.probe.ldap": "Look at a directory of LDAP: encryption, bind, and whether people are found.",
    "help.probe.base": "Where in the directory people are.",
    "help.probe.bind-user": "Name to bind with; without it, it is tried anonymously.",
    "help.probe.password-file": "File with its password; - reads it from standard input.",
    "help.probe.ca-file": "File with certificates to trust instead of the system's.",
    "help.probe.user": "Account to log in as; it has to become root without a password, or to be root.",
    "help.probe.account": "Account at the centre.",
    "help.probe.known-hosts": "File with the pinned keys of the hosts; a host that is not in it is not spoken to.",
    "help.setup": """Ask about the site and write its inventory.

    Started again, it shows the values of the inventory. Ctrl-C keeps the answers given so far, without passwords. With
    --non-interactive, answers come from --answers and --set only.
    """,
    "help.setup.answers": "YAML file with answers by name.",
    "help.setup.set": "One answer as NAME=VALUE; may be given several times.",
    "help.setup.non-interactive": "Ask nothing; fail when an answer is missing or wrong.",
    "help.setup.dry-run": "Write nothing; show what would change on disk.",
    "help.setup.record": "Write the answers, without passwords, into a YAML file that --answers takes.",
    "help.setup.accept-new": "Pin host keys that are not known yet without asking.",
    "help.setup.accept-changed": "Pin host keys that have changed without asking.",
    "help.setup.skip-host-keys": "Do not fetch host keys; the hosts need not be up.",
    "help.setup.vault": "Where the key of the vault shall be: in a file of this account, in its keyring, or asked each time.",
    "help.setup.password-file": "File with the first administrator's password; - reads it from standard input.",
    "help.request": """Print a page for the administrators of a centre: what is asked for, what runs there, how to end it.

    It is made from the inventory or, before there is one, from an answers file; what is not known yet is asked for.
    """,
    "help.request.answers": "YAML file with answers of setup, instead of the inventory.",
    "help.request.contact": "Whom they may call: a name, an address, a number.",
    "help.request.format": "Plain text on one page, or Markdown.",
    "help.records.yes": "Write and run without asking.",
    "help.records.no-run": "Write, and say which steps bring it to the hosts.",
    "help.cluster": "Clusters of somebody else, on which notebooks may run.",
    "help.cluster.list": "List the clusters of site_centres.",
    "help.cluster.add": """Add a cluster of somebody else: its record, its login node with a pinned host key, and a notebook profile.

    The steps that bring it to the hosts run at the end.
    """,
    "help.cluster.no-profile": "Propose no notebook profile for it.",
    "help.cluster.skip-host-keys": "Do not fetch the host key; give it with --host-key.",
    "help.course": "Courses: list, add, copy, archive.",
    "help.course.show": "Show a course: its record, and the groups, pages, directories and dates that follow from it.",
    "help.course.export": """Print the record of a course as a file of an inventory.

    With --work bring its work instead: what was released, handed in, given back and graded, as one archive from the hub. The course
    may have left the platform. The archive is checked; it holds names and work of students, so only you may read it.""",
    "help.course.export.work": "File for the archive of its work.",
    "help.course.check-archive": "Check that an archive of a course is whole and unchanged since it was made.",
    "help.course.link": """Print a link for students: it logs them in, starts a notebook of the course and brings files of a git repository.

    What they have changed stays. Without options it takes the repository of the course.""",
    "help.course.link.repo": "Address of another repository, https://...",
    "help.course.link.branch": "Its branch.",
    "help.course.link.path": "Folder or file of the repository that opens.",
    "help.course.link.profile": "Size to start with, instead of the course's usual one.",
    "help.course.link.image": "Image to start with, instead of the course's own.",
    "help.course.list": "List the courses.",
    "help.course.add": "Add a course; instructors who have no account get one.",
    "help.course.copy": "Add a course like another one: with its image, profile and instructors, without its students.",
    "help.course.archive": "Take a course off the platform. Its files stay, and it is said where.",
    "help.image": "Container images of notebooks.",
    "help.image.list": "List the images.",
    "help.image.add": "Add an image; it is built, tested and published.",
    "help.demo": "The whole platform in containers on this machine.",
    "help.demo.up": "Make the containers, install everything, prove it, and say how to go on. Safe to repeat.",
    "help.demo.status": "Say which containers run and where the platform answers.",
    "help.demo.down": "Remove containers, networks, volumes and state; say what was kept.",
    "help.demo.shell": "Open a root shell in a container of the demo: campus, login, c1 or c2.",
}
