"""The detail of one payment with all that belongs to it, as its page shows it, read at one moment."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from customs.auth.principal import Caller
from customs.db.pagination import Page
from customs.gateway import Channel, PayerKind, method_of
from customs.payments import serializers
from customs.payments.collect.refunds import refundable
from customs.payments.labels import Way, way_of
from customs.payments.models import Payment
from customs.payments.reading import queries
from customs.payments.states import PaymentCase, RefundStatus, Status
from customs.payments.tasks.outcomes import OPENING_BUDGET, POLLING_BUDGET
from customs.payments_port import Declarations, PaymentKey
from customs.privacy.vault import Vault

MOST_EVENTS = 100
WEB = ("http://", "https://")
# The page is rendered anew when one of these changes.
SEEN_FIELDS = ("status", "payment_no", "explanation", "outcome_unknown", "refund_status", "paid_by", "needs_review")


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
        """Whether the gateway is still asked whether somebody paid it."""
        return self.payment.status is Status.INIT and self.payment.next_action is not None

    @property
    def asked_until(self) -> datetime:
        """How long it is asked for at most; a link that nobody opens is given up sooner."""
        budget = POLLING_BUDGET if self.payment.payment_no else OPENING_BUDGET
        return self.payment.created_at + budget

    @property
    def needs_payer(self) -> bool:
        """Whether the payer cannot pay without something of ours: a code, a link, parameters."""
        return method_of(self.payment.channel, self.payment.method).need.kind is not PayerKind.NOTHING

    @property
    def url(self) -> str | None:
        """What a code holds or a link leads to."""
        payer = self.payment.payer
        return payer["url"] if payer else None

    @property
    def is_web_address(self) -> bool:
        return (self.url or "").startswith(WEB)

    @cached_property
    def code(self) -> str | None:
        """What the payer scans, as an SVG."""
        return serializers.qr_svg(self.url) if self.url else None

    @property
    def parameters(self) -> str | None:
        """What an app or a page is handed, as JSON; one text alone as it is."""
        given = self.payment.payer["parameters"] if self.payment.payer else {}
        alone = [*given.values()] if len(given) == 1 else []
        return alone[0] if alone else json.dumps(given, ensure_ascii=False, indent=2) if given else None

    @property
    def again(self) -> str:
        """The query of the form that collects the same once more."""
        asked = {name: self.shown[name] for name in ("merchant_no", "amount", "currency", "subject")}
        return urlencode({"method": f"{self.payment.channel}.{self.payment.method}", **asked})

    @property
    def under_way(self) -> Sequence[dict[str, Any]]:
        """The refunds whose end is waited for."""
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
    """A payment of the caller's, its timeline from the event `after` on. Raises NotFound."""
    payment = queries.payment_of(db, payment_id, caller)
    refunds = queries.refunds_of(db, payment.id)
    shown = serializers.payment_json(payment, vault, refunds)
    cases = {one.id: one.case_kind for one in refunds if one.case_kind}
    events = queries.events_of(db, payment.id, limit=MOST_EVENTS, after=after)
    key = PaymentKey(payment.merchant_no, Channel(payment.channel), payment.payment_no or "")
    declared = declarations.declared(db, [key]) if payment.payment_no else {}
    return PaymentDetail(payment, shown, events, key in declared, declared.get(key), cases)


def _digest(state: list[Any]) -> str:
    return hashlib.sha256(json.dumps(state, default=str).encode()).hexdigest()[:16]
