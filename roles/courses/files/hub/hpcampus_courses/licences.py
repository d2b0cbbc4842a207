# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Licences under which a course may be given on."""

import re

SPDX = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,63}")
"""How the ids of https://spdx.org/licenses/ look."""

_COMMONS = "https://creativecommons.org"
_KNOWN = {
    "CC0-1.0": ("Creative Commons Zero 1.0 Universal", f"{_COMMONS}/publicdomain/zero/1.0/"),
    "CC-BY-4.0": ("Creative Commons Attribution 4.0 International", f"{_COMMONS}/licenses/by/4.0/"),
    "CC-BY-SA-4.0": ("Creative Commons Attribution-ShareAlike 4.0 International", f"{_COMMONS}/licenses/by-sa/4.0/"),
    "CC-BY-NC-4.0": ("Creative Commons Attribution-NonCommercial 4.0 International", f"{_COMMONS}/licenses/by-nc/4.0/"),
    "CC-BY-NC-SA-4.0": (
        "Creative Commons Attribution-NonCommercial-ShareAlike 4.0 International",
        f"{_COMMONS}/licenses/by-nc-sa/4.0/",
    ),
    "Apache-2.0": ("Apache License 2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
    "GPL-3.0-or-later": ("GNU General Public License v3.0 or later", "https://www.gnu.org/licenses/gpl-3.0.html"),
}


def licence_text(licence: str, title: str, people: str) -> str:
    """What the file LICENSE says.

    Args:
        licence: id of SPDX; "" when none was chosen.
        title: title of the course.
        people: who made it.
    """
    head = f"{title}\n\nMade by {people}.\n\n"
    if not licence:
        return f"{head}No licence was chosen for this course: all rights are reserved. Ask those who made it before you give it on.\n"
    name, address = _KNOWN.get(licence, (licence, f"https://spdx.org/licenses/{licence}.html"))
    return f"{head}{name}\n{address}\n\nSPDX-License-Identifier: {licence}\n"
