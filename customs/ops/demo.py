"""The demo: a desk of its own declares the sample batch to its end, and a simulated clerk corrects what failed."""

import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from customs.auth.principal import operator
from customs.config import read_settings
from customs.container import Services
from customs.db import database
from customs.declarations.actions.decisions import ReviewService
from customs.declarations.cases import entry_sentence
from customs.declarations.intake import accept
from customs.declarations.models import Declaration
from customs.declarations.reading import queries
from customs.declarations.registrations import put_registrations
from customs.declarations.states import State
from customs.errors import ActionNotAllowed
from customs.events.timeline import Event
from customs.imports.sample_orders import Expected, SampleBatch, sample_batch
from customs.imports.sheet import read_sheet
from customs.ops import migrate
from customs.ops.standalone import Standalone

POLL_SECONDS = 0.3
TIMEOUT_SECONDS = 90.0
# Beyond some hundred rows the work itself takes longer than the slowest story.
TIMEOUT_SECONDS_A_ROW = 0.05
WIDTH_OF_A_LOG = 150
# Variables of the caller's shell must not reach this desk: they may name the real gateway.
SETTING_PREFIXES = ("CUSTOMS_", "WISECASHIER_")
PACE = {"CUSTOMS_POLL_SECONDS": "0.5", "CUSTOMS_LOG_LEVEL": "warning"}


@dataclass(frozen=True)
class Ending:
    """How one order ended, with its timeline; `right`: as the sample says."""

    expected: Expected
    declaration: Declaration
    events: Sequence[Event]
    right: bool


def run(rows: int, console: Console) -> bool:
    """Declare the sample's first `rows` orders and print how each ended; True when all ended as the sample says.

    To be called in the main thread. The temporary home is deleted at the end. Raises what Standalone raises.
    """
    began = time.monotonic()
    with TemporaryDirectory(prefix="customs-demo-") as home, _bar(console) as bar:
        task = bar.add_task("starting the desk", total=rows)
        environ = _environ(Path(home))
        services = Services(read_settings(environ))
        upgrade = partial(migrate.upgrade, services.engine)
        with Standalone(services.settings, upgrade, environ=environ, port=0, sandbox_port=0):
            sample = sample_batch(rows, tag=_tag())
            clerk = Clerk(services, sample, submit(services, sample))
            timeout = TIMEOUT_SECONDS + rows * TIMEOUT_SECONDS_A_ROW
            clerk.work(time.monotonic() + timeout, lambda done, states: _show(bar, task, done, states))
        endings = clerk.endings()
        services.engine.dispose()
        services.notifier.redis.close()
    _print(console, endings, time.monotonic() - began)
    return all(ending.right for ending in endings)


def submit_sample(services: Services) -> str:
    """Submit the whole sample batch and return its id; nobody corrects what fails."""
    return submit(services, sample_batch(tag=_tag()))


def submit(services: Services, sample: SampleBatch) -> str:
    """Store the sample's registrations, submit its file and notify the workers; return the batch's id."""
    sender = operator()
    with services.transaction() as db:
        put_registrations(db, sample.registrations, sender, services.audit, database.now(db))
    sheet = read_sheet(sample.content, sample.filename)
    submission = accept.Submission(
        sheet.declarations, sample.filename, locate=sheet.locate, findings=tuple(sheet.findings)
    )
    ready = accept.make_ready(services.engine, services.vault, services.rules, submission, sender)
    with services.transaction() as db:
        batch_id = accept.take_in(db, services.vault, ready, sender, services.payments, services.audit).id
    services.notifier.notify()
    return batch_id


class Clerk:
    """Watches one batch, and applies the remedies that the sample names for what failed."""

    def __init__(self, services: Services, sample: SampleBatch, batch_id: str) -> None:
        self._services = services
        self._sample = sample
        self._batch_id = batch_id
        self._remedied: set[str] = set()

    def work(self, deadline: float, show: Callable[[int, Mapping[State, int]], None]) -> None:
        """Apply remedies and wait until every order ended as it should, or until `deadline` (monotonic seconds).

        `show` is called with the number of orders that ended so, and of declarations in each state.
        """
        while True:
            declarations = self._declarations()
            right = sum(
                self._is_right(declarations[expected.out_order_no], expected) for expected in self._sample.expected
            )
            show(right, Counter(declaration.state for declaration in declarations.values()))
            if right == len(declarations) or time.monotonic() > deadline:
                return
            for expected in self._sample.expected:
                declaration = declarations[expected.out_order_no]
                if declaration.needs_review and _is_idle(declaration):
                    self._remedy(declaration, expected)
            time.sleep(POLL_SECONDS)

    def endings(self) -> list[Ending]:
        """Return how each order of the sample ended, in the order of the file."""
        declarations = self._declarations()
        with self._services.reading() as db:
            return [
                Ending(
                    expected,
                    declaration := declarations[expected.out_order_no],
                    queries.events_of(db, declaration.id).rows,
                    self._is_right(declaration, expected),
                )
                for expected in self._sample.expected
            ]

    def _declarations(self) -> dict[str, Declaration]:
        filters = queries.Filters(batch_id=self._batch_id)
        with self._services.reading() as db:
            page = queries.list_declarations(db, operator(), filters, limit=len(self._sample.expected), cursor=None)
        return {declaration.out_order_no: declaration for declaration in page.rows}

    def _is_right(self, declaration: Declaration, expected: Expected) -> bool:
        actual = (declaration.state, declaration.identity, declaration.needs_review)
        wanted = (expected.state, expected.identity, expected.needs_review)
        was_remedied = expected.remedy == "none" or expected.out_order_no in self._remedied
        return actual == wanted and was_remedied and _is_idle(declaration)

    def _remedy(self, declaration: Declaration, expected: Expected) -> None:
        if expected.remedy == "none" or (expected.remedy == "modify" and expected.out_order_no in self._remedied):
            return
        services, why = self._services, f"sample: {expected.note}"
        try:
            with services.transaction() as db:
                service = ReviewService(
                    db, operator(), database.now(db), services.policy, services.payments, services.audit
                )
                if expected.remedy == "redeclare":
                    service.redeclare(declaration.id, why)
                else:
                    service.modify(declaration.id, why, expected.correction, services.vault, services.rules)
        except ActionNotAllowed:
            # Too early for Alipay, or a call is in flight: the next round tries again.
            return
        self._remedied.add(expected.out_order_no)
        services.notifier.notify()


def _is_idle(declaration: Declaration) -> bool:
    """Whether nothing goes on by itself; polling of pushes with an open case does not count."""
    return all(push.due_at is None or push.case_kind for push in declaration.pushes)


def _history(events: Sequence[Event]) -> str:
    """Describe what went wrong and what was done, in order: outcomes without an answer, cases, actions of a person."""
    words = [word for event in events for word in _steps(event.detail)]
    counted = ((word, len(list(same))) for word, same in groupby(words))
    return " → ".join(word if times == 1 else f"{word} x{times}" for word, times in counted)


def _steps(detail: Mapping[str, Any]) -> list[str]:
    if "reason" in detail:
        return [detail["action"]]
    troubled = [] if detail["outcome"] == "answered" else [detail["outcome"]]
    return troubled + [entry_sentence(case).partition(":")[0] for case in detail.get("cases", ())]


def _tag() -> str:
    return f"{datetime.now().astimezone():%y%m%d%H%M%S}"


def _environ(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(SETTING_PREFIXES)}
    return {**kept, **PACE, "CUSTOMS_HOME": str(home)}


def _bar(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        BarColumn(20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        console=console,
    )


def _show(bar: Progress, task: TaskID, right: int, states: Mapping[State, int]) -> None:
    counted = (f"{state} {states[state]}" for state in State if states.get(state))
    bar.update(task, completed=right, description="  ".join(counted))


def _print(console: Console, endings: Sequence[Ending], seconds: float) -> None:
    # rich assumes 80 columns for a pipe or a log: too narrow for the table.
    if not console.is_terminal:
        console.width = max(console.width, WIDTH_OF_A_LOG)
    console.print(_table(endings))
    right = sum(ending.right for ending in endings)
    pushes = sum(len(ending.declaration.pushes) for ending in endings)
    calls = sum(event.kind == "call" for ending in endings for event in ending.events)
    console.print(
        f"{right} of {len(endings)} declarations ended as the sample says: "
        f"{pushes} pushes, {calls} calls, {seconds:.1f} s"
    )


def _table(endings: Sequence[Ending]) -> Table:
    table = Table("order", "channel", "office", "pushes", "ended as", "identity", "how it came there", "")
    for ending in endings:
        declaration, history = ending.declaration, _history(ending.events)
        table.add_row(
            declaration.out_order_no,
            declaration.channel,
            declaration.office,
            str(len(declaration.pushes)),
            f"{declaration.state}{', in review' if declaration.needs_review else ''}",
            declaration.identity,
            escape(ending.expected.note) + (f" [dim]({escape(history)})[/]" if history else ""),
            "[green]✓[/]" if ending.right else "[red]✗[/]",
        )
    return table
