# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What runs a course's notebook: inside the image with real kernels, and on the build host around a container."""

from __future__ import annotations

import base64
import io
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import nbformat
import pytest

CHECK = Path(__file__).resolve().parents[3] / "roles/images/files/check"
# Plays Apptainer: what the options bind is where the program finds it, without a container around it.
STAND_IN = """#!{python}
import os, sys
words = sys.argv[1:]
assert words[0] == "exec"
known = {{"--home": "", "--workdir": "", "--bind": "", "--pwd": "", "--network": ""}}
position = 1
while words[position].startswith("--"):
    if words[position] in known:
        known[words[position]] = words[position + 1]
        position += 1
    position += 1
assert known["--network"] == "none" and {{"--containall", "--cleanenv", "--net"}} <= set(words)
image, command = words[position], words[position + 1:]
home, program = known["--home"].split(":")[0], known["--bind"].split(":")
with open(image) as file:
    exec(file.read())
command = [word.replace(program[1], program[0]).replace("/home/jovyan", home) for word in command]
os.chdir(known["--pwd"].replace("/home/jovyan", home))
os.execv(sys.executable, [sys.executable] + command[1:])
"""


def book(*sources: str, kernel: str = "python3", tags: tuple[str, ...] = ()) -> str:
    """A notebook with a cell of words and cells of code; the tags are those of the last one."""
    made = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("# A test"), *(nbformat.v4.new_code_cell(source) for source in sources)],
        metadata={"kernelspec": {"name": kernel, "display_name": kernel, "language": "python"}},
    )
    made.cells[-1].metadata["tags"] = list(tags)
    return nbformat.writes(made)


def inside(directory: Path, text: str, seconds: int = 60) -> tuple[int, str]:
    """Run a notebook as it is run in an image; gives the status and the report."""
    (directory / "test.ipynb").write_text(text)
    report = directory / "report.txt"
    words = [str(CHECK / "course_notebook.py"), "test.ipynb", str(seconds), str(report)]
    done = subprocess.run([sys.executable, *words], cwd=directory, capture_output=True, text=True, check=False)
    return done.returncode, report.read_text() if report.exists() else ""


def test_a_notebook_that_runs_passes_with_the_files_beside_it(tmp_path: Path):
    (tmp_path / "points.csv").write_text("1,2\n")
    assert inside(tmp_path, book("text = open('points.csv').read()", "assert text == '1,2\\n'")) == (0, "")


def test_a_cell_that_fails_is_named_with_its_exception(tmp_path: Path):
    status, said = inside(tmp_path, book("x = 1", "\ndef f():\n    return x / 0\nf()", "print('not reached')"))
    assert status == 1
    assert said.splitlines()[0] == "cell 3, which begins with 'def f():', raised ZeroDivisionError:"
    assert said.splitlines()[-1] == "ZeroDivisionError: division by zero"
    assert "\x1b" not in said
    assert "executing the following cell" not in said


def test_a_long_exception_is_cut_to_its_end(tmp_path: Path):
    status, said = inside(
        tmp_path, book("raise ValueError('\\n'.join('y' * 5000 for _ in range(5000)) + '\\nthe end')")
    )
    assert status == 1
    assert said.splitlines()[-1] == "the end"
    assert len(said) < 4000


def test_an_exception_that_is_expected_is_none(tmp_path: Path):
    assert inside(tmp_path, book("1 / 0", tags=("raises-exception",)))[0] == 0


def test_a_cell_without_an_end_is_ended(tmp_path: Path):
    began = time.monotonic()
    status, said = inside(tmp_path, book("x = 1", "while True: pass"), seconds=12)
    assert status == 1
    assert "cell 3, which begins with 'while True: pass', was not done after 12 seconds" in said
    assert time.monotonic() - began < 60


def test_a_kernel_that_ends_is_a_failure(tmp_path: Path):
    status, said = inside(tmp_path, book("import os; os._exit(0)"))
    assert status == 1
    assert "cell 2, which begins with 'import os; os._exit(0)', ended the kernel" in said


def test_a_kernel_that_the_image_does_not_have_is_said(tmp_path: Path):
    status, said = inside(tmp_path, book("1 + 1", kernel="ir"))
    assert status == 1
    assert "'ir', which this image does not have" in said


def test_what_cells_put_out_is_not_kept(tmp_path: Path):
    code = "import time\nfor _ in range(40):\n    print('x' * 5_000_000, flush=True)\n    time.sleep(0.1)"
    (tmp_path / "test.ipynb").write_text(book(code))
    # The peak of this program alone: what getrusage tells begins with the size of the process that started it.
    measured = (
        "import pathlib, re, runpy, sys\n"
        "try:\n    runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "finally:\n    print('kB', re.search(r'VmHWM:\\s+(\\d+)', pathlib.Path('/proc/self/status').read_text())[1])\n"
    )
    words = [
        "-c",
        f"import sys; sys.argv = sys.argv[1:]\n{measured}",
        str(CHECK / "course_notebook.py"),
        "test.ipynb",
        "60",
        "report",
    ]
    done = subprocess.run([sys.executable, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert int(done.stdout.split()[-1]) < 230_000, "of 200 MB that were printed"


def outside(directory: Path, image: str, *more: str, apptainer: str = "", **files: str) -> tuple[int, str]:
    """Run a test as the role does, with an image that is a few lines of Python; gives the status and what was said."""
    program = directory / "apptainer"
    program.write_text(STAND_IN.format(python=sys.executable))
    program.chmod(0o755)
    (directory / "image.sif").write_text(image)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in {"test.ipynb": book("open('data/a.csv').read()"), **files}.items():
            archive.writestr(name, content)
    (directory / "test.zip").write_bytes(base64.b64encode(packed.getvalue()))
    (directory / "tmp").mkdir()
    words = ["--image", str(directory / "image.sif"), "--archive", str(directory / "test.zip")]
    words += ["--apptainer", apptainer or str(program), "--notebook", "test.ipynb", *more]
    done = subprocess.run(
        [sys.executable, str(CHECK / "course_test.py"), *words],
        env={"PATH": "/usr/bin:/bin", "TMPDIR": str(directory / "tmp")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert list((directory / "tmp").iterdir()) == [], "the scratch directory is gone"
    return done.returncode, done.stdout


def test_a_test_goes_into_the_image_with_its_data(tmp_path: Path):
    assert outside(tmp_path, "", **{"data/a.csv": "1,2\n"}) == (0, "")


def test_what_failed_in_the_image_is_said(tmp_path: Path):
    status, said = outside(tmp_path, "")
    assert status == 1
    assert said.startswith("cell 2, which begins with \"open('data/a.csv').read()\", raised FileNotFoundError:")


def test_an_image_that_cannot_be_started_is_said_with_its_own_words(tmp_path: Path):
    status, said = outside(tmp_path, "print('x' * 100_000); sys.exit('FATAL: no image of mine')")
    assert status == 1
    assert said.endswith("FATAL: no image of mine\n")
    assert len(said) <= 4100


def test_an_image_without_a_word_is_a_failure_as_well(tmp_path: Path):
    assert outside(tmp_path, "sys.exit(3)") == (1, "it ended with status 3 and said nothing\n")


def test_a_container_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    began = time.monotonic()
    text = (CHECK / "course_test.py").read_text().replace("MARGIN_SECONDS = 60", "MARGIN_SECONDS = 1")
    (tmp_path / "check").mkdir()
    (tmp_path / "check/course_test.py").write_text(text)
    monkeypatch.setattr(f"{__name__}.CHECK", tmp_path / "check")
    status, said = outside(tmp_path, "import time; time.sleep(600)", "--timeout-seconds", "1")
    assert (status, said) == (1, "it was not done after 1 seconds, and then did not end\n")
    assert time.monotonic() - began < 30


def test_a_build_host_without_apptainer_is_told_so(tmp_path: Path):
    status, said = outside(tmp_path, "", apptainer="/nowhere/apptainer")
    assert (status, said) == (1, "/nowhere/apptainer cannot be started: No such file or directory\n")
