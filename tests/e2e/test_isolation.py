# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Two students share the cluster's account; neither sees the other, and nobody sees a secret."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.e2e.conftest import COMPUTE
from tests.e2e.node_ports import one_for_each_job, ports_of_jobs
from tests.e2e.notebook import LISTENERS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.e2e.conftest import Platform
    from tests.e2e.notebook import Notebook

# The test that needs a server not yet started comes first.
pytestmark = pytest.mark.asyncio(loop_scope="module")

MARK = "only-student1-may-read-this"
TOKEN = "import os; print(os.environ['JUPYTERHUB_API_TOKEN'])"
# Everything a process of the student can read of files, processes and sockets, searched for a text.
SEARCH = """
import json, os, pathlib
found, seen = [], 0
for root in ("/home", "/tmp", "/var/tmp", "/dev/shm", "/run", "/srv", "/shared", "/mnt", "/media", "/opt/hpcampus", "/course"):
    for where, _, names in os.walk(root, followlinks=True):
        for name in names:
            path = pathlib.Path(where, name)
            seen += 1
            try:
                if path.is_file() and path.stat().st_size < 1e6 and {needle!r} in path.read_text(errors="replace"):
                    found.append(str(path))
            except OSError:
                pass
others = []
for entry in pathlib.Path("/proc").iterdir():
    if entry.name.isdigit():
        try:
            others.append((entry / "cmdline").read_text().replace("\\0", " ") + (entry / "environ").read_text(errors="replace"))
        except OSError:
            pass
print(json.dumps({{"found": found, "seen": seen, "processes": len(others), "in_processes": sum({needle!r} in text for text in others)}}))
"""


async def test_no_secret_in_arguments_scripts_and_logs(platform: Platform):
    """Sample every argument list on every host while a server starts; then search scripts, logs and state."""
    notebook = platform.notebook("student1")
    sampling = True
    seen: set[str] = set()

    async def sample() -> None:
        while sampling:
            for host in ("campus", "login", *COMPUTE):
                text = await asyncio.to_thread(
                    platform.on, host, "sh", "-c", "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'", good=(0, 1)
                )
                seen.update(text.splitlines())
            await asyncio.sleep(0.05)

    try:
        await notebook.login()
        task = asyncio.create_task(sample())
        await notebook.start()
        token = (await notebook.cell(TOKEN)).strip()
        sampling = False
        await task
        assert any("jupyter" in line for line in seen), "the sample must have seen the server"
        assert len(token) >= 32
        assert not [line for line in seen if token in line or "PRIVATE KEY" in line or "-cert-v01" in line]
        script = platform.on(
            "login",
            "sh",
            "-c",
            "cat /var/spool/slurmctld/hash.*/job.*/script /var/lib/slurm/slurmctld/hash.*/job.*/script 2>/dev/null",
            good=(0, 1),
        )
        assert "spawn" in script.lower(), "the batch script must be there to be searched"
        places = "/var/log /var/spool/slurmctld /var/spool/slurmd /var/lib/slurm /shared/hpcampus/log /shared/hpcampus/spawns /tmp"
        for host in ("campus", "login", *COMPUTE):
            existing = [
                place for place in places.split() if platform.lab.exec(host, ["test", "-e", place]).returncode == 0
            ]
            # The server's own runtime files lie in the job's private directory, which goes with the job.
            private = "--exclude-dir=hpcampus-*"
            journal = platform.on(host, "journalctl", "--no-pager", "--since", "-10min")
            for secret in (token, "OPENSSH PRIVATE KEY"):
                hits = platform.on(host, "grep", "-rlF", private, "--", secret, *existing, good=(0, 1, 2))
                assert hits == "", f"{host}: {hits}"
                assert secret not in journal
    finally:
        sampling = False
        await notebook.close()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def pair(platform: Platform) -> AsyncIterator[tuple[Notebook, Notebook]]:
    """Two students with a server each, on the same node."""
    async with platform.neighbours() as servers:
        yield servers


async def test_neither_files_nor_processes_nor_sockets_nor_tokens(pair: tuple[Notebook, Notebook]):
    first, second = pair
    assert await first.node() == await second.node() == COMPUTE[0]
    await first.cell(
        "import pathlib, subprocess, sys\n"
        "for path in ('mine.txt', '/tmp/mine.txt', '/var/tmp/mine.txt', '/dev/shm/mine.txt'):\n"
        f"    pathlib.Path(path).write_text({MARK!r})\n"
        f"subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(90)', {MARK!r}], start_new_session=True)"
    )
    mine = await first.json_cell(SEARCH.format(needle=MARK))
    assert len(mine["found"]) >= 4
    assert mine["in_processes"] >= 1, "the search must be able to find what is there"
    theirs = await second.json_cell(SEARCH.format(needle=MARK))
    assert (theirs["found"], theirs["in_processes"]) == ([], 0)
    assert theirs["seen"] > 0
    token = await first.cell(TOKEN)
    stolen = await second.json_cell(SEARCH.format(needle=token))
    assert (stolen["found"], stolen["in_processes"]) == ([], 0)


async def test_no_keys_no_munge_no_slurm_in_the_container(pair: tuple[Notebook, Notebook]):
    found = await pair[0].json_cell(
        "import json, os, shutil\n"
        "print(json.dumps([path for path in ('/run/munge', '/etc/munge', '/etc/slurm', '/shared', '/run/slurm', '/root/.ssh',"
        " os.path.expanduser('~/.ssh')) if os.path.exists(path)]"
        " + [name for name in ('sbatch', 'squeue', 'scontrol', 'ssh') if shutil.which(name)]))"
    )
    assert found == []


async def test_the_hub_gives_a_notebook_its_own_and_nothing_else(pair: tuple[Notebook, Notebook]):
    code = """
import json, os, urllib.request, urllib.error
api, token = os.environ['JUPYTERHUB_API_URL'], os.environ['JUPYTERHUB_API_TOKEN']
def ask(method, path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    headers = {'Authorization': 'token ' + token, 'Content-Type': 'application/json'}
    request = urllib.request.Request(api + path, data, headers, method=method)
    try:
        return urllib.request.urlopen(request, timeout=20).status
    except urllib.error.HTTPError as error:
        return error.code
print(json.dumps({f'{m} {p}': ask(m, p, b) for m, p, b in [
    ('GET', '/user', None),
    ('POST', '/users/student1/activity', {'last_activity': '2030-01-01T00:00:00Z'}),
    ('GET', '/users', None),
    ('GET', '/users/student2', None),
    ('GET', '/users/admin', None),
    ('DELETE', '/users/student2/server', None),
    ('POST', '/users/student2/server', {}),
    ('POST', '/users/student2/tokens', {}),
    ('PATCH', '/users/student1', {'admin': True}),
    ('POST', '/users/evil', None),
    ('GET', '/proxy', None),
    ('POST', '/shutdown', {}),
    ('POST', '/batchspawner', {'port': 22}),
    ('GET', '/batchspawner', None),
]}))
"""
    found = await pair[0].json_cell(code)
    own = {"GET /user", "POST /users/student1/activity"}
    assert {path for path, status in found.items() if status in {200, 201, 202, 204}} <= own, found
    assert found["GET /user"] == 200
    assert found["POST /batchspawner"] == found["GET /batchspawner"] == 404, "this endpoint is not registered"


async def test_one_student_cannot_open_the_server_of_another(pair: tuple[Notebook, Notebook]):
    first, second = pair
    for path in ("/user/student2/api/contents", "/user/student2/api/kernels", "/user/student2/lab"):
        answer = await first.ask("GET", path)
        assert answer.code in {302, 403, 404}, (path, answer.code)
        assert "/hub/" in answer.headers.get("Location", "/hub/")
    own = await second.ask("GET", "/user/student2/api/kernels")
    assert own.code == 200
    token = (await first.cell(TOKEN)).strip()
    answer = await second.ask("GET", "/user/student1/api/kernels")
    assert answer.code in {302, 403}
    assert token not in (answer.body or b"").decode(errors="replace")


async def test_no_port_on_the_node_but_that_of_each_jobs_way_to_the_hub(
    platform: Platform, pair: tuple[Notebook, Notebook]
):
    """The node's view. All jobs share its network, so that a port of one is open to all."""
    async with pair[0].kernel() as kernel:
        assert await kernel.cell("print(1)") == "1"
        listening = platform.on(COMPUTE[0], "ss", "-Hltnp")
        assert "jupyter" not in listening
        for line in listening.splitlines():
            if "python" in line or 'ssh"' in line:
                assert line.split()[3].startswith("127.0.0.1:"), line
        found = ports_of_jobs(platform, COMPUTE[0])
        assert one_for_each_job(platform, found, "student1", "student2"), found


async def test_no_process_of_a_notebook_listens_unless_its_student_wants_it(pair: tuple[Notebook, Notebook]):
    first, _ = pair
    async with first.kernel() as kernel:
        assert json.loads(await kernel.cell(LISTENERS))[0] == []
        # What a debugger begins with; a kernel that has one listens from then on.
        for command in ("initialize", "attach"):
            answer = await kernel.debug(command, clientID="test", adapterID="", pathFormat="path", linesStartAt1=True)
            assert not (answer or {}).get("success"), answer
        said = await kernel.cell(
            "import os\nif not os.fork():\n    print('from a fork', flush=True)\n    os._exit(0)\nos.wait()[1]"
        )
        assert "from a fork" in said, "the output of forks must find its way without a port"
        assert json.loads(await kernel.cell(LISTENERS))[0] == []
        await kernel.cell("import socket\non_purpose = socket.create_server(('127.0.0.1', 0))")
        assert len(json.loads(await kernel.cell(LISTENERS))[0]) == 1, "the search must be able to find a port"


async def test_no_notebook_that_a_cell_executes_listens(pair: tuple[Notebook, Notebook]):
    """By nbclient, which reads no configuration, and by nbconvert, from another directory than the notebook's."""
    book = (
        "import nbclient, nbformat, pathlib, subprocess\n"
        f"book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell({LISTENERS!r})])\n"
        "pathlib.Path('below').mkdir(exist_ok=True)\n"
        "nbformat.write(book, 'below/book.ipynb')\n"
    )
    by_nbclient = "nbclient.NotebookClient(book, timeout=60).execute()\n"
    by_nbconvert = (
        "argv = 'timeout 60 jupyter nbconvert --execute --to notebook --stdout below/book.ipynb'.split()\n"
        "done = subprocess.run(argv, capture_output=True, text=True)\n"
        "assert done.returncode == 0, done.stderr\n"
        "book = nbformat.reads(done.stdout, 4)\n"
    )
    show = "print(''.join(output.text for output in book.cells[0].outputs if output.name == 'stdout'))"
    for way in (by_nbclient, by_nbconvert):
        listening, kernels = await pair[0].json_cell(book + way + show)
        assert listening == []
        assert len(kernels) == 2, "the kernel of the cell and the one it started"


async def test_neighbours_cannot_signal_each_other(pair: tuple[Notebook, Notebook]):
    """The last one, since it ends whatever it can reach: all that the second student has."""
    first, second = pair
    await second.cell(
        "import contextlib, glob, os, signal\n"
        "own = {int(path.split('/')[-1]) for path in glob.glob('/proc/[0-9]*/task/*')}\n"
        "for pid in set(range(1, 65536)) - own:\n"
        "    with contextlib.suppress(ProcessLookupError, PermissionError):\n"
        "        os.kill(pid, signal.SIGKILL)\n"
    )
    assert await first.cell("print('alive')") == "alive"
