"""P6: lookups of pages and API, at a million declarations or payments compared with ten thousand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from bench import declaration_lookups, payment_lookups
from bench.comparison import Verdict, compare, seconds_of
from bench.declaration_lookups import Lookup
from bench.deployment import Deployment

WANTED = 1.3
SMALL, LARGE = 10_000, 1_000_000
REPEATS = 200
UNUSED_GATEWAY = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Subject:
    """A table of rows to look up: how to fill it to a size, and the lookups at that size."""

    name: str
    fill: Callable[[Connection, int], None]
    lookups: Callable[[int], Mapping[str, Lookup]]


SUBJECTS = (
    Subject("declarations", declaration_lookups.fill, declaration_lookups.lookups),
    Subject("payments", payment_lookups.fill, payment_lookups.lookups),
)


def measure(home: Path, database: Callable[[], str]) -> list[Verdict]:
    """Return one verdict for each lookup."""
    return [verdict for subject in SUBJECTS for verdict in _measure(subject, home, database)]


def _measure(subject: Subject, home: Path, database: Callable[[], str]) -> list[Verdict]:
    small, large = (_filled(subject, home, database(), size) for size in (SMALL, LARGE))
    lookups, others = subject.lookups(LARGE), subject.lookups(SMALL)
    try:
        return [
            compare(
                f"P6 {what}, {LARGE:,} / {SMALL:,} {subject.name}, {small.name}",
                WANTED,
                lambda lookup=lookups[what]: _seconds(large, lookup, LARGE),  # type: ignore[misc]
                lambda lookup=others[what]: _seconds(small, lookup, SMALL),  # type: ignore[misc]
                at_least=False,
                unit="s",
            )
            for what in lookups
        ]
    finally:
        small.close()
        large.close()


def _seconds(deployment: Deployment, lookup: Lookup, size: int) -> float:
    numbers = [size * step // REPEATS for step in range(REPEATS)]
    with deployment.services.reading() as db:
        lookup(db, 0)

        def look_all_up() -> None:
            for number in numbers:
                lookup(db, number)
                # Each page is a new request: nothing stays loaded from the one before.
                db.expunge_all()

        return seconds_of(look_all_up)


def _filled(subject: Subject, home: Path, url: str, size: int) -> Deployment:
    deployment = Deployment(home, url, UNUSED_GATEWAY, threads=1)
    with deployment.services.engine.begin() as db:
        subject.fill(db, size)
    if deployment.services.engine.dialect.name == "postgresql":
        # As autovacuum would soon do; SQLite has nothing like it.
        with deployment.services.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
            db.exec_driver_sql("ANALYZE")
    return deployment
