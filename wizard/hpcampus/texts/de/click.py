# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The words of click, by its own: headings of a help page, and what is wrong with a command line."""

from __future__ import annotations

from typing import Final

CLICK: Final[dict[str, str]] = {
    "Usage:": "Aufruf:",
    "Options": "Optionen",
    "Commands": "Befehle",
    "Show this message and exit.": "Diese Hilfe ausgeben.",
    "default: {default}": "Vorgabe: {default}",
    "required": "nötig",
    "Error: {message}": "Fehler: {message}",
    "Try '{command} {option}' for help.": "Hilfe gibt '{command} {option}'.",
    "No such command {name!r}.": "Den Befehl {name!r} gibt es nicht.",
    "No such option {name!r}.": "Die Option {name!r} gibt es nicht.",
    "Did you mean {possibility}?": "Ist {possibility} gemeint?",
    "(Did you mean one of: {possibilities}?)": "(Ist eines davon gemeint: {possibilities}?)",
    "Missing command.": "Es fehlt der Befehl.",
    "Missing argument": "Es fehlt das Argument",
    "Missing option": "Es fehlt die Option",
    "Missing parameter": "Es fehlt der Parameter",
    "Choose from:\n\t{choices}": "Zur Wahl stehen:\n\t{choices}",
    "Invalid value: {message}": "Falscher Wert: {message}",
    "Invalid value for {param_hint}: {message}": "Falscher Wert für {param_hint}: {message}",
    "Option {name!r} does not take a value.": "Die Option {name!r} nimmt keinen Wert.",
    "Option {name!r} requires an argument.": "Die Option {name!r} braucht einen Wert.",
    "Option {name!r} requires {nargs} arguments.": "Die Option {name!r} braucht {nargs} Werte.",
    "Got unexpected extra argument ({args})": "Überzähliges Argument ({args})",
    "Got unexpected extra arguments ({args})": "Überzählige Argumente ({args})",
    "{value!r} is not {choice}.": "{value!r} ist nicht {choice}.",
    "{value!r} is not one of {choices}.": "{value!r} ist nichts von {choices}.",
    "{value!r} is not a valid {number_type}.": "{value!r} ist keine gültige Zahl ({number_type}).",
    "{value} is not in the range {range}.": "{value} liegt nicht im Bereich {range}.",
    "{name} {filename!r} does not exist.": "{name} {filename!r} gibt es nicht.",
    "{name} {filename!r} is a directory.": "{name} {filename!r} ist ein Verzeichnis.",
    "{name} {filename!r} is a file.": "{name} {filename!r} ist eine Datei.",
    "{name} {filename!r} is not readable.": "{name} {filename!r} ist nicht lesbar.",
    "{name} {filename!r} is not writable.": "{name} {filename!r} ist nicht beschreibbar.",
}
