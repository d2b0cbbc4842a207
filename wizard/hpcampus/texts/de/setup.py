# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Das Gespräch von setup."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "setup.intro": "Dies fragt nach Ihrem Standort und schreibt {path}. Ctrl-C behält die Antworten; ein neuer Aufruf geht weiter.",
    "setup.draft": "Weiter mit den Antworten vom letzten Mal.",
    "setup.again": "Die Antwort auf '{prompt}' gilt nicht mehr: {problem}",
    "setup.wrong": "Nicht angenommen: {problem}",
    "setup.together": "Die Antworten auf '{prompt}' und '{earlier}' passen nicht zusammen: {problem} Hier sind beide Fragen noch einmal.",
    "setup.review": "Das sind die Antworten:",
    "setup.row": "  {prompt:<44} {value}",
    "setup.section-title": "{title}",
    "setup.choose": "Das Inventory schreiben, oder einen Abschnitt ändern?",
    "setup.write": "Das Inventory schreiben",
    "setup.change": "Ändern: {section}",
    "setup.leave": "Aufhören, ohne zu schreiben; die Antworten bleiben",
    "setup.left": "Nichts wurde geschrieben. Die Antworten bleiben; ein neuer Aufruf geht weiter.",
    "setup.password-again": "Dasselbe Passwort noch einmal",
    "setup.password-differs": "die beiden Passwörter sind verschieden",
    "setup.keep-password": "{prompt} (leer behält das jetzige)",
    "setup.hidden": "(verdeckt)",
    "setup.kept": "(bleibt, wie es ist)",
    "setup.scan": "Die Host-Keys von {hosts} werden geholt",
    "setup.key-new": "{host} zeigt einen Key, der noch nicht bekannt ist:",
    "setup.key-changed": "{host} zeigt einen ANDEREN Key als den, der festgehalten wurde:",
    "setup.key-row": "  {kind:<20} {fingerprint}",
    "setup.key-compare": "Zum Vergleich, an der Konsole des Hosts: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
    "setup.key-confirm": "Ist das der Key von {host}?",
    "setup.probe-failed": "Die Rechenknoten waren nicht anzusehen ({problem}); die Profile passen zu einem kleinen Knoten.",
    "setup.probe-sizes": "Der kleinste Knoten hat {cpus} Kerne und {memory} MB Speicher.",
    "setup.written": "Geschrieben: {path}",
    "setup.unchanged": "Unverändert: {path}",
    "setup.vault-key": "Schlüssel des Vaults: {path}  (bitte eine Kopie aufheben; ohne ihn sind die Geheimnisse verloren)",
    "setup.accounts": "Konten für Lehrpersonen, die noch keines hatten. Bitte die Passwörter notieren, sie werden nicht noch einmal gezeigt:",
    "setup.account": "  {name:<20} {password}   unterrichtet in {course}",
    "setup.next": """Weiter
  hpcampus apply --check{inventory}    sagt, was getan würde
  hpcampus apply{inventory}            tut es
  hpcampus verify{inventory}           beweist es""",
}
