"""Homes, addresses and databases as people have them: they work, or one sentence says what to do."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url, text

from customs.config import read_settings
from customs.container import Services
from customs.db import database
from customs.declarations.models import Batch
from customs.errors import Misconfigured
from customs.ops import migrate
from customs.ops.standalone import Standalone
from customs.ops.supervisor import free_port
from tests import make
from tests.journeys.gateway import clean_environ
from tests.journeys.processes import started, wait_until
from tests.postgresql import UNPRIVILEGED, drop_database, new_database
from tests.product import Desk

FOLDERS = [
    "a#b",
    "a?b=c&d",
    "a%41b",
    "a;b",
    "a@b:c",
    'it\'s "here"',
    "海关 台",
    "two\nlines",
    " blanks ",
    "back\\slash",
    "d" * 200,
]

SETTINGS = ("lock_timeout", "idle_in_transaction_session_timeout")


@pytest.mark.parametrize("name", FOLDERS)
def test_a_home_may_be_called_whatever_a_file_system_allows(name: str, tmp_path: Path):
    home = tmp_path / name
    services = Services(read_settings({"CUSTOMS_HOME": str(home)}))
    migrate.upgrade(services.engine)

    declared = Desk(services).declare()

    with services.reading() as db:
        assert db.get(Batch, db.scalar(text("SELECT batch_id FROM declarations"))) is not None
    services.engine.dispose()
    assert declared.startswith("decl_")
    assert (home / "customs.db").exists()


def test_a_home_that_is_no_folder_is_said_in_a_sentence(tmp_path: Path):
    file = tmp_path / "file"
    file.write_text("")

    for home in (file, file / "below", tmp_path / ("d" * 300)):
        with pytest.raises(Misconfigured, match="CUSTOMS_HOME") as refused:
            read_settings({"CUSTOMS_HOME": str(home)})
        assert "set it to a folder that this user may write to" in refused.value.detail


def test_a_home_whose_name_is_no_text_is_said_in_a_sentence(tmp_path: Path):
    with pytest.raises(Misconfigured, match="not UTF-8"):
        read_settings({"CUSTOMS_HOME": f"{tmp_path}/\udcff"})


def test_an_address_of_another_machine_is_said_in_a_sentence(tmp_path: Path):
    environ = {"CUSTOMS_HOME": str(tmp_path), "CUSTOMS_WEB_HOST": "192.0.2.1"}

    with pytest.raises(Misconfigured, match="CUSTOMS_WEB_HOST"):
        Standalone(read_settings(environ), lambda: None, environ=environ)


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_the_desk_is_reached_by_an_address_of_the_newer_kind(host: str, tmp_path: Path):
    environ = {"CUSTOMS_HOME": str(tmp_path), "CUSTOMS_WEB_HOST": host}
    settings = read_settings(environ)

    desk = Standalone(settings, lambda: None, environ=environ, port=0)

    assert desk.base_url.startswith("http://[::1]:")
    assert settings.public_address == "http://[::1]:8000"


@pytest.mark.parametrize(
    ("variables", "printed"),
    [
        ({"CUSTOMS_HOME": "/dev/null/home"}, "set it to a folder"),
        ({"CUSTOMS_WEB_HOST": "192.0.2.1"}, "set CUSTOMS_WEB_HOST"),
        ({"CUSTOMS_CA_BUNDLE": "/dev/null"}, "CUSTOMS_CA_BUNDLE: no CA certificates"),
    ],
)
def test_a_process_that_cannot_start_says_why_in_one_sentence(variables: dict[str, str], printed: str, tmp_path: Path):
    environ = clean_environ() | {"CUSTOMS_HOME": str(tmp_path)} | variables

    ended = subprocess.run(
        [sys.executable, "-m", "customs", "web"], env=environ, capture_output=True, text=True, check=False, timeout=60
    )

    assert ended.returncode == 1
    assert printed in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_database_that_cannot_hold_chinese_is_said_in_a_sentence(cluster: str):
    url = new_database(cluster, "SQL_ASCII")
    services = Services(read_settings(make.SECRETS | {"CUSTOMS_DATABASE_URL": url}))

    with pytest.raises(database.UnusableDatabase, match="encoding is SQL_ASCII") as refused:
        migrate.upgrade(services.engine)

    services.engine.dispose()
    drop_database(url)
    assert database.is_away(refused.value)


@contextmanager
def pgbouncer(url: str, folder: Path, more: str) -> Iterator[str]:
    """The same database behind PgBouncer, which gives a connection to each transaction."""
    folder.chmod(0o777)
    folder.parent.chmod(0o755)
    address, port = make_url(url), free_port(0)
    (folder / "users").write_text(f'"{address.username}" ""\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={address.query['host']}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n"
        f"auth_type = trust\nauth_file = {folder}/users\npool_mode = transaction\ndefault_pool_size = 2\n"
        f"unix_socket_dir =\n{more}\n"
    )
    command = [str(shutil.which("pgbouncer")), "-u", UNPRIVILEGED, str(folder / "pgbouncer.ini")]
    with started(command, clean_environ(), folder / "log"):
        behind = address.set(host="127.0.0.1", port=port, query={})
        wait_until(lambda: _answers(behind.render_as_string().replace("+psycopg", "")), "PgBouncer answers")
        yield behind.render_as_string()


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.mark.skipif(
    shutil.which("pgbouncer") is None and os.environ.get("CI") != "true",
    reason="NOT TESTED BEHIND PGBOUNCER: it is not installed",
)
@pytest.mark.parametrize("more", ["", "ignore_startup_parameters = options"])
def test_a_pooler_that_gives_connections_to_transactions_is_worked_with(
    more: str, migrated_cluster: object, cluster: str, tmp_path: Path
):
    with pgbouncer(cluster, tmp_path, more) as url:
        services = Services(read_settings(make.SECRETS | {"CUSTOMS_DATABASE_URL": url}))
        desk = Desk(services)

        for _ in range(8):
            desk.declare()
        with services.transaction() as db:
            shown = [db.scalar(text(f"SHOW {name}")) for name in SETTINGS]
        services.engine.dispose()

    assert shown == [database.POSTGRESQL_SETTINGS[name] for name in SETTINGS]
