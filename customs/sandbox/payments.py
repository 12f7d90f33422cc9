"""Payments, refunds and notifications as the gateway stores them, and how they move in time."""

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from customs.sandbox.calls import OUR_NUMBER
from customs.sandbox.declaration_scenarios import Course
from customs.sandbox.filings import SHANGHAI
from customs.sandbox.payment_scenarios import (
    NOTIFY,
    PAID,
    PAYMENTS,
    REFUNDS,
    WAITING_FOR_PAYER,
    WALLET,
    NotificationScenario,
    PaymentScenario,
    RefundScenario,
    Wallet,
)

EXPIRES_SECONDS = 2 * 3600
ENDED = ("PAID", "FAIL", "EXPIRED")
# Whoever hears nothing for so long asks by itself.
MOST_ATTEMPTS = 12
NOT_LOOPBACK = "not called: no loopback address"
NO_KEY = "not sent: the sandbox has no gateway key"


@dataclass
class Moving(ABC):
    """What moves along the course of its scenario; `since` is when its present step began, times are Unix seconds."""

    content: dict[str, str]
    since: float
    position: int = 0
    status: str = ""
    history: list[dict[str, str]] = field(default_factory=list)

    @property
    @abstractmethod
    def course(self) -> Course:
        """The steps of its scenario."""

    def begin(self, event: str, now: float) -> None:
        """Enter the course; `event` is what the caller did."""
        self.become(self.course[0].state, now, event)

    def due_at(self, pace: float) -> float | None:
        """When it moves by itself next, or None."""
        steps = self.course[self.position].steps
        return None if steps is None else self.since + steps * pace

    def move_on(self, now: float, pace: float) -> None:
        """Go as far as time allows."""
        while (due := self.due_at(pace)) is not None and due <= now:
            self._move(due)

    def _move(self, due: float) -> None:
        self.position += 1
        self.become(self.course[self.position].state, due)

    def become(self, status: str, at: float, event: str = "status") -> None:
        """Take a status, and remember when and why."""
        self.status, self.since = status, at
        when = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
        self.history.append({"at": when, "event": event, "status": status})


@dataclass(kw_only=True)
class Payment(Moving):
    """An order; `method`: the endpoint's name; `our_no`: "" when the caller gave none; `extra`: what it passes on."""

    channel: str
    method: str
    payment_no: str
    created_at: float
    extra: dict[str, str] = field(default_factory=dict)
    creates: int = 1
    reads: int = 0

    @property
    def our_no(self) -> str:
        return next((self.content[name] for name in OUR_NUMBER if name in self.content), "")

    @property
    def currency(self) -> str:
        return self.content["currency"]

    @property
    def amount(self) -> Decimal:
        return Decimal(self.content["amount"])

    @property
    def subject(self) -> str:
        return self.content.get("subject") or self.content["product_info"]

    @property
    def scenario(self) -> PaymentScenario:
        return PAYMENTS.row(self.our_no)

    @property
    def telling(self) -> NotificationScenario:
        return NOTIFY.row(self.our_no)

    @property
    def wallet(self) -> Wallet:
        return WALLET.row(self.our_no)

    @property
    def course(self) -> Course:
        at_once = "auth_code" in self.content or self.telling.early
        return self.scenario.course or (PAID if at_once else WAITING_FOR_PAYER)

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def trade_time(self) -> str:
        """When it was paid, before that: when it was ordered."""
        return shanghai(self.since if self.status == "PAID" else self.created_at)

    @property
    def payer(self) -> str:
        """Digits for the payer's ids: made from the number, so they are the same after a restart."""
        return f"{int(hashlib.sha256(self.payment_no.encode()).hexdigest()[:12], 16):015d}"

    def due_at(self, pace: float) -> float | None:
        if self.ended:
            return None
        by_itself = super().due_at(pace)
        return self.created_at + EXPIRES_SECONDS if by_itself is None else by_itself

    def _move(self, due: float) -> None:
        if self.course[self.position].steps is None:
            self.become("EXPIRED", due)
        else:
            super()._move(due)

    def shown(self) -> dict[str, Any]:
        """The ledger's row."""
        names = ("channel", "method", "payment_no", "our_no", "currency", "status", "creates", "history")
        record = {name: getattr(self, name) for name in names}
        return record | {"amount": self.content["amount"], "merchant_no": self.content["merchant_no"]}


@dataclass(kw_only=True)
class Refund(Moving):
    """One refund; `our_no` is the order's, `amount` what goes back, in the order's currency."""

    channel: str
    refund_no: str
    payment_no: str
    our_no: str
    amount: str

    @property
    def outer_refund_no(self) -> str:
        return self.content.get("outer_refund_no", "")

    @property
    def scenario(self) -> RefundScenario:
        return REFUNDS.row(self.outer_refund_no, self.our_no)

    @property
    def course(self) -> Course:
        return self.scenario.course

    @property
    def decimal(self) -> Decimal:
        return Decimal(self.amount)

    @property
    def counts(self) -> bool:
        """Whether its amount has gone back or is on its way."""
        return self.status != "FAIL"

    def shown(self) -> dict[str, Any]:
        """The ledger's row."""
        names = ("channel", "refund_no", "outer_refund_no", "payment_no", "our_no", "amount", "status", "history")
        return {name: getattr(self, name) for name in names}


@dataclass
class Notification:
    """One to be sent to `url` until it is `done`; `due_at` is None then. `attempts`: when, and how it was answered.

    `early` while it waits for the create call, which sends it before its reply leaves.
    """

    payment_no: str
    url: str
    due_at: float | None
    forged: bool = False
    early: bool = False
    done: bool = False
    attempts: list[dict[str, str]] = field(default_factory=list)
    id: int | None = None

    def answered(self, outcome: str, at: str, now: float, pace: float) -> None:
        """Note how an attempt went, and when the next one is due: the delays double."""
        self.attempts.append({"at": at, "outcome": outcome})
        final = outcome in ("success", NOT_LOOPBACK, NO_KEY)
        self.done = final or self.forged or len(self.attempts) >= MOST_ATTEMPTS
        self.due_at = None if self.done else now + pace * 2 ** len(self.attempts)


def given_back(refunds: list[Refund], *, certain: bool = False) -> Decimal:
    """What was refunded, with what is on its way unless only the `certain` is asked for."""
    counted = [refund for refund in refunds if (refund.status == "SUCCESS" if certain else refund.counts)]
    return sum((refund.decimal for refund in counted), Decimal(0))


def shanghai(seconds: float) -> str:
    """The gateway's way to write a time: naive, in Shanghai."""
    return datetime.fromtimestamp(seconds, SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
