# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Make an image that holds one program, run it as an ordinary user: `python3 - USER < run-tiny-image.py`.

Fails when the container does not run, or when Apptainer unpacked the image because it could not mount it.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAM = "/usr/bin/true"


def build(scratch: Path) -> Path:
    """Put the program and its libraries into a squashfs image."""
    root = scratch / "root"
    for name in ("dev", "etc", "proc", "sys", "tmp", "var/tmp", "usr/bin"):
        (root / name).mkdir(parents=True)
    linked = subprocess.run(["ldd", PROGRAM], check=True, capture_output=True, text=True).stdout
    for name in [PROGRAM, *re.findall(r"/\S+", linked)]:
        target = root / name.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(name, target)
    for name in ("passwd", "group"):
        (root / "etc" / name).write_text("root:x:0:\n", encoding="utf-8")
    image = scratch / "tiny.sqfs"
    subprocess.run(
        ["mksquashfs", root, image, "-quiet", "-no-progress", "-all-root"], check=True, stdout=subprocess.DEVNULL
    )
    image.chmod(0o644)
    return image


def main() -> int:
    """Build and run the image; give the exit status for the shell."""
    user = sys.argv[1]
    scratch = Path(tempfile.mkdtemp(prefix="hpcampus-tiny-"))
    try:
        scratch.chmod(0o755)
        image = build(scratch)
        home = scratch / "home"
        home.mkdir()
        shutil.chown(home, user)
        done = subprocess.run(
            ["runuser", "--user", user, "--", "apptainer", "exec", "--containall", "--no-home", image, PROGRAM],
            check=False, capture_output=True, text=True, timeout=60, cwd=scratch,
            env={"HOME": str(home), "PATH": os.environ.get("PATH", "/usr/bin:/bin")},
        )  # fmt: skip
    finally:
        shutil.rmtree(scratch)
    if done.returncode != 0 or "onverting" in done.stderr:
        print(f"Apptainer as {user} ended with {done.returncode} and said:\n{done.stderr}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
