"""A payment's calls, and what their answers change: the payment itself, and the declarations that wait for it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, insert, select, true, update

from customs.database import HUNDREDTH, Base
from customs.errors import VaultLocked
from customs.gateway import (
    Channel,
    GatewayError,
    Misuse,
    OrderReply,
    PayerData,
    PayerKind,
    Sale,
    SaleReply,
    Unknown,
    Wallet,
    method_of,
)
from customs.history.announcements import announce
from customs.history.vault import Vault
from customs.payment_facts import Declarations, PaymentKey
from customs.payments.announcing import payment_news
from customs.payments.errands import Deed, Task
from customs.payments.facts import net_cny
from customs.payments.fitting import money_that_fits, number_that_fits, text_that_fits
from customs.payments.judging import Judgement, Outcome, Pace, Standing, judge_error, judge_reply
from customs.payments.locking import is_current, locked_row
from customs.payments.models import Payment, PaymentEvent
from customs.payments.personal import mask_words, masked, personal_place
from customs.payments.states import Refunded, Status, read_status, refunded_so_far
from customs.settings import Settings

PAYMENTS = Base.metadata.tables[Payment.__tablename__]
EVENTS = Base.metadata.tables[PaymentEvent.__tablename__]
FOR_ANOTHER = "the gateway's order under this number is for another merchant, currency or amount"
# WeChat and Alipay renew the code on the payer's screen every minute.
CODE_GOOD_FOR = timedelta(minutes=2)
LOST = "what the payer needs was lost with the gateway's answer: have another payment made"
STANDING = [field.name for field in fields(Standing)]


def inputs_place(payment_id: str) -> str:
    """Where a payment's inputs are sealed to."""
    return f"payments.inputs:{payment_id}"


class PaymentWork:
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
        except VaultLocked as error:
            if task.deed is Deed.SEND:
                return Misuse(error.detail)
            inputs = {}
        method = method_of(row["channel"], row["method"])
        is_old = datetime.now(UTC) - row["created_at"] > CODE_GOOD_FOR
        if task.deed is Deed.SEND and is_old and not method.is_repeatable:
            return Misuse("the code that the payer showed is too old")
        try:
            if task.deed is Deed.QUERY:
                outcome: Outcome = wallet.query(row["out_order_no"], row["payment_no"], sale_of(row, inputs))
            else:
                outcome = wallet.create(method, sale_of(row, inputs))
        except GatewayError as error:
            outcome = error
        return masked(outcome, inputs)

    def payment_of(self, task: Task) -> str:
        return task.id

    def record(self, db: Connection, task: Task, outcome: Outcome, now: datetime) -> str | None:
        row = locked_row(db, PAYMENTS, task.id)
        if not is_current(row, task):
            return None
        if isinstance(outcome, OrderReply) and _is_for_another(row, outcome):
            outcome = Unknown(FOR_ANOTHER, exchange=outcome.exchange)
            row["explanation"] = FOR_ANOTHER
        elif _names_another(db, row, outcome):
            outcome = Unknown("the answer names another payment of ours", exchange=outcome.exchange)
        judgement, changes = self._judged(row, task, outcome, now)
        values = asdict(judgement.standing) | {"holder": None, "lease_until": None} | changes
        if row["due_at"] != task.row["due_at"] and values["next_action"] is Deed.QUERY:
            # Somebody had it asked for while this call was under way: its answer may be older than that.
            values["due_at"] = min(values["due_at"], row["due_at"])
        db.execute(update(PAYMENTS).where(PAYMENTS.c.id == task.id).values(values))
        after = row | values
        db.execute(insert(EVENTS).values(event_of(row, after, task, outcome, judgement, now)))
        self._tell(db, row, after, now)
        announce(db, payment_news(row, after), now)
        return judgement.outcome

    def _judged(
        self, row: Mapping[str, Any], task: Task, outcome: Outcome, now: datetime
    ) -> tuple[Judgement, dict[str, Any]]:
        standing = Standing(**{name: row[name] for name in STANDING})
        pace = Pace(
            self._settings.payment_poll_seconds,
            self._settings.unknown_grace_seconds,
            repeatable=method_of(row["channel"], row["method"]).is_repeatable,
            patient=False,
            since=row["created_at"],
        )
        if isinstance(outcome, GatewayError):
            judgement = judge_error(standing, task.deed, outcome, now, pace)
            never_opened = judgement.outcome == "not_found" and not row["in_doubt"]
            ended = {"status": Status.EXPIRED if never_opened else Status.FAIL}
            return judgement, ended if judgement.failed and row["status"] is Status.INIT else {}
        changes = self._changes(row, outcome)
        if changes["status"] is Status.PAID and row["paid_at"] is None:
            # Some replies do not say when; then it is when we learned of it.
            changes.setdefault("paid_at", now)
        judgement = judge_reply(standing, changes["status"].is_final, now, pace)
        return judgement, changes

    def _changes(self, row: Mapping[str, Any], outcome: Outcome) -> dict[str, Any]:
        """The columns that an answer fills: what it does not say stays as it is."""
        assert isinstance(outcome, SaleReply | OrderReply)
        order = outcome.order if isinstance(outcome, SaleReply) else outcome
        changes: dict[str, Any] = {"status": _moved(row["status"], read_status(outcome.status))}
        changes["payment_no"] = row["payment_no"] or number_that_fits(outcome.payment_no)
        if isinstance(outcome, SaleReply):
            changes["payer"] = _payer_json(outcome.payer)
        if order is not None:
            changes |= _told(row, order)
            if changes["status"] is Status.PAID and row["paid_at"] is None and order.trade_time is not None:
                changes["paid_at"] = order.trade_time
            if order.personal:
                words = json.dumps(dict(order.personal), ensure_ascii=False)
                changes["personal"] = self._vault.seal(words, personal_place(row["id"]))
        if changes["status"].is_final:
            changes["payer"] = None
        elif isinstance(outcome, OrderReply) and row["payer"] is None and _needs_something(row):
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
            self._declarations.abandon(db, key, f"its payment is {after['status']}", now)
        elif not after["status"].is_final and after["next_action"] is None:
            # Nobody asks for it any more, so nobody would let them out.
            self._declarations.abandon(db, key, "its payment was not made within a day", now)
        if after["refunded_elsewhere"] > before["refunded_elsewhere"]:
            amount = after["refunded_elsewhere"] - before["refunded_elsewhere"]
            self._declarations.withhold(db, key, f"refunded {amount} {after['currency']} elsewhere", now)

    def _inputs(self, row: Mapping[str, Any]) -> dict[str, str]:
        sealed = row["inputs"]
        opened: dict[str, str] = json.loads(self._vault.open(sealed, inputs_place(row["id"]))) if sealed else {}
        return opened


def _is_for_another(row: Mapping[str, Any], order: OrderReply) -> bool:
    """Whether an order under our number is not what we asked for.

    A cashier desk's link is not signed (4.6): the payer's browser may have changed it, and paid a fen.
    """
    said = {"merchant_no": order.merchant_no, "currency": order.currency, "amount": order.amount}
    return any(value not in (None, row[name]) for name, value in said.items())


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


def _needs_something(row: Mapping[str, Any]) -> bool:
    return method_of(row["channel"], row["method"]).need.kind is not PayerKind.NOTHING


def _payer_json(payer: PayerData) -> dict[str, Any] | None:
    """What the payer needs next, as it is stored; None when nothing."""
    if payer.kind is PayerKind.NOTHING:
        return None
    return {"kind": payer.kind, "url": payer.url, "parameters": dict(payer.parameters)}


def _moved(held: Status, reported: Status | None) -> Status:
    """PAID stays: what is refunded is told apart from it. A late payer makes an order PAID that had ended."""
    if reported is None or held is Status.PAID or (held.is_final and reported is not Status.PAID):
        return held
    return reported


def _told(row: Mapping[str, Any], order: OrderReply) -> dict[str, Any]:
    columns, pay_amount = PAYMENTS.c, money_that_fits(order.pay_amount)
    rate = None if order.exchange_rate is None else f"{order.exchange_rate:f}"
    elsewhere = _refunded_elsewhere(row, order)
    return {
        "pay_amount": row["pay_amount"] if pay_amount is None else pay_amount,
        "pay_currency": text_that_fits(columns.pay_currency, order.pay_currency) or row["pay_currency"],
        "exchange_rate": text_that_fits(columns.exchange_rate, rate) or row["exchange_rate"],
        "trade_type": text_that_fits(columns.trade_type, order.trade_type) or row["trade_type"],
        "wallet": text_that_fits(columns.wallet, order.wallet) or row["wallet"],
        "refunded_elsewhere": elsewhere,
        "refund_status": refunded_so_far(row["amount"], row["refunded"] + elsewhere),
    }


def _refunded_elsewhere(row: Mapping[str, Any], order: OrderReply) -> Decimal:
    """What the gateway counts as refunded beyond all that we asked for; it never shrinks."""
    held: Decimal = row["refunded_elsewhere"]
    if order.refundable_amount is None:
        theirs = row["amount"] if order.refund_status == Refunded.FULL else Decimal(0)
    else:
        theirs = row["amount"] - order.refundable_amount.quantize(HUNDREDTH, ROUND_DOWN)
    # An order that is not paid has nothing to refund, which is no refund.
    is_paid = read_status(order.status) is Status.PAID
    return min(max(held, theirs - row["refunded"]), row["amount"] - row["refunded"]) if is_paid else held


def event_of(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    task: Task,
    outcome: Outcome,
    judgement: Judgement,
    now: datetime,
) -> dict[str, Any]:
    """One call in the timeline of the payment it belongs to."""
    detail = {"action": f"{task.table.name} {task.deed}", "outcome": judgement.outcome}
    if isinstance(outcome, GatewayError):
        detail["message"] = mask_words(outcome.message)
    if before["status"] is not after["status"]:
        detail |= {"from": str(before["status"]), "to": str(after["status"])}
    exchange = outcome.exchange
    is_refund = task.table is not PAYMENTS
    return {
        "merchant_no": before["merchant_no"],
        "payment_id": before["payment_id"] if is_refund else before["id"],
        "refund_id": before["id"] if is_refund else None,
        "at": now,
        "kind": "call",
        "actor": "gateway",
        "detail": detail,
        "request": dict(exchange.params) if exchange else None,
        "reply": exchange.reply if exchange else None,
        "duration_ms": exchange.duration_ms if exchange else None,
    }
