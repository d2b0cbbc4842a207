# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Run the notebook of a course in an image, as the ordinary account on the build host. Standard library only.

The container has no network and sees nothing of the host but a scratch directory with a copy of the notebook and its data, which is
gone afterwards. Ends with 0 when every cell ran, with 1 when the image does not do; standard output says why.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

HOME = "/home/jovyan"
PROGRAM = "course_notebook.py"
REPORT = "report.txt"
SAID_MAX_BYTES = 4000
MARGIN_SECONDS = 60
"""For how much longer than its cells a container may take to start and to end."""


class UnfitError(Exception):
    """The notebook does not run in the image; the message says why."""


@dataclass(frozen=True)
class Container:
    """How the image is started.

    Attributes:
        apptainer: The command.
        image: The image file.
        scratch: Directory of the build host's disk that the test may fill.
    """

    apptainer: str
    image: str
    scratch: Path

    def argv(self, command: list[str]) -> list[str]:
        """Give the command line that runs a command in the image."""
        options = ["--containall", "--cleanenv", "--net", "--network", "none", "--pwd", f"{HOME}/test"]
        options += ["--home", f"{self.scratch}/home:{HOME}", "--workdir", f"{self.scratch}/work"]
        options += ["--bind", f"{Path(__file__).resolve().parent}/{PROGRAM}:/opt/hpcampus/{PROGRAM}:ro"]
        return [self.apptainer, "exec", *options, self.image, *command]


def unpack(archive: Path, scratch: Path) -> None:
    """Put the notebook and its data where the container finds them.

    Args:
        archive: Base64 text of a zip file.
        scratch: An empty directory.
    """
    packed = scratch / "test.zip"
    packed.write_bytes(base64.b64decode(archive.read_bytes()))
    for name in ("home/test", "work"):
        (scratch / name).mkdir(parents=True)
    with zipfile.ZipFile(packed) as files:
        files.extractall(scratch / "home/test")


def run(container: Container, notebook: str, seconds: int) -> None:
    """Run the notebook in the image.

    Raises:
        UnfitError: It failed, or the image cannot be started.
    """
    command = ["python3", f"/opt/hpcampus/{PROGRAM}", notebook, str(seconds), f"{HOME}/{REPORT}"]
    try:
        status, said = call(container.argv(command), seconds + MARGIN_SECONDS)
    except OSError as error:
        raise UnfitError(f"{container.apptainer} cannot be started: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise UnfitError(f"it was not done after {seconds} seconds, and then did not end") from None
    if status == 0:
        return
    report = container.scratch / "home" / REPORT
    if report.is_file() and not report.is_symlink():
        with report.open("rb") as file:
            said = file.read(SAID_MAX_BYTES)
    raise UnfitError(said.decode("utf-8", "replace").strip() or f"it ended with status {status} and said nothing")


def call(argv: list[str], seconds: float) -> tuple[int, bytes]:
    """Run a command, with nothing to read, and keep the end of what it says.

    Returns:
        Its status, and at most so many bytes of both its outputs.

    Raises:
        OSError: It cannot be started.
        subprocess.TimeoutExpired: It was ended.
    """
    process = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",
        start_new_session=True,
    )
    said = bytearray()
    reader = threading.Thread(target=_keep_end, args=(process.stdout, said), daemon=True)
    reader.start()
    try:
        status = process.wait(seconds)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    reader.join(5)
    return status, bytes(said)


def _keep_end(pipe: IO[bytes], said: bytearray) -> None:
    while data := os.read(pipe.fileno(), 65536):
        said += data
        del said[:-SAID_MAX_BYTES]


def main() -> int:
    """Parse the command line and run the test."""
    parser = argparse.ArgumentParser(description="Run the notebook of a course in an image.")
    parser.add_argument("--image", required=True, help="the image file")
    parser.add_argument("--apptainer", default="/usr/bin/apptainer")
    parser.add_argument("--archive", type=Path, required=True, help="notebook and data, a zip file in base64")
    parser.add_argument("--notebook", required=True, help="name of the notebook in the archive")
    parser.add_argument("--timeout-seconds", type=int, default=300, help="limit for all cells together")
    options = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="hpcampus-test-"))
    try:
        unpack(options.archive, scratch)
        run(Container(options.apptainer, options.image, scratch), options.notebook, options.timeout_seconds)
    except UnfitError as error:
        print(error)
        return 1
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
