# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What `ansible-doc` says of directories and files is what the modules take."""

import sys

import yaml
from ansible.plugins.loader import action_loader, init_plugin_loader

from plugins.doc_fragments.wanted import ModuleDocFragment
from plugins.module_utils.wanted import argument_spec


def test_the_documented_options_are_those_that_are_taken():
    init_plugin_loader()
    action = sys.modules[action_loader.get("hpcampus.platform.account_files", class_only=True).__module__]
    assert action.argument_spec(yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]) == argument_spec()
