# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Make the missing directories of the courses, as the account that owns them: a shared file system may not know root.

Arguments: account, base directory, "make" or "look", directories below the base. Prints each directory that was or would be made.
"""

import os
import pwd
import sys
from pathlib import Path

name, base, action, *places = sys.argv[1:]
accounts = {entry.pw_name: entry for entry in pwd.getpwall()}
if name in accounts:
    os.initgroups(name, accounts[name].pw_gid)
    os.setgid(accounts[name].pw_gid)
    os.setuid(accounts[name].pw_uid)
elif action == "make":
    sys.exit(
        f"There is no account {name!r} on this host, which courses_account names; "
        'run the entry point "account" of the role gateway first, or name the account that is there.'
    )

os.umask(0o077)
for place in places:
    directory = Path(base, place)
    if directory.is_dir():
        continue
    if action == "make":
        try:
            directory.mkdir(parents=True)
        except OSError as error:
            sys.exit(f"{name} cannot make {directory}: {error.strerror}. courses_base_dir must be that account's own.")
    sys.stdout.write(f"{directory}\n")
