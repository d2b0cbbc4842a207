# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Abschnitte, Fragen und Auswahlmöglichkeiten."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "section.platform": "Die Plattform",
    "section.tls": "Zertifikat des Webservers",
    "section.cluster": "Der Cluster",
    "section.admin": "Erster Administrator",
    "section.course": "Erster Kurs",
    "prompt.profile": "Was soll installiert werden?",
    "choice.profile.single": "Ein Server: der Hub und ein Slurm mit einem Knoten darauf",
    "choice.profile.own-cluster": "Ein Hub, und Slurm-Hosts, die von hier aus installiert und verwaltet werden",
    "prompt.hub_name": "Name des Hubs, wie man ihn in den Browser tippt",
    "prompt.hub_connection": "Wie ist der Server des Hubs von hier aus zu erreichen?",
    "choice.hub_connection.ssh": "Per ssh",
    "choice.hub_connection.local": "Es ist dieser Rechner",
    "prompt.controller": "Slurm-Controller: Hostname",
    "prompt.login": "Login-Knoten: Hostname",
    "prompt.compute": "Rechenknoten: Hostnamen, etwa c1, c2 oder node[01-20]",
    "prompt.shared_dir": "Verzeichnis, das Login- und Rechenknoten gemeinsam haben",
    "prompt.ssh_user": "Benutzer für ssh auf diesen Hosts (root, oder einer mit sudo)",
    "prompt.apptainer": "Woher kommt Apptainer?",
    "choice.apptainer.present": "Es ist auf den Hosts schon installiert",
    "choice.apptainer.deb": "Sein .deb-Paket herunterladen",
    "choice.apptainer.distribution": "Aus den Paketquellen der Distribution",
    "prompt.apptainer_url": "Adresse des .deb-Pakets",
    "prompt.apptainer_checksum": "Seine Prüfsumme, als sha256:...",
    "prompt.tls": "Welches Zertifikat soll der Webserver benutzen?",
    "choice.tls.selfsigned": "Ein selbstsigniertes (Browser warnen)",
    "choice.tls.provided": "Eines, das als Dateien vorliegt",
    "prompt.tls_certificate": "Pfad des Zertifikats (PEM, zuerst das des Servers, dann die Kette)",
    "prompt.tls_key": "Pfad seines Schlüssels (PEM, ohne Passphrase)",
    "prompt.partition": "Name der Partition für Notebooks",
    "prompt.image": "Name des Notebook-Images",
    "prompt.admin_name": "Benutzername des ersten Administrators",
    "prompt.admin_password": "Passwort des Administrators, mindestens 10 Zeichen",
    "prompt.course_slug": "Kurzname des ersten Kurses, für Links",
    "prompt.course_title": "Titel des Kurses",
    "prompt.course_instructor": "Benutzername der Lehrperson",
}
