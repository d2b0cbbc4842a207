# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Handing in an assignment.

A submission is announced first, with the digest of its content, and the time of the announcement counts. The content follows. What
was announced is noted beside the copies of earlier submissions until the content has arrived, so that handing in the same files
again, after whatever went wrong in between, goes on with the same submission instead of beginning a later one.
"""

from __future__ import annotations

import difflib
import json
import os
import secrets
from pathlib import Path
from typing import Any

from nbgrader.exchange import abc

from . import tar, times
from .collect import TIMESTAMP
from .common import ServiceExchange
from .service import Service, ServiceError, UnreachableError

_PENDING = ".pending"


class Submit(ServiceExchange, abc.ExchangeSubmit):
    """Hand in an assignment."""

    def copy_files(self) -> None:
        """Announce the submission, upload it, and keep a copy of it."""
        if self.coursedir.student_id not in ("", "*"):
            self.fail("The hub knows who you are: leave out --student.")
        source = self._source()
        with self.service() as service:
            released = self.released(service)
            with tar.packed(source, self.rules, self.left_out) as packed:
                self._compare(released, packed.notebooks)
                answer = self._hand_in(service, packed)
                stamp = times.stamp(answer["time"])
                self._keep(packed, stamp)
            if answer["late"]:
                self.log.warning("%s", self._late_words(service, released))
        self.log.info("Submitted as: %s %s %s", self.course, self.assignment, stamp)

    def _source(self) -> Path:
        path = self.local_directory(self.course, self.assignment)
        self.coursedir.assignment_id = path.name
        if not path.is_dir():
            names = sorted(one.name for one in path.parent.iterdir() if one.is_dir()) if path.parent.is_dir() else []
            near = difflib.get_close_matches(path.name, names, 1)
            hint = (
                f" Did you mean {near[0]}?"
                if near
                else " Fetch the assignment first, and call this in the directory above it."
            )
            self.fail(f"There is no assignment at {path}.{hint}")
        return path

    def _compare(self, released: dict[str, Any], found: tuple[str, ...]) -> None:
        """Tell which notebooks are missing or were not asked for; missing ones end it with --strict."""
        wanted = [str(name) for name in released["notebooks"]]
        missing = [name for name in wanted if name not in found]
        extra = [name for name in found if name not in wanted]
        if not missing and not extra:
            return
        said = "; ".join(
            f"{what}: {', '.join(f'{name}.ipynb' for name in names)}"
            for what, names in (("missing", missing), ("not part of it", extra))
            if names
        )
        if missing and self.strict:
            self.fail(
                f"Assignment {self.assignment} not submitted. Its notebooks are not those that were released: {said}."
            )
        self.log.warning("The notebooks of %s are not those that were released: %s", self.assignment, said)

    def _hand_in(self, service: Service, packed: tar.Packed) -> dict[str, Any]:
        pending = Path(self.cache, self.course, _PENDING, f"{self.assignment}.json")
        key = self._key(pending, packed.sha256)
        body = {"key": key, "sha256": packed.sha256, "size": packed.size, "notebooks": list(packed.notebooks)}
        announced = False
        try:
            path = ("courses", self.course, "assignments", self.assignment, "submissions")
            answer = service.send("POST", *path, body=body)
            announced = True
            if answer["upload"]:
                service.upload(
                    "courses", self.course, "submissions", str(answer["id"]), "content",
                    content=packed.content, size=packed.size, headers={"Hpcampus-SHA256": packed.sha256},
                )  # fmt: skip
        except UnreachableError as error:
            kept = f" It was announced at {times.local(answer['time'])}, and that time will count." if announced else ""
            self.refuse(
                f"{self.assignment} is not handed in yet: {error} Nothing is lost, your files are where they were.{kept}"
                " Submit again in a few minutes, without changing the files; if it goes on, tell your instructor."
            )
        except ServiceError:
            pending.unlink(missing_ok=True)
            raise
        pending.unlink(missing_ok=True)
        return answer

    def _key(self, pending: Path, sha256: str) -> str:
        """The key of an earlier try with the same content, or a new one that is noted."""
        try:
            found = json.loads(pending.read_text(encoding="utf-8"))
            if found["sha256"] == sha256:
                return str(found["key"])
        except (OSError, ValueError, TypeError, KeyError):
            pass
        key = secrets.token_hex(16)
        pending.parent.mkdir(parents=True, exist_ok=True)
        new = pending.with_suffix(f".{os.getpid()}")
        new.write_text(json.dumps({"key": key, "sha256": sha256}), encoding="utf-8")
        new.replace(pending)
        return key

    def _keep(self, packed: tar.Packed, stamp: str) -> None:
        """Put a copy where nbgrader looks for what was submitted; without room for it the submission counts all the same."""
        name = f"{self.server.user_id or 'me'}+{self.assignment}+{stamp}"
        target = Path(self.cache, self.course, name)
        try:
            with tar.unpacked(packed.content, target, self.rules, self.left_out) as made:
                (made / TIMESTAMP).write_text(stamp, encoding="utf-8")
                tar.put(made, target)
        except (OSError, tar.TarError) as error:
            self.log.warning("It is handed in; only the copy at %s could not be made: %s", target, error)

    def _late_words(self, service: Service, released: dict[str, Any]) -> str:
        due = released.get("due")
        said = f"This is late: {self.assignment} was due at {times.local(due)}." if due else "This is late."
        try:
            late = service.get("courses", self.course, "calendar").get("late") or {}
        except ServiceError:
            late = {}
        meaning = {
            "accept": "It counts like one in time.",
            "mark": "It is handed in, and marked as late for your instructors.",
            "percent_per_day": f"It is handed in; each day that has begun since costs {late.get('percent', 0):g} % of its points.",
        }
        return f"{said} {meaning.get(str(late.get('policy')), 'It is handed in, and your instructors see that it is late.')}"
