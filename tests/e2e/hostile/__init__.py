# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a hostile student tries from a cell of her notebook, and the list of it.

The modules beside this one are sent into a kernel as they are, after ``attempts``, so they use the standard library only. They know what
a well-informed attacker could know: :data:`KNOWN` of ``attempts`` holds names, process ids and ports of the other student's job.
"""
