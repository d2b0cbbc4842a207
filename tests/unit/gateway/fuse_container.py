# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What Apptainer does with a folder, without Apptainer: ``fuse_container.py DIR CODE``, in a user and mount namespace of its own.

Mounts a file system at ``DIR/home/cloud``, starts the program with the open device as descriptor 3 and ``/dev/fd/3 -f``, runs CODE
in a process beside it as the notebook server (``HOME`` is the home), and ends as ``start.py`` does.
"""

import ctypes
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from tests.unit.gateway.loading import FILES, load

PROGRAM = """
import sys
sys.path.insert(0, {files!r})
import webdav
webdav.PIPE, webdav.CERTIFICATES = {base!r} + "/s/webdav", {base!r} + "/s/ca-certificates.crt"
webdav.HOME, webdav.CACHE, webdav.PID_FILE = {base!r} + "/home", {base!r} + "/cache", {base!r} + "/cache/pid"
plain = webdav.environment
webdav.environment = lambda: {{**plain(), "PATH": {path!r}}}
sys.exit(webdav.main(sys.argv))
"""


def run(base: Path, code: str) -> int:
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}".encode()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"fuse", bytes(base / "home/cloud"), b"fuse", 6, options):
        raise OSError(ctypes.get_errno(), "mount")
    os.dup2(device, 3)
    text = PROGRAM.format(files=str(FILES), base=str(base), path=os.environ["PATH"])
    program = subprocess.Popen([sys.executable, "-c", text, "cloud", "/dev/fd/3", "-f"], pass_fds=(3,))
    os.closerange(3, device + 1)
    # As the container's first process does: start.py waits until the program is gone.
    reaper = threading.Thread(target=program.wait)
    reaper.start()
    subprocess.run([sys.executable, "-c", code], cwd=base / "home", check=False, timeout=60)
    start: Any = load("start")
    start.FOLDER_PID_FILE = str(base / "cache/pid")
    start.end_folder()
    reaper.join(40)
    return program.wait(0)


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), sys.argv[2]))
