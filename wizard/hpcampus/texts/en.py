# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The English texts. Placeholders in braces are filled by name; tests check that no text is missing or left over."""

# ruff: noqa: E501

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    # Help of the command line
    "help.main": """Install a teaching JupyterHub whose notebooks are Slurm jobs in Apptainer containers.

    \b
    To look at it on this machine:
      hpcampus demo up        the whole platform in containers, ending with a cell that ran on a compute node
      hpcampus demo down      removes it again
    \b
    To install it on your own hosts:
      hpcampus setup          asks, and writes an inventory with encrypted secrets
      hpcampus apply          runs the steps; stopped or failed, it goes on where it was
      hpcampus verify         logs in, starts a notebook, runs a cell, and tears it down
      hpcampus doctor         walks every leg from the name to a cell, and says what cures a broken one

    Every command takes --help. All but the demo work on one inventory directory: --inventory DIR, by default ./inventory.

    \b
    Exit codes:
      0 done                    6 another run holds the lock
      1 a step failed           7 a question, but no terminal
      2 wrong command line      8 the platform does not do what it should
      3 no such inventory       9 the containers of the demo failed
      4 an answer is wrong     10 the Ansible collection is missing
      5 a host key is unknown  11 the vault cannot be opened
      70 an error of hpcampus itself    130 stopped by Ctrl-C
    """,
    "help.version": "Print the version and stop.",
    "help.inventory": "Directory of the inventory.",
    "help.apply": """Run the steps of the installation, the check of the inventory first.

    A run that was stopped or that failed goes on where it was. A finished run starts from the beginning: steps that find
    nothing to do change nothing.
    """,
    "help.apply.step": "Run this step alone.",
    "help.apply.from": "Start from this step.",
    "help.apply.check": "Change nothing; say what would be changed.",
    "help.vault-file": "File, or program, that gives the password of the vault.",
    "help.ask-become": "Ask for the password of sudo on the hosts.",
    "help.plain": "Print plain lines, one for each thing that happens, even on a terminal.",
    "help.verify": "Prove that the installed platform works: log in, start a notebook, run a cell, tear it down.",
    "help.doctor": """Walk every leg from the public name to a notebook's cell, and say for each what was seen and what cures it.

    A broken leg ends nothing: what does not need it is looked at all the same. It ends with 8 when something is broken.
    """,
    "help.doctor.json": "Print the findings as JSON; what happens meanwhile goes to standard error.",
    "help.steps": "List the steps in their order.",
    "help.setup": """Ask about the site and write its inventory.

    Started again, it shows the values of the inventory. Ctrl-C keeps the answers given so far, without passwords. With
    --non-interactive, answers come from --answers and --set only.
    """,
    "help.setup.answers": "YAML file with answers by name.",
    "help.setup.set": "One answer as NAME=VALUE; may be given several times.",
    "help.setup.non-interactive": "Ask nothing; fail when an answer is missing or wrong.",
    "help.setup.accept-new": "Pin host keys that are not known yet without asking.",
    "help.setup.accept-changed": "Pin host keys that have changed without asking.",
    "help.setup.skip-host-keys": "Do not fetch host keys; the hosts need not be up.",
    "help.setup.password-file": "File with the first administrator's password; - reads it from standard input.",
    "help.demo": "The whole platform in containers on this machine.",
    "help.demo.up": "Make the containers, install everything, prove it, and say how to go on. Safe to repeat.",
    "help.demo.status": "Say which containers run and where the platform answers.",
    "help.demo.down": "Remove containers, networks, volumes and state; say what was kept.",
    "help.demo.shell": "Open a root shell in a container of the demo: campus, login, c1 or c2.",
    # Progress
    "progress.plan": "{count} steps: {names}",
    "progress.resumed": "Going on where the last run stopped; done before: {names}",
    "progress.step": "step {number}/{total} {name}: {title}",
    "progress.task": "  {role}{task}",
    "progress.changed": "    changed  {host}",
    "progress.failed": "    FAILED   {host}",
    "progress.unreachable": "    UNREACHABLE {host}",
    "progress.step-done": "step {name}: done in {time}, {changed} changed",
    "progress.step-failed": "step {name}: FAILED after {time}, {changed} changed",
    "progress.step-stopped": "step {name}: stopped after {time}, {changed} changed",
    "progress.live-changed": "{count} changed",
    # Summary of a run
    "summary.failure": "Failed on {hosts}: {task}",
    "summary.unreachable": "Cannot reach {hosts} (at: {task})",
    "summary.no-task": "The playbook ended before its first result:",
    "summary.cause": "Likely cause: {cause}",
    "summary.cure": "What to do:   {cure}",
    "summary.log": "Full log:     {path}",
    "summary.retry": "Go on with:   {command}",
    "summary.retry-apply": "hpcampus apply{options}",
    "summary.retry-demo": "hpcampus demo up",
    "summary.retry-verify": "hpcampus verify{options}",
    "summary.retry-doctor": "hpcampus doctor{options}",
    "summary.would-change": "{count} changes would be made:",
    "summary.would-change-nothing": "Nothing would be changed.",
    "summary.change": "  {step}: {task}  ({hosts})",
    "summary.done": "All steps are done in {time}: {changed} changed.",
    "summary.next-verify": "Prove it with: hpcampus verify{options}",
    "summary.steps-row": "{number:>2}  {name:<{width}}  {title}: {description}",
    "summary.steps-last": "  [last run: {status}, {time}]",
    "status.done": "done",
    "status.failed": "failed",
    "status.stopped": "stopped",
    "status.running": "was running when the last run ended",
    # Errors as a whole
    "error.label.why": "Why: {text}",
    "error.label.cure": "What to do: {text}",
    # Likely causes and cures
    "cause.inventory-problems": "the inventory contradicts itself; nothing was changed",
    "cure.inventory-problems": "correct the values named above, by hand or with 'hpcampus setup', and start again.",
    "cause.host-key-changed": "{host} shows another host key than the one that was pinned",
    "cure.host-key-changed": "if the host was reinstalled, run 'hpcampus setup' and compare the new fingerprint; if not, find out who answers.",
    "cause.host-key-unknown": "the host key of {host} is not pinned yet",
    "cure.host-key-unknown": "run 'hpcampus setup' to fetch it and compare its fingerprint.",
    "cause.ssh-refused": "{host} does not accept the ssh key of this user",
    "cure.ssh-refused": "put your public key into authorized_keys of the ssh user on {host}, or load the right key: ssh-add.",
    "cause.become-password": "the password for sudo on {host} is wrong",
    "cure.become-password": "start again with --ask-become-pass and type the password of the ssh user on {host}.",
    "cause.become-missing": "sudo on {host} asks for a password and none was given",
    "cure.become-missing": "start again with --ask-become-pass, or allow sudo without a password for this user.",
    "cause.not-sudoer": "the ssh user may not use sudo on {host}",
    "cure.not-sudoer": "add the user to the group sudo on {host}, or connect as root.",
    "cause.no-sudo": "sudo is not installed on {host}",
    "cure.no-sudo": "install it as root: apt install sudo; or connect as root.",
    "cause.vault-key": "the vault of the inventory cannot be opened with this key",
    "cure.vault-key": "give the right one with --vault-password-file.",
    "cause.dns-here": "this machine, where hpcampus runs, cannot resolve the name of {host}",
    "cure.dns-here": "correct the name in hosts.yml, or set ansible_host there, or add {host} to DNS or to /etc/hosts of this machine; try 'getent hosts {host}' here.",
    "cause.dns": "{host} cannot resolve a name",
    "cure.dns": "look at /etc/resolv.conf on {host}; try 'getent hosts deb.debian.org' there.",
    "cause.tls-authority": "{host} does not trust the authority that signed a certificate, as behind a proxy that opens TLS",
    "cure.tls-authority": "add the authority's PEM file to site_ca_certificates in the inventory and start from the step base: --from base.",
    "cause.host-unreachable": "{host} does not answer on its ssh port",
    "cure.host-unreachable": "check that it is up and that its name, port and firewall are right: ssh {host} true",
    "cause.no-python": "{host} has no Python 3",
    "cure.no-python": "install it there: apt install python3.",
    "cause.disk-full": "a file system of {host} is full",
    "cure.disk-full": "look with 'df -h' on {host} and make room; an image build needs about 3 GB.",
    "cause.out-of-memory": "{host} ran out of memory",
    "cure.out-of-memory": "give it more memory or swap, and start again.",
    "cause.apt-lock": "another package manager works on {host}, or was interrupted",
    "cure.apt-lock": "wait for it (unattended-upgrades takes minutes), or repair with 'dpkg --configure -a', and start again.",
    "cause.apt-package": "a package does not exist in the package sources of {host}",
    "cure.apt-package": "check that the release is Debian 12 or 13 and that /etc/apt has its main section; run 'apt update' there.",
    "cause.apt-fetch": "{host} cannot fetch from its package mirror, or its clock is wrong",
    "cure.apt-fetch": "try 'apt update' on {host}; check mirror, proxy and the time.",
    "cause.hash-mismatch": "a download is not what its lock file says",
    "cure.hash-mismatch": "try again; if it stays so, the mirror or proxy changes files: use another one.",
    "cause.munge": "munge on {host} has another key, another time, or does not run",
    "cure.munge": "compare the clocks of the cluster's hosts, look at 'systemctl status munge', and run 'hpcampus apply --from slurm'.",
    "cause.node-down": "a compute node is not ready in Slurm",
    "cure.node-down": "look at 'sinfo -R' on the login node and at 'journalctl -u slurmd' on the node.",
    "cause.slurm-controller": "the Slurm controller does not answer",
    "cure.slurm-controller": "look at 'journalctl -u slurmctld' on the controller.",
    "cause.partition": "the job does not fit the partition",
    "cure.partition": "compare site_profiles with site_partitions and with what 'sinfo' shows.",
    "cause.fuse": "{host} cannot mount a container image",
    "cure.fuse": "check that /dev/fuse exists there and may be opened by everyone (mode 0666).",
    "cause.user-namespaces": "{host} does not let ordinary users make user namespaces",
    "cure.user-namespaces": "check 'sysctl kernel.unprivileged_userns_clone user.max_user_namespaces', and /etc/subuid and /etc/subgid.",
    "cause.port-in-use": "another program on {host} holds a port that is needed",
    "cure.port-in-use": "find it with 'ss -tlnp' on {host}; the hub needs 80 and 443 for Apache.",
    "cause.apache-config": "Apache on {host} does not accept its configuration",
    "cure.apache-config": "look at the line it names; your own lines are in /etc/apache2/hpcampus.d.",
    "cause.service-failed": "a service on {host} does not start",
    "cure.service-failed": "look at 'systemctl --failed' and 'journalctl -xe' on {host}.",
    "cause.permission": "something on {host} may not be written or run",
    "cure.permission": "check that the ssh user is root or may use sudo, and that the file system is not read-only.",
    "cause.undefined-variable": "a variable is not set",
    "cure.undefined-variable": "add it to the inventory; docs/roles.md lists all variables.",
    "cause.wrong-variable": "a variable has a value that is not allowed",
    "cure.wrong-variable": "correct it in the inventory; docs/roles.md lists types and choices.",
    "cause.check-failed": "a check of the playbook did not hold",
    "cure.check-failed": "the message above names what was expected.",
    # Verify
    "verify.title": "Prove that the platform works",
    "verify.description": "Log in, start a notebook, run a cell, tear it down.",
    "verify.ok": "The platform works.",
    "doctor.title": "Examine the platform",
    "doctor.description": "Walk every leg from the public name to a notebook's cell.",
    # Demo
    "demo.boot": "Making the containers (the first time their images are built, which takes some minutes)",
    "demo.lab-line": "  {text}",
    "demo.unchanged": "Everything is installed already; only proving that it works.",
    "demo.open": "Open       {url}  (the certificate is self-signed: the browser warns)",
    "demo.account": "  {name:<12} {password:<18} {role}",
    "demo.accounts": "Accounts",
    "demo.go-on": """Go on
  hpcampus demo shell login      then: sinfo, squeue
  hpcampus demo status           what runs
  hpcampus apply --inventory {inventory}""",
    "demo.undo": "Undo       make demo-down   (or: hpcampus demo down)",
    "demo.role.admin": "administrator of the hub",
    "demo.role.instructor": "instructor of {course}",
    "demo.role.student": "student of {course}",
    "demo.status-row": "  {name:<8} {state:<10} {address}",
    "demo.state.running": "runs",
    "demo.state.stopped": "is stopped",
    "demo.state.missing": "is missing",
    "demo.status-none": "The demo is not up.",
    "demo.status-start": "Start it with: hpcampus demo up",
    "demo.status-title": "Containers of the demo",
    "demo.down-done": "The demo is gone: containers, network, volume and its state.",
    "demo.down-kept": "Kept for the next time: {path} (base images, packages, notebook images). Delete it to free the space.",
    # Setup
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
    "section.platform": "Platform",
    "section.tls": "Certificate of the web server",
    "section.cluster": "Cluster",
    "section.admin": "First administrator",
    "section.course": "First course",
    "prompt.profile": "What shall be installed?",
    "choice.profile.single": "One server: the hub and a one-node Slurm on it",
    "choice.profile.own-cluster": "A hub, and Slurm hosts that are installed and managed from here",
    "prompt.hub_name": "Name of the hub that people type into their browser",
    "prompt.hub_connection": "How is the hub's server reached from here?",
    "choice.hub_connection.ssh": "By ssh",
    "choice.hub_connection.local": "It is this machine",
    "prompt.controller": "Slurm controller: host name",
    "prompt.login": "Login node: host name",
    "prompt.compute": "Compute nodes: host names, such as c1, c2 or node[01-20]",
    "prompt.shared_dir": "Directory that login and compute nodes share",
    "prompt.ssh_user": "User for ssh on these hosts (root, or one who may use sudo)",
    "prompt.apptainer": "Where does Apptainer come from?",
    "choice.apptainer.present": "It is installed on the hosts already",
    "choice.apptainer.deb": "Download its .deb package",
    "choice.apptainer.distribution": "From the distribution's package sources",
    "prompt.apptainer_url": "Address of the .deb package",
    "prompt.apptainer_checksum": "Its checksum, as sha256:...",
    "prompt.tls": "Which certificate shall the web server use?",
    "choice.tls.selfsigned": "A self-signed one (browsers warn)",
    "choice.tls.provided": "One that I have as files",
    "prompt.tls_certificate": "Path of the certificate (PEM, the server's first, then the chain)",
    "prompt.tls_key": "Path of its key (PEM, without passphrase)",
    "prompt.partition": "Name of the partition for notebooks",
    "prompt.image": "Name of the notebook image",
    "prompt.admin_name": "User name of the first administrator",
    "prompt.admin_password": "Password of the administrator, at least 10 characters",
    "prompt.course_slug": "Short name of the first course, used in links",
    "prompt.course_title": "Title of the course",
    "prompt.course_instructor": "User name of its instructor",
    # What is wrong with an answer
    "wrong.required": "an answer is needed",
    "wrong.type": "expected {expected}, got {value}",
    "wrong.choice": "{value} is not one of {choices}",
    "wrong.profile-demo": "the demo asks nothing: run 'hpcampus demo up'",
    "wrong.profile-remote": "the profile remote-centre is not offered yet; choose single or own-cluster",
    "wrong.url": "{value} is an address; write the name alone, such as jupyter.example.org",
    "wrong.host": "{value} is not a host name or an IPv4 address: letters, digits, hyphens and dots, no hyphen beside a dot or at the ends",
    "wrong.hosts-empty": "name at least one host, such as c1, c2 or node[01-20]",
    "wrong.hosts-range": "{value} is not a range; write it as node[01-20], the smaller number first, at most {most} hosts",
    "wrong.hosts-twice": "{value} is named twice",
    "wrong.user": "{value} is not a user name: lower case letters, digits and . _ @ + -, at most 64, a letter or a digit at both ends",
    "wrong.unix-user": "{value} is not a Unix user name: lower case letters, digits, _ and -, at most 32",
    "wrong.reserved-user": "{value} is used by the platform itself; choose another name",
    "wrong.password-short": "the password has {length} characters; at least 10 are needed",
    "wrong.password-long": "the password is longer than the 72 bytes that bcrypt can take",
    "wrong.password-control": "the password holds a control character",
    "wrong.slug": "{value} is not a short name: lower case letters, digits and hyphens, at most 32, no hyphen at the ends",
    "wrong.partition": "{value} is not a partition name: letters, digits, _ and -, a letter first, at most 32",
    "wrong.title": "a title is one line of 1 to 200 printable characters",
    "wrong.path": "{value} is not a plain absolute path, such as /srv/hpcampus",
    "wrong.file-path": "{value} is not an absolute path of a file",
    "wrong.not-a-file": "{value} is not an ordinary file",
    "wrong.certificate-key": "the file holds a private key; give the certificate alone, the server's first, then the chain",
    "wrong.certificate-first": "something else stands before the certificate; the server's certificate must be the first in the file",
    "wrong.deb-url": "{value} is not an https:// address of a package, which ends in .deb",
    "wrong.checksum": "{value} is not a checksum of the form sha256: and 64 hexadecimal digits",
    "wrong.unknown-answer": "there is no question of this name{hint}",
    "wrong.secret-here": "a password does not belong on the command line or in an answers file; use --admin-password-file",
    "expected.text": "text",
    "expected.list": "a list of host names",
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
    "inventory-unwritable": (
        "The inventory cannot be written: {path}",
        "{problem}",
        "Choose another directory with --inventory DIR, or make room. Files that were there are as before, or complete.",
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
    "runner-broke": (
        "The playbook {playbook} could not be run.",
        "{problem}",
        "Check that ansible-core and ansible-runner are installed and that the disk has room.",
    ),
    "step-failed": ("The step '{name}' failed.", "", ""),
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
    "demo-unknown-host": ("The demo has no host '{host}'.", "Its hosts are: {hosts}.", "Name one of them."),
    "internal": (
        "hpcampus itself failed: {problem}",
        "This is a defect of the program, not of your answers.",
        "The details are in {path}; report them, after looking that nothing secret is in them.",
    ),
}
