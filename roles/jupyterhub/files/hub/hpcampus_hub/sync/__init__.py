# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Exercise sync: files of a course's repository come to the homes of its members at a time that the course's record names.

A run reads the records (:mod:`.record`), finds what is due and for whom (:mod:`.plan`), fetches the repository (:mod:`.repository`),
hands the files to the clusters' gateways (:mod:`.delivery`), and keeps what came of it (:mod:`.state`). It holds nothing open:
whatever is cut off is found undone by the next run.
"""
