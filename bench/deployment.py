"""A deployment to measure: a home with keys, a database at the newest version, the product's services."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from customs.auth.principal import operator
from customs.config import read_settings
from customs.container import Services
from customs.declarations.intake import accept
from customs.declarations.models import Push
from customs.declarations.states import State
from customs.ops.migrate import upgrade
from customs.ops.standalone import keep_key_pair

SECRET = "a secret for benchmarks only"
TIMEOUT_SECONDS = 30


class Deployment:
    """One database and one gateway. `environ`: the environment for processes of this deployment."""

    def __init__(self, home: Path, database_url: str, gateway_url: str, threads: int) -> None:
        keep_key_pair(home, "agent")
        self.threads = threads
        self.private_key_file = home / "agent_private.pem"
        self.environ = {
            "CUSTOMS_HOME": str(home),
            "CUSTOMS_DATABASE_URL": database_url,
            "CUSTOMS_SECRET_KEY": SECRET,
            "CUSTOMS_PII_KEYS": SECRET,
            "CUSTOMS_REDIS_URL": f"unix://{home / 'redis.sock'}",
            "CUSTOMS_GATEWAY_CONCURRENCY": str(threads),
            "CUSTOMS_GATEWAY_TIMEOUT_SECONDS": str(TIMEOUT_SECONDS),
            "CUSTOMS_LOG_LEVEL": "warning",
            "WISECASHIER_BASE_URL": gateway_url,
            "WISECASHIER_PRIVATE_KEY_FILE": str(self.private_key_file),
        }
        self.services = Services(read_settings(self.environ), pings=False)
        upgrade(self.services.engine)

    @property
    def name(self) -> str:
        return {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[self.services.engine.dialect.name]

    def store(self, orders: Sequence[Any]) -> None:
        """Store orders as the API does; their pushes are due at once."""
        services = self.services
        submission = accept.Submission(orders)
        ready = accept.make_ready(services.engine, services.vault, services.rules, submission, operator())
        with services.transaction() as db:
            accept.take_in(db, services.vault, ready, operator(), services.payments, services.audit)

    def unfinished(self) -> int:
        """Return how many pushes are not SUCCESS."""
        with self.services.reading() as db:
            return db.scalar(select(func.count()).where(Push.state != State.SUCCESS)) or 0

    def is_drained(self) -> bool:
        """Whether nothing is due any more."""
        with self.services.reading() as db:
            return db.scalar(select(Push.id).where(Push.due_at.is_not(None)).limit(1)) is None

    def close(self) -> None:
        self.services.engine.dispose()
