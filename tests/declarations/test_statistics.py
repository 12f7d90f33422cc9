"""Tallies: whatever is done to declarations, in whatever order, they say what counting the tables would say."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from customs.declarations import statistics
from customs.declarations.cases import CaseKind, Cause
from customs.declarations.models import Declaration, Push
from customs.declarations.reading.queries import UNDER_WAY
from customs.declarations.states import State
from customs.declarations.statistics import CANCELLED, CAUSE, CLEAR, IDLE, NEEDS_REVIEW, OPEN, OPENED, STATE
from customs.errors import ActionNotAllowed, ValidationFailed
from customs.gateway import Busy, Channel, NotFound, Refused, Unknown
from customs.payments_port import PaymentKey, RefundNotice
from customs.stats.tallies import ALL_TIME, Tally, day_of
from tests import make
from tests.product import Desk

WALKS = range(3)
STEPS = 150
# Each with orders of one code, of two in order, and of two at once.
OFFICES = [("wechatpay", "HANGZHOU"), ("wechatpay", "GUANGZHOU_HUANGPU"), ("alipay", "SHENZHEN"), ("alipay", "NINGBO")]
WORDS = [*State, "SUCCESS", "SUCCESS", "SUCCESS", "BLUE"]

OF_ANOTHER_VERSION = {
    "kind": STATE,
    "day": ALL_TIME,
    "merchant_no": "M1",
    "channel": "alipay",
    "subject": "NINGBO",
    "word": "a word of then",
    "slot": 0,
    "count": 5,
}


def say(desk: Desk, chance: random.Random, _task: object) -> Any:
    """One of all the ways in which a call may end."""
    exchange = make.exchange()
    return chance.choice(
        [
            *(
                make.reply(
                    chance.choice(WORDS),
                    desk.now + timedelta(seconds=chance.choice((0, -600))),
                    explanation=chance.choice((None, "no such registration", f"order {chance.random()} is unknown")),
                    cert_check_result=chance.choice((None, "SAME", "DIFFERENT")),
                )
                for _ in range(12)
            ),
            Busy("later", exchange=exchange, retry_after=None),
            Unknown("lost"),
            NotFound("no such declaration", exchange=exchange, status=404),
            Refused("the amounts differ", exchange=exchange, status=400),
        ]
    )


class Walk:
    """Somebody who does one thing after the other, and keeps the books by looking at the tables after each."""

    def __init__(self, desk: Desk, seed: int) -> None:
        self.desk = desk
        self.chance = random.Random(seed)
        self.opened: Counter[tuple[Any, str]] = Counter()
        self.accepted: Counter[Any] = Counter()
        self.causes: dict[str, str | None] = {}
        self.states: dict[str, State] = {}

    def step(self) -> None:
        actions = [*[self.take_in] * 2, *[self.work] * 5, *[self.wait] * 3, *[self.decide] * 3, self.pay]
        with suppress(ActionNotAllowed, ValidationFailed):
            self.chance.choice(actions)()
        self.look()

    def take_in(self) -> None:
        channel, office = self.chance.choice(OFFICES)
        row = make.declaration_row(
            channel,
            office=office,
            merchant_no=self.chance.choice(("M1", "M2")),
            parts=self.chance.choice((0, 0, 2)),
            buyer=make.buyer_row(),
        )
        self.desk.take_in(row, *self.chance.choice(((), (make.declaration_row(), row | {"duty": None}))))

    def work(self) -> None:
        self.desk.work(lambda task: say(self.desk, self.chance, task))

    def wait(self) -> None:
        self.desk.wait(minutes=self.chance.choice((2, 10, 600, 1500)))

    def decide(self) -> None:
        chosen = self.choose()
        action = self.chance.choice(("redeclare", "redeclare", "modify", "cancel", "dismiss"))
        if action == "modify":
            self.desk.modify(chosen, buyer={"name": f"李{self.chance.choice('雷雪峰')}"})
        elif action == "redeclare":
            self.desk.decide(action, chosen, override=self.chance.random() < 0.7)
        else:
            self.desk.decide(action, chosen)

    def pay(self) -> None:
        """A payment's scenario: for half of them, of one that its order waited for."""
        declared = self.desk.declaration(self.choose())
        key = PaymentKey(declared.merchant_no, Channel(declared.channel), declared.payment_no)
        waits = not declared.cancelled and all(push.sent_at is None for push in declared.pushes)
        declarations, now = self.desk.services.declarations, self.desk.now
        with self.desk.services.transaction() as db:
            if waits:
                db.execute(update(Declaration).where(Declaration.id == declared.id).values(waiting_for="payment"))
                db.execute(update(Push).where(Push.declaration_id == declared.id).values(due_at=None))
            self.chance.choice(
                [
                    lambda: declarations.withhold(db, key, RefundNotice(Decimal("1.00"), "CNY", None), now),
                    lambda: declarations.release(db, key, self.chance.choice((None, Decimal("0.01"))), now),
                    lambda: declarations.abandon(db, key, "EXPIRED", now),
                ]
            )()

    def choose(self) -> str:
        if not self.states:
            self.take_in()
            self.look()
        # Often the newest, to which nothing was done yet: it may still be cancelled.
        known = sorted(self.states)
        return self.chance.choice([self.chance.choice(known), known[-1]])

    def look(self) -> None:
        """Note the cases that were opened and the declarations that became SUCCESS since the last look."""
        day = day_of(self.desk.now)
        with self.desk.services.reading() as db:
            for push_id, cause_id in db.execute(select(Push.id, Push.cause_id)):
                if cause_id not in (None, self.causes.get(push_id)):
                    self.opened[day, cause_id] += 1
                self.causes[push_id] = cause_id
            for one in db.scalars(select(Declaration)):
                if one.state is State.SUCCESS and self.states.get(one.id) is not State.SUCCESS:
                    self.accepted[day] += 1
                self.states[one.id] = one.state


def tallied(desk: Desk, kind: str, *columns: Any, by_day: bool) -> Counter[Any]:
    """What the tallies say, without zeros."""
    asked = select(*columns, func.sum(Tally.count)).where(Tally.kind == kind, (Tally.day != ALL_TIME) == by_day)
    with desk.services.reading() as db:
        rows = db.execute(asked.group_by(*columns)).all()
    return Counter({tuple(key) if len(key) > 1 else key[0]: int(count) for *key, count in rows if count})


def counted(desk: Desk, *, by_day: bool) -> Counter[Any]:
    """What counting declarations one by one says."""
    counts: Counter[Any] = Counter()
    with desk.services.reading() as db:
        under_way = set(db.scalars(select(Declaration.id).where(*UNDER_WAY)))
        for one in db.scalars(select(Declaration)):
            days = (day_of(one.created_at),) if by_day else ()
            words = [CANCELLED if one.cancelled else str(one.state), *([NEEDS_REVIEW] if one.needs_review else [])]
            words += [IDLE[one.state]] if one.state in IDLE and not one.cancelled and one.id not in under_way else []
            counts.update((*days, one.merchant_no, str(one.channel), one.office, word) for word in words)
    return counts


def open_by_cause(desk: Desk) -> Counter[str]:
    with desk.services.reading() as db:
        return Counter(db.scalars(select(Push.cause_id).where(Push.cause_id.is_not(None))).all())


@pytest.mark.parametrize("seed", WALKS)
def test_after_any_walk_the_tallies_say_what_the_tables_hold(desk: Desk, seed: int):
    walk = Walk(desk, seed)

    for _ in range(STEPS):
        walk.step()

    owner = (Tally.merchant_no, Tally.channel, Tally.subject, Tally.word)
    assert tallied(desk, STATE, *owner, by_day=False) == counted(desk, by_day=False)
    assert tallied(desk, STATE, Tally.day, *owner, by_day=True) == counted(desk, by_day=True)
    causes = tallied(desk, CAUSE, Tally.subject, Tally.word, by_day=False)
    assert {id_: count for (id_, word), count in causes.items() if word == OPEN} == open_by_cause(desk)
    assert tallied(desk, CAUSE, Tally.day, Tally.subject, by_day=True) == walk.opened
    ever = Counter({id_: count for (id_, word), count in causes.items() if word == OPENED})
    assert sum(ever.values()) == sum(walk.opened.values())
    assert tallied(desk, CLEAR, Tally.day, by_day=True) == walk.accepted


@pytest.mark.parametrize("seed", WALKS[:2])
def test_after_any_walk_whatever_has_a_case_has_its_cause_and_nothing_else_has_one(desk: Desk, seed: int):
    walk = Walk(desk, seed)

    for _ in range(STEPS):
        walk.step()

    with desk.services.reading() as db:
        without = select(Push.id).where(Push.case_kind.is_(None) != Push.cause_id.is_(None))
        known = set(db.scalars(select(Cause.id)))
        assert db.scalars(without).all() == []
        assert set(open_by_cause(desk)) <= known
        assert {cause_id for _, cause_id in walk.opened} == known


def test_a_walk_comes_by_every_word(desk: Desk):
    walk, words = Walk(desk, 0), set[str]()

    while not words >= {"UNDECLARED", "SUCCESS", "FAIL", "EXCEPT", CANCELLED, NEEDS_REVIEW, IDLE[State.UNDECLARED]}:
        walk.step()
        words |= {word for *_, word in tallied(desk, STATE, Tally.subject, Tally.word, by_day=True)}


def spoil(desk: Desk) -> None:
    """What a program of another version would do: change pushes, and neither count nor name causes."""
    with desk.services.transaction() as db:
        some = db.scalars(select(Push).order_by(Push.id)).all()
        for one in some[::3]:
            one.case_kind, one.case_detail = CaseKind.FAIL, {"explanation": "no such registration"}
            one.cause_id = None
        for one in some[1::3]:
            one.state, one.case_kind, one.case_since = State.SUCCESS, None, None
        db.execute(update(Tally).where(Tally.slot == 3).values(count=Tally.count + 7))
        db.execute(insert(Tally).values(OF_ANOTHER_VERSION))


def test_a_recount_mends_what_another_program_spoiled_while_others_write(desk: Desk):
    walk = Walk(desk, 1)
    for _ in range(60):
        walk.step()
    before = statistics.find(desk.services.engine)
    spoil(desk)
    spoiled = statistics.find(desk.services.engine)

    with ThreadPoolExecutor(3) as pool:
        mends = [pool.submit(statistics.mend, desk.services.engine) for _ in range(2)]
        written = pool.submit(lambda: [desk.take_in(make.declaration_row(merchant_no="M3")) for _ in range(20)])
    mended = [one.result() for one in mends]
    written.result()

    assert not before
    assert spoiled
    assert any(mended)
    assert not statistics.find(desk.services.engine)
    assert not statistics.mend(desk.services.engine)
    with desk.services.reading() as db:
        odd = select(Push.id).where(Push.case_kind.is_(None) != Push.cause_id.is_(None))
        assert db.scalars(odd).all() == []
