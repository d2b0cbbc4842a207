# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""nbgrader's Autograde, with the cluster in its middle: sanitise all, run all on the cluster, score each as its result comes.

nbgrader does a submission at a time and runs it where it stands; a submission that cannot be read ends the others. Here every submission
gets points: one that cannot be run gets 0, a flag, and a reason that a person can read.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import sqlalchemy.exc
from nbgrader.api import Gradebook
from nbgrader.converters.autograde import Autograde
from nbgrader.converters.base import BaseConverter, NbGraderException
from nbgrader.preprocessors import Execute
from traitlets import Bool, Unicode

from hpcampus_nbgrader.sandbox.task import Limits
from hpcampus_nbgrader.settings import Settings

from . import flags, progress
from .cluster import Cluster, ClusterError, Terms
from .flags import Flag, write_flags
from .gradebook import assignment_cells, empty_notebook, mark
from .hidden import hidden_lines
from .plan import Plan, apply, new_word, with_canaries
from .runs import ROOT, Run, Runs, is_kept, result_of
from .structure import restore
from .suspicion import suspicions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbformat import NotebookNode

BATCH_MAX = 1000
AHEAD = 4
"""So many submissions are ready before the first tasks begin; the others follow while these run."""
LOOK_SECONDS = 0.1
ASK_SECONDS = 5.0
LOST_SECONDS = 15.0
"""After nothing runs any more, results may still be on their way through a shared file system."""
TRIES = 2
START_SECONDS = 30
"""Of a task's time, what starting and ending may take."""
LOST = "The job that ran it ended without a result: it was cancelled or killed, or its node failed. Autograde it again."
WORK = ".hpcampus/sanitised"


@dataclass
class Submission:
    """A submission on its way.

    Attributes:
        assignment: Name of the assignment.
        student: Id of the student.
        notebooks: Paths of the submitted notebooks.
        flags: What a person should look at, so far.
        plan: What runs, or None when it cannot.
        digest: Of the plan.
        word: Of the checks of the checks.
        failure: Why it cannot run, or "".
    """

    assignment: str
    student: str
    notebooks: list[str]
    flags: list[Flag] = field(default_factory=list)
    plan: Plan | None = None
    digest: str = ""
    word: str = ""
    failure: str = ""

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return f"{self.student}/{self.assignment}"


class SandboxedAutograde(Autograde):
    """Autograde whose submissions run on the cluster."""

    runs_directory = Unicode(ROOT, help="Directory that is shared with the cluster's tasks.").tag(config=True)
    run_again = Bool(
        False, help="Run submissions again that ran before in the same image; without it their results are kept."
    ).tag(config=True)
    tally = Unicode("", help="File into which goes how many submissions there were, as JSON.").tag(config=True)

    force: bool
    _stage = "check"
    _work = WORK

    # --- where nbgrader reads and writes, by what is being done

    @property
    def _input_directory(self) -> str:
        return self._work if self._stage == "score" else str(self.coursedir.submitted_directory)

    @property
    def _output_directory(self) -> str:
        return self._work if self._stage == "sanitise" else str(self.coursedir.autograded_directory)

    def _init_preprocessors(self) -> None:
        self.exporter._preprocessors = []  # noqa: SLF001 (as nbgrader itself does)
        if self._stage == "sanitise":
            self.exporter.register_preprocessor(self._restore)
            chosen = self.sanitize_preprocessors
        else:
            chosen = [one for one in self.autograde_preprocessors if one is not Execute]
        for one in chosen:
            self.exporter.register_preprocessor(one)

    def _restore(self, notebook: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Put the structure of a notebook right, as the first of nbgrader's preprocessors."""
        name = resources["nbgrader"]["notebook"]
        for text in restore(notebook, self._cells[name]):
            self._found.append(Flag(name, flags.STRUCTURE, text))
        return notebook, resources

    # --- the batch

    def convert_notebooks(self) -> None:
        """Autograde every submission that was asked for.

        Raises:
            NbGraderException: The cluster cannot be asked, or points could not be saved; the log says of which submissions.
        """
        if not Execute(parent=self).enabled:
            super().convert_notebooks()  # nothing is run then
            return
        self._errors: list[str] = []
        self._stage = "check"
        wanted = [one for one in self._submissions() if self._should_process(one)]
        counts: list[progress.Count] = []
        try:
            if wanted:
                cluster = Cluster.from_environment(os.environ, Settings.from_environment(os.environ).course)
                terms = cluster.terms()
                for start in range(0, len(wanted), BATCH_MAX):
                    batch = _Batch(self, cluster, terms, wanted[start : start + BATCH_MAX])
                    counts.append(batch.count)
                    batch.run()
        except ClusterError as error:
            self.log.error("%s", error)  # noqa: TRY400 (a sentence, and no fault of the program's)
            raise NbGraderException(str(error)) from None
        except sqlalchemy.exc.OperationalError as error:
            self.log.exception("The gradebook cannot be used")
            raise NbGraderException(f"The gradebook cannot be used: {error}") from error
        finally:
            self._write_tally(len(wanted), counts)
        if self._errors:
            text = f"The points of {len(self._errors)} submissions could not be saved: {', '.join(self._errors)}"
            self.log.error(text)
            raise NbGraderException(text)

    def _write_tally(self, total: int, counts: list[progress.Count]) -> None:
        """Tell whoever has started this how many submissions there were, and what became of them."""
        if self.tally:
            told = {
                "total": total,
                "done": sum(one.done for one in counts),
                "failed": sum(one.failed for one in counts),
            }
            Path(self.tally).write_text(json.dumps(told), encoding="utf-8")

    def _submissions(self) -> Iterator[Submission]:
        """What nbgrader found, by student and assignment."""
        pattern = self._format_source("(?P<assignment_id>.*)", "(?P<student_id>.*)", escape=True)
        for path in sorted(self.assignments):
            found = re.match(pattern, path)
            if found is None:
                raise NbGraderException(f"{path} is no submission's directory")
            yield Submission(found["assignment_id"], found["student_id"], sorted(self.assignments[path]))

    def _should_process(self, one: Submission) -> bool:
        """Whether it was not graded yet, has a newer version, or is graded again by request; nothing is removed."""
        if one.student in self.coursedir.student_id_exclude.split(","):
            return False
        destination = Path(self._format_dest(one.assignment, one.student))
        if self.force or any(not (destination / Path(notebook).name).exists() for notebook in one.notebooks):
            return True
        newest = self.coursedir.get_existing_timestamp(self._format_source(one.assignment, one.student))
        graded = self.coursedir.get_existing_timestamp(str(destination))
        if newest is not None and graded is not None and newest > graded:
            return True
        self.log.info("Skipping existing assignment: %s", destination)
        return False

    # --- one submission

    def sanitise(self, one: Submission, terms: Terms) -> None:
        """Prepare a submission; one that cannot be is given an empty notebook, and why."""
        self._stage = "sanitise"
        self._found: list[Flag] = []
        self.notebooks = list(one.notebooks)
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            self._cells = assignment_cells(gradebook, one.assignment)
        try:
            self._refuse_links(one)
            self.run_pre_convert_hook()
            self.init_assignment(one.assignment, one.student)
            self._sanitizing = True
            self._init_preprocessors()
            for notebook in self.notebooks:
                BaseConverter.convert_single_notebook(self, notebook)
            one.plan = self._plan(one, terms)
        except sqlalchemy.exc.OperationalError:
            raise
        except Exception as error:  # (whatever a submission brings about, the others are graded)
            self.log.warning("%s cannot be run", one.name, exc_info=True)
            one.failure = f"The submission cannot be read: {str(error)[:300] or type(error).__name__}"
            self._stand_in(one)
        one.flags = self._found

    def _refuse_links(self, one: Submission) -> None:
        """Links can point anywhere, and nbgrader would follow them."""
        source = self._format_source(one.assignment, one.student)
        for folder, folders, names in os.walk(source):
            for name in (*folders, *names):
                mode = os.lstat(f"{folder}/{name}").st_mode
                if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                    raise NbGraderException(f"{name[:80]!r} in it is a link or no ordinary file")

    def _plan(self, one: Submission, terms: Terms) -> Plan:
        """What runs of a sanitised submission."""
        folder = Path(self._format_dest(one.assignment, one.student))
        names = {Path(path).stem for path in self.notebooks}
        notebooks = {name: nbformat.read(folder / f"{name}.ipynb", as_version=4) for name in sorted(names)}
        files = {
            str(path.relative_to(folder)): str(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.is_symlink() and path.name not in {f"{name}.ipynb" for name in names}
        }
        for name, notebook in notebooks.items():
            locked = {cell.name for cell in self._cells[name] if cell.locked or (cell.grade and not cell.solution)}
            code = [cell for cell in notebook.cells if cell.cell_type == "code"]
            own = [
                (number, cell.source)
                for number, cell in enumerate(code, 1)
                if cell.metadata.get("nbgrader", {}).get("grade_id") not in locked
            ]
            self._found += [Flag(name, flags.CODE, text) for text in suspicions(own)]
        hidden = hidden_lines(cell.source for cells in self._cells.values() for cell in cells)
        seconds = max(5, terms.seconds - START_SECONDS)
        limits = Limits(
            cell_seconds=min(float(Execute(parent=self).timeout or seconds), seconds),
            total_seconds=seconds,
            memory_mb=max(256, terms.memory_mb - 128),
        )
        return Plan(notebooks, files, hidden, terms.isolate_tests, limits)

    def _stand_in(self, one: Submission) -> None:
        """Put empty notebooks in the place of a submission that cannot be read."""
        folder = Path(self._format_dest(one.assignment, one.student))
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        stamp = Path(self._format_source(one.assignment, one.student), "timestamp.txt")
        if stamp.is_file() and not stamp.is_symlink():
            shutil.copy(stamp, folder)
        names = {Path(path).stem for path in one.notebooks} & set(self._cells) or set(self._cells)
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            if self.create_student:
                gradebook.update_or_create_student(one.student)
            when = self.coursedir.get_existing_timestamp(str(folder)) if (folder / "timestamp.txt").exists() else None
            gradebook.update_or_create_submission(one.assignment, one.student, **({"timestamp": when} if when else {}))
            notebooks = {
                name: empty_notebook(gradebook, one.assignment, name, self._cells[name]) for name in sorted(names)
            }
        self.notebooks = [str(folder / f"{name}.ipynb") for name in notebooks]
        one.plan = Plan(notebooks, {})

    def score(self, one: Submission, result: dict[str, Any]) -> None:
        """Give points for what came back.

        Args:
            one: the submission, sanitised.
            result: of the sandbox.
        """
        if one.plan is None:
            raise NbGraderException(f"{one.name} was not sanitised")
        one.flags += apply(one.plan, result, one.word)
        self._stage = "sanitise"
        folder = Path(self._format_dest(one.assignment, one.student))
        for name, filled in one.plan.notebooks.items():
            nbformat.write(filled, folder / f"{name}.ipynb")
        self._stage = "score"
        self.notebooks = [str(folder / f"{name}.ipynb") for name in one.plan.notebooks]
        forced = self.force
        self.force = True
        try:
            self.init_destination(one.assignment, one.student)
        finally:
            self.force = forced
        BaseConverter.init_assignment(self, one.assignment, one.student)
        self._sanitizing = False
        self._init_preprocessors()
        for notebook in self.notebooks:
            BaseConverter.convert_single_notebook(self, notebook)
        self.set_permissions(one.assignment, one.student)
        self.run_post_convert_hook()
        if one.flags:
            with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
                mark(gradebook, one.assignment, one.student, one.flags)
        write_flags(self.coursedir.root, one.assignment, one.student, one.flags)

    def work_in(self, name: str) -> None:
        """Sanitise into a directory of its own: two people may grade at once."""
        self._work = f"{WORK}/{name}"

    def remove_work(self) -> None:
        """Remove what was sanitised."""
        shutil.rmtree(Path(self.coursedir.root, self._work), ignore_errors=True)


class _Batch:
    """Submissions that run together.

    Args:
        converter: does what nbgrader does.
        cluster: runs them.
        terms: how.
        submissions: which.
    """

    def __init__(
        self, converter: SandboxedAutograde, cluster: Cluster, terms: Terms, submissions: list[Submission]
    ) -> None:
        self._converter = converter
        self._cluster = cluster
        self._terms = terms
        self._submissions = submissions
        self._log = converter.log
        self._runs = Runs(converter.runs_directory)
        self._run: Run = self._runs.new()
        self._started = False
        self._waiting: dict[int, Submission] = {}
        self._at_hand: list[tuple[Submission, dict[str, Any]]] = []
        course = Settings.from_environment(os.environ).course
        self.count = progress.Count(submissions[0].assignment, len(submissions))
        self._progress = progress.Progress(os.environ, course, self._run.name, self.count, self._log)
        converter.work_in(self._run.name)

    def run(self) -> None:
        """Run and score all of them."""
        try:
            self._progress.tell(now=True)
            self._hand_out()
            self._collect()
            self.count.state = progress.DONE
        except BaseException as error:
            self.count.state, self.count.message = progress.FAILED, str(error)[:500] or type(error).__name__
            raise
        finally:
            if self._started and self._waiting:
                self._cancel()
            self._converter.remove_work()
            self._run.remove()
            self._runs.forget_old()
            self._progress.tell_the_end()

    def _cancel(self) -> None:
        try:
            self._cluster.cancel(self._run.name)
        except ClusterError as error:
            self._log.warning("The run goes on for nothing, since it cannot be cancelled: %s", error)

    def _hand_out(self) -> None:
        """Sanitise all, and start the tasks when the first few are ready."""
        tasks = 0
        for done, one in enumerate(self._submissions, 1):
            self._converter.sanitise(one, self._terms)
            if self._needs_run(one):
                self._put(len(self._waiting), one)
            left = len(self._submissions) - done
            if not self._started and self._waiting and (len(self._waiting) >= AHEAD or not left):
                tasks = len(self._waiting) + left
                self._start(tasks)
        for index in range(len(self._waiting), tasks):
            self._run.skip(index)

    def _put(self, index: int, one: Submission) -> None:
        if one.plan is not None:
            one.word = new_word()
            self._run.put(index, with_canaries(one.plan.task(), one.word), one.plan.files)
            self._waiting[index] = one

    def _start(self, tasks: int) -> None:
        self._started = True
        self._cluster.start(self._run.name, tasks)
        self._log.info("The cluster runs %d submissions, %d at a time", tasks, self._terms.slots)
        self.count.state = progress.RUNNING
        self._progress.tell(now=True)

    def _needs_run(self, one: Submission) -> bool:
        """Whether a submission must run; otherwise its result is at hand."""
        if one.failure or one.plan is None:
            self._at_hand.append((one, {"error": one.failure}))
            return False
        one.digest = one.plan.digest(self._terms.image_version)
        kept = None if self._converter.run_again else self._runs.kept(one.digest)
        if kept is None:
            return True
        one.word = str(kept.get("word", ""))
        self._at_hand.append((one, result_of(kept)))
        self._log.info("%s ran before; its result is kept", one.name)
        return False

    def _collect(self) -> None:
        """Score each submission as its result comes."""
        for one, result in self._at_hand:
            self._score(one, result)
        for attempt in range(1, TRIES + 1):
            lost = self._wait()
            if not lost:
                return
            if attempt == TRIES:
                for one in lost:
                    self._score(one, {"error": LOST})
            else:
                self._log.warning("%d submissions ended without a result; they run once more", len(lost))
                self._again(lost)

    def _again(self, lost: list[Submission]) -> None:
        """Run submissions once more, as a run of its own."""
        old, self._run = self._run, self._runs.new()
        old.remove()
        self._waiting = {}
        for index, one in enumerate(lost):
            self._put(index, one)
        self._start(len(lost))

    def _wait(self) -> list[Submission]:
        """Score what comes until all are there; returns those of which nothing will come."""
        asked = idle = time.monotonic()
        is_idle = False
        while self._waiting:
            if self._take():
                asked, is_idle = time.monotonic(), False
                continue
            now = time.monotonic()
            if now - asked > ASK_SECONDS:
                asked = now
                state = self._cluster.state(self._run.name)
                self.count.message = (
                    f"waits for the cluster ({state.reason})" if state.pending and not state.running else ""
                )
                self._progress.tell()
                is_gone = state.pending + state.running == 0
                idle, is_idle = (idle if is_idle else now), is_gone
            if is_idle and now - idle > LOST_SECONDS:
                lost = list(self._waiting.values())
                self._waiting = {}
                return lost
            time.sleep(LOOK_SECONDS)
        return []

    def _take(self) -> bool:
        """Score one submission whose result is there; returns whether there was one."""
        for index, one in self._waiting.items():
            answer = self._run.answer(index)
            if answer is not None:
                del self._waiting[index]
                if is_kept(answer):
                    self._runs.keep(one.digest, answer, one.word)
                self._score(one, result_of(answer))
                return True
        return False

    def _score(self, one: Submission, result: dict[str, Any]) -> None:
        try:
            self._converter.score(one, result)
        except sqlalchemy.exc.OperationalError:
            raise
        except Exception:  # noqa: BLE001 (what one submission brings about keeps no other from its points)
            self._log.exception("The points of %s could not be saved", one.name)
            self._converter._errors.append(one.name)  # noqa: SLF001 (its own batch)
            self.count.failed += 1
        else:
            told = "; ".join(flag.text for flag in one.flags)
            self._log.info("Graded %s%s", one.name, f". For a person to look at: {told}" if told else "")
            self.count.failed += any(flag.kind == flags.NOT_RUN for flag in one.flags)
        self.count.done += 1
        self._progress.tell()
