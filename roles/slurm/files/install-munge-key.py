# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Write /etc/munge/munge.key from the base64 on standard input, by rename, readable by munge alone; munge is stopped."""

import base64
import os
import shutil
import subprocess
import sys
from pathlib import Path

target = Path("/etc/munge/munge.key")
draft = target.with_name(".munge.key.new")
key = base64.b64decode(sys.stdin.read(), validate=False)
descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o400)
with os.fdopen(descriptor, "wb") as file:
    file.write(key)
    file.flush()
    os.fsync(file.fileno())
shutil.chown(draft, "munge", "munge")
subprocess.run(["systemctl", "stop", "munge"], check=True)
draft.rename(target)
