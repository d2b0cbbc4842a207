# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A course's work as one tar with a manifest: what was released and handed in, feedback, points, and who did what."""

from .plan import Archive, archive_of

__all__ = ["Archive", "archive_of"]
