# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""One course, as the command shows it."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "course.record": "Eintrag, in {path}",
    "course.follows": "Was daraus folgt",
    "course.page": "Seite des Kurses",
    "course.server": "Formgrader",
    "course.account": "Konto des Hubs, dessen Server das ist",
    "course.gradebook": "Notenbuch",
    "course.link": "Link für Studierende",
    "course.group": "Gruppe {name}",
    "course.directory": "Verzeichnis",
    "course.image": "Image",
    "course.image-test": "Jobs bekommen es, wenn {notebook} darin gelaufen ist",
    "course.time": "Zeit",
    "course.phase.before": "noch nicht begonnen; Studierende sehen ihn ab {start}",
    "course.phase.now": "Studierende sehen ihn",
    "course.phase.after": "vorbei; Studierende sahen ihn bis {end}",
    "course.phase.expired": "geschlossen; seit {expires} dürfen seine Dateien weg",
    "work.title": "Archiv eines Kurses",
    "work.description": "Vom Hub holen, was ausgegeben, abgegeben und bewertet wurde.",
    "work.retry": "hpcampus course export {slug}{options}",
    "work.of-another": "Es gehört zum Kurs {slug}.",
    "work.whole": "{path}: Archiv von '{title}', vollständig, {size} MB",
    "work.counts": "Abgaben: {submissions}, von Studierenden: {students}; Ausgaben: {releases}; Feedback: {feedback}; Dateien: {files}",
    "work.made": "angelegt {time}",
    "work.gradebook": "nicht darin: das Notenbuch von nbgrader, {where}",
    "work.missing": "das hatte der Hub verloren: {path}",
}
