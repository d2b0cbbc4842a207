# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Make the hub's secrets, each once, on the host itself: none is ever an argument, an answer or on another machine.

Arguments: the directory, and the name of the group that may read it.
"""

import contextlib
import grp
import os
import secrets
import sys
from pathlib import Path

directory, group = Path(sys.argv[1]), grp.getgrnam(sys.argv[2]).gr_gid
made = {"proxy.env": "CONFIGPROXY_AUTH_TOKEN=", "cookie_secret": "", "crypt_key": "", "courses_token": ""}
for name, prefix in made.items():
    with contextlib.suppress(FileExistsError):
        # Written beside its place and linked there, so that an interruption never leaves an empty secret.
        new = directory / f".{name}.new"
        new.unlink(missing_ok=True)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{prefix}{secrets.token_hex(32)}\n")
            os.fchown(file.fileno(), 0, group)
            os.fchmod(file.fileno(), 0o640)
        try:
            os.link(new, directory / name)
        finally:
            new.unlink()
