# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Make the missing databases of the courses on this host's PostgreSQL, and let the course service in to them.

Arguments: "make" or "look", account of the course service, names of the databases, which are those of their owners too. Prints each
thing that was or would be changed. Drops nothing: a course that is no longer named keeps its database, and nobody is let in to it.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

PORT = "5432"
SOCKETS = "/run/postgresql"
GROUP = "hpcampus_courses"
"""Role whose members are the owners, and name of the map of accounts."""
PREFIX = "hpcampus_course_"
BEGIN, END = "# BEGIN managed by hpcampus (courses)", "# END managed by hpcampus (courses)"
RULES = f"""\
# An owner of a course's database comes from the course service alone, and to that database alone.
local sameuser +{GROUP} peer map={GROUP}
local all +{GROUP} reject
host all +{GROUP} all reject
"""
NO_NETWORK = """\
# Managed by hpcampus (hpcampus.platform.courses): the databases of courses are reached by the socket. Remove this line to have the
# server listen for others; it comes back only while there are no databases but those of courses.
listen_addresses = ''
"""
# What the server would complain of in the two files as they are on the disk now.
WRONG_RULES = "SELECT line_number || ': ' || error FROM pg_hba_file_rules WHERE error IS NOT NULL"
WRONG_ACCOUNTS = "SELECT line_number || ': ' || error FROM pg_ident_file_mappings WHERE error IS NOT NULL"
MEMBERS = """\
SELECT m.rolname FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member JOIN pg_roles g ON g.oid = a.roleid
WHERE g.rolname = 'hpcampus_courses'
"""
Say = Callable[[str], None]


def psql(sql: str, database: str = "postgres") -> list[str]:
    """Rows of a query as the server's own administrator."""
    where = ["--host", SOCKETS, "--port", PORT, "--dbname", database]
    done = subprocess.run(
        ["runuser", "-u", "postgres", "--", "psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", *where],
        input=sql,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    if done.returncode:
        sys.exit(f"PostgreSQL on port {PORT} refuses: {done.stderr.strip()}")
    return done.stdout.splitlines()


def cluster() -> tuple[str, Path]:
    """Version and name of the server on the usual port, as ``15-main``, and its directory of configuration."""
    listed = subprocess.run(["pg_lsclusters", "--no-header"], capture_output=True, text=True, check=True).stdout
    for line in listed.splitlines():
        version, name, port, state, *_ = line.split()
        if port == PORT:
            if "online" not in state:
                sys.exit(
                    f"PostgreSQL {version} {name} is {state}: start it with systemctl start postgresql@{version}-{name}."
                )
            return f"{version}-{name}", Path("/etc/postgresql", version, name)
    sys.exit(
        f"No server of PostgreSQL has the port {PORT}: make one with pg_createcluster --start, or set courses_gradebook to sqlite."
    )


def with_block(text: str, lines: str, *, first: bool) -> str:
    """A file's text with our lines between their marks, before everything else or at the end."""
    block = f"{BEGIN}\n{lines}{END}\n"
    marked = re.compile(rf"^{re.escape(BEGIN)}\n.*?^{re.escape(END)}\n", re.MULTILINE | re.DOTALL)
    if marked.search(text):
        return marked.sub(lambda _: block, text, count=1)
    return block + text if first else text.rstrip("\n") + "\n" + block


def write(path: Path, text: str) -> None:
    """Replace a file in one go; rights stay as they are, or are those of its directory's owner."""
    like = path if path.exists() else path.parent
    descriptor, new = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        os.fchown(file.fileno(), like.stat().st_uid, like.stat().st_gid)
        os.fchmod(file.fileno(), path.stat().st_mode & 0o7777 if path.exists() else 0o640)
    Path(new).replace(path)


def write_checked(path: Path, text: str, complaints: str) -> None:
    """Replace a file that the server reads; what it would complain of is taken back."""
    old = path.read_text()
    write(path, text)
    wrong = psql(complaints)
    if wrong:
        write(path, old)
        sys.exit(f"PostgreSQL would not take {path}, which is left as it was. Line {wrong[0]}")


def let_in(conf: Path, account: str, names: list[str], say: Say, *, make: bool) -> bool:
    """Keep our lines in the server's two files of who may come; say whether one has changed."""
    accounts = "".join(f"{GROUP} {account} {name}\n" for name in names)
    wanted = (
        (conf / "pg_hba.conf", RULES, True, WRONG_RULES),
        (conf / "pg_ident.conf", accounts, False, WRONG_ACCOUNTS),
    )
    changed = False
    for path, lines, first, complaints in wanted:
        old = path.read_text()
        new = with_block(old, lines, first=first)
        if new != old:
            changed = True
            say(str(path))
            if make:
                write_checked(path, new, complaints)
    return changed


def keep_databases(names: list[str], say: Say, *, make: bool) -> None:
    """Make the owners and databases that are missing."""
    roles = set(psql("SELECT rolname FROM pg_roles"))
    members = set(psql(MEMBERS))
    owners = dict(
        line.split("|")
        for line in psql("SELECT datname, pg_get_userbyid(datdba) FROM pg_database WHERE NOT datistemplate")
    )
    public = set(
        psql(
            "SELECT DISTINCT datname FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) acl WHERE acl.grantee = 0"
        )
    )
    for name in names:
        if (name in roles) != (name in members):
            sys.exit(f"PostgreSQL has a role {name} that was not made for a course: rename it, or the course.")
        if owners.get(name, name) != name:
            sys.exit(f"PostgreSQL has a database {name} that belongs to {owners[name]}: rename it, or the course.")
    statements = [] if GROUP in roles else [(f"role {GROUP}", f"CREATE ROLE {GROUP} NOLOGIN;")]
    for name in names:
        if name not in roles:
            statements.append((f"role {name}", f"CREATE ROLE {name} LOGIN CONNECTION LIMIT 40 IN ROLE {GROUP};"))
        if name not in owners:
            kind = "TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'"
            statements.append((f"database {name}", f"CREATE DATABASE {name} OWNER {name} {kind};"))
        if name not in owners or name in public:
            statements.append((f"rights of database {name}", f"REVOKE ALL ON DATABASE {name} FROM PUBLIC;"))
    for what, statement in statements:
        say(what)
        if make:
            psql(statement)


def is_ours_alone() -> bool:
    """Whether the server has nobody else's databases."""
    found = psql("SELECT datname FROM pg_database WHERE NOT datistemplate")
    return all(name == "postgres" or name.startswith(PREFIX) for name in found)


def keep_off_the_network(conf: Path, say: Say, *, make: bool) -> bool:
    """Have a server that serves courses only listen at no port; say whether it has to be restarted for it."""
    path = conf / "conf.d/hpcampus.conf"
    if path.exists() or not is_ours_alone():
        return False
    say(str(path))
    if make:
        path.parent.mkdir(exist_ok=True)
        write(path, NO_NETWORK)
    return True


def main() -> None:
    """Make or look."""
    action, account, *names = sys.argv[1:]
    wrong = [name for name in names if not re.fullmatch(rf"{PREFIX}[a-z0-9_]{{1,47}}", name)]
    if action not in ("make", "look") or wrong or not re.fullmatch(r"[a-z][a-z0-9-]{0,31}", account):
        sys.exit(f"These are no names of courses' databases: {' '.join(wrong)}")
    make = action == "make"

    def say(what: str) -> None:
        sys.stdout.write(f"{what}\n")

    instance, conf = cluster()
    restart = keep_off_the_network(conf, say, make=make)
    # Owners can be let in to nothing before the rules count.
    changed = let_in(conf, account, names, say, make=make)
    if make and (restart or changed):
        word = "restart" if restart else "reload"
        subprocess.run(["systemctl", word, f"postgresql@{instance}.service"], check=True)
    keep_databases(names, say, make=make)


main()
