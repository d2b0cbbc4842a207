# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
# Commands of a person's own packages; after the image's, so that none of those changes its meaning.
if [ -n "${PYTHONUSERBASE:-}" ]; then
    PATH="$PATH:$PYTHONUSERBASE/bin"
fi
