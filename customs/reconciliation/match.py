"""Reconcile: a bill's lines held against our payments and refunds, as a whole; a few queries however long it is."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from itertools import chain
from typing import NamedTuple

from sqlalchemy.orm import Session

from customs.auth.principal import Caller
from customs.gateway import in_places
from customs.payments.states import Refunded, RefundStatus, Status
from customs.payments_port import Declarations, PaymentKey
from customs.reconciliation.ledger import Ours, payments_in, payments_numbered_so, refunds_in, refunds_numbered_so
from customs.reconciliation.parser import Line, Reading
from customs.reconciliation.values import STATES, Kind, amount_shown

YUAN = "CNY"


class Verdict(StrEnum):
    """What became of a line of the bill, or of a payment or refund of ours that it lacks."""

    DIFFERING = "differing"
    ONLY_THEIRS = "only_theirs"
    ONLY_OURS = "only_ours"
    MATCHED = "matched"


class Concern(StrEnum):
    """What somebody has to look at although the bill may be right."""

    PAID_NOT_DECLARED = "paid_not_declared"
    REFUNDED_AFTER_DECLARATION = "refunded_after_declaration"


class Difference(NamedTuple):
    """One thing on which the bill and we disagree, both values as they are shown."""

    field: str
    theirs: str
    ours: str


class Entry(NamedTuple):
    """One line of the bill, one payment or refund of ours, or both."""

    verdict: Verdict
    line: Line | None
    ours: Ours | None
    differences: tuple[Difference, ...] = ()
    concerns: tuple[Concern, ...] = ()

    @property
    def needs_somebody(self) -> bool:
        return self.verdict is not Verdict.MATCHED or bool(self.concerns)


@dataclass(frozen=True)
class Reconciled:
    """A reconciled bill: `entries` first those that need somebody, `counts` by verdict, concern and `unreadable`."""

    reading: Reading
    entries: list[Entry]
    counts: Mapping[str, int]


RANKS = {verdict: rank for rank, verdict in enumerate(Verdict)}


def reconcile(
    db: Session, reading: Reading, since: datetime, until: datetime, declarations: Declarations, caller: Caller
) -> Reconciled:
    """Hold a bill against what was paid and refunded from `since` to `until`, and against every number it names.

    A caller narrowed to merchants gets what is known to be theirs; of an illegible bill nothing is compared.
    """
    reading = _within(reading, caller)
    entries: list[Entry] = []
    if reading.legible:
        books = Books(db, caller, reading.lines, since, until)
        entries = [entry for entry in books.entries() if _may_see(entry, caller)]
        entries = list(_with_concerns(entries, books, declarations.declared(db, books.keys(entries))))
        entries.sort(key=lambda entry: (not entry.needs_somebody, RANKS[entry.verdict]))
    counted = Counter(chain((entry.verdict for entry in entries), *(entry.concerns for entry in entries)))
    counts = {str(word): counted[word] for word in (*reversed(Verdict), *Concern)}
    return Reconciled(reading, entries, counts | {"unreadable": len(reading.flaws)})


class Books:
    """Our payments and refunds of these days, and those of other days that the bill names."""

    def __init__(self, db: Session, caller: Caller, lines: Sequence[Line], since: datetime, until: datetime) -> None:
        self._lines = lines
        self._tells_refunds = any(line.kind is Kind.REFUND for line in lines)
        self._of_these_days = {
            Kind.PAYMENT: payments_in(db, caller, since, until),
            Kind.REFUND: refunds_in(db, caller, since, until),
        }
        payments = self._of_these_days[Kind.PAYMENT]
        payments = [
            *payments,
            *payments_numbered_so(db, caller, *_missing(lines, payments, "payment_no", "out_order_no")),
        ]
        refunds = self._of_these_days[Kind.REFUND]
        refund_lines = [line for line in lines if line.kind is Kind.REFUND]
        named = _missing(refund_lines, refunds, "outer_refund_no", "refund_no")
        refunds = [*refunds, *refunds_numbered_so(db, caller, *named)]
        # The first number decides, the second only for a line whose first one nobody knows.
        self._indexes = {
            Kind.PAYMENT: (_index(payments, "payment_no"), _index(payments, "out_order_no")),
            Kind.REFUND: (_index(refunds, "outer_refund_no"), _index(refunds, "refund_no")),
        }

    def entries(self) -> Iterator[Entry]:
        """The lines in the bill's order, then what it lacks in the order of time."""
        named: dict[str, int] = {}
        settled: set[PaymentKey] = set()
        for line in self._lines:
            candidates = self._named_by(line, line.kind)
            if not candidates:
                yield Entry(Verdict.ONLY_THEIRS, line, None)
                continue
            ours, differences = min(
                ((one, _differences(line, one)) for one in candidates), key=lambda pair: len(pair[1])
            )
            if self._tells_refunded(line):
                settled.add(ours.key)
                differences = (*differences, *_refunded_difference(line, ours))
            before = named.setdefault(ours.id, line.line)
            if before != line.line:
                differences = (*differences, Difference("line", str(line.line), f"already on line {before}"))
            yield Entry(Verdict.DIFFERING if differences else Verdict.MATCHED, line, ours, differences)
        for ours in chain(*self._of_these_days.values()):
            is_told = ours.kind is Kind.REFUND and ours.key in settled
            if ours.id not in named and not is_told:
                yield Entry(Verdict.ONLY_OURS, None, ours)

    def _tells_refunded(self, line: Line) -> bool:
        """Whether a payment's line says what was refunded of it: a zero says nothing beside lines for refunds."""
        return line.refunded is not None and (line.refunded > 0 or not self._tells_refunds)

    def payment_of(self, entry: Entry) -> PaymentKey | None:
        """The payment an entry is about, as declarations know it."""
        ours = entry.ours
        if ours is None and entry.line is not None and entry.line.kind is Kind.REFUND:
            # A refund that was not asked for here, of a payment that was.
            ours = next(iter(self._named_by(entry.line, Kind.PAYMENT)), None)
        return None if ours is None or ours.payment_no is None else ours.key

    def keys(self, entries: Iterable[Entry]) -> set[PaymentKey]:
        return {key for entry in entries if (key := self.payment_of(entry)) is not None}

    def _named_by(self, line: Line, kind: Kind) -> Sequence[Ours]:
        numbers = {
            Kind.PAYMENT: (line.payment_no, line.out_order_no),
            Kind.REFUND: (line.outer_refund_no, line.refund_no),
        }
        for index, number in zip(self._indexes[kind], numbers[kind], strict=True):
            if number is not None and number in index:
                return index[number]
        return ()


def _within(reading: Reading, caller: Caller) -> Reading:
    if caller.merchants is None:
        return reading
    # A line that names no merchant may still turn out to be one of ours, and then whose it is.
    lines = [line for line in reading.lines if line.merchant_no is None or caller.may_touch(line.merchant_no)]
    flaws = [flaw for flaw in reading.flaws if flaw.merchant_no and caller.may_touch(flaw.merchant_no)]
    flaws = flaws if reading.legible else reading.flaws
    return Reading(reading.columns, reading.unknown, lines, flaws, reading.legible)


def _may_see(entry: Entry, caller: Caller) -> bool:
    whose = entry.ours.merchant_no if entry.ours else entry.line.merchant_no if entry.line else None
    return caller.merchants is None or (whose is not None and caller.may_touch(whose))


def _missing(lines: Iterable[Line], held: Iterable[Ours], first: str, second: str) -> tuple[set[str], set[str]]:
    """The numbers of a bill that what is held does not have."""
    known = {first: {getattr(one, first) for one in held}, second: {getattr(one, second) for one in held}}
    unmet = [
        line
        for line in lines
        if getattr(line, first) not in known[first] and (getattr(line, first) or getattr(line, second))
    ]
    firsts, seconds = ({getattr(line, name) for line in unmet} - known[name] for name in (first, second))
    return firsts - {None}, seconds - {None}


def _index(held: Iterable[Ours], name: str) -> Mapping[str, list[Ours]]:
    index: dict[str, list[Ours]] = defaultdict(list)
    for one in held:
        if number := getattr(one, name):
            index[number].append(one)
    return dict(index)


def _differences(line: Line, ours: Ours) -> tuple[Difference, ...]:
    return tuple(chain(_money_differences(line, ours), _status_difference(line, ours)))


def _money_differences(line: Line, ours: Ours) -> Iterator[Difference]:
    currency = line.currency or ours.currency
    theirs = (in_places(line.amount, currency), currency)
    # A bill may tell what the payer paid in yuan instead of what was asked for.
    if theirs in ((ours.amount, ours.currency), (ours.pay_amount, ours.pay_currency or YUAN)):
        return
    if theirs[0] != ours.amount:
        shown = amount_shown(line.amount, theirs[1]), amount_shown(ours.amount, ours.currency)
        yield Difference("amount", *shown)
    if theirs[1] != ours.currency:
        yield Difference("currency", theirs[1], ours.currency)


def _refunded_difference(line: Line, ours: Ours) -> Iterator[Difference]:
    refunded = ours.refunded or Decimal(0)
    if line.refunded is not None and in_places(line.refunded, ours.currency) != refunded:
        shown = amount_shown(line.refunded, ours.currency), amount_shown(refunded, ours.currency)
        yield Difference("refunded", *shown)


def _status_difference(line: Line, ours: Ours) -> Iterator[Difference]:
    said = STATES[line.kind].get((line.status or "").lower())
    if said is not None and said != ours.status:
        yield Difference("status", line.status or "", ours.status)


def _with_concerns(
    entries: Iterable[Entry], books: Books, declared: Mapping[PaymentKey, datetime | None]
) -> Iterator[Entry]:
    counted: set[str] = set()
    for entry in entries:
        key = books.payment_of(entry)
        concern = None if key is None else _concern(entry, key, declared)
        if concern is None or (entry.ours is not None and entry.ours.id in counted):
            yield entry
            continue
        if entry.ours is not None:
            # A bill that names one payment twice does not leave two undeclared.
            counted.add(entry.ours.id)
        yield entry._replace(concerns=(concern,))


def _concern(entry: Entry, key: PaymentKey, declared: Mapping[PaymentKey, datetime | None]) -> Concern | None:
    ours = entry.ours
    if ours is not None and ours.kind is Kind.PAYMENT:
        owed = ours.status == Status.PAID and ours.refund_status != Refunded.FULL and key not in declared
        return Concern.PAID_NOT_DECLARED if owed else None
    refunded_at = ours.at if ours else entry.line.time if entry.line else None
    done = ours.status == RefundStatus.SUCCESS if ours else True
    if not done or key not in declared:
        return None
    first = declared[key]
    # Without both times nobody can say that it was before: somebody looks.
    after = first is None or refunded_at is None or refunded_at >= first
    return Concern.REFUNDED_AFTER_DECLARATION if after else None
