"""What declarations and payments tell each other: plain values and two protocols; neither sees the other's classes.

Whoever takes both locks takes the payment's row first, then declarations, then pushes.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from sqlalchemy import ColumnElement, Connection
from sqlalchemy.orm import Session

from customs.gateway.channels import Channel


class PaymentKey(NamedTuple):
    """What both sides know a payment by."""

    merchant_no: str
    channel: Channel
    payment_no: str


@dataclass(frozen=True)
class PaymentFacts:
    """What is known of a payment that was made here (R4, R9).

    `status` is INIT, PAID, FAIL or EXPIRED, `refund_status` NONE, PART or FULL. `net_cny` is what was paid less what
    was or is being refunded, in yuan, truncated to fen; None where no rate is known. `refunding`: a refund has not
    ended. `mainland`: the payer's wallet is one of mainland China.
    """

    status: str
    out_order_no: str
    net_cny: Decimal | None
    refund_status: str
    refunding: bool
    mainland: bool
    paid_at: datetime | None


class RefundNotice(NamedTuple):
    """A refund of a payment: how much, and why it was asked for; None where it was made elsewhere."""

    amount: Decimal
    currency: str
    reason: str | None

    def detail(self) -> Mapping[str, str]:
        """Give its facts by their names, without those that nobody knows."""
        return {name: str(value) for name, value in self._asdict().items() if value is not None}


class Payments(Protocol):
    """What declarations ask about payments."""

    def facts(
        self, db: Session, keys: Collection[PaymentKey], *, lock: bool = False
    ) -> Mapping[PaymentKey, PaymentFacts]:
        """What is known of these payments; the others were made elsewhere. `lock`: nobody changes them meanwhile."""

    def borne(self, db: Session, merchants: Collection[str], numbers: Collection[str]) -> Collection[tuple[str, str]]:
        """Each merchant with those of these numbers that a payment made here bears, as its own or as its order's."""


class Declarations(Protocol):
    """What payments ask of declarations."""

    def withhold(self, db: Session | Connection, key: PaymentKey, refund: RefundNotice, now: datetime) -> int:
        """Put a refunded payment's declarations before a reviewer; what was not sent waits. How many there were."""

    def release(self, db: Session | Connection, key: PaymentKey, net_cny: Decimal | None, now: datetime) -> int:
        """The payment is PAID: declarations that waited for it are due, unless they declare more than that (R4)."""

    def abandon(self, db: Session | Connection, key: PaymentKey, status: str | None, now: datetime) -> int:
        """The payment will never be PAID: declarations that waited for it are cancelled, with a case.

        `status`: how it ended; None where nobody paid it within a day.
        """

    def in_flight(
        self, merchant_no: ColumnElement[Any], channel: ColumnElement[Any], payment_no: ColumnElement[Any]
    ) -> ColumnElement[bool]:
        """The condition that a declaring call for this payment is under way or in doubt."""

    def declared(self, db: Session, keys: Collection[PaymentKey]) -> Mapping[PaymentKey, datetime | None]:
        """Those of these payments that were declared: when the gateway first took it, None where nobody knows."""
