# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""``reverse``: the job opens one ssh connection to the hub's tunnel account, with a certificate for its one port.

The hub's side is sshd: it asks the port registry at each login, and a unit of its own ends sessions whose port was taken
back. So there is nothing to open here, and closing is what the release of the port does.
"""

from hpcampus_hub.protocol import TunnelSecrets
from hpcampus_hub.record import SpawnRecord
from hpcampus_hub.settings import API_PORT_OFFSET, Tunnel
from hpcampus_hub.signer import SignerError, make_credential

from .base import REVERSE, Offer, PathError


class Reverse:
    """The tunnel from the job to the hub.

    Args:
        tunnel: how jobs find the hub.
    """

    name = REVERSE
    words = "reverse, from the job to the hub"

    def __init__(self, tunnel: Tunnel) -> None:
        self._tunnel = tunnel

    async def offer(self, record: SpawnRecord, hub_api_port: int, seconds: int) -> Offer:
        """Make a key and have it certified for the record's port.

        Raises:
            PathError: the signer did not.
        """
        tunnel = self._tunnel
        try:
            credential = await make_credential(tunnel.signer_socket, record.port, record.serial, seconds)
        except SignerError as error:
            raise PathError(str(error)) from error
        return Offer(
            record,
            tunnel=TunnelSecrets(
                host=tunnel.host,
                port=tunnel.port,
                user=tunnel.user,
                known_hosts=tunnel.known_hosts,
                private_key=credential.private_key,
                certificate=credential.certificate,
                notebook_port=record.port,
                api_port=record.port + API_PORT_OFFSET,
                hub_api_port=hub_api_port,
            ),
        )

    def open(self, record: SpawnRecord, hub_api_port: int) -> None:
        """The job opens it."""

    def close(self, record: SpawnRecord) -> None:
        """The release of the port closes it."""

    def trouble(self, record: SpawnRecord) -> str:  # noqa: ARG002 (only the job's log knows)
        """Nothing is known here."""
        return ""

    def tidy(self, owned: frozenset[str], grace: float) -> None:
        """There is nothing to tidy."""
