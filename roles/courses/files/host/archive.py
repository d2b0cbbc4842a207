# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Write the archive of a course into a directory, for the owner of the directory alone; the account of the course service reads it out.

Arguments: directory, account, Python and libraries of the service, its configuration, slug of the course.
"""

import os
import pwd
import subprocess
import sys
from pathlib import Path

directory, account, python, library, config, slug = sys.argv[1:]
if not Path(library, "hpcampus_courses").is_dir():
    sys.exit(f"There is no course service on this host ({library}/hpcampus_courses); run the step courses.")
owner = Path(directory).stat()
handle = os.open(Path(directory, "archive.tar"), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
os.fchown(handle, owner.st_uid, owner.st_gid)
change = [] if pwd.getpwuid(os.geteuid()).pw_name == account else ["runuser", "-u", account, "--"]
program = [python, "-m", "hpcampus_courses.archive.program", "--config", config, "--", slug]
done = subprocess.run(
    [*change, *program],
    stdout=handle,
    check=False,
    cwd="/",
    env={"PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C.UTF-8", "PYTHONPATH": library, "PYTHONDONTWRITEBYTECODE": "1"},
)
sys.exit(done.returncode)
