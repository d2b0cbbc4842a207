# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the modules `files` and `look` say of directories and files."""

from __future__ import annotations


class ModuleDocFragment:
    """The options of plugins/module_utils/wanted.py."""

    DOCUMENTATION = r"""
options:
  directories:
    description: Directories, parents before children. They are made before the files. Parents that are not named belong to root.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path.
        type: path
        required: true
      owner:
        description: Name of the owner.
        type: str
        default: root
      group:
        description: Name of the group.
        type: str
        default: root
      mode:
        description: Permissions in octal digits.
        type: str
        default: "0755"
  files:
    description: Files, whose directories must be there.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path.
        type: path
        required: true
      content:
        description: What the file holds.
        type: str
        required: true
      encoding:
        description: How the content becomes bytes; C(latin-1) makes one byte of each character, for content that is no text.
        type: str
        choices: [utf-8, latin-1]
        default: utf-8
      owner:
        description: Name of the owner.
        type: str
        default: root
      group:
        description: Name of the group.
        type: str
        default: root
      mode:
        description: Permissions in octal digits.
        type: str
        default: "0644"
      validate:
        description: Command that accepts the new file before it takes its place. C(%s) stands for its path.
        type: str
      keep:
        description: Whether the content of a file that is there stays as it is, because it belongs to the admin.
        type: bool
        default: false
"""
