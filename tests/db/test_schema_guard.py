"""A database that is away, full, read-only or another version's: whoever works with it says so and harms nothing."""

import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from customs.config import read_settings
from customs.container import Services
from customs.db import database
from customs.db.database import SchemaMismatch
from customs.db.schema_guard import Readiness, newest_version
from customs.ops import migrate
from tests import make
from tests.api.conftest import is_problem
from tests.application import application
from tests.conftest import SIGNING_KEY
from tests.journeys.gateway import clean_environ
from tests.journeys.processes import started, wait_until

OLDER, NEWER = "0001", "9999"


def at_version(engine: Engine, version: str) -> None:
    """Let the database be at this version, as an upgrade by another program would."""
    with engine.execution_options(any_version=True).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})


def looked_for(services: Services) -> dict[str, Any]:
    """What the API, a page and both probes answer."""
    client = application(services).test_client()
    client.set_cookie("customs_session", "whoever")
    return {
        "api": client.get("/api/v1/batches", headers={"Authorization": "Bearer ck_test_x"}),
        "page": client.get("/_partials/today", headers={"Accept": "text/html"}),
        "readyz": client.get("/readyz"),
        "healthz": client.get("/healthz"),
    }


@pytest.fixture
def home(tmp_path: Path) -> Callable[[str], Services]:
    """The product on any database."""

    def services(url: str) -> Services:
        environ = {"CUSTOMS_HOME": str(tmp_path), "CUSTOMS_DATABASE_URL": url}
        environ |= {"CUSTOMS_REDIS_URL": f"unix://{tmp_path}/nobody.sock", "WISECASHIER_BASE_URL": "http://127.0.0.1:9"}
        return Services(read_settings(make.SECRETS | environ | {"WISECASHIER_PRIVATE_KEY_FILE": str(SIGNING_KEY)}))

    return services


def no_folder(url: str, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/nowhere/customs.db"


def no_database(url: str, tmp_path: Path) -> str:
    (tmp_path / "text.db").write_text("this is a text " * 500)
    return f"sqlite:///{tmp_path}/text.db"


def not_upgraded(url: str, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/fresh.db"


def another_version(url: str, tmp_path: Path) -> str:
    at_version(create_engine(url), NEWER)
    return url


@pytest.mark.parametrize("spoiled", [no_folder, no_database, not_upgraded, another_version])
def test_a_database_that_cannot_be_used_is_a_503_at_every_door_in_its_language(
    spoiled: Callable[[str, Path], str], sqlite_url: str, tmp_path: Path, home: Callable[[str], Services]
):
    answers = looked_for(home(spoiled(sqlite_url, tmp_path)))

    api, page = answers["api"], answers["page"]
    assert is_problem(api)
    assert (api.status_code, api.json["code"], api.headers["Retry-After"]) == (503, "database_unavailable", "2")
    assert (page.status_code, "申报台暂时无法工作" in page.text) == (503, True)
    assert [answers[name].status_code for name in ("readyz", "healthz")] == [503, 200]


def test_ready_means_that_a_write_works(either_database: str, home: Callable[[str], Services]):
    services = home(either_database)
    client = application(services).test_client()

    before = client.get("/readyz")
    read_only(services.engine)
    after = Readiness(services.engine).trouble()
    writable(services.engine)

    assert (before.status_code, before.json["database"]) == (200, "ok")
    assert after.startswith("not writable: ")
    assert Readiness(services.engine).trouble() == ""


def read_only(engine: Engine) -> None:
    _let_writes(engine, postgresql="ON", sqlite="PRAGMA query_only=ON")


def writable(engine: Engine) -> None:
    _let_writes(engine, postgresql="OFF", sqlite="PRAGMA query_only=OFF")


def _let_writes(engine: Engine, *, postgresql: str, sqlite: str) -> None:
    with engine.execution_options(reading=True).connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql(sqlite)
            return
        name = engine.url.database
        connection.exec_driver_sql("SET TRANSACTION READ WRITE")
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET default_transaction_read_only = {postgresql}')
        connection.commit()
    engine.dispose()


@pytest.mark.parametrize(("version", "mend"), [(OLDER, "`customs db upgrade`"), (NEWER, "install what")])
def test_a_running_process_stops_at_a_schema_that_is_not_its_own(services: Services, version: str, mend: str):
    reported: list[str] = []
    running = Services(services.settings, on_mismatch=reported.append)
    with running.transaction() as db:
        db.connection()
    at_version(services.engine, version)

    def is_refused() -> bool:
        try:
            with running.transaction() as db:
                db.connection()
                return False
        except SchemaMismatch:
            return True

    wait_until(is_refused, "the other version is seen")
    at_version(services.engine, newest_version())
    running.engine.dispose()
    assert mend in reported[0]
    assert version in reported[0]


@pytest.mark.parametrize("kind", ["worker", "clock"])
def test_a_worker_and_a_clock_that_find_another_schema_end_with_a_sentence(kind: str, sqlite_url: str, tmp_path: Path):
    at_version(create_engine(sqlite_url), NEWER)
    environ = clean_environ() | make.SECRETS | {"CUSTOMS_HOME": str(tmp_path), "CUSTOMS_DATABASE_URL": sqlite_url}

    with started([sys.executable, "-m", "workers", kind], environ, tmp_path / "log") as process:
        code = process.exit_code()

    assert code == 1
    assert f"the database is at version {NEWER}" in (tmp_path / "log").read_text()


def failed(engine: Engine, *statements: str) -> SQLAlchemyError:
    """The error that these statements end with, in one transaction."""
    with pytest.raises(SQLAlchemyError) as raised, engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    return raised.value


def full(file: Path) -> SQLAlchemyError:
    return failed(
        database.connect(f"sqlite:///{file}"),
        "PRAGMA max_page_count=1",
        "CREATE TABLE t (x)",
        "INSERT INTO t VALUES (zeroblob(9000000))",
    )


def readable_only(file: Path) -> SQLAlchemyError:
    return failed(create_engine(f"sqlite:///file:{file}?mode=ro&uri=true"), "DELETE FROM alembic_version")


def locked(file: Path) -> SQLAlchemyError:
    with sqlite3.connect(file) as other:
        other.execute("BEGIN IMMEDIATE")
        return failed(create_engine(f"sqlite:///{file}", connect_args={"timeout": 0}), "DELETE FROM alembic_version")


def without_room(file: Path) -> SQLAlchemyError:
    engine = create_engine(f"sqlite:///{file}", pool_size=1, max_overflow=0, pool_timeout=0.01)
    with ExitStack() as stack:
        stack.enter_context(engine.connect())
        return failed(engine, "SELECT 1")


@pytest.mark.parametrize("way", [full, readable_only, locked, without_room])
def test_sqlite_that_fails_counts_as_away(way: Callable[[Path], SQLAlchemyError], migrated_file: Path, tmp_path: Path):
    assert database.is_away(way(Path(shutil.copy(migrated_file, tmp_path / "customs.db"))))


POSTGRESQL_FAILS = {
    "read-only": ("SET TRANSACTION READ ONLY", "DELETE FROM alembic_version"),
    "a statement that was ended": ("SET LOCAL statement_timeout = '1ms'", "SELECT pg_sleep(1)"),
    "a connection that was ended": ("SELECT pg_terminate_backend(pg_backend_pid())", "SELECT 1"),
    "no right to write": ("SET LOCAL ROLE pg_monitor", "DELETE FROM alembic_version"),
}


@pytest.mark.parametrize("statements", POSTGRESQL_FAILS.values(), ids=POSTGRESQL_FAILS)
def test_postgresql_that_fails_counts_as_away(migrated_cluster: Engine, statements: tuple[str, ...]):
    assert database.is_away(failed(migrated_cluster, *statements))


def test_a_lock_that_does_not_come_counts_as_away(migrated_cluster: Engine):
    with migrated_cluster.begin() as holder:
        holder.exec_driver_sql("LOCK TABLE batches")
        assert database.is_away(failed(migrated_cluster, "SET LOCAL lock_timeout = '1ms'", "LOCK TABLE batches"))


@pytest.mark.parametrize("statement", ["SELEKT", "SELECT * FROM nowhere", "SELECT 1 / 0"])
def test_what_was_asked_wrongly_is_no_failure_of_the_database(migrated_cluster: Engine, statement: str):
    assert not database.is_away(failed(migrated_cluster, statement))


def test_an_upgrade_from_a_newer_version_is_refused_in_a_sentence(services: Services):
    at_version(services.engine, NEWER)

    with pytest.raises(SchemaMismatch, match="install what"):
        migrate.upgrade(services.engine)
    at_version(services.engine, newest_version())
