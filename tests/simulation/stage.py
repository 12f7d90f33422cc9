"""Where plans are played: one engine over one database, emptied before each."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from sqlalchemy import text

from customs.config import read_settings
from customs.container import Services
from customs.db import database
from customs.gateway import Signer, Verifier
from customs.ops import migrate
from tests import make
from tests.simulation.plan import GRACE_SECONDS, LEASE_SECONDS, TIMEOUT_SECONDS, Plan
from tests.simulation.running import Story, run

KEYS = Path(__file__).parent.parent / "gateway" / "keys"

Play = Callable[[Plan], Story]


@contextmanager
def stage(kind: str) -> Iterator[Play]:
    """A database of this kind for as long as it is needed."""
    with tempfile.TemporaryDirectory(prefix="simulation", dir=_fast_folder()) as folder:
        if kind == "sqlite":
            file = Path(folder, "migrated.db")
            _upgrade(f"sqlite:///{file}")
            with players(Path(folder), f"sqlite:///{folder}/customs.db", lambda: _copied(file)) as play:
                yield play
        else:
            from tests.postgresql import temporary_postgresql

            with temporary_postgresql() as url:
                complete = read_settings(make.SECRETS | {"CUSTOMS_DATABASE_URL": url}).database_url
                _upgrade(complete)
                with players(Path(folder), complete) as play:
                    yield play


@contextmanager
def players(folder: Path, url: str, prepare: Callable[[], object] | None = None) -> Iterator[Play]:
    """Plays plan after plan on this database; `prepare` puts an empty one in its place, else its tables are emptied."""
    environment = {
        "CUSTOMS_HOME": str(folder),
        "CUSTOMS_DATABASE_URL": url,
        "WISECASHIER_BASE_URL": "https://gateway.test",
        "WISECASHIER_PRIVATE_KEY_FILE": str(KEYS / "pkcs1.pem"),
        "CUSTOMS_POLL_SECONDS": "60",
        "CUSTOMS_UNKNOWN_GRACE_SECONDS": str(GRACE_SECONDS),
        "CUSTOMS_LEASE_SECONDS": str(LEASE_SECONDS),
        "CUSTOMS_ALIPAY_REPUSH_SECONDS": "300",
        "WISECASHIER_TIMEOUT_SECONDS": str(TIMEOUT_SECONDS),
        "CUSTOMS_GATEWAY_TIMEOUT_SECONDS": str(TIMEOUT_SECONDS),
    }
    services = Services(read_settings(make.SECRETS | environment))
    watching = database.connect(url)
    signer = Signer.from_file(KEYS / "pkcs1.pem")
    verifier = Verifier((KEYS / "public_spki.pem").read_bytes())

    def play(plan: Plan) -> Story:
        if prepare is None:
            _empty(services)
        else:
            services.engine.dispose()
            watching.dispose()
            prepare()
        return run(plan, services, watching, signer, verifier)

    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    try:
        yield play
    finally:
        structlog.configure(**before)
        services.engine.dispose()
        watching.dispose()


def _empty(services: Services) -> None:
    tables = ", ".join(table.name for table in database.Base.metadata.sorted_tables)
    with services.engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {tables}"))


def _copied(file: Path) -> None:
    for old in file.parent.glob("customs.db*"):
        old.unlink()
    shutil.copy(file, file.parent / "customs.db")


def _upgrade(url: str) -> None:
    engine = database.connect(url)
    migrate.upgrade(engine)
    engine.dispose()


def _fast_folder() -> str | None:
    """A folder in memory, where there is one: a database that is thrown away needs no disk."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
