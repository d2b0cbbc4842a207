# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Was an einer Antwort falsch ist."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "wrong.required": "hier ist eine Antwort nötig",
    "wrong.type": "erwartet wird {expected}, gegeben ist {value}",
    "wrong.choice": "{value} steht nicht zur Wahl: {choices}",
    "wrong.profile-demo": "die Demo fragt nichts: 'hpcampus demo up'",
    "wrong.url": "{value} ist eine Adresse; gefragt ist nur der Name, etwa jupyter.example.org",
    "wrong.host": "{value} ist weder Hostname noch IPv4-Adresse: Buchstaben, Ziffern, Bindestriche und Punkte, kein Bindestrich neben einem Punkt oder am Rand",
    "wrong.hosts-empty": "mindestens ein Host ist nötig, etwa c1, c2 oder node[01-20]",
    "wrong.hosts-range": "{value} ist kein Bereich; Schreibweise: node[01-20], die kleinere Zahl zuerst, höchstens {most} Hosts",
    "wrong.hosts-twice": "{value} kommt zweimal vor",
    "wrong.user": "{value} ist kein Benutzername: Kleinbuchstaben, Ziffern und . _ @ + -, höchstens 64, am Anfang und am Ende Buchstabe oder Ziffer",
    "wrong.unix-user": "{value} ist kein Unix-Benutzername: Kleinbuchstaben, Ziffern, _ und -, höchstens 32",
    "wrong.reserved-user": "{value} braucht die Plattform selbst; bitte einen anderen Namen wählen",
    "wrong.password-short": "das Passwort hat {length} Zeichen; mindestens 10 sind nötig",
    "wrong.password-long": "das Passwort ist länger als die 72 Byte, die bcrypt verarbeitet",
    "wrong.password-control": "das Passwort enthält ein Steuerzeichen",
    "wrong.slug": "{value} ist kein Kurzname: Kleinbuchstaben, Ziffern und Bindestriche, höchstens 32, kein Bindestrich am Rand",
    "wrong.partition": "{value} ist kein Name einer Partition: Buchstaben, Ziffern, _ und -, zuerst ein Buchstabe, höchstens 32",
    "wrong.title": "ein Titel ist eine Zeile mit 1 bis 200 druckbaren Zeichen",
    "wrong.path": "{value} ist kein einfacher absoluter Pfad wie /srv/hpcampus",
    "wrong.file-path": "{value} ist kein absoluter Pfad einer Datei",
    "wrong.not-a-file": "{value} ist keine gewöhnliche Datei",
    "wrong.certificate-key": "die Datei enthält einen privaten Schlüssel; gefragt ist nur das Zertifikat, zuerst das des Servers, dann die Kette",
    "wrong.certificate-first": "vor dem Zertifikat steht etwas anderes; das Zertifikat des Servers muss das erste in der Datei sein",
    "wrong.deb-url": "{value} ist keine https://-Adresse eines Pakets, das auf .deb endet",
    "wrong.checksum": "{value} ist keine Prüfsumme der Form sha256: mit 64 hexadezimalen Ziffern",
    "wrong.centre-dir": "{value} ist kein Pfad aus zwei bis acht einfachen Namen wie /project/p123/hpcampus",
    "wrong.centre-partition": "{value} ist nicht der Name einer Partition, wie sinfo ihn zeigt",
    "wrong.host-key": "{value} ist kein öffentlicher Host-Key der Form 'ssh-ed25519 AAAA...'",
    "wrong.program": "{value} ist weder der absolute Pfad eines Programms noch ein einfacher Name in Kleinbuchstaben",
    "wrong.program-path": "{value} ist kein absoluter Pfad ohne Leerzeichen",
    "wrong.module": "{value} ist nicht der Name eines Environment-Moduls wie apptainer/1.4",
    "wrong.count": "{value} ist keine ganze Zahl ab 0",
    "wrong.unknown-answer": "eine Frage dieses Namens gibt es nicht{hint}",
    "wrong.did-you-mean": "; ist {name} gemeint?",
    "wrong.decided-by-question": "über diese Variable entscheiden die Antworten auf {names}; bitte diese geben",
    "wrong.derived-variable": "diese Variable setzen die Schritte selbst, aus anderen",
    "wrong.secret-variable": "diese Variable ist ein Geheimnis; sie gehört in vault.yml des Inventorys",
    "wrong.record-variable": "diese Variable ist eine Liste von Einträgen; bitte von Hand in main.yml des Inventorys schreiben",
    "wrong.variable-type": "{value} ist nicht vom Typ {type}",
    "wrong.variable-template": "{value} enthält ein Template oder ein Steuerzeichen; so einen Wert bitte von Hand in main.yml schreiben",
    "wrong.secret-here": "ein Passwort gehört nicht in den Aufruf und nicht in eine Datei mit Antworten; bitte --admin-password-file benutzen",
    "expected.text": "Text",
    "expected.list": "eine Liste von Hostnamen",
}
