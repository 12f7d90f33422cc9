"""Declarations of years of work, with pushes, timelines and counters, generated quickly."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from bench.orders import MERCHANTS
from customs.db.bulk import insert_many
from customs.db.database import Base
from customs.declarations.cases import CAUSES, CaseKind, CauseKey, cause_of
from customs.declarations.identity import Identity
from customs.declarations.models import Batch, BatchMerchant, Declaration, Push, SubOrder
from customs.declarations.states import Action, State
from customs.declarations.statistics import difference
from customs.events.timeline import Event
from customs.gateway import Channel
from customs.stats.tallies import SHANGHAI, TallyKey, apply_deltas, day_of

BATCH = 1000
# A declaration's number modulo KINDS is its kind, which decides everything but its numbers.
KINDS = 100
OFFICES = {Channel.WECHATPAY: ("SHENZHEN", "GUANGZHOU", "NINGBO"), Channel.ALIPAY: ("SHANGHAI", "HANGZHOU", "HEFEI")}
# One of a hundred belongs to this merchant, one to this office, none to the third.
SMALL_MERCHANT, SMALL_OFFICE, EMPTY_OFFICE = "M-small", "XIAN", "TIANJIN"
FAILED = range(3, KINDS, 10)
EXCEPTED = (24, 44)
UNDER_WAY = {25: State.UNDECLARED, 26: State.SUBMITTED, 27: State.PROCESSING}
CANCELLED = 28
OF_SMALL_MERCHANT, AT_SMALL_OFFICE = 57, 58
SENDER = "person_1"

TABLES = Base.metadata.tables


@dataclass(frozen=True)
class DeclarationHistory:
    """Declarations spread evenly over days, of which the last is `today` in Shanghai."""

    size: int
    days: int
    today: date

    def arrived_at(self, number: int) -> datetime:
        ends = datetime.combine(self.today + timedelta(days=1), time(), SHANGHAI).astimezone(UTC)
        return ends - (self.size - number) * timedelta(days=self.days) / self.size

    def declaration_id(self, number: int) -> str:
        """Return an id as the product makes them: 48 bits of milliseconds come first."""
        return f"decl_{int(self.arrived_at(number).timestamp() * 1000):012x}{number:020x}"

    def fill(self, db: Connection) -> None:
        """Store all declarations with all that belongs to them."""
        numbers, batches = range(self.size), range(0, self.size, BATCH)
        insert_many(db, TABLES[Batch.__tablename__], map(self._batch, batches))
        insert_many(db, TABLES[BatchMerchant.__tablename__], (row for number in batches for row in _merchants(number)))
        insert_many(db, TABLES[Declaration.__tablename__], map(self._declaration, numbers))
        insert_many(db, TABLES[SubOrder.__tablename__], map(self._sub_order, numbers[::10]))
        insert_many(db, TABLES[Push.__tablename__], map(self._push, numbers))
        insert_many(db, TABLES[Event.__tablename__], map(self._event, numbers))
        insert_many(db, CAUSES, self._causes())
        apply_deltas(db, self._tallies())

    def _batch(self, number: int) -> dict[str, Any]:
        return {
            "id": batch_id(number),
            "name": "bench",
            "sender_id": SENDER,
            "sender": "bench",
            "created_at": self.arrived_at(number),
            "findings": [],
        }

    def _declaration(self, number: int) -> dict[str, Any]:
        kind = number % KINDS
        case = _case(kind)
        return {
            "id": self.declaration_id(number),
            "batch_id": batch_id(number),
            "merchant_no": _merchant_no(kind),
            "channel": _channel(kind),
            "office": _office(kind),
            "out_order_no": f"O{number}",
            "payment_no": f"P{number}",
            "mch_customs_no": "123456789BTW",
            "state": _state(kind),
            "identity": Identity.UNCHECKED,
            "needs_review": case is not None,
            "case_kind": case and case[0],
            "case_detail": case and case[1],
            "case_since": case and self.arrived_at(number),
            "cancelled": kind == CANCELLED,
            "created_at": self.arrived_at(number),
        }

    def _sub_order(self, number: int) -> dict[str, Any]:
        return {
            "declaration_id": self.declaration_id(number),
            "sub_order_no": f"S{number}",
            "merchant_no": _merchant_no(number % KINDS),
            "position": 0,
            "amount": Decimal("46.44"),
        }

    def _push(self, number: int) -> dict[str, Any]:
        kind = number % KINDS
        case, cause, is_polled = _case(kind), _cause(kind), kind in UNDER_WAY
        return {
            "id": f"push_{number:032x}",
            "declaration_id": self.declaration_id(number),
            "merchant_no": _merchant_no(kind),
            "channel": _channel(kind),
            "payment_no": f"P{number}",
            "customs": _office(kind),
            "sub_order_no": "" if number % 10 else f"S{number}",
            "position": 0,
            "blocked_by": None,
            "state": _state(kind),
            "accepted": True,
            "fresh": False,
            "attempts": 1,
            "next_action": Action.QUERY if is_polled else None,
            "due_at": self.arrived_at(self.size) + timedelta(days=1) if is_polled else None,
            "cancelled": kind == CANCELLED,
            "case_kind": case and case[0],
            "case_detail": case and case[1],
            "case_since": case and self.arrived_at(number),
            "cause_id": cause and cause.id,
        }

    def _event(self, number: int) -> dict[str, Any]:
        return {
            "merchant_no": _merchant_no(number % KINDS),
            "declaration_id": self.declaration_id(number),
            "push_id": f"push_{number:032x}",
            "at": self.arrived_at(number),
            "kind": "call",
            "actor": "gateway",
            "detail": {"action": "SUBMIT", "outcome": "answered"},
            "request": {"out_order_no": f"O{number}"},
            "reply": "{}",
            "duration_ms": 50,
        }

    def _causes(self) -> Iterator[dict[str, Any]]:
        for cause in filter(None, map(_cause, range(KINDS))):
            seen = {"first_seen_at": self.arrived_at(0), "last_seen_at": self.arrived_at(self.size)}
            yield {"id": cause.id, **cause._asdict(), **seen}

    def _tallies(self) -> Counter[TallyKey]:
        """Return their counters; all declarations of one kind and day count alike."""
        deltas: Counter[TallyKey] = Counter()
        alike = Counter((number % KINDS, day_of(self.arrived_at(number))) for number in range(self.size))
        for (kind, day), count in alike.items():
            arrived = datetime.combine(day, time(), SHANGHAI)
            owner = {**self._declaration(kind), "created_at": arrived}
            stored, now = {**self._push(kind), "cause_id": None}, arrived + timedelta(seconds=60 + 10 * kind)
            for before, after in (((), [stored]), ([stored], [self._push(kind)])):
                for key, delta in difference(owner, before, after, now).items():
                    deltas[key] += count * delta
        return deltas


def batch_id(number: int) -> str:
    return f"bat_{number // BATCH:032x}"


def cause_id() -> str:
    """Return the id of one of the twelve causes."""
    cause = _cause(FAILED[0])
    assert cause is not None
    return cause.id


def _merchants(number: int) -> Iterator[dict[str, str]]:
    for merchant_no in (*(f"M{one}" for one in range(MERCHANTS)), SMALL_MERCHANT):
        yield {"batch_id": batch_id(number), "merchant_no": merchant_no}


def _merchant_no(kind: int) -> str:
    return SMALL_MERCHANT if kind == OF_SMALL_MERCHANT else f"M{kind % MERCHANTS}"


def _channel(kind: int) -> Channel:
    return list(Channel)[kind % 2]


def _office(kind: int) -> str:
    return SMALL_OFFICE if kind == AT_SMALL_OFFICE else OFFICES[_channel(kind)][kind % 3]


def _state(kind: int) -> State:
    if kind in FAILED:
        return State.FAIL
    return State.EXCEPT if kind in EXCEPTED else UNDER_WAY.get(kind, State.SUCCESS)


def _case(kind: int) -> tuple[CaseKind, dict[str, str]] | None:
    """Return the case of a kind; twelve kinds fail, each for another reason."""
    if kind not in (*FAILED, *EXCEPTED):
        return None
    return CaseKind(_state(kind)), {"explanation": f"reason {chr(ord('a') + kind % 26)}"}


def _cause(kind: int) -> CauseKey | None:
    case = _case(kind)
    return None if case is None else cause_of(_channel(kind), _office(kind), *case)
