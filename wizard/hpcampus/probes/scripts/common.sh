# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
#
# Stands before every other script of this directory, on the same standard input.

section() { # NAME PROGRAM ARGUMENTS...: prints what the program prints, between marks
    printf '\n@@hpcampus begin %s\n' "$1"
    shift
    "$@" 2>&1
    last=$?
    printf '\n@@hpcampus end %s\n' "$last"
}

limited() { # SECONDS PROGRAM ARGUMENTS...
    limit=$1
    shift
    if command -v timeout >/dev/null 2>&1; then
        timeout -k 1 "$limit" "$@"
    else
        "$@"
    fi
}
