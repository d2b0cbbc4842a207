# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Hilfe der Befehle."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "help.main": """Installiert einen JupyterHub für die Lehre, dessen Notebooks Slurm-Jobs in Apptainer-Containern sind.

    Der übliche Weg ist: setup, apply, verify. Jeder Befehl kennt --help und zeigt dort Beispiele. Alle außer demo arbeiten
    mit einem Inventory-Verzeichnis: --inventory DIR, ohne Angabe ./inventory.
    """,
    "help.exit-codes": """\b
    Exit-Codes:
      0 fertig                    6 ein anderer Lauf hält die Sperre
      1 ein Schritt schlug fehl   7 eine Frage, aber kein Terminal
      2 falscher Aufruf           8 die Plattform tut nicht, was sie soll
      3 kein solches Inventory    9 die Container der Demo schlugen fehl
      4 eine Antwort ist falsch  10 die Ansible-Collection fehlt
      5 unbekannter Host-Key     11 der Vault lässt sich nicht öffnen
      70 ein Fehler von hpcampus selbst    130 mit Ctrl-C abgebrochen
    """,
    "help.group.look": "Auf diesem Rechner ansehen",
    "help.group.install": "Auf eigenen Hosts installieren",
    "help.group.later": "Später ergänzen",
    "help.group.find-out": "Benutzen, und Fehler finden",
    "help.group.command": "Dieser Befehl selbst",
    "help.examples": "Beispiele:",
    "help.language": "Sprache von hpcampus; ohne Angabe die von HPCAMPUS_LANGUAGE, LC_ALL, LC_MESSAGES oder LANG.",
    "help.version": "Die Version ausgeben.",
    "help.inventory": "Verzeichnis des Inventorys.",
    "help.open": """Die Adresse der Plattform ausgeben und im Browser zeigen, wenn es ein Display gibt.

    Die Adresse steht im Inventory; kein Host wird angesprochen.
    """,
    "help.open.demo": "Die Plattform der Demo.",
    "help.open.page": "Eine bestimmte Seite des Hubs statt der ersten.",
    "help.open.url": "Nur die Adresse ausgeben.",
    "help.completion": """Das Skript ausgeben, mit dem eine Shell diesen Befehl vervollständigt.

    \b
    Wohin damit:
      bash  hpcampus completion bash > ~/.local/share/bash-completion/completions/hpcampus
      zsh   hpcampus completion zsh > ~/.zsh/completions/_hpcampus, ein Verzeichnis aus fpath
      fish  hpcampus completion fish > ~/.config/fish/completions/hpcampus.fish
    """,
    "help.apply": """Die Schritte der Installation ausführen, zuerst die Prüfung des Inventorys.

    Ein Lauf, der abgebrochen wurde oder fehlschlug, geht dort weiter, wo er war. Ein fertiger Lauf beginnt von vorn: Schritte,
    die nichts zu tun finden, ändern nichts. Auf einem Terminal fragt ein Schritt, der fehlschlägt, was zu tun ist: noch
    einmal, ohne ihn weiter, eine Shell, oder Schluss.
    """,
    "help.apply.step": "Diesen Schritt ausführen; mehrfach möglich.",
    "help.apply.from": "Bei diesem Schritt beginnen.",
    "help.apply.changed": "Nur Schritte ausführen, die nicht fertig sind, oder deren Playbook, Rollen oder Variablen sich seither geändert haben.",
    "help.apply.check": "Nichts ändern; sagen, was geändert würde.",
    "help.vault-file": "Datei oder Programm, aus der das Passwort des Vaults kommt.",
    "help.ask-become": "Nach dem sudo-Passwort der Hosts fragen.",
    "help.plain": "Einfache Zeilen ausgeben, eine für jedes Ereignis, auch auf einem Terminal.",
    "help.verify": "Beweisen, dass die Plattform funktioniert: anmelden, ein Notebook starten, eine Zelle rechnen, abräumen.",
    "help.doctor": """Jede Etappe vom öffentlichen Namen bis zur Zelle eines Notebooks prüfen; sagen, was zu sehen war und was hilft.

    Eine kaputte Etappe beendet nichts: Was sie nicht braucht, wird trotzdem geprüft. Ist etwas kaputt, ist der Exit-Code 8.
    """,
    "help.json": "Ein JSON-Objekt ausgeben; alles andere geht auf die Standardfehlerausgabe.",
    "help.steps": """Die Schritte in ihrer Reihenfolge zeigen: was jeder tut, auf welchen Hosts, wie er steht und wie lange er brauchte.

    Mit --menu wird auf einem Terminal gefragt, was ausgeführt werden soll.
    """,
    "help.steps.menu": "Fragen, was ausgeführt werden soll.",
    "help.logs": "Die aufgehobenen Läufe zeigen; mit dem Namen eines Schritts ausgeben, was Ansible in dessen neuestem Lauf sagte.",
    "help.logs.last": "Den neuesten Lauf ausgeben.",
    "help.logs.follow": "Ausgeben, was gerade läuft, während es entsteht, und die Läufe danach, solange sie dauern.",
    "help.probe": """Eine Sache ansehen, wie setup es im Hintergrund tut, und sagen, was zu sehen war und was daraus folgt.

    Nirgends wird etwas geändert. Ist etwas ein Problem, ist der Exit-Code 8.
    """,
    "help.probe.machine": "Diesen Rechner ansehen: System, Größe, Ports, Webserver, Firewall.",
    "help.probe.name": "Den Namen des Hubs ansehen: seine Adressen, und ob ein Zertifikat per ACME zu bekommen wäre.",
    "help.probe.nodes": "Hosts eines eigenen Clusters ansehen: System, Größe, sudo, Uhren, Slurm, was sie gemeinsam haben.",
    "help.probe.centre": "Den Login-Knoten eines fremden Clusters ansehen: Slurm, Partitionen, Python, Apptainer, Verzeichnisse.",
    "help.probe.moodle": "Ansehen, was ein Moodle für LTI über sich sagt: Issuer, Adressen, Schlüssel.",
    "help.probe.ldap": "Ein LDAP-Verzeichnis ansehen: Verschlüsselung, Anmeldung, und ob Leute zu finden sind.",
    "help.probe.base": "Wo im Verzeichnis die Leute stehen.",
    "help.probe.bind-user": "Name für die Anmeldung; ohne ihn wird es anonym versucht.",
    "help.probe.password-file": "Datei mit dessen Passwort; - liest es von der Standardeingabe.",
    "help.probe.ca-file": "Datei mit Zertifikaten, denen statt denen des Systems vertraut wird.",
    "help.probe.user": "Konto für die Anmeldung; es muss root sein, oder ohne Passwort root werden können.",
    "help.probe.account": "Konto am Rechenzentrum.",
    "help.probe.known-hosts": "Datei mit den festgehaltenen Keys der Hosts; mit einem Host, der nicht darin steht, wird nicht gesprochen.",
    "help.setup": """Nach dem Standort fragen und sein Inventory schreiben.

    Ein neuer Aufruf zeigt die Werte des Inventorys. Ctrl-C behält die bisherigen Antworten, ohne Passwörter. Mit
    --non-interactive kommen die Antworten nur aus --answers und --set.
    """,
    "help.setup.answers": "YAML-Datei mit Antworten nach Namen.",
    "help.setup.set": "Eine Antwort als NAME=WERT; mehrfach möglich.",
    "help.setup.non-interactive": "Nichts fragen; abbrechen, wenn eine Antwort fehlt oder falsch ist.",
    "help.setup.dry-run": "Nichts schreiben; zeigen, was sich auf der Platte ändern würde.",
    "help.setup.record": "Die Antworten, ohne Passwörter, in eine YAML-Datei schreiben, die --answers nimmt.",
    "help.setup.accept-new": "Noch unbekannte Host-Keys ohne Rückfrage festhalten.",
    "help.setup.accept-changed": "Geänderte Host-Keys ohne Rückfrage festhalten.",
    "help.setup.skip-host-keys": "Keine Host-Keys holen; die Hosts müssen nicht laufen.",
    "help.setup.vault": "Wo der Schlüssel des Vaults sein soll: in einer Datei dieses Kontos, in seinem Keyring, oder jedes Mal erfragt.",
    "help.setup.password-file": "Datei mit dem Passwort des ersten Administrators; - liest es von der Standardeingabe.",
    "help.request": """Eine Seite für die Administratoren eines Rechenzentrums ausgeben: was erbeten wird, was dort läuft, wie es zu beenden ist.

    Sie entsteht aus dem Inventory oder, bevor es eines gibt, aus einer Datei mit Antworten; was noch nicht bekannt ist, wird
    auf ihr erfragt.
    """,
    "help.request.answers": "YAML-Datei mit Antworten von setup, statt des Inventorys.",
    "help.request.contact": "Wen man anrufen darf: ein Name, eine Adresse, eine Nummer.",
    "help.request.format": "Einfacher Text auf einer Seite, oder Markdown.",
    "help.records.yes": "Ohne Rückfrage schreiben und ausführen.",
    "help.records.no-run": "Schreiben, und sagen, welche Schritte es zu den Hosts bringen.",
    "help.cluster": "Fremde Cluster, auf denen Notebooks laufen dürfen.",
    "help.cluster.list": "Die Cluster von site_centres zeigen.",
    "help.cluster.add": """Einen fremden Cluster hinzunehmen: seinen Eintrag, seinen Login-Knoten mit festgehaltenem Host-Key, und ein Notebook-Profil.

    Die Schritte, die es zu den Hosts bringen, laufen am Ende.
    """,
    "help.cluster.no-profile": "Kein Notebook-Profil dafür vorschlagen.",
    "help.cluster.skip-host-keys": "Den Host-Key nicht holen; er kommt mit --host-key.",
    "help.course": "Kurse: zeigen, anlegen, kopieren, archivieren.",
    "help.course.show": "Einen Kurs zeigen: seinen Eintrag, und die Gruppen, Seiten, Verzeichnisse und Tage, die daraus folgen.",
    "help.course.export": """Den Eintrag eines Kurses als Datei eines Inventars ausgeben.

    Mit --work stattdessen die Arbeit des Kurses holen: was ausgegeben, abgegeben, zurückgegeben und bewertet wurde, als ein Archiv vom
    Hub. Der Kurs kann die Plattform schon verlassen haben. Das Archiv wird geprüft; es enthält Namen und Arbeiten von Studierenden,
    deshalb ist es für niemand anderen lesbar.""",
    "help.course.export.work": "Datei für das Archiv der Arbeit.",
    "help.course.check-archive": "Prüfen, ob das Archiv eines Kurses vollständig und seit dem Anlegen unverändert ist.",
    "help.course.link": """Einen Link für Studierende ausgeben: Er meldet sie an, startet ein Notebook des Kurses und bringt Dateien aus einem Git-Repository.

    Was sie geändert haben, bleibt. Ohne Optionen nimmt er das Repository des Kurses.""",
    "help.course.link.repo": "Adresse eines anderen Repositorys, https://...",
    "help.course.link.branch": "Dessen Branch.",
    "help.course.link.path": "Ordner oder Datei des Repositorys, die sich öffnet.",
    "help.course.link.profile": "Größe, mit der gestartet wird, statt der üblichen des Kurses.",
    "help.course.link.image": "Image, mit dem gestartet wird, statt dem des Kurses.",
    "help.course.list": "Die Kurse zeigen.",
    "help.course.add": "Einen Kurs anlegen; Lehrpersonen ohne Konto bekommen eines.",
    "help.course.copy": "Einen Kurs nach dem Vorbild eines anderen anlegen: mit dessen Image, Profil und Lehrpersonen, ohne dessen Studierende.",
    "help.course.archive": "Einen Kurs von der Plattform nehmen. Seine Dateien bleiben, und es wird gesagt, wo.",
    "help.image": "Container-Images für Notebooks.",
    "help.image.list": "Die Images zeigen.",
    "help.image.add": "Ein Image hinzunehmen; es wird gebaut, getestet und veröffentlicht.",
    "help.demo": "Die ganze Plattform in Containern auf diesem Rechner.",
    "help.demo.up": "Die Container anlegen, alles installieren, den Beweis führen und sagen, wie es weitergeht. Beliebig oft wiederholbar.",
    "help.demo.status": "Sagen, welche Container laufen und wo die Plattform antwortet.",
    "help.demo.down": "Container, Netze, Volumes und Zustand entfernen; sagen, was bleibt.",
    "help.demo.shell": "Eine root-Shell in einem Container der Demo öffnen: campus, login, c1 oder c2.",
}
