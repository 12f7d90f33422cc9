"""Queries of payments and refunds, lists and details, each within what the caller may see."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, select, union_all
from sqlalchemy.orm import Session

from customs.auth.principal import Caller
from customs.db.pagination import LARGEST_PAGE, Page, page_of
from customs.errors import NotFound
from customs.events.timeline import withhold_others_replies
from customs.gateway import Channel, PayerKind, method_of
from customs.payments import serializers
from customs.payments.collect.refunds import refundable
from customs.payments.labels import Way, way_of
from customs.payments.models import Payment, PaymentEvent, Refund
from customs.payments.states import PaymentCase, RefundStatus, Status
from customs.payments.tasks.outcomes import OPENING_BUDGET, POLLING_BUDGET
from customs.payments_port import Declarations, PaymentKey
from customs.privacy.vault import Vault

MOST_EVENTS = 100
WEB = ("http://", "https://")
# The page is rendered anew when one of these changes.
SEEN_FIELDS = ("status", "payment_no", "explanation", "outcome_unknown", "refund_status", "paid_by", "needs_review")


@dataclass(frozen=True)
class Filters:
    """What a list may be narrowed by. `since` and `until` bound created_at, half open."""

    channel: str | None = None
    status: str | None = None
    merchant_no: str | None = None
    method: str | None = None
    out_order_no: str | None = None
    payment_no: str | None = None
    refund_status: str | None = None
    payment_id: str | None = None
    outer_refund_no: str | None = None
    refund_no: str | None = None
    needs_review: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


def payment_of(db: Session, payment_id: str, caller: Caller) -> Payment:
    """Return one payment; NotFound also for another merchant's."""
    found = db.scalar(select(Payment).where(Payment.id == payment_id, caller.sees(Payment.merchant_no)))
    if found is None:
        raise NotFound
    return found


def refund_of(db: Session, refund_id: str, caller: Caller) -> Refund:
    found = db.scalar(select(Refund).where(Refund.id == refund_id, caller.sees(Refund.merchant_no)))
    if found is None:
        raise NotFound
    return found


def payments_numbered(db: Session, number: str, caller: Caller) -> Sequence[Payment]:
    """Return the payments with this id, order or payment number, or with a refund of this id or number."""
    # One look into each index: an OR over two tables would read every payment there is.
    own = (select(Payment.id).where(one == number) for one in (Payment.id, Payment.out_order_no, Payment.payment_no))
    numbers = (Refund.id, Refund.outer_refund_no, Refund.refund_no)
    refunded = (select(Refund.payment_id).where(one == number) for one in numbers)
    named = Payment.id.in_(union_all(*own, *refunded))
    found = select(Payment).where(named, caller.sees(Payment.merchant_no))
    return db.scalars(found.order_by(Payment.created_at, Payment.id).limit(LARGEST_PAGE)).all()


def refunds_of(db: Session, payment_id: str) -> Sequence[Refund]:
    """Return a payment's refunds, oldest first."""
    theirs = select(Refund).where(Refund.payment_id == payment_id)
    return db.scalars(theirs.order_by(Refund.created_at, Refund.id)).all()


def list_payments(db: Session, caller: Caller, filters: Filters, *, limit: int, cursor: str | None) -> Page:
    """Return payments, newest first."""
    statement = select(Payment).where(caller.sees(Payment.merchant_no), *_narrowed(Payment, filters))
    return page_of(db, statement, (Payment.created_at, Payment.id), limit, cursor)


def list_refunds(db: Session, caller: Caller, filters: Filters, *, limit: int, cursor: str | None) -> Page:
    """Return refunds, newest first."""
    statement = select(Refund).where(caller.sees(Refund.merchant_no), *_narrowed(Refund, filters))
    return page_of(db, statement, (Refund.created_at, Refund.id), limit, cursor)


def _narrowed(model: type[Any], filters: Filters) -> list[ColumnElement[bool]]:
    wanted = {name: value for name, value in asdict(filters).items() if value is not None}
    bounds: dict[str, Callable[[Any], ColumnElement[bool]]] = {
        "since": lambda moment: model.created_at >= moment,
        "until": lambda moment: model.created_at < moment,
        "needs_review": lambda needs: model.case_kind.is_not(None) if needs else model.case_kind.is_(None),
    }
    return [bounds[name](value) if name in bounds else getattr(model, name) == value for name, value in wanted.items()]


def events_of(db: Session, payment_id: str, *, limit: int, after: int) -> Page:
    """Return the timeline of a payment and its refunds, oldest first; the cursor is the last event's number."""
    statement = select(PaymentEvent).where(PaymentEvent.payment_id == payment_id, PaymentEvent.id > after)
    rows = db.scalars(statement.order_by(PaymentEvent.id).limit(limit + 1)).all()
    if any(event.reply for event in rows):
        payment = db.get_one(Payment, payment_id)
        own = {"merchant_no": payment.merchant_no, "our_no": payment.out_order_no, "payment_no": payment.payment_no}
        rows = withhold_others_replies(db, rows, own)
    return Page(rows[:limit], str(rows[limit - 1].id) if len(rows) > limit else None)


@dataclass(frozen=True)
class PaymentDetail:
    """A payment, its timeline, and whether it was declared. `shown` is what the API says of it, refunds included.

    `refund_cases`: by the ids of its refunds, why a person should look at them.
    """

    payment: Payment
    shown: dict[str, Any]
    events: Page
    declared: bool
    declared_at: datetime | None
    refund_cases: Mapping[str, PaymentCase]

    @property
    def way(self) -> Way | None:
        return way_of(self.payment.channel, self.payment.method)

    @property
    def refundable(self) -> Decimal:
        return refundable(self.payment)

    @property
    def is_asked_for(self) -> bool:
        """Return whether the gateway is still asked whether somebody paid it."""
        return self.payment.status is Status.INIT and self.payment.next_action is not None

    @property
    def asked_until(self) -> datetime:
        """Return until when it is asked for at most; a link that nobody opens is given up sooner."""
        budget = POLLING_BUDGET if self.payment.payment_no else OPENING_BUDGET
        return self.payment.created_at + budget

    @property
    def needs_payer(self) -> bool:
        """Return whether the payer cannot pay without something from us: a code, a link, parameters."""
        return method_of(self.payment.channel, self.payment.method).need.kind is not PayerKind.NOTHING

    @property
    def url(self) -> str | None:
        """Return what a code holds or a link leads to."""
        payer = self.payment.payer
        return payer["url"] if payer else None

    @property
    def is_web_address(self) -> bool:
        return (self.url or "").startswith(WEB)

    @cached_property
    def code(self) -> str | None:
        """Return what the payer scans, as an SVG."""
        return serializers.qr_svg(self.url) if self.url else None

    @property
    def parameters(self) -> str | None:
        """Return what an app or a page is given, as JSON; one text alone as it is."""
        given = self.payment.payer["parameters"] if self.payment.payer else {}
        alone = [*given.values()] if len(given) == 1 else []
        return alone[0] if alone else json.dumps(given, ensure_ascii=False, indent=2) if given else None

    @property
    def again(self) -> str:
        """Return the query of the form that collects the same once more."""
        asked = {name: self.shown[name] for name in ("merchant_no", "amount", "currency", "subject")}
        return urlencode({"method": f"{self.payment.channel}.{self.payment.method}", **asked})

    @property
    def under_way(self) -> Sequence[dict[str, Any]]:
        """Return the refunds whose end is waited for."""
        refunds: list[dict[str, Any]] = self.shown["refunds"]
        return [one for one in refunds if one["status"] is RefundStatus.PENDING and one["next_action"] is not None]

    @property
    def seen(self) -> str:
        """Return a digest of the state shown: the page reloads its part only when it changed."""
        has_payer, is_asked = self.payment.payer is not None, self.payment.next_action
        return _digest([*(self.shown[name] for name in SEEN_FIELDS), has_payer, is_asked, self.seen_refunds])

    @property
    def seen_refunds(self) -> str:
        """Return a digest of the refunds alone."""
        names = ("status", "refund_no", "explanation", "outcome_unknown", "needs_review")
        refunds = [[one[name] for name in names] for one in self.shown["refunds"]]
        return _digest([refunds, self.shown["refundable_amount"], len(self.under_way)])


def payment_detail(
    db: Session, payment_id: str, caller: Caller, vault: Vault, declarations: Declarations, *, after: int = 0
) -> PaymentDetail:
    """Return a payment of the caller's, its timeline from the event `after` on. Raises NotFound."""
    payment = payment_of(db, payment_id, caller)
    refunds = refunds_of(db, payment.id)
    shown = serializers.payment_json(payment, vault, refunds)
    cases = {one.id: one.case_kind for one in refunds if one.case_kind}
    events = events_of(db, payment.id, limit=MOST_EVENTS, after=after)
    key = PaymentKey(payment.merchant_no, Channel(payment.channel), payment.payment_no or "")
    declared = declarations.declared(db, [key]) if payment.payment_no else {}
    return PaymentDetail(payment, shown, events, key in declared, declared.get(key), cases)


def _digest(state: list[Any]) -> str:
    return hashlib.sha256(json.dumps(state, default=str).encode()).hexdigest()[:16]
