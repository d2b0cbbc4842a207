# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Ask a signer for nothing at all, and print why it refuses.

Argument: the path of its socket.
"""

import json
import socket
import sys

with socket.socket(socket.AF_UNIX) as client:
    client.settimeout(10)
    client.connect(sys.argv[1])
    client.sendall(b"{}\n")
    print(json.loads(client.makefile().readline())["error"])
