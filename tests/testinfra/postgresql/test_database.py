# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A hub that is told of a PostgreSQL server keeps everything there. Its logins are those of the tests of the hub."""

from __future__ import annotations

from tests.testinfra.reach import hosts

testinfra_hosts = hosts("hub")
PASSWORD = "correct-horse-battery-staple"
# sudo notes this very search in the journal.
SEARCH = "correct-horse-battery-[s]taple"


def test_users_who_logged_in_are_in_the_database(host):
    said = host.check_output("runuser -u postgres -- psql -At jupyterhub -c 'SELECT name FROM users'")
    assert "alice" in said.splitlines()


def test_the_hub_is_connected_as_its_own_account(host):
    query = "SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = 'jupyterhub' AND usename <> 'postgres'"
    assert host.check_output(f'runuser -u postgres -- psql -At jupyterhub -c "{query}"') == "hub"


def test_no_sqlite_file_was_made(host):
    assert not host.file("/var/lib/jupyterhub/jupyterhub.sqlite").exists
    assert host.file("/var/lib/jupyterhub").exists


def test_the_password_is_in_one_file_that_only_the_hub_reads(host):
    places = "/etc/jupyterhub /etc/systemd/system /etc/apache2 /var/log /opt/hpcampus"
    found = host.run(f"grep -rlE '{SEARCH}' {places}").stdout.splitlines()
    assert found == ["/etc/jupyterhub/secrets/db_url"]
    secret = host.file(found[0])
    assert (secret.user, secret.group, oct(secret.mode)) == ("root", "jupyterhub", "0o640")
    assert PASSWORD not in host.check_output("ps -e -o args=; journalctl --no-pager --output=cat")
