# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Die Demo."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "demo.boot": "Die Container werden angelegt (beim ersten Mal werden ihre Images gebaut, das dauert einige Minuten)",
    "demo.lab-line": "  {text}",
    "demo.unchanged": "Alles ist schon installiert; es wird nur noch bewiesen, dass es funktioniert.",
    "demo.open": "Adresse    {url}  (das Zertifikat ist selbstsigniert: der Browser warnt)",
    "demo.account": "  {name:<12} {password:<18} {role}",
    "demo.accounts": "Konten",
    "demo.go-on": """Weiter
  hpcampus demo shell login      dort: sinfo, squeue
  hpcampus demo status           was läuft
  hpcampus apply --inventory {inventory}""",
    "demo.undo": "Abbauen    make demo-down   (oder: hpcampus demo down)",
    "demo.role.admin": "verwaltet den Hub",
    "demo.role.instructor": "unterrichtet in {course}",
    "demo.role.grader": "bewertet in {course}",
    "demo.role.student": "studiert in {course}",
    "demo.status-row": "  {name:<8} {state:<10} {address}",
    "demo.state.running": "läuft",
    "demo.state.stopped": "steht",
    "demo.state.missing": "fehlt",
    "demo.status-none": "Die Demo läuft nicht.",
    "demo.status-start": "Starten mit: hpcampus demo up",
    "demo.status-title": "Container der Demo",
    "demo.down-done": "Die Demo ist weg: Container, Netz, Volume und ihr Zustand.",
    "demo.down-kept": "Für das nächste Mal aufgehoben: {path} (Basis-Images, Pakete, Notebook-Images). Löschen gibt den Platz frei.",
}
