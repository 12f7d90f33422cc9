"""P6: what pages and the API ask, at a million declarations or payments against ten thousand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from bench import declaration_lookups, payment_lookups
from bench.declaration_lookups import Look
from bench.ground import Ground
from bench.measuring import Verdict, compare, seconds_of

WANTED = 1.3
SMALL, LARGE = 10_000, 1_000_000
REPEATS = 200
UNUSED_GATEWAY = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Subject:
    """What is asked about: how to make so many of them, and the questions, each about one of so many."""

    name: str
    fill: Callable[[Connection, int], None]
    looks: Callable[[int], Mapping[str, Look]]


SUBJECTS = (
    Subject("declarations", declaration_lookups.fill, declaration_lookups.looks),
    Subject("payments", payment_lookups.fill, payment_lookups.looks),
)


def measure(home: Path, database: Callable[[], str]) -> list[Verdict]:
    """One verdict for each question."""
    return [verdict for subject in SUBJECTS for verdict in _measure(subject, home, database)]


def _measure(subject: Subject, home: Path, database: Callable[[], str]) -> list[Verdict]:
    small, large = (_filled(subject, home, database(), size) for size in (SMALL, LARGE))
    looks, others = subject.looks(LARGE), subject.looks(SMALL)
    try:
        return [
            compare(
                f"P6 {what}, {LARGE:,} / {SMALL:,} {subject.name}, {small.name}",
                WANTED,
                lambda look=looks[what]: _seconds(large, look, LARGE),  # type: ignore[misc]
                lambda look=others[what]: _seconds(small, look, SMALL),  # type: ignore[misc]
                at_least=False,
                unit="s",
            )
            for what in looks
        ]
    finally:
        small.close()
        large.close()


def _seconds(ground: Ground, look: Look, size: int) -> float:
    numbers = [size * step // REPEATS for step in range(REPEATS)]
    with ground.services.reading() as db:
        look(db, 0)

        def look_at_all() -> None:
            for number in numbers:
                look(db, number)
                # Each page is another request's: nothing is left over from the one before.
                db.expunge_all()

        return seconds_of(look_at_all)


def _filled(subject: Subject, home: Path, url: str, size: int) -> Ground:
    ground = Ground(home, url, UNUSED_GATEWAY, threads=1)
    with ground.services.engine.begin() as db:
        subject.fill(db, size)
    if ground.services.engine.dialect.name == "postgresql":
        # As its autovacuum would soon do; nobody does it for SQLite.
        with ground.services.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
            db.exec_driver_sql("ANALYZE")
    return ground
