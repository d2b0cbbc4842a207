# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What can go wrong with a request, by the protocol's codes."""


class GatewayError(Exception):
    """A request that is answered with ``ok: false``; ``code`` is one of the protocol's codes."""

    code = "internal"


class ConfigError(ValueError):
    """The configuration file breaks a rule."""


class BadRequestError(GatewayError):
    """The request breaks a rule; the message names field and rule, never the value of a secret."""

    code = "bad-request"


class UnknownOpError(GatewayError):
    """No such operation."""

    code = "unknown-op"


class BusyError(GatewayError):
    """Too many requests wait already."""

    code = "busy"


class SlurmError(GatewayError):
    """A Slurm program failed or did not answer: the state of the jobs is unknown."""

    code = "slurm"
