"""Those who hand in, decide and resume, through the product's own intake and review, and what they were told."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from customs.auth.principal import operator
from customs.container import Services
from customs.db import database
from customs.declarations.actions.decisions import ReviewService
from customs.declarations.intake import accept
from customs.declarations.models import Declaration
from customs.errors import CustomsError
from customs.lanes.models import Lane
from customs.lanes.queries import resume_lane
from customs.payments.collect import refunds
from customs.payments.collect.create import PaymentService
from customs.payments.models import Payment
from customs.payments.schemas import PaymentIn
from tests import make
from tests.simulation.plan import Order, Plan
from tests.simulation.scheduler import Owner, Scheduler
from tests.simulation.trace import Trace

RETRY_SECONDS = 5.0
PAYER_SECONDS = 60.0
PAID = "10000.00"


@dataclass(frozen=True)
class Report:
    """One answer that somebody got: what was asked of which order, when, and whether it was done."""

    at: float
    number: int
    act: str
    answer: str


class People:
    """The ERP and the desk's people, who get an answer or try again."""

    def __init__(self, plan: Plan, scheduler: Scheduler, trace: Trace, services: Services) -> None:
        self.reports: list[Report] = []
        self.declarations: dict[int, str] = {}
        self.payments: dict[int, str] = {}
        self.refunds: list[str] = []
        self.ring: Callable[[], None] = lambda: None
        self.owner = Owner("people")
        self._plan = plan
        self._scheduler = scheduler
        self._trace = trace
        self._services = services

    def office_of(self, number: int) -> tuple[str, str]:
        order = self._plan.orders[number - 1]
        return order.channel, order.office

    def hand_in(self, order: Order) -> None:
        """Until it is acknowledged: an ERP sends again what it got no answer for."""
        row = row_of(order)
        services = self._services
        if order.paid_here and not self._collect(order):
            return
        while True:
            try:
                submission = accept.Submission([row])
                ready = accept.make_ready(services.engine, services.vault, services.rules, submission, operator())
                with services.transaction() as db:
                    taken = accept.take_in_rows(
                        db, services.vault, ready, operator(), services.payments, services.audit
                    )
            except SQLAlchemyError:
                self._scheduler.pause(RETRY_SECONDS)
                continue
            except CustomsError as error:
                # Its payment ended otherwise, or is being refunded.
                self._note(order.number, "hand in", f"refused: {error.detail}")
                return
            self.declarations[order.number] = (taken.accepted or taken.replayed)[0]
            self._note(order.number, "hand in", "accepted" if taken.accepted else "replayed")
            return

    def _collect(self, order: Order) -> bool:
        """Have the payer asked to pay, and wait for the gateway's number of it; False when it was refused for good."""
        asked = {"channel": "wechatpay", "method": "scanned_pay", "merchant_no": make.MERCHANT, "currency": "CNY"}
        asked |= {"amount": PAID, "subject": "一盒茶", "out_order_no": f"ORD2611A{order.number:04d}"}
        services = self._services
        while True:
            try:
                paying = PaymentService({}, services.vault, services.settings, operator(), services.audit)
                checked = paying.checked(PaymentIn().load(asked))
                with services.transaction() as db:
                    payment_id = paying.pay(db, checked, database.now(db)).id
                if order.number not in self.payments:
                    self.payments[order.number] = payment_id
                    self._note(order.number, "collect", "accepted")
                with database.reading(services.engine) as db:
                    payment = db.get_one(Payment, payment_id)
            except SQLAlchemyError:
                self._scheduler.pause(RETRY_SECONDS)
                continue
            if payment.payment_no is not None or payment.next_action is None:
                return payment.payment_no is not None
            self._scheduler.pause(PAYER_SECONDS)

    def _refund(self, number: int, value: int) -> None:
        payment_id = self.payments.get(number)
        if payment_id is None:
            return
        asked = {"reason": "sold out"} | ({"amount": make.Decimal(value)} if value % 2 else {})
        with self._services.transaction() as db:
            parts = self._services.declarations, operator(), self._services.audit
            made = refunds.refund(db, payment_id, asked, *parts, database.now(db)).id
        self.refunds.append(made)

    def decide(self, number: int, act: str, value: int) -> None:
        """One decision; nobody repeats one whose answer was lost, they look first."""
        declaration_id = self.declarations.get(number)
        try:
            if act == "refund":
                self._refund(number, value)
                self._note(number, act, "done")
                return
            if declaration_id is None:
                return
            with self._services.transaction() as db:
                parts = self._services.policy, self._services.payments, self._services.audit
                service = ReviewService(db, operator(), database.now(db), *parts)
                self._operation(act, number, value)(service, declaration_id)
        except CustomsError as error:
            self._note(number, act, f"refused: {error.detail}")
        except SQLAlchemyError:
            self._note(number, act, "no answer")
        else:
            self._note(number, act, "done")

    def resume_lanes(self) -> None:
        """Somebody looks every few minutes whether a lane was stopped."""
        while True:
            self._scheduler.pause(timedelta(minutes=5).total_seconds())
            try:
                with database.reading(self._services.engine) as db:
                    stopped = db.scalars(select(Lane.id).where(Lane.stopped_at.is_not(None))).all()
                for lane in stopped:
                    with self._services.transaction() as db:
                        resume_lane(db, lane, operator(), self._services.audit, database.now(db))
                    self._trace.add("people", "let the lane go on")
            except SQLAlchemyError:
                continue

    def _operation(self, act: str, number: int, value: int) -> Callable[[ReviewService, str], Declaration]:
        why, services = "because", self._services
        if act == "modify":
            changes = self._changes(number, value)
            return lambda service, one: service.modify(one, why, changes, services.vault, services.rules)
        if act == "override":
            return lambda service, one: service.redeclare(one, why, override=True)
        return lambda service, one: getattr(service, act)(one, why)

    def _changes(self, number: int, value: int) -> dict[str, Any]:
        order = self._plan.orders[number - 1]
        changes: dict[str, Any] = {"mch_customs_no": f"110396T{value:04d}"}
        if order.channel == "wechatpay" and value % 3 == 0:
            changes = {"duty": value}
        if order.parts and value % 2:
            amounts = (f"{value}.10", "1.05", f"{value - 1}.05") if value > 1 else ("2.00", "1.00", "1.00")
            names = ("amount", "transport_amount", "product_amount")
            part = dict(zip(names, map(make.Decimal, amounts), strict=True))
            changes = {"sub_orders": [{"sub_order_no": part_no(number, 1), **part}]}
        if order.with_buyer and value % 5 == 0:
            changes["buyer"] = {"name": "韩梅梅", "cert_id": make.cert_id(value)}
        return changes

    def _note(self, number: int, act: str, answer: str) -> None:
        self.reports.append(Report(self._scheduler.now, number, act, answer))
        self._trace.add("people", f"{act} O{number}: {answer}")
        self.ring()


def part_no(number: int, position: int) -> str:
    return f"SUB2611A{number:04d}-{position}"


def row_of(order: Order) -> dict[str, Any]:
    """The order as the ERP hands it in."""
    number = f"2611A{order.number:04d}"
    row = make.declaration_row(
        order.channel, office=order.office, out_order_no=f"ORD{number}", payment_no=f"PAY{number}"
    )
    if order.parts:
        row["sub_orders"] = [
            make.sub_order_row(sub_order_no=part_no(order.number, position)) for position in range(1, order.parts + 1)
        ]
    if order.paid_here:
        row["submit"] = "when_paid"
    if order.with_buyer:
        row["buyer"] = make.buyer_row()
    return row
