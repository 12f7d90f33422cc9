"""Intake: a submission is made ready, compared with existing data, and stored in one piece."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from customs.audit.actions import AuditAction, AuditEvent, audit_event
from customs.audit.trail import AuditTrail
from customs.auth.principal import Caller
from customs.db import database
from customs.declarations.events import mark_moved
from customs.declarations.intake import existing
from customs.declarations.intake.comparison_rules import conflicts_with_existing
from customs.declarations.intake.existing import lock_orders
from customs.declarations.intake.orders import Finding, RuleFinding, Severity
from customs.declarations.intake.payment_rules import PaymentsOfBatch, payment_findings, waits
from customs.declarations.intake.store import Prepared, prepare, store
from customs.declarations.intake.validate import Checked, Locate, Rules, apply, check, nowhere, rejection, shape
from customs.declarations.models import Batch, Declaration
from customs.declarations.open_rows import left_rows, settle, take_up
from customs.declarations.registrations import registrations_of
from customs.declarations.schemas import LONGEST_BATCH
from customs.errors import ValidationFailed
from customs.gateway import Channel
from customs.payments_port import PaymentKey, Payments
from customs.privacy.vault import Vault
from customs.stats.tallies import SHANGHAI, day_of


@dataclass(frozen=True)
class Compared:
    """The rows after a comparison, and by their index: the declaration each repeats (R1), and who waits to be paid."""

    checked: Checked
    replays: Mapping[int, str]
    waiting: Collection[int]


def compare(
    db: Session,
    vault: Vault,
    checked: Checked,
    prepared: Mapping[int, Prepared],
    payments: Payments,
    now: datetime,
    *,
    lock: bool = False,
) -> Compared:
    """Compare with existing data and with what is known of the payments; `lock`: these do not change meanwhile."""
    if lock:
        lock_orders(db, checked.orders.values())
    facts = payments.facts(db, {PaymentKey(*order.payment) for order in checked.orders.values()}, lock=lock)
    pushes = existing.pushes_of(db, checked.orders.values())
    checked, replays = _without_replays(checked, existing.declarations_behind(db, pushes), vault)
    # What a buyer spent matters only to orders whose amounts are known.
    indexes = {key: prepared[key].cert_index for key, order in checked.orders.items() if order.sub_orders}
    buyers = [index for index in indexes.values() if index]
    data = existing.existing_data(db, pushes, checked.orders.values(), buyers, checked.caller, now)
    checked = apply(
        checked,
        (
            (index, one)
            for index, order in checked.orders.items()
            for one in conflicts_with_existing(order, data, indexes.get(index))
        ),
    )
    strange = [order for order in checked.orders.values() if PaymentKey(*order.payment) not in facts]
    numbers = {number for order in strange for number in (order.payment_no, order.out_order_no)}
    made_here = payments.borne(db, {order.merchant_no for order in strange}, numbers)
    of_payments = PaymentsOfBatch(facts, pushes, made_here, now)
    checked = apply(checked, payment_findings(checked.orders, of_payments, checked.rules.refuses))
    waiting = {i for i, order in checked.orders.items() if waits(order, facts.get(PaymentKey(*order.payment)))}
    return Compared(checked, replays, waiting)


def _without_replays(
    checked: Checked, declared: Mapping[tuple[str, Channel, str, str], Declaration], vault: Vault
) -> tuple[Checked, Mapping[int, str]]:
    """Take the rows out that repeat a declaration, and refuse those that contradict one (R1)."""
    replays: dict[int, str] = {}
    conflicts: list[tuple[int, RuleFinding]] = []
    for index, order in checked.orders.items():
        if (known := declared.get(order.key)) is None:
            continue
        if existing.is_same(known, checked.given[index], vault):
            replays[index] = known.id
        else:
            conflicts.append((index, _conflict(known.id)))
    return apply(checked.without(replays), conflicts), replays


@dataclass(frozen=True)
class Submission:
    """What was handed in, before anything of it was looked at; `locate` and `findings` come from a spreadsheet.

    So do `lines`, the rows of each declaration by their numbers in the file. `draft_id`: the draft that keeps the
    cells of what is not taken.
    """

    rows: Sequence[Any]
    name: str = ""
    on_error: str = "reject"
    locate: Locate = nowhere
    findings: Sequence[Finding] = ()
    lines: Sequence[Sequence[int]] | None = None
    draft_id: str | None = None


@dataclass(frozen=True)
class Ready:
    """A submission that has passed all that needs no lock: ids given, buyers sealed."""

    submission: Submission
    checked: Checked
    prepared: Mapping[int, Prepared]


def make_ready(engine: Engine, vault: Vault, rules: Rules, submission: Submission, caller: Caller) -> Ready:
    """Do the costly part of intake before the transaction that stores begins."""
    if not 1 <= len(submission.rows) <= LONGEST_BATCH:
        raise ValidationFailed(
            f"a batch holds 1 to {LONGEST_BATCH:,} declarations, this one {len(submission.rows):,}: split it"
        )
    shaped = shape(submission.rows)
    with database.reading(engine) as db:
        on_file = registrations_of(db, {order.merchant_no for order in shaped.orders.values()})
        today = day_of(database.now(db))
    checked = check(shaped, caller, on_file, rules, today, locate=submission.locate, findings=submission.findings)
    return Ready(submission, checked, {index: prepare(order, vault) for index, order in checked.orders.items()})


@dataclass(frozen=True)
class TakenIn:
    """A stored batch, and what became of each of its rows: the declaration made of it, or the one it repeats."""

    batch: Batch
    rows: int
    accepted: Mapping[int, str]
    replayed: Mapping[int, str]

    def results(self) -> list[dict[str, Any]]:
        """Return one entry for each row, in its order."""
        known = {index: ("accepted", one) for index, one in self.accepted.items()}
        known |= {index: ("replayed", one) for index, one in self.replayed.items()}
        rows = ((index, *known.get(index, ("rejected", None))) for index in range(self.rows))
        return [{"index": index, "declaration_id": one, "status": status} for index, status, one in rows]


def take_in(db: Session, vault: Vault, ready: Ready, sender: Caller, payments: Payments, audit: AuditTrail) -> Batch:
    """Store the entire batch, or its good rows when `on_error` is "accept_valid".

    Raises ValidationFailed with every error.
    """
    return take_in_rows(db, vault, ready, sender, payments, audit).batch


def take_in_rows(
    db: Session,
    vault: Vault,
    ready: Ready,
    sender: Caller,
    payments: Payments,
    audit: AuditTrail,
    batch: Batch | None = None,
) -> TakenIn:
    """Store a batch as `take_in`, and return what became of each row. `batch`: one that the good rows join."""
    now = database.now(db)
    checked = ready.checked
    all_or_none = ready.submission.on_error == "reject" or checked.has_batch_error
    if checked.errors and all_or_none:
        raise rejection(checked)
    compared = compare(db, vault, checked, ready.prepared, payments, now, lock=True)
    checked, replays = compared.checked, compared.replays
    if checked.errors and (all_or_none or not (checked.orders or replays)):
        raise rejection(checked)
    taken = {index: ready.prepared[index] for index in sorted(checked.orders)}
    gone = {*taken, *replays}
    left = list(left_rows(ready.submission.rows, ready.submission.lines, gone))
    moved = settle(db, [ready.prepared[index].order for index in gone])
    if (draft_id := ready.submission.draft_id) and (still_open := take_up(db, draft_id)) is not None:
        left = [one for one in left if one.row in still_open]
    stored = store(
        db,
        [*taken.values()],
        sorted(set(replays.values())),
        waiting={ready.prepared[index].id for index in compared.waiting},
        findings=checked.findings,
        merchants=sorted(checked.merchants),
        name=ready.submission.name or f"{now.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
        sender=sender,
        now=now,
        left=left,
        draft_id=draft_id,
        batch=batch,
    )
    # What was taken goes on, and marks itself when it ends.
    mark_moved(db, moved if taken else {*moved, stored.id})
    accepted = {index: one.id for index, one in taken.items()}
    taken_in = TakenIn(stored, len(ready.submission.rows), accepted, replays)
    audit.append(db, _audit_event(taken_in, checked.merchants, sender), now)
    return taken_in


def _audit_event(taken_in: TakenIn, merchants: Collection[str], sender: Caller) -> AuditEvent:
    """One for all that was handed in, however many rows it has."""
    counts = {"rows": taken_in.rows, "accepted": len(taken_in.accepted), "replayed": len(taken_in.replayed)}
    counted = {name: str(count) for name, count in counts.items()}
    merchant_no = next(iter(merchants)) if len(merchants) == 1 else None
    batch = taken_in.batch
    return audit_event(sender, AuditAction.BATCH_SUBMIT, batch.id, merchant_no=merchant_no, name=batch.name, **counted)


def _conflict(declaration_id: str) -> RuleFinding:
    return RuleFinding(
        "",
        "already_declared",
        Severity.ERROR,
        f"{declaration_id} declares this payment at this office with other content",
        "correct that declaration with modify, or send it again with redeclare",
    )
