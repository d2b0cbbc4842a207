# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Kernels of the image listen on unix sockets in a private directory, and on nothing else.

All jobs of a node share its network, and what a kernel publishes is not encrypted: on a TCP port a neighbour could read it.
The server's kernels get unix sockets from the server's command line. This module gives them to all others: those of nbgrader,
of `jupyter nbconvert --execute`, and of nbclient in a cell, which reads no configuration.

* `PrivateProvisioner` is what every Jupyter program starts a kernel with. jupyter_client's own way would not do: without a
  connection file it puts the sockets into its working directory, and nbgrader's kernels run in another one.
* `forks_write_to_a_unix_socket` is for the kernel itself, which opens one more port for the output of its forks.

`python -m hpcampus_nbgrader.kernels KERNEL_JSON` writes the kernel specification of the image.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import uuid
from pathlib import Path
from typing import Any

import zmq
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from jupyter_core.paths import jupyter_runtime_dir

PROVISIONER = "hpcampus-private"
# The kernel of a unix socket's path holds 108 bytes, the last of them zero.
_PATH_BYTES_MAX = 107
_LONGEST_SUFFIX = "-5-forks"


def use_unix_sockets(manager: Any) -> None:
    """Point a kernel manager at unix sockets beside its connection file, which is made up if it has none.

    Raises:
        RuntimeError: The path is too long for a socket.
    """
    if not manager.connection_file:
        manager.connection_file = str(Path(jupyter_runtime_dir(), f"kernel-{uuid.uuid4()}.json"))
    path = Path(manager.connection_file).absolute()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    sockets = f"{path.with_suffix('')}-ipc"
    if len(os.fsencode(sockets + _LONGEST_SUFFIX)) > _PATH_BYTES_MAX:
        raise RuntimeError(
            f"The path of the kernel's sockets is too long: {sockets}. Set JUPYTER_RUNTIME_DIR to a short one."
        )
    manager.connection_file = str(path)
    manager.transport = "ipc"
    manager.cache_ports = False
    manager.ip = sockets


class PrivateProvisioner(LocalProvisioner):
    """Starts a kernel as a local process that is reached through unix sockets."""

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Settle the sockets before the connection file is written."""
        if self.parent is not None:
            use_unix_sockets(self.parent)
        found: dict[str, Any] = await super().pre_launch(**kwargs)
        return found

    async def cleanup(self, restart: bool = False) -> None:
        """Remove the socket that a killed kernel left for its forks."""
        await super().cleanup(restart=restart)
        if self.parent is not None and not restart:
            for left in Path(self.parent.ip).parent.glob(f"{Path(self.parent.ip).name}-*-forks"):
                left.unlink(missing_ok=True)


def forks_write_to_a_unix_socket() -> None:
    """Let a kernel take the output of its forks from a unix socket beside the one it publishes on.

    ipykernel listens on a TCP port of loopback for it, whatever the transport. A kernel that was started on TCP keeps that.
    """
    iostream = importlib.import_module("ipykernel.iostream")  # only a kernel has a use for it
    thread_class = iostream.IOPubThread

    def endpoint(thread: Any) -> str:
        own: bytes = thread.socket.getsockopt(zmq.LAST_ENDPOINT)
        text = os.fsdecode(own.rstrip(b"\0"))
        return text + "-forks" if text.startswith("ipc://") else ""

    listen_on_tcp, connect_by_tcp = thread_class._setup_pipe_in, thread_class._setup_pipe_out  # noqa: SLF001

    def setup_pipe_in(self: Any) -> None:
        path = endpoint(self)
        if not path:
            listen_on_tcp(self)
            return
        self._pipe_uuid = os.urandom(16)
        self._pipe_port = path
        pipe = self.socket.context.socket(zmq.PULL)
        pipe.linger = 0
        pipe.bind(path)
        self._pipe_in = iostream.ZMQStream(pipe, self.io_loop)
        self._pipe_in.on_recv(self._handle_pipe_msg)

    def setup_pipe_out(self: Any) -> Any:
        if not isinstance(self._pipe_port, str):
            return connect_by_tcp(self)
        context = zmq.Context()
        pipe = context.socket(zmq.PUSH)
        pipe.linger = 3000
        pipe.connect(self._pipe_port)
        return context, pipe

    thread_class._setup_pipe_in, thread_class._setup_pipe_out = setup_pipe_in, setup_pipe_out  # noqa: SLF001


def write_spec(path: Path) -> None:
    """Let a kernel specification name the provisioner, and offer no debugger: it would listen on a TCP port."""
    spec = json.loads(path.read_text(encoding="utf-8"))
    spec["metadata"] = {
        **spec.get("metadata", {}),
        "debugger": False,
        "kernel_provisioner": {"provisioner_name": PROVISIONER},
    }
    path.write_text(json.dumps(spec, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_spec(Path(sys.argv[1]))
