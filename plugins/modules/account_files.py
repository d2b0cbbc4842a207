# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What `ansible-doc` says of the action of the same name; the action does the work."""

DOCUMENTATION = r"""
module: account_files
short_description: Bring a plain account on somebody else's host into a wanted state
version_added: "0.1.0"
description:
  - Makes directories, writes files and keeps one marked kind of line in C(~/.ssh/authorized_keys), as the account that Ansible
    logs in as. It takes no privilege; with C(become) it fails.
  - Needs Python 3.6 on the host, which is older than what Ansible's modules run on. One small program goes through the
    connection and is not stored there.
  - Writes below O(root) and into C(~/.ssh) only. A symbolic link on the way is refused, and so is a directory that belongs to
    somebody else. Files are replaced by renaming; an interrupted run is mended by the next one.
options:
  root:
    description: Absolute path of the directory that everything lies in. It is made, closed to others, if the one above is there.
    type: str
    required: true
  state:
    description: With V(absent) the key, the files and the directories that are empty then are removed. Everything else stays.
    type: str
    choices: [present, absent]
    default: present
  python:
    description: Absolute path of a Python on the host.
    type: str
    default: /usr/bin/python3
  directories:
    description: Directories below the root, parents before children; an empty path is the root itself.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Path below the root.
        type: str
        required: true
      mode:
        description: Permissions in octal digits.
        type: str
        default: "0700"
  files:
    description: Files below the root, whose directories are among the wanted ones.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Path below the root.
        type: str
        required: true
      content:
        description: What the file holds.
        type: str
        required: true
      mode:
        description: Permissions in octal digits.
        type: str
        default: "0600"
  exclusive:
    description: Directories below the root in which no file stays that is not wanted, such as a module of an older version.
    type: list
    elements: str
    default: []
  key_mark:
    description: Last word of our lines in C(authorized_keys), by which they are known again. Empty leaves the keys alone.
    type: str
    default: ""
  key_command:
    description: The one command that the keys may run.
    type: str
    default: ""
  key_from:
    description: Addresses or networks that the keys may be used from; empty sets no limit.
    type: list
    elements: str
    default: []
  keys:
    description: Public keys. With a mark, an empty list removes our lines.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    support: full
    description: Tells what would change.
  diff_mode:
    support: full
    description: Shows what changes in each file; of the keys our own lines only.
author: hpcampus contributors
"""

EXAMPLES = r"""
- name: Install a program into an account and let a key run it
  hpcampus.platform.account_files:
    root: /project/p123/hpcampus
    directories:
      - path: ""
      - path: lib
    files:
      - path: lib/program.py
        content: "{{ lookup('ansible.builtin.file', 'program.py', rstrip=false) }}"
    key_mark: hpcampus:hub
    key_command: /usr/bin/python3 -I /project/p123/hpcampus/lib/program.py
    keys: ["ssh-ed25519 AAAA..."]
  become: false
"""

RETURN = r"""
paths:
  description: What was changed, in order.
  returned: always
  type: list
  elements: str
  sample: [/project/p123/hpcampus/lib/program.py]
"""
