# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""nbgrader's exchange over the course service on the hub: the classes that `c.ExchangeFactory` names.

Who somebody is, when something was handed in and who takes part are the service's words, never a file's.
"""

from .collect import Collect
from .common import ServiceExchange
from .fetch import FetchAssignment
from .fetch_feedback import FetchFeedback
from .listing import List
from .release import ReleaseAssignment
from .release_feedback import ReleaseFeedback
from .submit import Submit

__all__ = [
    "Collect",
    "FetchAssignment",
    "FetchFeedback",
    "List",
    "ReleaseAssignment",
    "ReleaseFeedback",
    "ServiceExchange",
    "Submit",
]
