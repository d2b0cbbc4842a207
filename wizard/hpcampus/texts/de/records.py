# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Einträge, die später dazukommen: Cluster, Kurse, Images; und Namen, die nicht mehr gelten."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "records.ask": "{field}: {help}",
    "records.none": "Keine; {variable} ist leer.",
    "records.everybody": "(alle)",
    "records.profile-label": "{label} bei {cluster}",
    "records.profile": "Das Notebook-Profil {name}, '{label}', für seine Partition {partition} anlegen?",
    "records.confirm": "So schreiben?",
    "records.left": "Nichts wurde geschrieben.",
    "records.not-run": "Zu den Hosts bringt es: hpcampus apply{options}",
    "records.archive": "Der Kurs {slug} verlässt die Plattform. Seine Dateien bleiben, zum Behalten oder Löschen:",
    "records.archive-place": "  {place}",
    "records.confirm-archive": "{slug} von der Plattform nehmen?",
    "records.file-taken": "sie steht einem neuen Kurs im Weg",
    "records.archived-on": "# Archiviert am {date}. Um den Kurs wiederzuhaben, diese Datei nach {directory}/ verschieben.\n",
    "records.removed": "Entfernt: {path}",
    "records.archive-hub": """Auch auf dem Hub bleibt das Abgegebene, unter /var/lib/hpcampus-courses. Als eine Datei:
  hpcampus course export {slug} --work {slug}.tar""",
    "records.undated": "Tage und Fristen fehlen, denn es wären die des letzten Semesters; --start nimmt sie mit. {slug} hat noch keine.",
    "records.renamed": "{path}: {old} heißt seit {since} {new}; so wird es geschrieben.",
    "records.renamed-twice": "{path}: {old} heißt seit {since} {new}, das auch gesetzt ist; {old} wurde weggelassen.",
}
