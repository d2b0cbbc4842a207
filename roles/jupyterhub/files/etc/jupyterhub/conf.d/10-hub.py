# Managed by hpcampus (hpcampus.platform.jupyterhub). Your own lines belong in /etc/jupyterhub/local.d/*.py.
# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Addresses, database, proxy, who may log in, idle servers. The values are in hub.json and secrets/."""

import json
import sys
from pathlib import Path

c = get_config()  # noqa: F821 (put here by jupyterhub_config.py)

etc = Path("/etc/jupyterhub")
hub = json.loads((etc / "hub.json").read_text())


def secret(name: str) -> str:
    """Content of one of the secrets that were made on this host."""
    return (etc / "secrets" / name).read_text().strip()


c.JupyterHub.bind_url = f"http://127.0.0.1:{hub['bind_port']}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{hub['hub_port']}"
c.HpcHub.api_port = hub["api_port"]
if hub["public_url"]:
    c.JupyterHub.public_url = hub["public_url"]

c.JupyterHub.db_url = secret("db_url")
c.JupyterHub.upgrade_db = True  # an upgrade brings its own schema
c.JupyterHub.cookie_secret = bytes.fromhex(secret("cookie_secret"))
c.CryptKeeper.keys = [bytes.fromhex(secret("crypt_key"))]

# The proxy is a unit of its own, so a restart of the hub cuts nobody off; jobs outlive it too.
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{hub['proxy_api_port']}"
c.ConfigurableHTTPProxy.auth_token = secret("proxy.env").removeprefix("CONFIGPROXY_AUTH_TOKEN=")
c.JupyterHub.cleanup_servers = False
c.JupyterHub.cleanup_proxy = False
c.JupyterHub.last_activity_interval = 60  # also how often missing routes are put right

c.PeriodicMetricsCollector.event_loop_interval_resolution = (
    0.5  # twenty looks a second would be half of an idle hub's work
)

c.JupyterHub.spawner_class = "hpcampus_hub.spawner.HpcSpawner"
c.JupyterHub.concurrent_spawn_limit = hub["concurrent_spawn_limit"]
c.JupyterHub.active_server_limit = hub["active_server_limit"]
c.HpcHub.webdav_hosts = hub["webdav_hosts"]
c.Spawner.start_timeout = hub["spawn_timeout_seconds"]

if hub["authenticator"] == "native":
    c.JupyterHub.authenticator_class = "hpcampus_hub.native.NativeAuthenticator"
    c.NativeAuthenticator.accounts_file = str(etc / "accounts.json")
else:
    c.JupyterHub.authenticator_class = "hpcampus_hub.auth.AccountsFileAuthenticator"
    c.AccountsFileAuthenticator.accounts_file = str(etc / "accounts.json")
c.Authenticator.allow_all = not hub["allowed_users"]
c.Authenticator.allowed_users = set(hub["allowed_users"])
# The list means what it says also for those who have been here before it.
c.Authenticator.allow_existing_users = False
c.Authenticator.admin_users = set(hub["admins"])

c.JupyterHub.services = []
c.JupyterHub.load_roles = []
if hub["idle_timeout_seconds"]:
    c.JupyterHub.services.append(
        {
            "name": "idle-culler",
            "command": [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={hub['idle_timeout_seconds']}"],
        }
    )
    c.JupyterHub.load_roles.append(
        {
            "name": "idle-culler",
            "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
            "services": ["idle-culler"],
        }
    )
