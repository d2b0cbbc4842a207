# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Clusters, courses and images that are added later."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "records.ask": "{field}: {help}",
    "records.none": "None; {variable} is empty.",
    "records.everybody": "(everybody)",
    "records.profile-label": "{label} at {cluster}",
    "records.profile": "Add the notebook profile {name}, '{label}', for its partition {partition}?",
    "records.confirm": "Write this?",
    "records.left": "Nothing was written.",
    "records.not-run": "To bring it to the hosts: hpcampus apply{options}",
    "records.archive": "The course {slug} leaves the platform. Its files stay, for you to keep or to delete:",
    "records.archive-place": "  {place}",
    "records.confirm-archive": "Take {slug} off the platform?",
    "records.file-taken": "it is in the way of a new course",
    "records.archived-on": "# Archived on {date}. To have the course back, move this file to {directory}/.\n",
    "records.removed": "Removed {path}",
    "records.archive-hub": """On the hub what was handed in stays as well, below /var/lib/hpcampus-courses. As one file:
  hpcampus course export {slug} --work {slug}.tar""",
    "records.undated": "Days and deadlines are left out, for they would be those of the last term; --start takes them along. {slug} has none yet.",
    "records.renamed": "{path}: {old} is called {new} since {since}; it is written so.",
    "records.renamed-twice": "{path}: {old} is called {new} since {since}, which is set as well; {old} was left out.",
}
