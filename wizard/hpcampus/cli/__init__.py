# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The command line. Imports of weight happen inside the commands, so that help is there at once."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

import click

from hpcampus import __version__
from hpcampus.cli.add import cluster_group, image_group
from hpcampus.cli.completion import completion_command
from hpcampus.cli.course import course_group
from hpcampus.cli.demo import demo_group
from hpcampus.cli.logs import logs_command
from hpcampus.cli.open import open_command
from hpcampus.cli.probe import probe_group
from hpcampus.cli.request import request_command
from hpcampus.cli.setup import setup_command
from hpcampus.cli.steps import apply_command, doctor_command, steps_command, verify_command
from hpcampus.cli.teaching import TeachingGroup, speak
from hpcampus.errors import ExitCode, HpcampusError, InterruptedRunError
from hpcampus.texts import LANGUAGES, OPTION, catalogue, t
from hpcampus.texts.spelling import spell_out

if TYPE_CHECKING:
    from collections.abc import Sequence

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 120}


speak(catalogue().click)


@click.group(cls=TeachingGroup, help=t("help.main"), epilog=t("help.exit-codes"), context_settings=SETTINGS)
# The catalogue has read it already, before the texts of the commands were looked up; here it is checked and explained.
@click.option(OPTION, type=click.Choice(LANGUAGES), is_eager=True, expose_value=False, help=t("help.language"))
@click.version_option(__version__, "--version", prog_name="hpcampus", help=t("help.version"))
def cli() -> None:
    """Hold the commands."""


# Below the headings help.group.NAME.
cli.offer("look", (demo_group,))
cli.offer("install", (request_command, setup_command, apply_command, verify_command))
cli.offer("later", (cluster_group, course_group, image_group))
cli.offer("find-out", (open_command, doctor_command, steps_command, logs_command, probe_group))
cli.offer("command", (completion_command,))


def _on_sigterm(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command and give its exit code; every error becomes text.

    Args:
        arguments: Command line without the program's name; that of the process by default.
    """
    try:
        result = cli.main(
            args=None if arguments is None else list(arguments), prog_name="hpcampus", standalone_mode=False
        )
        sys.stdout.flush()
        return int(result) if isinstance(result, int) else ExitCode.OK
    except HpcampusError as error:
        return _report(error)
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except (KeyboardInterrupt, click.Abort):
        return _report(InterruptedRunError("stopped"))
    except BrokenPipeError:
        # Whoever read our output has gone; nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except Exception as problem:  # noqa: BLE001 -- the last resort: a person never sees a traceback
        return _report(_internal(problem))


def _internal(problem: Exception) -> HpcampusError:
    from hpcampus.files import PRIVATE_FILE, make_private_directory, write_atomically
    from hpcampus.places import state_home

    path = state_home() / f"error-{datetime.now(UTC):%Y%m%dT%H%M%S}.txt"
    with contextlib.suppress(OSError):
        make_private_directory(path.parent)
        write_atomically(path, traceback.format_exc(), PRIVATE_FILE)
    return HpcampusError("internal", problem=f"{type(problem).__name__}: {problem}", path=path)


def _report(error: HpcampusError) -> int:
    from hpcampus.screens.console import make_console
    from hpcampus.screens.summary import print_error

    print_error(make_console(stderr=True), error)
    return error.exit_code


def main() -> NoReturn:
    """Be the program `hpcampus`."""
    signal.signal(signal.SIGTERM, _on_sigterm)
    for stream in (sys.stdout, sys.stderr):
        spell_out(stream)
    sys.exit(run())
