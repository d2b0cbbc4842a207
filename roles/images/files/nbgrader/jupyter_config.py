# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What every Jupyter program of the image reads: kernels are reached through unix sockets, since jobs share the node's network."""

c = get_config()  # type: ignore[name-defined]  # noqa: F821 - the loader provides it

c.KernelManager.transport = "ipc"
# The image's own kernel names it as well; this is for kernels that somebody adds.
c.KernelProvisionerFactory.default_provisioner_name = "hpcampus-private"
