# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Values that no field of a message between hub and cluster may have."""

from hypothesis import strategies as st

TEXTS = ("", "a b", "a;id", "$(id)", "`id`", "a\nb", "a\n", "../x", "é", "*")
NOT_TEXT = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.lists(st.text(), max_size=2))
NOT_INT = st.one_of(st.none(), st.booleans(), st.floats(), st.text(), st.lists(st.integers(), max_size=2))
