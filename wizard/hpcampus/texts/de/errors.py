# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Fehler: was geschah, warum, und was zu tun ist."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "error.label.why": "Warum: {text}",
    "error.label.cure": "Was tun: {text}",
}

ERRORS: Final[dict[str, tuple[str, str, str]]] = {
    "catalogue-shape": (
        "Die Liste der Schritte ist nicht lesbar: {source}",
        "{problem}",
        "Die Datei aus den Quellen der Collection wiederherstellen.",
    ),
    "collection-missing": (
        "Die Collection hpcampus.platform wurde nicht gefunden.",
        "An keinem dieser Orte ist sie:\n  {searched}",
        "Den Befehl aus einem Checkout starten, oder die Collection installieren: ansible-galaxy collection install hpcampus.platform",
    ),
    "ansible-missing": (
        "{program} ist nicht installiert.",
        "Es liegt weder neben diesem Python noch im PATH.",
        "Die Umgebung mit 'make venv' anlegen, oder: pip install ansible-core",
    ),
    "user-and-password": (
        "--user und --password-file gehören zusammen.",
        "Ein Verzeichnis lässt einen Namen mit seinem Passwort ein, oder jemanden ohne beides.",
        "Beide angeben, oder keines.",
    ),
    "step-and-from": (
        "--step und --from schließen einander aus.",
        "Das eine führt einen einzigen Schritt aus, das andere alle ab ihm.",
        "Nur eines davon angeben.",
    ),
    "unknown-step": (
        "Den Schritt '{name}' gibt es nicht.{hint}",
        "Die Schritte sind: {names}.",
        "'hpcampus steps' zeigt sie.",
    ),
    "inventory-missing": (
        "Unter {path} liegt kein Inventory.",
        "Das Verzeichnis gibt es nicht.",
        "Mit 'hpcampus setup' eines anlegen, oder mit --inventory DIR ein anderes nennen.",
    ),
    "inventory-without-hosts": (
        "{path} ist kein Inventory.",
        "Es enthält keine hosts.yml.",
        "Mit 'hpcampus setup' eines anlegen, oder mit --inventory DIR ein anderes nennen.",
    ),
    "inventory-unreadable": (
        "Das Inventory ist nicht lesbar: {path}",
        "{problem}",
        "Die Datei berichtigen oder wiederherstellen; nichts wurde geändert.",
    ),
    "address-unknown": (
        "Die Adresse der Plattform ist nicht bekannt.",
        "Keine Datei in {path} nennt sie im Klartext, als site_public_url, site_hub_name oder Host der Gruppe hub.",
        "site_public_url in group_vars/all/main.yml setzen.",
    ),
    "inventory-unwritable": (
        "Das Inventory lässt sich nicht schreiben: {path}",
        "{problem}",
        "Mit --inventory DIR ein anderes Verzeichnis wählen, oder Platz schaffen. Vorhandene Dateien sind wie zuvor, oder vollständig.",
    ),
    "inventory-contradicts": (
        "Diese Antworten widersprechen dem, was im Inventory steht; nichts wurde geschrieben.",
        "{problems}",
        "Die genannten Werte berichtigen, in den Antworten oder in {path}.",
    ),
    "answers-wrong": (
        "Einige Antworten sind falsch; nichts wurde geschrieben.",
        "{problems}",
        "Berichtigen und neu starten.",
    ),
    "answers-unreadable": (
        "Die Antworten sind nicht lesbar: {path}",
        "{problem}",
        "Eine YAML-Datei angeben, mit einer Antwort je Zeile: NAME: WERT.",
    ),
    "answers-unwritable": (
        "Die Antworten lassen sich nicht aufzeichnen: {path}",
        "{problem}",
        "Mit --record eine andere Datei nennen; das Inventory ist geschrieben.",
    ),
    "set-shape": (
        "--set {text} ist nicht zu verstehen.",
        "Die Form ist NAME=WERT.",
        "Zum Beispiel: --set hub_name=jupyter.example.org",
    ),
    "password-unreadable": (
        "Die Datei mit dem Passwort ist nicht lesbar: {path}",
        "{problem}",
        "Eine Datei angeben, deren erste Zeile das Passwort ist.",
    ),
    "known-hosts-missing": (
        "Eine Datei {path} mit Host-Keys gibt es nicht.",
        "Ein Host, dessen Key nicht bekannt ist, könnte jeder sein.",
        "Sich einmal mit ssh auf dem Host anmelden, den Fingerprint mit dem vergleichen, den seine Betreiber nennen, oder mit --known-hosts eine andere Datei angeben.",
    ),
    "host-key-missing": (
        "Von {host} war kein Host-Key zu bekommen.",
        "{problem}",
        "Prüfen, ob der Host läuft und sein Name stimmt, oder das mit --skip-host-keys auf später verschieben. Die Antworten bleiben.",
    ),
    "host-key-refused": (
        "Der Host-Key von {host} wurde nicht bestätigt.",
        "Ohne einen festgehaltenen Key wird nichts an einen Host geschickt.",
        "Den Fingerprint an der Konsole des Hosts vergleichen und neu starten. Die Antworten bleiben.",
    ),
    "host-key-unconfirmed": (
        "Der Host-Key von {host} ist nicht bekannt: {fingerprints}",
        "Niemand war da, um ihn zu bestätigen.",
        "Vergleichen und mit --accept-new-host-keys neu starten.",
    ),
    "host-key-changed": (
        "Der Host-Key von {host} hat sich geändert: {fingerprints}",
        "Entweder wurde der Host neu installiert, oder an seiner Stelle antwortet ein anderer Rechner.",
        "An der Konsole des Hosts vergleichen; stimmt er, mit --accept-changed-host-keys neu starten.",
    ),
    "course-link": (
        "Daraus lässt sich kein Link machen.",
        "{problem}",
        "Einen anderen Wert angeben, oder den Eintrag des Kurses berichtigen.",
    ),
    "work-there": (
        "{path} gibt es schon.",
        "Ein Archiv ersetzt nie eine andere Datei.",
        "Eine andere Datei nennen, oder diese umbenennen.",
    ),
    "work-place": (
        "Nach {path} lässt sich nichts schreiben.",
        "{problem}",
        "Eine Datei in einem eigenen Verzeichnis nennen.",
    ),
    "work-not-brought": ("Das Archiv wurde nicht geholt; nichts wurde geschrieben.", "", ""),
    "work-unreadable": (
        "{path} lässt sich nicht lesen.",
        "{problem}",
        "Die Datei nennen, die 'hpcampus course export SLUG --work DATEI' geschrieben hat, oder die von der Seite des Kurses.",
    ),
    "work-wrong": (
        "{path} ist kein vollständiges Archiv des Kurses.",
        "{problem}",
        "Es neu vom Hub holen: hpcampus course export SLUG --work DATEI",
    ),
    "course-choice": (
        "'{value}' lässt sich nicht wählen ({option}).",
        "Es gibt: {names}.",
        "Davon einen nehmen.",
    ),
    "record-known": (
        "Den Eintrag '{name}' gibt es schon ({kind}).",
        "{variable} hat einen Eintrag dieses Namens.",
        "Einen anderen Namen nehmen; um das Vorhandene zu ändern, den Eintrag bearbeiten und die Schritte ausführen.",
    ),
    "record-unknown": (
        "Den Eintrag '{name}' gibt es nicht ({kind}).",
        "Es gibt: {names}.",
        "'hpcampus {kind} list' zeigt sie.",
    ),
    "record-incomplete": (
        "Der Eintrag ist nicht vollständig ({kind}); nichts wurde geschrieben.",
        "Es fehlt: {options}",
        "Angeben, oder den Befehl in einem Terminal ohne --yes starten, der dann fragt.",
    ),
    "record-unconfirmed": (
        "Nichts wurde geschrieben.",
        "Es gibt kein Terminal, in dem jemand zustimmen könnte.",
        "Die Änderungen oben ansehen, und mit --yes neu starten.",
    ),
    "request-without-centre": (
        "Es gibt kein Rechenzentrum, das man bitten könnte.",
        "Das Inventory hat keines in site_centres, und die Antworten sind nicht die des Profils remote-centre.",
        "Mit 'hpcampus cluster add' eines hinzunehmen, oder Antworten mit dem Profil remote-centre und dem hub_name angeben: --answers FILE.",
    ),
    "request-which-centre": (
        "Es gibt mehrere Rechenzentren.",
        "Sie heißen: {names}.",
        "Eines davon nennen: hpcampus request NAME",
    ),
    "cluster-port": (
        "Von Port {port} lässt sich der Host-Key nicht holen.",
        "Host-Keys werden nur für den üblichen Port festgehalten.",
        "Den Key, den das Rechenzentrum bekannt gibt, mit --host-key angeben, dazu --skip-host-keys; den Port als ansible_port in hosts.yml nennen.",
    ),
    "locked": (
        "Ein anderer Lauf arbeitet mit diesem Inventory (Prozess {pid}).",
        "Zwei zugleich würden einander stören.",
        "Auf ihn warten, oder ihn dort, wo er läuft, mit Ctrl-C abbrechen.",
    ),
    "no-terminal": (
        "setup stellt Fragen, und es gibt kein Terminal.",
        "Standardeingabe oder -ausgabe ist keines.",
        "Die Antworten mitgeben: hpcampus setup --non-interactive --answers FILE --admin-password-file FILE --accept-new-host-keys",
    ),
    "vault-key-missing": (
        "Der Schlüssel des Vaults wurde nicht gefunden.",
        "{path} ist verschlüsselt, und weder --vault-password-file noch ANSIBLE_VAULT_PASSWORD_FILE noch {default} liefert den Schlüssel.",
        "Die Datei mit --vault-password-file angeben.",
    ),
    "vault-key-unreadable": (
        "Der Schlüssel des Vaults ist nicht brauchbar: {path}",
        "{problem}",
        "Mit --vault-password-file eine lesbare Datei angeben.",
    ),
    "vault-closed": (
        "Der Vault lässt sich nicht öffnen: {path}",
        "Der Schlüssel passt nicht, oder die Datei ist beschädigt.",
        "Den richtigen Schlüssel mit --vault-password-file angeben.",
    ),
    "vault-key-unasked": (
        "Der Schlüssel des Vaults muss eingetippt werden, und es gibt kein Terminal.",
        "Es wurde gewählt, dass nichts den Schlüssel dieses Standorts aufhebt.",
        "Den Befehl in einem Terminal starten, oder mit --vault-password-file oder ANSIBLE_VAULT_PASSWORD_FILE eine Datei angeben.",
    ),
    "vault-key-unchosen": (
        "Für den Vault wurde kein Schlüssel gewählt; nichts wurde geschrieben.",
        "Was {tries} Mal eingetippt wurde, taugt nicht.",
        "Neu starten, oder den Schlüssel aufheben lassen: --vault file, --vault keyring.",
    ),
    "vault-key-not-in-keyring": (
        "Der Schlüssel des Vaults von {inventory} ist nicht im Keyring.",
        "Er gehört dem Konto, das --vault keyring wählte, oder der Eintrag wurde entfernt.",
        "Als dieses Konto arbeiten, oder eine Kopie des Schlüssels angeben: --vault-password-file FILE --vault keyring.",
    ),
    "vault-key-inline": (
        "Der Vault kann keinen anderen Schlüssel bekommen: {path}",
        "Die Datei enthält einzelne Werte, die mit dem jetzigen verschlüsselt sind.",
        "Sie zuerst nach vault.yml bringen (hpcampus setup behält, was es nicht kennt), oder beim Schlüssel bleiben: --vault file, --vault keyring.",
    ),
    "keyring-unusable": (
        "Der Keyring lässt sich nicht benutzen.",
        "{problem}",
        "Ein Keyring braucht eine Sitzung, die einen hat, etwa einen Desktop; auf einem Server --vault file oder --vault ask nehmen.",
    ),
    "runner-broke": (
        "Das Playbook {playbook} ließ sich nicht ausführen.",
        "{problem}",
        "Prüfen, ob ansible-core und ansible-runner installiert sind und die Platte Platz hat.",
    ),
    "step-failed": (
        "Der Schritt '{name}' schlug fehl.",
        "",
        "",
    ),
    "steps-skipped": (
        "Der Lauf ist zu Ende, aber ohne: {names}",
        "Jemand hat entschieden, ohne das Fehlgeschlagene weiterzumachen.",
        "Nachholen mit: hpcampus apply{options}",
    ),
    "no-menu": (
        "Ein Menü braucht ein Terminal, und es gibt keines.",
        "Standardeingabe oder -ausgabe ist keines.",
        "'hpcampus steps', 'hpcampus apply' und 'hpcampus verify' benutzen.",
    ),
    "no-log-of-step": (
        "Von '{name}' gibt es kein Log.",
        "Aufgehoben sind Logs von: {names}.",
        "'hpcampus logs' zeigt sie.",
    ),
    "verify-failed": (
        "Die Plattform tut nicht, was sie soll.",
        "",
        "",
    ),
    "verify-silent": (
        "Das Playbook lief, gab aber kein Ergebnis.",
        "Es hat keine Aufgabe namens '{task}'.",
        "Collection und Befehl derselben Version benutzen.",
    ),
    "doctor-broken": (
        "Etwas ist kaputt.",
        "",
        "Was hilft, steht unter jeder kaputten Etappe; docs/troubleshooting.md sagt mehr zu jeder.",
    ),
    "doctor-failed": (
        "Die Etappen ließen sich nicht prüfen.",
        "",
        "",
    ),
    "doctor-silent": (
        "Das Playbook lief, aber seine Befunde sind nicht lesbar.",
        "Seine Aufgabe '{task}' sagt etwas anderes.",
        "Collection und Befehl derselben Version benutzen, und aufrufen: hpcampus apply --step hub",
    ),
    "stopped": (
        "Abgebrochen.",
        "",
        "Derselbe Befehl geht dort weiter. Ein Kommando, das auf einem Host lief, ist vielleicht noch nicht zu Ende.",
    ),
    "setup-stopped": (
        "Abgebrochen; nichts wurde geschrieben.",
        "",
        "Derselbe Befehl geht mit den Antworten weiter.",
    ),
    "lab-failed": (
        "Die Container der Demo ließen sich nicht anlegen.",
        "{problem}",
        "{cure}",
    ),
    "demo-not-up": (
        "Die Demo läuft nicht.",
        "Den Container '{host}' gibt es nicht.",
        "Starten mit: hpcampus demo up",
    ),
    "demo-not-made": (
        "Die Demo läuft nicht.",
        "Sie hat noch kein Inventory.",
        "Starten mit: hpcampus demo up",
    ),
    "demo-unknown-host": (
        "Die Demo hat keinen Host '{host}'.",
        "Ihre Hosts sind: {hosts}.",
        "Einen davon nennen.",
    ),
    "internal": (
        "hpcampus selbst schlug fehl: {problem}",
        "Das ist ein Fehler des Programms, nicht Ihrer Antworten.",
        "Einzelheiten stehen in {path}; bitte melden, nach einem Blick, ob nichts Geheimes darin steht.",
    ),
}
