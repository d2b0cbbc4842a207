# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Fortschritt der Schritte, ihre Zusammenfassung, und was Beweis und Doktor sagen."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "progress.plan": "{count} Schritte: {names}",
    "progress.resumed": "Weiter, wo der letzte Lauf aufhörte; vorher erledigt: {names}",
    "progress.step": "Schritt {number}/{total} {name}: {title}",
    "progress.task": "  {role}{task}",
    "progress.changed": "    geändert {host}",
    "progress.failed": "    FEHLER   {host}",
    "progress.unreachable": "    UNERREICHBAR {host}",
    "progress.step-done": "Schritt {name}: fertig in {time}, {changed} geändert",
    "progress.step-failed": "Schritt {name}: FEHLER nach {time}, {changed} geändert",
    "progress.step-stopped": "Schritt {name}: abgebrochen nach {time}, {changed} geändert",
    "progress.live-changed": "{count} geändert",
    "summary.failure": "Fehlgeschlagen auf {hosts}: {task}",
    "summary.unreachable": "Nicht erreichbar: {hosts} (bei: {task})",
    "summary.no-task": "Das Playbook endete vor seinem ersten Ergebnis:",
    "summary.cause": "Wohl weil:     {cause}",
    "summary.cure": "Was tun:       {cure}",
    "summary.log": "Ganzes Log:    {path}",
    "summary.retry": "Weiter mit:    {command}",
    "summary.retry-apply": "hpcampus apply{options}",
    "summary.retry-demo": "hpcampus demo up",
    "summary.retry-verify": "hpcampus verify{options}",
    "summary.retry-doctor": "hpcampus doctor{options}",
    "summary.would-change": "{count} Änderungen würden gemacht:",
    "summary.would-change-nothing": "Nichts würde geändert.",
    "summary.change": "  {step}: {task}  ({hosts})",
    "summary.done": "Alle Schritte sind fertig in {time}: {changed} geändert.",
    "summary.next-verify": "Der Beweis: hpcampus verify{options}",
    "summary.steps-row": "{number:>2}  {name:<{width}}  {title}: {description}",
    "summary.steps-last": "  [letzter Lauf: {status}, {time}]",
    "status.done": "fertig",
    "status.failed": "fehlgeschlagen",
    "status.stopped": "abgebrochen",
    "status.running": "lief noch, als der letzte Lauf endete",
    "verify.title": "Beweis, dass die Plattform funktioniert",
    "verify.description": "Anmelden, ein Notebook starten, eine Zelle rechnen, abräumen.",
    "verify.ok": "Die Plattform funktioniert.",
    "doctor.title": "Untersuchung der Plattform",
    "doctor.description": "Jede Etappe vom öffentlichen Namen bis zur Zelle eines Notebooks.",
}
