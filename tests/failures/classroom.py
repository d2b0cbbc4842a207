# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A course in the midst of its work: two students hand in, its server collects and grades, while something breaks."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hpcampus_hub.probe import ProbeError
from tests.e2e.conftest import COMPUTE
from tests.e2e.teaching import COURSE, OWNER, ask_service, new_assignment, release, run, solve, write_assignment
from tests.e2e.waiting import until
from tests.failures.stage import Placement

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.e2e.conftest import Platform
    from tests.e2e.notebook import Notebook

STUDENTS = ("student1", "student2")
HOME, ELSEWHERE = COMPUTE
"""The nodes: where the course's server runs, and where student1's does."""
SHARED = "/shared/hpcampus"
COURSE_FOLDER = f"{SHARED}/courses/{COURSE}/course"
"""What the course's server has as /course, as the hosts of the cluster see it."""
BIG_BYTES = 95_000_000
SLOW_SECONDS = 10
SLOW = f"import time\ntime.sleep({SLOW_SECONDS})\ndef half(x):\n    return x / 2"
OPERATION_SECONDS = 240
# Runs a command that goes on when nobody is connected any more, and writes what came of it in one piece.
BEGIN = """
import subprocess, sys
program = '''
import json, os, subprocess
done = subprocess.run({argv!r}, cwd={where!r}, capture_output=True, text=True)
with open({told!r} + ".part", "w") as sink:
    json.dump([done.returncode, done.stdout + done.stderr], sink)
os.replace({told!r} + ".part", {told!r})
'''
quiet = subprocess.DEVNULL
subprocess.Popen([sys.executable, "-c", program], start_new_session=True, stdin=quiet, stdout=quiet, stderr=quiet)
"""
TOLD = """
import pathlib
told = pathlib.Path({told!r})
print(told.read_text() if told.exists() else "null")
"""
FILL = """
import hashlib, pathlib, random
content = random.randbytes({size})
path = next(path for path in (pathlib.Path({assignment!r}), pathlib.Path({course!r}, {assignment!r})) if path.is_dir())
(path / "data.bin").write_bytes(content)
print(hashlib.sha256(content).hexdigest())
"""
DIGEST = """
import hashlib, pathlib
print(hashlib.sha256(pathlib.Path({path!r}).read_bytes()).hexdigest())
"""


@dataclass(frozen=True)
class Operation:
    """A command that runs in somebody's server.

    Attributes:
        argv: The command.
        where: Directory that it runs in.
        told: File that says what came of it, when it has ended.
        seen: The same file, as the hosts of the cluster see it.
    """

    argv: tuple[str, ...]
    where: str
    told: str
    seen: str


class Classroom:
    """People of one course with their servers.

    Args:
        platform: The platform.

    Attributes:
        big: An assignment with much data.
        slow: An assignment that takes its time to grade.
        handed_in: SHA-256 of the data that each student handed in last.
    """

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.big, self.slow = new_assignment(), new_assignment()
        self.course = platform.notebook("instructor", owner=OWNER)
        self.students = {name: platform.notebook(name) for name in STUDENTS}
        self.handed_in: dict[str, str] = {}
        self._placement = Placement(platform)

    # --- who is there

    async def open(self) -> None:
        """Start the servers and hand out two assignments: one with much data, one that takes its time to grade."""
        for notebook in (self.course, *self.students.values()):
            await notebook.login()
        await self.be_there()
        for assignment in (self.big, self.slow):
            await write_assignment(self.course, assignment)
            await release(self.course, assignment)
        for name, notebook in self.students.items():
            for assignment in (self.big, self.slow):
                await run(notebook, f"nbgrader fetch_assignment {assignment}")
            await solve(notebook, self.slow, {"half": SLOW})
            await run(notebook, f"nbgrader submit {self.slow}")
            self.handed_in[name] = await self.submit(name)
        await run(self.course, f"nbgrader collect {self.slow}", where="/course")

    async def be_there(self) -> None:
        """Start every server that does not run, or runs where nobody reaches it."""
        places = {self.course: HOME, self.students["student1"]: ELSEWHERE, self.students["student2"]: HOME}
        for notebook, node in places.items():
            if await notebook.has_server() and not await notebook.answers():
                await notebook.stop()
            if not await notebook.has_server():
                async with self._placement.on(node):
                    await notebook.start(**({} if notebook is self.course else {"course": COURSE, "profile": "small"}))

    async def close(self) -> None:
        """Stop the servers."""
        await self._placement.offer(*COMPUTE)
        async with AsyncExitStack() as stack:
            for notebook in (self.course, *self.students.values()):
                stack.push_async_callback(notebook.close)

    # --- hosts

    async def on(self, host: str, *argv: str, good: tuple[int, ...] = (0,)) -> str:
        """Run a command as root on a host."""
        return await asyncio.to_thread(self.platform.on, host, *argv, good=good)

    async def when(self, host: str, test: str) -> None:
        """Wait, at most a minute, until a test of the shell holds on a host."""
        await self.on(
            host, "sh", "-c", f"for try in $(seq 3000); do if {test}; then exit; fi; sleep 0.02; done; exit 1"
        )

    @contextlib.asynccontextmanager
    async def tasks_on(self, node: str) -> AsyncIterator[None]:
        """Let tasks run on one node alone."""
        async with self._placement.on(node):
            yield

    @contextlib.asynccontextmanager
    async def held_when(self, test: str) -> AsyncIterator[None]:
        """Let the course service stand still, with every transfer, once a test holds that knows its process as $pid.

        A transfer may take less time than a look at it. So the looks begin before the block does, and between two of them
        the service gets a moment only. When the block has ended, the service stands still.
        """
        shown = await self.on("campus", "systemctl", "show", "--property", "MainPID", "--value", "hpcampus-courses")
        look = f"kill -STOP $pid; if {test}; then exit; fi; kill -CONT $pid; sleep 0.02"
        program = f"pid={shown.strip()}; for try in $(seq 3000); do {look}; done; exit 1"
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.on("campus", "sh", "-c", program))
            yield

    async def go_on(self) -> None:
        """Let the course service go on; one that was killed and is not back yet has no process."""
        await self.on("campus", "systemctl", "kill", "--signal", "CONT", "hpcampus-courses", good=(0, 1))

    # --- what they do

    async def fill(self, student: str) -> str:
        """Put new data into a student's assignment; gives its SHA-256."""
        return await self.students[student].cell(FILL.format(size=BIG_BYTES, assignment=self.big, course=COURSE))

    async def submit(self, student: str) -> str:
        """Hand in new data; gives its SHA-256."""
        digest = await self.fill(student)
        await run(self.students[student], f"nbgrader submit {self.big}")
        return digest

    async def begin(self, notebook: Notebook, *argv: str, where: str) -> Operation:
        """Begin a command."""
        name = f".told-{secrets.token_hex(8)}"
        folder = COURSE_FOLDER if notebook is self.course else f"{SHARED}/users/{notebook.user}/home"
        operation = Operation(argv, where, f"{where}/{name}", f"{folder}/{name}")
        await notebook.cell(BEGIN.format(argv=list(argv), where=where, told=operation.told))
        return operation

    async def told(self, notebook: Notebook, operation: Operation) -> tuple[int, str] | None:
        """Give status and output of a command that has ended, None before that."""
        found = await notebook.json_cell(TOLD.format(told=operation.told))
        return (found[0], found[1]) if found else None

    async def finish(self, notebook: Notebook, operation: Operation) -> tuple[bool, str]:
        """Wait for a command, and do what a person does when it failed or its server is gone: run it again.

        Returns:
            Whether it had to be run again, and what it said first.
        """
        said = "the server is gone"
        deadline = time.monotonic() + OPERATION_SECONDS
        while await self.survived(notebook):
            with contextlib.suppress(ProbeError, TimeoutError):
                async with asyncio.timeout(20):
                    if found := await self.told(notebook, operation):
                        assert not await self.lasts(operation)
                        if found[0] == 0:
                            return False, found[1]
                        said = found[1]
                        break
            assert time.monotonic() < deadline, f"{operation.argv} does not end"
            await asyncio.sleep(0.5)
        await until("every server is there again", self._all_there, 120)
        await run(notebook, " ".join(operation.argv), where=operation.where)
        return True, said

    async def survived(self, notebook: Notebook) -> bool:
        """Tell whether a server runs, while the hub may be away."""
        alive = True

        async def asked() -> bool:
            nonlocal alive
            alive = await notebook.has_server()
            return True

        await until("the hub answers", asked, 120)
        return alive

    async def _all_there(self) -> bool:
        async with asyncio.timeout(100):
            await self.be_there()
        return True

    async def lasts(self, operation: Operation) -> bool:
        """Tell whether a command has not ended, also where its server cannot be reached."""
        return not await self.on("login", "find", operation.seen, good=(0, 1))

    async def home(self, notebook: Notebook) -> str:
        """Give the home directory in a server."""
        return await notebook.cell("import pathlib; print(pathlib.Path.home())")

    # --- what is true afterwards

    async def content(self, submission: str) -> str:
        """Give the SHA-256 of the data in a submission, as the service has it."""
        return await self.course.cell(
            "import hashlib, tarfile, tempfile\n"
            "from hpcampus_nbgrader.exchange.service import own_service\n"
            "with tempfile.TemporaryFile() as file, own_service() as service:\n"
            f"    service.download('courses', {COURSE!r}, 'submissions', {submission!r}, 'content', target=file, size_max=1 << 28)\n"
            "    file.seek(0)\n"
            "    with tarfile.open(fileobj=file, mode='r:') as archive:\n"
            "        data = next(one for one in archive if one.name.endswith('data.bin'))\n"
            "        print(hashlib.sha256(archive.extractfile(data).read()).hexdigest())"
        )

    async def submissions(self, student: str) -> list[dict[str, Any]]:
        """List what a student has handed in of the big assignment, oldest first."""
        path = f"courses/{COURSE}/submissions?assignment={self.big}&student={student}"
        status, answer = await ask_service(self.course, path)
        assert status == 200, answer
        return sorted(answer["submissions"], key=lambda one: str(one["time"]))

    async def forget_collected(self) -> None:
        """Remove what was collected of the big assignment; the service keeps what was handed in."""
        await self.course.cell(
            f"import pathlib, shutil\nfor path in pathlib.Path('/course/submitted').glob('*/{self.big}'):\n    shutil.rmtree(path)"
        )

    async def collected(self, student: str) -> str:
        """Give the SHA-256 of the data that is collected of a student."""
        return await self.course.cell(DIGEST.format(path=f"/course/submitted/{student}/{self.big}/data.bin"))

    async def scores(self) -> dict[str, float]:
        """Give the points of the slow assignment by student, as the gradebook has them; nobody may be in it twice."""
        found: list[tuple[str, float]] = await self.course.json_cell(
            "import json\n"
            "from nbgrader.api import Gradebook\n"
            "with Gradebook('sqlite:////course/gradebook.db') as book:\n"
            f"    print(json.dumps([[one.student.id, one.score] for one in book.assignment_submissions({self.slow!r})]))"
        )
        assert len(found) == len(dict(found)), found
        return dict(found)
