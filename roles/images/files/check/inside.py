# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Checks that run inside a freshly built image, as the ordinary account, before the image is published.

Usage: inside.py packages | notebook | own-packages | extensions student|course | assignment PATH | answer PATH | autograde
| score STUDENT
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import site
import socket
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbclient
import nbformat

if TYPE_CHECKING:
    from collections.abc import Callable

IMPORTS = (
    "jupyterhub", "jupyterlab", "notebook", "nbgrader", "nbgitpuller", "ipykernel", "numpy", "scipy", "pandas",
    "matplotlib.pyplot", "sklearn", "hpcampus_nbgrader.exchange", "hpcampus_nbgrader.similarity.compare",
)  # fmt: skip
UNWANTED = {
    "rfc3987_syntax": "it doubles the start time of a server",
    "lark": "it doubles the start time of a server",
    "debugpy": "it makes a kernel listen on a TCP port without a password",
}
ANSWER = "hpcampus-image-check 55"
FORK = "hpcampus-image-fork"
OWN = "hpcampus_image_own"


def packages() -> None:
    """Import what users were promised; the packages that slow a server down or open a port must be gone."""
    for name in IMPORTS:
        importlib.import_module(name)
    for name, reason in UNWANTED.items():
        if importlib.util.find_spec(name) is not None:
            sys.exit(f"{name} is in the image: {reason}, and must be removed.")


def listeners() -> list[str]:
    """Give the command line of each process in this container that listens on TCP."""
    tables = [Path("/proc/net", name).read_text(encoding="ascii").splitlines()[1:] for name in ("tcp", "tcp6")]
    listening = {f"socket:[{line.split()[9]}]" for table in tables for line in table if line.split()[3] == "0A"}
    found = []
    for handle in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(handle.readlink()) in listening:
                found.append((handle.parents[1] / "cmdline").read_text(encoding="utf-8").replace("\0", " ").strip())
        except OSError:  # ended meanwhile
            continue
    return found


def notebook() -> None:
    """Execute a notebook with a real kernel, which must show what its forks print and listen on no TCP port."""
    code = (
        "import matplotlib; matplotlib.use('agg')\n"
        "import numpy, pandas, matplotlib.pyplot, sklearn.linear_model\n"
        "frame = pandas.DataFrame({'x': numpy.arange(11)})\n"
        "frame.plot()\n"
        "print('hpcampus-image-check', frame['x'].sum(), flush=True)\n"
        "import os\n"
        "if not os.fork():\n"
        "    print('hpcampus-image-fork', flush=True)\n"
        "    os._exit(0)\n"
        "os.wait()"
    )
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    with socket.create_server(("127.0.0.1", 0)):
        if len(listeners()) != 1:
            sys.exit("This check cannot see who listens on TCP.")
    client = nbclient.NotebookClient(book, timeout=300, kernel_name="python3")
    with client.setup_kernel():
        client.execute_cell(book.cells[0], 0)
        if found := listeners():
            sys.exit(f"These processes of a notebook listen on TCP: {found}")
    text = "".join(output.get("text", "") for output in book.cells[0].outputs)
    if ANSWER not in text or FORK not in text:
        sys.exit(f"The notebook printed {text!r} instead of {ANSWER!r} and {FORK!r}.")


def wheel(version: str) -> str:
    """Write a package of one line, which must not come from any index, and give its path."""
    path, record = Path(f"/tmp/{OWN}-{version}-py3-none-any.whl"), f"{OWN}-{version}.dist-info"  # noqa: S108
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{OWN}.py", f"version = {version!r}\n")
        archive.writestr(f"{record}/METADATA", f"Metadata-Version: 2.1\nName: {OWN}\nVersion: {version}\n")
        archive.writestr(f"{record}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{record}/RECORD", f"{OWN}.py,,\n{record}/METADATA,,\n{record}/WHEEL,,\n{record}/RECORD,,\n")
    return str(path)


def own_packages() -> None:
    """Install, renew and remove a package as people do: kernels must see it, the server's Python must not."""
    Path(site.getusersitepackages()).mkdir(parents=True, exist_ok=True)  # as the start module of a job does
    pip = "%pip install --quiet --no-index "
    cells = [
        pip + wheel("1"),
        f"import {OWN}; print({OWN}.version, {OWN}.__file__)",
        pip + wheel("2"),
        f"import importlib.metadata; print(importlib.metadata.version('{OWN}'))",
        f"%pip uninstall --quiet --yes {OWN}",
        f"import os; print(os.path.exists({OWN}.__file__))",
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    client = nbclient.NotebookClient(book, timeout=300, kernel_name="python3")
    with client.setup_kernel():
        for index in range(2):
            client.execute_cell(book.cells[index], index)
        hidden = subprocess.run([sys.executable, "-s", "-c", f"import {OWN}"], check=False, capture_output=True)
        for index in range(2, len(cells)):
            client.execute_cell(book.cells[index], index)
    said = ["".join(output.get("text", "") for output in cell.outputs).strip() for cell in book.cells[1::2]]
    if not said[0].startswith("1 " + os.environ["PYTHONUSERBASE"]) or said[1:] != ["2", "False"]:
        sys.exit(f"A kernel said of a package that was installed, renewed and removed: {said}.")
    if hidden.returncode == 0:
        sys.exit("The server's own Python sees a person's packages.")


def extensions(role: str) -> None:
    """Load a server's extensions as a job does and compare them with what a server of this role must offer."""
    server = importlib.import_module("jupyter_server.serverapp").ServerApp(log_level="ERROR")
    server.initialize(["--ServerApp.sock=/home/jovyan/check.sock", "--no-browser"], find_extensions=True)
    get_page_config = importlib.import_module("jupyterlab_server.config").get_page_config
    known = server.extension_manager.extensions
    loaded = sorted(name for name, package in known.items() if package.enabled)
    hidden = get_page_config(["/usr/local/share/jupyter/labextensions"])["disabledExtensions"]
    wanted = {
        "nbgitpuller": True,
        "jupyterlab": True,
        "hpcampus_nbgrader.formgrader": role == "course",
        "nbgrader.server_extensions.formgrader": False,
        "hpcampus_nbgrader.assignment_list": role == "student",
        "nbgrader.server_extensions.assignment_list": False,
    }
    wrong = [name for name, on in wanted.items() if (name in loaded) is not on]
    if wrong:
        sys.exit(f"Server extensions {wrong} are not as a {role}'s server needs them; it loads {loaded}.")
    moves = importlib.import_module("nbgitpuller.handlers").GitPuller.rename_local_untracked
    if moves.__module__ != "hpcampus_nbgrader.pulling":
        sys.exit(f"Links bring repositories as {moves.__module__} does, which may write over a student's files.")
    if ("@jupyter/nbgrader:formgrader" in hidden) is (role == "course"):
        sys.exit(f"JupyterLab's formgrader plugin is not as a {role}'s server needs it; hidden are {hidden}.")


def assignment(path: str) -> None:
    """Write the source notebook of a tiny assignment: one answer, one test, one hidden test."""

    def cell(source: str, grade_id: str, *, grade: bool, solution: bool) -> Any:
        made = nbformat.v4.new_code_cell(source)
        made.metadata["nbgrader"] = {
            "schema_version": 3, "grade": grade, "solution": solution, "locked": grade, "task": False,
            "grade_id": grade_id, "cell_type": "code", **({"points": 2} if grade else {}),
        }  # fmt: skip
        return made

    answer = "def square(x):\n    ### BEGIN SOLUTION\n    return x * x\n    ### END SOLUTION"
    test = "assert square(2) == 4\n### BEGIN HIDDEN TESTS\nassert square(3) == 9\n### END HIDDEN TESTS"
    book = nbformat.v4.new_notebook(
        cells=[
            cell(answer, "square", grade=False, solution=True),
            cell(test, "test-square", grade=True, solution=False),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(book, path)


def answer(path: str) -> None:
    """Solve the fetched assignment as a student would; the hidden test must not be in it."""
    book = nbformat.read(path, 4)
    if "HIDDEN" in json.dumps(book) or "square(3)" in json.dumps(book):
        sys.exit("The released assignment shows its hidden test.")
    book.cells[0].source = "def square(x):\n    return x * x"
    nbformat.write(book, path)


def autograde() -> None:
    """Autograde what was collected with nbgrader's own class, which runs it here."""
    config = importlib.import_module("nbgrader.apps").NbGrader()
    config.load_config_file()
    directory = importlib.import_module("nbgrader.coursedir").CourseDirectory(config=config.config)
    directory.assignment_id = "ps1"
    converter = importlib.import_module("nbgrader.converters.autograde").Autograde
    converter(coursedir=directory, config=config.config, create_student=True).start()


def score(student: str) -> None:
    """Print the gradebook's score of the student."""
    with importlib.import_module("nbgrader.api").Gradebook("sqlite:////course/gradebook.db", "check") as gradebook:
        found = [one.student.id for one in gradebook.assignment_submissions("ps1")]
        if found != [student]:
            sys.exit(f"The gradebook has submissions of {found} instead of {student}.")
        submission = gradebook.find_submission("ps1", student)
        if (submission.score, submission.max_score) != (2, 2):
            sys.exit(f"Autograding gave {submission.score} of {submission.max_score} points to a right answer.")


if __name__ == "__main__":
    commands: dict[str, Callable[..., None]] = {
        "packages": packages, "notebook": notebook, "own-packages": own_packages, "extensions": extensions, "assignment": assignment,
        "answer": answer, "autograde": autograde, "score": score,
    }  # fmt: skip
    commands[sys.argv[1]](*sys.argv[2:])
