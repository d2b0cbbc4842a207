# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Everything the wizard says to a person, looked up by key in the catalogue of one language.

Help texts are looked up while the commands are imported, so the language is found before that: when the first text is.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hpcampus.texts.spelling import spell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LANGUAGES: Final = ("en", "de")
OPTION: Final = "--language"
VARIABLE: Final = "HPCAMPUS_LANGUAGE"
# The order is that of POSIX: the first one that is set decides.
VARIABLES: Final = (VARIABLE, "LC_ALL", "LC_MESSAGES", "LANG")


@dataclass(frozen=True)
class Catalogue:
    """The texts of one language.

    Attributes:
        language: One of `LANGUAGES`.
        texts: By key.
        errors: By key: what happened, why, and what to do next.
        click: The words of the library that reads the command line, by its own English words; empty in English.
    """

    language: str
    texts: Mapping[str, str]
    errors: Mapping[str, tuple[str, str, str]]
    click: Mapping[str, str] = field(default_factory=dict)


def choose_language(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """Find the language: of the option, which stands before the command, or of the environment.

    Args:
        arguments: Command line without the program's name.
        environment: Variables of the process.

    Returns:
        One of `LANGUAGES`; English where another language, or none (C, POSIX), is wanted.
    """
    named = _from_arguments(arguments)
    if not named:
        named = next((environment[name] for name in VARIABLES if environment.get(name)), "")
    # Such as de, de_DE, de_AT.UTF-8, de@euro.
    short = named.replace("-", "_").replace(".", "_").replace("@", "_").partition("_")[0].lower()
    return short if short in LANGUAGES else LANGUAGES[0]


def _from_arguments(arguments: Sequence[str]) -> str:
    """Give the value of the last --language before the name of a command."""
    found, words = "", iter(arguments)
    for word in words:
        if word == OPTION:
            found = next(words, "")
        elif word.startswith(f"{OPTION}="):
            found = word.partition("=")[2]
        elif not word.startswith("-"):
            break
    return found


def load(language: str, encoding: str) -> Catalogue:
    """Load the texts of a language, spelled with what an encoding can show; a missing one is English.

    Args:
        language: One of `LANGUAGES`.
        encoding: Of the terminal or file they are written to.
    """
    english, module = (importlib.import_module(f"hpcampus.texts.{name}") for name in (LANGUAGES[0], language))

    def spelled(texts: Mapping[str, str]) -> dict[str, str]:
        return {key: spell(text, encoding) for key, text in texts.items()}

    errors = {
        key: (spell(what, encoding), spell(why, encoding), spell(cure, encoding))
        for key, (what, why, cure) in {**english.ERRORS, **module.ERRORS}.items()
    }
    return Catalogue(language, spelled({**english.TEXTS, **module.TEXTS}), errors, spelled(module.CLICK))


@functools.cache
def catalogue() -> Catalogue:
    """Give the texts in the language of this process."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return load(choose_language(sys.argv[1:], os.environ), encoding)


def t(key: str, /, **values: object) -> str:
    """Give the text of `key` with its placeholders filled.

    Args:
        key: Dotted name of the text.
        values: Values of the placeholders.

    Returns:
        The text in the language of the catalogue.
    """
    return catalogue().texts[key].format(**values)


def has_text(key: str) -> bool:
    """Tell whether the catalogue knows `key`."""
    return key in catalogue().texts


def error_text(key: str, /, **values: object) -> tuple[str, str, str]:
    """Give what happened, why, and what to do next; the last two may be empty."""
    what, why, cure = catalogue().errors[key]
    return what.format(**values), why.format(**values), cure.format(**values)
