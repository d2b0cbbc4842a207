# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A real WebDAV server for tests: TLS with a certificate of its own, one account, a directory of files."""

import threading
from pathlib import Path

from cheroot import wsgi
from cheroot.ssl.builtin import BuiltinSSLAdapter
from wsgidav.wsgidav_app import WsgiDAVApp

from tests.unit.hub.certificates import issue

USER = "alice"
PASSWORD = "café s3cret, canary-5a17"
ROOT = "/dav/alice/"


class DavServer:
    """The server, on a free port; ``files`` is what it serves.

    Args:
        directory: Takes its files and its certificate.
        address: Where it listens.
        name: What it is called by those who use it, and by its certificate.
    """

    def __init__(self, directory: Path, address: str = "127.0.0.1", name: str = "127.0.0.1") -> None:
        self.files = directory / "files"
        self.files.mkdir()
        self.pem = issue(directory / "dav.pem", None, name)
        """Key and certificate, which signs itself."""
        app = WsgiDAVApp(
            {
                "provider_mapping": {ROOT.rstrip("/"): str(self.files)},
                "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
                "simple_dc": {"user_mapping": {"*": {USER: {"password": PASSWORD}}}},
                "verbose": 0,
                "logging": {"enable": False},
            }
        )
        self._server = wsgi.Server((address, 0), app)
        self._server.ssl_adapter = BuiltinSSLAdapter(str(self.pem), str(self.pem))
        self._server.prepare()
        self.port = int(self._server.bind_addr[1])
        self._name = name
        self._thread = threading.Thread(target=self._server.serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"https://{self._name}:{self.port}{ROOT}"

    def stop(self) -> None:
        self._server.stop()
        self._thread.join(10)
