# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The variables that a profile sets for notebook servers."""

from __future__ import annotations

import re
import typing as t

from .findings import problem

# What decides which program runs, what it loads or whose it is stays with the platform; the hub refuses the same names.
_ENVIRONMENT_KEPT = (
    "(?:APPTAINER|BASH|DYLD_|GIT_|GLIBC_|HPCAMPUS_|IPYTHON|JPY_|JUPYTER|LD_|MALLOC_|NODE_|OPENSSL_|PERL|PYTHON|RUBY"
    "|R_ENVIRON|R_PROFILE|SBATCH_|SINGULARITY|SLURM|SRUN_|SSH_|XDG_)"
    "|(?:CDPATH|ENV|GCONV_PATH|HOME|HOSTALIASES|IFS|JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|LOCPATH|LOGNAME|NLSPATH|OLDPWD"
    r"|PATH|PROMPT_COMMAND|PS4|PWD|R_HOME|SHELL|SHELLOPTS|TMPDIR|USER)\Z"
)
ENVIRONMENT_NAME = re.compile(rf"(?!(?i:{_ENVIRONMENT_KEPT}))[A-Za-z][A-Za-z0-9_]{{0,63}}")
ENVIRONMENT_NAMES_MAX = 50
ENVIRONMENT_VALUE_MAX = 4096


def environment_problems(variable: str, environment: t.Mapping[t.Any, t.Any]) -> t.Iterator[str]:
    """Check the variables that a profile sets for notebook servers. A value is never repeated in a message."""
    if len(environment) > ENVIRONMENT_NAMES_MAX:
        yield problem(
            variable,
            len(environment),
            f"at most {ENVIRONMENT_NAMES_MAX} names can be set",
            "Put the rest into the image",
        )
    for name, value in environment.items():
        if not isinstance(name, str) or not ENVIRONMENT_NAME.fullmatch(name):
            yield problem(
                variable,
                name,
                "no profile may set such a name: it is malformed, or loaders, interpreters, shells, Slurm or the platform go by it",
                "Remove it, or set it in the image",
            )
        text = str(value) if type(value) is int else value
        if not isinstance(text, str) or len(text) > ENVIRONMENT_VALUE_MAX or not (text.isprintable() or not text):
            yield problem(
                f"{variable}.{name}",
                "(hidden)",
                f"this is not one line of text of at most {ENVIRONMENT_VALUE_MAX} characters",
                "Write one, in quotes",
            )
