"""A payment's calls, and what their answers change: the payment itself, and the declarations that wait for it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, func, insert, select, true, update

from customs.config import Settings
from customs.db.database import Base
from customs.errors import DecryptionKeyMissing
from customs.events.outbox import publish
from customs.gateway import (
    Channel,
    GatewayError,
    Misuse,
    OrderReply,
    OtherRecord,
    Sale,
    SaleReply,
    Wallet,
    method_of,
    withheld,
    without_others,
)
from customs.jobs.leases import RELEASED, is_current, overdue_since
from customs.lanes.breaker import is_answer
from customs.payments.collect.payment_lookup import net_cny
from customs.payments.events import event_of, payment_news
from customs.payments.models import Payment, PaymentEvent, Refund
from customs.payments.redaction import inputs_place, masked, personal_place
from customs.payments.states import RefundStatus, Status, read_status
from customs.payments.tasks.order_sync import (
    is_for_another,
    moved,
    needs_something,
    number_that_fits,
    order_columns,
    payer_kept,
)
from customs.payments.tasks.outcomes import (
    Outcome,
    RetryPolicy,
    TaskState,
    Transition,
    case_of,
    handle_error,
    handle_reply,
)
from customs.payments.tasks.task import Task, TaskAction, locked_row
from customs.payments_port import Declarations, PaymentKey, RefundNotice
from customs.privacy.vault import Vault

PAYMENTS = Base.metadata.tables[Payment.__tablename__]
REFUNDS = Base.metadata.tables[Refund.__tablename__]
EVENTS = Base.metadata.tables[PaymentEvent.__tablename__]
FOR_ANOTHER = "the gateway's order under this number is for another merchant, currency or amount"
# WeChat and Alipay renew the code on the payer's screen every minute.
CODE_GOOD_FOR = timedelta(minutes=2)
LOST = "what the payer needs was lost with the gateway's answer: have another payment made"
TASK_STATE = [field.name for field in fields(TaskState)]


class PaymentTask:
    """Creates orders and asks for them."""

    table = PAYMENTS

    def __init__(
        self, wallets: Mapping[Channel, Wallet], vault: Vault, declarations: Declarations, settings: Settings
    ) -> None:
        self._wallets = wallets
        self._vault = vault
        self._declarations = declarations
        self._settings = settings

    @property
    def may_go(self) -> ColumnElement[bool]:
        return true()

    def call(self, task: Task) -> Outcome:
        row = task.row
        wallet = self._wallets[row["channel"]]
        try:
            inputs = self._inputs(row)
        except DecryptionKeyMissing as error:
            if task.action is TaskAction.SEND:
                return Misuse(error.detail)
            inputs = {}
        method = method_of(row["channel"], row["method"])
        is_old = task.reserved_at - row["created_at"] > CODE_GOOD_FOR
        if task.action is TaskAction.SEND and is_old and not method.is_repeatable:
            return Misuse("the code that the payer showed is too old")
        try:
            if task.action is TaskAction.QUERY:
                outcome: Outcome = wallet.query(row["out_order_no"], row["payment_no"], sale_of(row, inputs))
            else:
                outcome = wallet.create(method, sale_of(row, inputs))
        except GatewayError as error:
            outcome = error
        return masked(without_others(outcome, _owner(row)), inputs)

    def payment_of(self, task: Task) -> str:
        return task.id

    def record(self, db: Connection, task: Task, outcome: Outcome, now: datetime) -> str | None:
        row = locked_row(db, PAYMENTS, task.id)
        if not is_current(row, task):
            return None
        if isinstance(outcome, OrderReply) and is_for_another(row, outcome):
            # What names another merchant was withheld already; of our own order it is evidence.
            outcome = OtherRecord(FOR_ANOTHER, exchange=outcome.exchange)
            row["explanation"] = FOR_ANOTHER
        elif _names_another(db, row, outcome):
            outcome = withheld(OtherRecord("the answer names another payment of ours", exchange=outcome.exchange))
        transition, changes = self._handled(row, task, outcome, now, _pending(db, row))
        values = asdict(transition.after) | case_of(row, transition.after, now) | RELEASED | changes
        values["overdue_since"] = overdue_since(row, values["due_at"], answered=is_answer(outcome))
        if row["due_at"] != task.row["due_at"] and values["next_action"] is TaskAction.QUERY:
            # Somebody had it asked for while this call was under way: its answer may be older than that.
            values["due_at"] = min(values["due_at"], row["due_at"])
        db.execute(update(PAYMENTS).where(PAYMENTS.c.id == task.id).values(values))
        after = row | values
        db.execute(insert(EVENTS).values(event_of(row, after, task, outcome, transition, now)))
        self._tell(db, row, after, now)
        publish(db, payment_news(row, after), now)
        return transition.outcome

    def _handled(
        self, row: Mapping[str, Any], task: Task, outcome: Outcome, now: datetime, pending: Decimal
    ) -> tuple[Transition, dict[str, Any]]:
        before = TaskState(**{name: row[name] for name in TASK_STATE})
        policy = RetryPolicy(
            self._settings.payment_poll_seconds,
            self._settings.unknown_grace_seconds,
            repeatable=method_of(row["channel"], row["method"]).is_repeatable,
            patient=False,
            since=row["created_at"],
        )
        if isinstance(outcome, GatewayError):
            transition = handle_error(before, task.action, outcome, now, policy)
            never_opened = transition.outcome == "not_found" and not row["in_doubt"]
            ended = {"status": Status.EXPIRED if never_opened else Status.FAIL}
            return transition, ended if transition.failed and row["status"] is Status.INIT else {}
        changes = self._changes(row, outcome, pending)
        if changes["status"] is Status.PAID and row["paid_at"] is None:
            # Some replies do not say when; then it is when we learned of it.
            changes.setdefault("paid_at", now)
        transition = handle_reply(before, changes["status"].is_final, now, policy)
        return transition, changes

    def _changes(self, row: Mapping[str, Any], outcome: Outcome, pending: Decimal) -> dict[str, Any]:
        """The columns that an answer fills: what it does not say stays as it is."""
        assert isinstance(outcome, SaleReply | OrderReply)
        order = outcome.order if isinstance(outcome, SaleReply) else outcome
        changes: dict[str, Any] = {"status": moved(row["status"], read_status(outcome.status))}
        changes["payment_no"] = row["payment_no"] or number_that_fits(outcome.payment_no)
        if isinstance(outcome, SaleReply):
            changes["payer"] = payer_kept(outcome.payer)
        if order is not None:
            changes |= order_columns(row, order, pending)
            if changes["status"] is Status.PAID and row["paid_at"] is None and order.trade_time is not None:
                changes["paid_at"] = order.trade_time
            if order.personal:
                words = json.dumps(dict(order.personal), ensure_ascii=False)
                changes["personal"] = self._vault.seal(words, personal_place(row["id"]))
        if changes["status"].is_final:
            changes["payer"] = None
        elif isinstance(outcome, OrderReply) and row["payer"] is None and needs_something(row):
            changes["explanation"] = LOST
        return changes

    def _tell(self, db: Connection, before: Mapping[str, Any], after: Mapping[str, Any], now: datetime) -> None:
        """Tell the declarations of this payment what has become of it."""
        if after["payment_no"] is None:
            return
        key = PaymentKey(after["merchant_no"], after["channel"], after["payment_no"])
        if after["status"] is Status.PAID and before["status"] is not Status.PAID:
            self._declarations.release(db, key, net_cny(after), now)
        elif after["status"].is_final and not before["status"].is_final:
            self._declarations.abandon(db, key, str(after["status"]), now)
        elif not after["status"].is_final and after["next_action"] is None:
            # Nobody asks for it any more, so nobody would let them out.
            self._declarations.abandon(db, key, None, now)
        if after["refunded_elsewhere"] > before["refunded_elsewhere"]:
            amount = after["refunded_elsewhere"] - before["refunded_elsewhere"]
            self._declarations.withhold(db, key, RefundNotice(amount, after["currency"], None), now)

    def _inputs(self, row: Mapping[str, Any]) -> dict[str, str]:
        sealed = row["inputs"]
        opened: dict[str, str] = json.loads(self._vault.open(sealed, inputs_place(row["id"]))) if sealed else {}
        return opened


def _owner(row: Mapping[str, Any]) -> Mapping[str, str | None]:
    """What says that a record is of this payment."""
    named = ("merchant_no", "payment_no")
    return {"our_no": row["out_order_no"]} | {name: row[name] for name in named}


def _pending(db: Connection, row: Mapping[str, Any]) -> Decimal:
    """What is being refunded of a payment and has not ended."""
    if not row["refunded"]:
        return Decimal(0)
    under_way = REFUNDS.c.payment_id == row["id"], REFUNDS.c.status == RefundStatus.PENDING
    pending: Decimal | None = db.scalar(
        select(func.sum(REFUNDS.c.amount, type_=REFUNDS.c.amount.type)).where(*under_way)
    )
    return pending or Decimal(0)


def _names_another(db: Connection, row: Mapping[str, Any], outcome: Outcome) -> bool:
    """Whether an answer gives this payment a number that another one has."""
    number = getattr(outcome, "payment_no", None)
    if number is None or row["payment_no"] is not None:
        return False
    taken = PAYMENTS.c.channel == row["channel"], PAYMENTS.c.payment_no == number, PAYMENTS.c.id != row["id"]
    return bool(db.scalar(select(exists().where(*taken))))


def sale_of(row: Mapping[str, Any], inputs: Mapping[str, str]) -> Sale:
    """What the gateway is asked to collect."""
    return Sale(
        merchant_no=row["merchant_no"],
        currency=row["currency"],
        amount=row["amount"],
        subject=row["subject"],
        our_no=row["out_order_no"],
        notify_url=row["notify_url"],
        extra=inputs,
    )
