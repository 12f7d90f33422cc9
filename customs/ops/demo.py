"""The demonstration: the sample batch declared to its end by a desk of its own, with a clerk who mends what failed."""

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

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from customs.auth.principal import operator
from customs.config import read_settings
from customs.container import Services
from customs.db import database
from customs.declarations.actions.decisions import Reviewing
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

LOOK_SECONDS = 0.3
PATIENCE_SECONDS = 90.0
# Beyond some hundred rows the work itself takes longer than the slowest story.
PATIENCE_SECONDS_A_ROW = 0.05
WIDTH_OF_A_LOG = 150
# What the caller's shell says of a desk must not reach this one: it may be the real gateway's.
FOREIGN = ("CUSTOMS_", "WISECASHIER_")
PACE = {"CUSTOMS_POLL_SECONDS": "0.5", "CUSTOMS_LOG_LEVEL": "warning"}


@dataclass(frozen=True)
class Ending:
    """How one order stands, its timeline, and whether it ended as the sample says."""

    expected: Expected
    declaration: Declaration
    events: Sequence[Event]
    right: bool


def run(rows: int, console: Console) -> bool:
    """Declare the sample's first `rows` orders and print how each ended; True when all ended as the sample says.

    To be called in the main thread. The home goes away at the end. Raises as Standalone does.
    """
    began = time.monotonic()
    with TemporaryDirectory(prefix="customs-demo-") as home, _bar(console) as bar:
        task = bar.add_task("starting the desk", total=rows)
        environ = _environ(Path(home))
        services = Services(read_settings(environ))
        upgrade = partial(migrate.upgrade, services.engine)
        with Standalone(services.settings, upgrade, environ=environ, port=0, sandbox_port=0):
            sample = sample_batch(rows, tag=_tag())
            clerk = Clerk(services, sample, hand_in(services, sample))
            patience = PATIENCE_SECONDS + rows * PATIENCE_SECONDS_A_ROW
            clerk.work(time.monotonic() + patience, lambda done, states: _show(bar, task, done, states))
        endings = clerk.endings()
        services.engine.dispose()
        services.notifier.redis.close()
    _print(console, endings, time.monotonic() - began)
    return all(ending.right for ending in endings)


def submit_sample(services: Services) -> str:
    """Hand the whole sample batch in, as a warehouse would, and return the batch's id; nobody remedies what fails."""
    return hand_in(services, sample_batch(tag=_tag()))


def hand_in(services: Services, sample: SampleBatch) -> str:
    """Put the sample's registrations on file, take its file in and notify the workers; returns the batch's id."""
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
    """Watches one batch and does what the sample says a person does about what failed."""

    def __init__(self, services: Services, sample: SampleBatch, batch_id: str) -> None:
        self._services = services
        self._sample = sample
        self._batch_id = batch_id
        self._remedied: set[str] = set()

    def work(self, deadline: float, show: Callable[[int, Mapping[State, int]], None]) -> None:
        """Remedy and wait until every order has ended as it should, or `deadline` (monotonic) is over.

        `show` gets the number of orders that ended so, and how many declarations are in each state.
        """
        while True:
            held = self._held()
            right = sum(self._is_right(held[expected.out_order_no], expected) for expected in self._sample.expected)
            show(right, Counter(declaration.state for declaration in held.values()))
            if right == len(held) or time.monotonic() > deadline:
                return
            for expected in self._sample.expected:
                declaration = held[expected.out_order_no]
                if declaration.needs_review and _is_at_rest(declaration):
                    self._remedy(declaration, expected)
            time.sleep(LOOK_SECONDS)

    def endings(self) -> list[Ending]:
        """How each order of the sample stands now, in the order of the file."""
        held = self._held()
        with self._services.reading() as db:
            return [
                Ending(
                    expected,
                    declaration := held[expected.out_order_no],
                    queries.events_of(db, declaration.id).rows,
                    self._is_right(declaration, expected),
                )
                for expected in self._sample.expected
            ]

    def _held(self) -> dict[str, Declaration]:
        filters = queries.Filters(batch_id=self._batch_id)
        with self._services.reading() as db:
            page = queries.list_declarations(db, operator(), filters, limit=len(self._sample.expected), cursor=None)
        return {declaration.out_order_no: declaration for declaration in page.rows}

    def _is_right(self, declaration: Declaration, expected: Expected) -> bool:
        stands = (declaration.state, declaration.identity, declaration.needs_review)
        wanted = (expected.state, expected.identity, expected.needs_review)
        remedied = expected.remedy == "none" or expected.out_order_no in self._remedied
        return stands == wanted and remedied and _is_at_rest(declaration)

    def _remedy(self, declaration: Declaration, expected: Expected) -> None:
        if expected.remedy == "none" or (expected.remedy == "modify" and expected.out_order_no in self._remedied):
            return
        services, why = self._services, f"sample: {expected.note}"
        try:
            with services.transaction() as db:
                reviewing = Reviewing(
                    db, operator(), database.now(db), services.policy, services.payments, services.audit
                )
                if expected.remedy == "redeclare":
                    reviewing.redeclare(declaration.id, why)
                else:
                    reviewing.modify(declaration.id, why, expected.correction, services.vault, services.rules)
        except ActionNotAllowed:
            # Too early for Alipay, or a call is still under way: the next look tries again.
            return
        self._remedied.add(expected.out_order_no)
        services.notifier.notify()


def _is_at_rest(declaration: Declaration) -> bool:
    """Whether nothing of it goes on by itself, but for asking about what is before a reviewer already."""
    return all(push.due_at is None or push.case_reason for push in declaration.pushes)


def _course(events: Sequence[Event]) -> str:
    """What was not plain sailing, in order: outcomes that were no answer, cases opened, actions of a person."""
    words = [word for event in events for word in _words(event.detail)]
    counted = ((word, len(list(same))) for word, same in groupby(words))
    return " → ".join(word if times == 1 else f"{word} x{times}" for word, times in counted)


def _words(detail: Mapping[str, str]) -> list[str]:
    if "reason" in detail:
        return [detail["action"]]
    troubled = [] if detail["outcome"] == "answered" else [detail["outcome"]]
    return troubled + ([detail["case"].partition(":")[0]] if "case" in detail else [])


def _tag() -> str:
    return f"{datetime.now().astimezone():%y%m%d%H%M%S}"


def _environ(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
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
    # A pipe or a log has no width of its own; for the 80 columns that rich assumes, the table is too wide.
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
        declaration, course = ending.declaration, _course(ending.events)
        table.add_row(
            declaration.out_order_no,
            declaration.channel,
            declaration.office,
            str(len(declaration.pushes)),
            f"{declaration.state}{', in review' if declaration.needs_review else ''}",
            declaration.identity,
            escape(ending.expected.note) + (f" [dim]({escape(course)})[/]" if course else ""),
            "[green]✓[/]" if ending.right else "[red]✗[/]",
        )
    return table
