# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""nbgrader's configuration in the image; what differs from job to job comes from the environment."""

import os

from hpcampus_nbgrader.settings import COURSE_ROOT, Settings

settings = Settings.from_environment(os.environ)
c = get_config()  # type: ignore[name-defined]  # noqa: F821 - the loader provides it

c.Exchange.path_includes_course = True
c.CourseDirectory.course_id = settings.fixed_course
if settings.is_course:
    c.CourseDirectory.root = COURSE_ROOT
    if settings.db_url():
        c.CourseDirectory.db_url = settings.db_url()
    c.AssignLatePenalties.plugin_class = "hpcampus_nbgrader.late.LatePenalty"
    c.GenerateFeedback.preprocessors = [
        "nbgrader.preprocessors.GetGrades",
        "hpcampus_nbgrader.feedback.HideHiddenTests",
        "hpcampus_nbgrader.harmless.Harmless",
        "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
    ]

c.ExchangeFactory.exchange = "hpcampus_nbgrader.exchange.ServiceExchange"
c.ExchangeFactory.list = "hpcampus_nbgrader.exchange.List"
c.ExchangeFactory.fetch_assignment = "hpcampus_nbgrader.exchange.FetchAssignment"
c.ExchangeFactory.fetch_feedback = "hpcampus_nbgrader.exchange.FetchFeedback"
c.ExchangeFactory.release_assignment = "hpcampus_nbgrader.exchange.ReleaseAssignment"
c.ExchangeFactory.release_feedback = "hpcampus_nbgrader.exchange.ReleaseFeedback"
c.ExchangeFactory.submit = "hpcampus_nbgrader.exchange.Submit"
c.ExchangeFactory.collect = "hpcampus_nbgrader.exchange.Collect"

if settings.is_course:
    from hpcampus_nbgrader import reconnect
    from hpcampus_nbgrader.grades import publish_after_autograde
    from hpcampus_nbgrader.grading.install import install

    install()
    reconnect.install()
    publish_after_autograde()
