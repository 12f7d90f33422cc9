"""`python -m bench [p1] [p2] [p4] [p6]`: measure, print a table, save the figures, exit 1 if a goal is missed."""

import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import intake, lookups, pipeline, workers
from bench.comparison import Verdict, seconds_of
from customs import logging_setup
from tests.postgresql import new_database, temporary_postgresql

RESULTS = Path(__file__).parent / "results"
GOALS = {"p1": pipeline.measure, "p2": workers.measure, "p4": intake.measure, "p6": lookups.measure}


def main(chosen: Sequence[str]) -> int:
    # Without a Redis to notify, each intake would log a warning.
    logging_setup.configure("error")
    verdicts: list[Verdict] = []
    seconds = seconds_of(lambda: verdicts.extend(_measure_all(chosen or list(GOALS))))
    table = Table(title=f"benchmarks, {seconds:.0f} s")
    for column in ("goal", "wanted", "measured", "verdict"):
        table.add_column(column)
    for verdict in verdicts:
        table.add_row(*verdict.shown)
    Console().print(table)
    _save(verdicts)
    return 0 if all(verdict.holds for verdict in verdicts) else 1


def _measure_all(chosen: Sequence[str]) -> list[Verdict]:
    numbers = count(1)
    with tempfile.TemporaryDirectory(prefix="customs-bench-") as folder, temporary_postgresql() as server:
        home = Path(folder)
        databases: tuple[Callable[[], str], ...] = (
            lambda: f"sqlite:///{home / f'{next(numbers)}.db'}",
            lambda: new_database(server),
        )
        return [verdict for goal in chosen for database in databases for verdict in GOALS[goal](home, database)]


def _save(verdicts: Sequence[Verdict]) -> None:
    RESULTS.mkdir(exist_ok=True)
    saved = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": platform.python_version(),
        "goals": [vars(verdict) | {"holds": verdict.holds} for verdict in verdicts],
    }
    (RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}.json").write_text(json.dumps(saved, indent=2))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
