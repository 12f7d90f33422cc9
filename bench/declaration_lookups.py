"""Lookups of declarations as the pages do them, and the rows to look up."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection

from bench.declaration_history import (
    BATCH,
    EMPTY_OFFICE,
    SENDER,
    SMALL_MERCHANT,
    SMALL_OFFICE,
    DeclarationHistory,
    batch_id,
    cause_id,
)
from customs.auth.principal import Caller, Scope, operator
from customs.db.pagination import cursor_at
from customs.declarations.reading import dashboard, failure_groups, queries
from customs.declarations.states import State
from customs.stats.tallies import day_of

PAGE = 50
CHART_DAYS = 30
# Ten thousand declarations arrived over so many days.
DAYS = 30
SMALL = Caller("erp", "erp", frozenset(Scope), frozenset({SMALL_MERCHANT}))
SENT = Caller(SENDER, "bench", frozenset(Scope), None)

Lookup = Callable[[Any, int], object]


def lookups(size: int) -> Mapping[str, Lookup]:
    """Return each lookup by its name; each is called with the number of an existing declaration."""
    history = _history(size)
    today, since = history.today, history.today - timedelta(days=CHART_DAYS - 1)
    everybody = operator()
    return {
        "list": _list(everybody),
        "list from the middle": lambda db, n: _page(db, everybody, _after(history, n // 2 + BATCH)),
        "list of a small merchant": _list(SMALL),
        "tab needs review": _list(everybody, needs_review=True),
        "tab needs review, small merchant": _list(SMALL, needs_review=True),
        "tab under way": _list(everybody, under_way=True),
        "tab accepted": _list(everybody, states=(State.SUCCESS,), cancelled=False),
        "state EXCEPT": _list(everybody, state=State.EXCEPT),
        "office": _list(everybody, office="SHENZHEN"),
        "small office": _list(everybody, office=SMALL_OFFICE),
        "office without rows": _list(everybody, office=EMPTY_OFFICE),
        "one day": lambda db, n: _page(
            db, everybody, since=history.arrived_at(n), until=history.arrived_at(n) + timedelta(1)
        ),
        "counts of the tabs": lambda db, _: dashboard.counts_of(db, everybody),
        "detail": partial(_detail, history),
        "any number": lambda db, n: queries.declarations_numbered(db, f"P{n}", everybody),
        "any number, split": lambda db, n: queries.declarations_numbered(db, f"S{n - n % 10}", everybody),
        "groups": lambda db, _: failure_groups.list_groups(db, everybody, failure_groups.GroupFilters(), limit=PAGE),
        "one group": lambda db, _: failure_groups.group_of(db, everybody, cause_id()),
        "members of a group": lambda db, _: failure_groups.members(db, everybody, cause_id(), limit=PAGE),
        "next case": lambda db, n: failure_groups.next_case(db, everybody, history.declaration_id(n)),
        "next case of a group": lambda db, n: failure_groups.next_case(
            db, everybody, history.declaration_id(n), cause_id()
        ),
        "badge of open cases": lambda db, _: failure_groups.open_cases(db, everybody),
        "workbench": lambda db, _: dashboard.today(db, everybody, today),
        "workbench, small merchant": lambda db, _: dashboard.today(db, SMALL, today),
        "my batches": lambda db, _: dashboard.my_batches(db, SENT, limit=5),
        "progress of a batch": lambda db, n: queries.progress_of(db, batch_id(n)),
        "charts": lambda db, _: (
            dashboard.outcomes_by_office(db, everybody, since, today),
            dashboard.outcomes_by_day(db, everybody, since, today),
            dashboard.time_to_acceptance(db, everybody, since, today),
            dashboard.failures_by_cause(db, everybody, since, today, limit=10),
        ),
    }


def fill(db: Connection, size: int) -> None:
    """Store that many declarations with all that belongs to them."""
    _history(size).fill(db)


def _history(size: int) -> DeclarationHistory:
    """Return a history of that size: a hundred times the rows over ten times the days."""
    return DeclarationHistory(size, int(DAYS * math.sqrt(size / 10_000)), day_of(datetime.now(UTC)))


def _page(db: Any, caller: Caller, cursor: str | None = None, **filters: Any) -> object:
    return queries.list_declarations(db, caller, queries.Filters(**filters), limit=PAGE, cursor=cursor)


def _after(history: DeclarationHistory, number: int) -> str:
    """Return the cursor behind one declaration."""
    row = SimpleNamespace(created_at=history.arrived_at(number), id=history.declaration_id(number))
    return cursor_at(row, queries.DECLARATIONS_BY)


def _list(caller: Caller, **filters: Any) -> Lookup:
    return lambda db, _: _page(db, caller, **filters)


def _detail(history: DeclarationHistory, db: Any, number: int) -> object:
    id_ = history.declaration_id(number)
    return queries.declaration_of(db, id_, operator()), queries.events_of(db, id_)
