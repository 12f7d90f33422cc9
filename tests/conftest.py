"""What tests stand on: a fresh database each, SQLite and PostgreSQL in turn, and the product wired to it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from sqlalchemy import Connection, Engine, event, text

from customs.config import read_settings
from customs.container import Services
from customs.db import database
from customs.ops import migrate
from tests import make
from tests.product import Desk
from tests.statements import CompiledStatements

SIGNING_KEY = Path(__file__).parent / "gateway" / "keys" / "pkcs1.pem"
COMPILED = CompiledStatements()

# What one process works on for minutes: begun last, they would run alone while the other processes wait.
LONGEST = ("browser", "journeys", "simulation", "test_wheel.py", "recipes", "mutants", "ops", "workers")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first; the others keep their order."""
    tests = Path(__file__).parent
    items.sort(key=lambda item: item.path.relative_to(tests).parts[0] not in LONGEST)


@event.listens_for(Engine, "engine_connect")
def share_compiled_statements(connection: Connection) -> None:
    """Compile a statement once for each process: compiling for each test's engine anew costs a third of the suite."""
    connection.execution_options(compiled_cache=COMPILED)


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """The logs' settings belong to a process: what a test set up is not the next one's."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database at the newest version, to be copied."""
    file = tmp_path_factory.mktemp("migrated") / "customs.db"
    engine = database.connect(f"sqlite:///{file}")
    migrate.upgrade(engine)
    engine.dispose()
    return file


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """The URL of an empty database of a PostgreSQL cluster of this test process."""
    try:
        from tests.postgresql import temporary_postgresql

        # What a crash of the machine would leave is no matter here.
        temporary = temporary_postgresql("fsync=off", "synchronous_commit=off", "full_page_writes=off")
        url = temporary.__enter__()
    except (ImportError, OSError, RuntimeError) as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"NOT TESTED ON POSTGRESQL: no server can be had here ({error})")
    yield url
    temporary.__exit__(None, None, None)


@pytest.fixture(scope="session")
def migrated_cluster(cluster: str) -> Iterator[Engine]:
    """The same, at the newest version."""
    engine = database.connect(read_settings(make.SECRETS | {"CUSTOMS_DATABASE_URL": cluster}).database_url)
    migrate.upgrade(engine)
    yield engine
    engine.dispose()


def _emptied(engine: Engine) -> str:
    # New files for each of a hundred tables and indexes cost more than most tests.
    tables = reversed(database.Base.metadata.sorted_tables)
    with engine.begin() as connection:
        connection.execute(text("; ".join(f"DELETE FROM {table.name}" for table in tables)))
    return engine.url.render_as_string(hide_password=False)


@pytest.fixture
def sqlite_url(migrated_file: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'customs.db')}"


@pytest.fixture(params=["sqlite", "postgresql"])
def either_database(request: pytest.FixtureRequest) -> str:
    """A database of its own at the newest version."""
    if request.param == "sqlite":
        url: str = request.getfixturevalue("sqlite_url")
        return url
    return _emptied(request.getfixturevalue("migrated_cluster"))


@pytest.fixture
def database_url(either_database: str) -> str:
    """Where the database does not matter, a file of tests says so: it puts `sqlite_url` in this place."""
    return either_database


@pytest.fixture
def services(database_url: str, tmp_path: Path) -> Iterator[Services]:
    """The product on that database. Redis is away, as it may be: nothing may need it."""
    environment = {
        "CUSTOMS_HOME": str(tmp_path),
        "CUSTOMS_DATABASE_URL": database_url,
        "CUSTOMS_REDIS_URL": f"unix://{tmp_path}/nobody.sock",
        "WISECASHIER_BASE_URL": "http://127.0.0.1:9",
        "WISECASHIER_PRIVATE_KEY_FILE": str(SIGNING_KEY),
    }
    services = Services(read_settings(make.SECRETS | environment))
    yield services
    services.engine.dispose()


@pytest.fixture
def desk(services: Services) -> Desk:
    return Desk(services)
