"""A till to test with: the product's own paying, refunding, claims and records on a real database, step by step.

The gateway's part is said by the test, and time passes when the test says so.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from customs.auth.principal import Caller, operator
from customs.container import Services
from customs.gateway import OrderReply, PayerData, PayerKind, RefundReply, SaleReply
from customs.lanes import breaker
from customs.payments import queries
from customs.payments.collect import refunds as collect_refunds
from customs.payments.collect.create import PaymentService, ask_again
from customs.payments.models import Payment, PaymentEvent, Refund
from customs.payments.redaction import masked
from customs.payments.schemas import PaymentIn
from customs.payments.tasks.handler import PaymentTaskHandler, lock_payments
from customs.payments.tasks.outcomes import Outcome
from customs.payments.tasks.payment_task import PaymentTask
from customs.payments.tasks.refund_task import RefundTask
from customs.payments.tasks.task import Task, TaskAction, claim, mark, release
from tests import make
from tests.product import Desk

LEASE = timedelta(seconds=60)
HOLDER = "here:1"
NOTHING = PayerData(PayerKind.NOTHING)
QR = PayerData(PayerKind.QR, "weixin://wxpay/bizpayurl?pr=abc")


def payment_row(**changes: Any) -> dict[str, Any]:
    """A payment as a shop asks for it; a change to None leaves the field out."""
    row = {
        "channel": "wechatpay",
        "method": "scanned_pay",
        "merchant_no": make.MERCHANT,
        "amount": "100.00",
        "currency": "CNY",
        "subject": "一盒茶",
    } | changes
    return {name: value for name, value in row.items() if value is not None}


def order_reply(status: str = "PAID", **changes: Any) -> OrderReply:
    """What the gateway says of an order, as far as a test wants it said."""
    shown: dict[str, Any] = dict.fromkeys(OrderReply.__dataclass_fields__)
    shown |= {"status": status, "personal": {}, "refunds": (), "exchange": make.exchange()}
    return OrderReply(**shown | changes)


def sale_reply(status: str | None = "INIT", payer: PayerData = QR, **changes: Any) -> SaleReply:
    """What the gateway says to a create; `changes` are the order's."""
    order = order_reply(status, **changes) if status else None
    number = changes.get("payment_no")
    return SaleReply(payment_no=number, status=status, payer=payer, order=order, exchange=make.exchange())


def refund_reply(status: str = "SUCCESS", **changes: Any) -> RefundReply:
    shown: dict[str, Any] = dict.fromkeys(RefundReply.__dataclass_fields__)
    return RefundReply(**shown | {"status": status, "exchange": make.exchange()} | changes)


class Till:
    """One deployment's payments without processes; it shares the time with the desk of the declarations."""

    def __init__(self, services: Services, desk: Desk) -> None:
        self.services = services
        self.desk = desk
        reported, settings = services.declarations, services.settings
        works = PaymentTask({}, services.vault, reported, settings), RefundTask({}, reported, settings)
        self.works = {work.table.name: work for work in works}

    @property
    def now(self) -> datetime:
        return self.desk.now

    def wait(self, **time: float) -> None:
        self.desk.wait(**time)

    def pay(self, caller: Caller | None = None, **changes: Any) -> str:
        """Ask for one payment; returns its id."""
        services = self.services
        paying = PaymentService({}, services.vault, services.settings, caller or operator(), services.audit)
        order = paying.checked(PaymentIn().load(payment_row(**changes)))
        with services.transaction() as db:
            return paying.pay(db, order, self.now).id

    def paid(self, payment_no: str | None = None, caller: Caller | None = None, **changes: Any) -> str:
        """A payment that the gateway calls PAID."""
        reported = {name: changes.pop(name) for name in list(changes) if name in OrderReply.__dataclass_fields__}
        asked = {name: reported[name] for name in ("merchant_no", "currency", "amount") if name in reported}
        payment_id = self.pay(caller, **changes | asked)
        for name in asked:
            reported.pop(name)
        self.do(payment_id, sale_reply("PAID", payment_no=payment_no or make.number("P"), **reported))
        return payment_id

    def refund(self, payment_id: str, amount: str | None = None, caller: Caller | None = None) -> str:
        asked = {"reason": "sold out"} | ({"amount": Decimal(amount)} if amount else {})
        services = self.services
        with services.transaction() as db:
            parts = services.declarations, caller or operator(), services.audit
            return collect_refunds.refund(db, payment_id, asked, *parts, self.now).id

    def ask_again(self, payment_id: str) -> None:
        with self.services.transaction() as db:
            ask_again(db.get_one(Payment, payment_id, with_for_update=True), self.now)

    def claim(self, room: int = 100, holder: str = HOLDER) -> list[Task]:
        with self.services.engine.begin() as db:
            tasks: list[Task] = []
            for work in self.works.values():
                tasks += claim(db, work.table, work.may_go, room=room, now=self.now, holder=holder, lease=LEASE)
            return tasks

    def send(self, tasks: Sequence[Task]) -> list[Task]:
        """Mark the tasks as leaving; returns those that may."""
        with self.services.engine.begin() as db:
            may_go = {name: work.may_go for name, work in self.works.items()}
            leaving = [
                task for task in tasks if mark(db, task, may_go[task.table.name], self.desk.lane, self.now, LEASE)
            ]
            release(db, [task for task in tasks if task not in leaving])
            return leaving

    def answer(self, task: Task, outcome: Outcome) -> str | None:
        with self.services.engine.begin() as db:
            work = self.works[task.table.name]
            lock_payments(db, [work.payment_of(task)])
            return work.record(db, task, masked(outcome, {}), self.now)

    def work(self, outcome_of: Callable[[Task], Outcome], after: float = 5.0) -> list[Task]:
        """One round, some seconds later: claim what is due, let it leave, record what the gateway says to each."""
        self.wait(seconds=after)
        leaving = self.send(self.claim())
        for task in leaving:
            self.answer(task, outcome_of(task))
        return leaving

    def do(self, task_id: str, outcome: Outcome, after: float = 5.0) -> TaskAction:
        """One round of one task, which is due; returns what was done."""
        self.wait(seconds=after)
        tasks = self.claim()
        (task,) = [task for task in tasks if task.id == task_id]
        with self.services.engine.begin() as db:
            release(db, [other for other in tasks if other is not task])
        assert self.send([task]) == [task]
        self.answer(task, outcome)
        return task.action

    def payment(self, payment_id: str) -> Payment:
        with self.services.reading() as db:
            return db.get_one(Payment, payment_id)

    def refund_of(self, refund_id: str) -> Refund:
        with self.services.reading() as db:
            return db.get_one(Refund, refund_id)

    def refunds(self, payment_id: str) -> Sequence[Refund]:
        with self.services.reading() as db:
            return queries.refunds_of(db, payment_id)

    def events(self, payment_id: str) -> Sequence[PaymentEvent]:
        with self.services.reading() as db:
            return db.scalars(
                select(PaymentEvent).where(PaymentEvent.payment_id == payment_id).order_by(PaymentEvent.id)
            ).all()

    def stop_lane(self) -> None:
        self.desk.stop_lane("nobody may call")

    def resume_lane(self) -> None:
        with self.services.engine.begin() as db:
            breaker.resume(db, self.desk.lane)


def at_once(*actions: Callable[[], Any]) -> list[Any]:
    """Do all of these at the same moment; what each returned or raised."""
    start = threading.Barrier(len(actions))
    results: list[Any] = [None] * len(actions)

    def go(number: int) -> None:
        start.wait()
        try:
            results[number] = actions[number]()
        except Exception as error:  # noqa: BLE001 - what it raised is what the test asks about
            results[number] = error

    threads = [threading.Thread(target=go, args=(number,)) for number in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


class Silent:
    """A wallet whose every deed brings this error."""

    def __init__(self, error) -> None:
        self.error = error
        self.actions: list[str] = []

    def __getattr__(self, act: str):
        def call(*_args):
            self.actions.append(act)
            raise self.error

        return call


def desk_of(till: Till, wallet: Silent) -> PaymentTaskHandler:
    services = till.services
    wallets = {"wechatpay": wallet, "alipay": wallet}
    works = (
        PaymentTask(wallets, services.vault, services.declarations, services.settings),
        RefundTask(wallets, services.declarations, services.settings),
    )
    return PaymentTaskHandler(services.engine, services.settings, works, services.failpoints)


def backdate(till: Till) -> None:
    """The product's own desk goes by the real clock: make everything due by that."""
    long_ago = till.now - timedelta(days=2)
    with till.services.engine.begin() as db:
        for work in till.works.values():
            table = work.table
            db.execute(table.update().where(table.c.next_action.is_not(None)).values(due_at=long_ago))
