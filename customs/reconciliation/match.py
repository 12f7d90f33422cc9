"""Reconcile a bill's lines with our payments and refunds, all at once: a few queries however long it is."""

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
from customs.reconciliation.columns import STATES, Kind, amount_shown
from customs.reconciliation.ledger import LedgerEntry, payments_in, payments_numbered, refunds_in, refunds_numbered
from customs.reconciliation.parser import Line, Reading

YUAN = "CNY"


class Verdict(StrEnum):
    """Verdict on a line of the bill, or on a payment or refund on file that it lacks."""

    DIFFERING = "differing"
    ONLY_THEIRS = "only_theirs"
    ONLY_RECORDED = "only_ours"
    MATCHED = "matched"


class Concern(StrEnum):
    """Concern that somebody has to look at although the bill may be right."""

    PAID_NOT_DECLARED = "paid_not_declared"
    REFUNDED_AFTER_DECLARATION = "refunded_after_declaration"


class Difference(NamedTuple):
    """One thing on which the bill and we disagree, both values as they are shown."""

    field: str
    theirs: str
    ours: str


class Entry(NamedTuple):
    """One line of the bill, one payment or refund on file, or both."""

    verdict: Verdict
    line: Line | None
    recorded: LedgerEntry | None
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
            *payments_numbered(db, caller, *_missing(lines, payments, "payment_no", "out_order_no")),
        ]
        refunds = self._of_these_days[Kind.REFUND]
        refund_lines = [line for line in lines if line.kind is Kind.REFUND]
        named = _missing(refund_lines, refunds, "outer_refund_no", "refund_no")
        refunds = [*refunds, *refunds_numbered(db, caller, *named)]
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
            recorded, differences = min(
                ((one, _differences(line, one)) for one in candidates), key=lambda pair: len(pair[1])
            )
            if self._tells_refunded(line):
                settled.add(recorded.key)
                differences = (*differences, *_refunded_difference(line, recorded))
            before = named.setdefault(recorded.id, line.line)
            if before != line.line:
                differences = (*differences, Difference("line", str(line.line), f"already on line {before}"))
            yield Entry(Verdict.DIFFERING if differences else Verdict.MATCHED, line, recorded, differences)
        for recorded in chain(*self._of_these_days.values()):
            is_settled = recorded.kind is Kind.REFUND and recorded.key in settled
            if recorded.id not in named and not is_settled:
                yield Entry(Verdict.ONLY_RECORDED, None, recorded)

    def _tells_refunded(self, line: Line) -> bool:
        """Whether a payment's line says what was refunded of it: a zero says nothing beside lines for refunds."""
        return line.refunded is not None and (line.refunded > 0 or not self._tells_refunds)

    def payment_of(self, entry: Entry) -> PaymentKey | None:
        """The payment an entry is about, as declarations know it."""
        recorded = entry.recorded
        if recorded is None and entry.line is not None and entry.line.kind is Kind.REFUND:
            # A refund that was not asked for here, of a payment that was.
            recorded = next(iter(self._named_by(entry.line, Kind.PAYMENT)), None)
        return None if recorded is None or recorded.payment_no is None else recorded.key

    def keys(self, entries: Iterable[Entry]) -> set[PaymentKey]:
        return {key for entry in entries if (key := self.payment_of(entry)) is not None}

    def _named_by(self, line: Line, kind: Kind) -> Sequence[LedgerEntry]:
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
    whose = entry.recorded.merchant_no if entry.recorded else entry.line.merchant_no if entry.line else None
    return caller.merchants is None or (whose is not None and caller.may_touch(whose))


def _missing(
    lines: Iterable[Line], recorded: Iterable[LedgerEntry], first: str, second: str
) -> tuple[set[str], set[str]]:
    """The numbers of a bill that no recorded entry has."""
    known = {first: {getattr(one, first) for one in recorded}, second: {getattr(one, second) for one in recorded}}
    unmet = [
        line
        for line in lines
        if getattr(line, first) not in known[first] and (getattr(line, first) or getattr(line, second))
    ]
    firsts, seconds = ({getattr(line, name) for line in unmet} - known[name] for name in (first, second))
    return firsts - {None}, seconds - {None}


def _index(recorded: Iterable[LedgerEntry], name: str) -> Mapping[str, list[LedgerEntry]]:
    index: dict[str, list[LedgerEntry]] = defaultdict(list)
    for one in recorded:
        if number := getattr(one, name):
            index[number].append(one)
    return dict(index)


def _differences(line: Line, recorded: LedgerEntry) -> tuple[Difference, ...]:
    return tuple(chain(_money_differences(line, recorded), _status_difference(line, recorded)))


def _money_differences(line: Line, recorded: LedgerEntry) -> Iterator[Difference]:
    currency = line.currency or recorded.currency
    theirs = (in_places(line.amount, currency), currency)
    # A bill may tell what the payer paid in yuan instead of what was asked for.
    if theirs in ((recorded.amount, recorded.currency), (recorded.pay_amount, recorded.pay_currency or YUAN)):
        return
    if theirs[0] != recorded.amount:
        shown = amount_shown(line.amount, theirs[1]), amount_shown(recorded.amount, recorded.currency)
        yield Difference("amount", *shown)
    if theirs[1] != recorded.currency:
        yield Difference("currency", theirs[1], recorded.currency)


def _refunded_difference(line: Line, recorded: LedgerEntry) -> Iterator[Difference]:
    refunded = recorded.refunded or Decimal(0)
    if line.refunded is not None and in_places(line.refunded, recorded.currency) != refunded:
        shown = amount_shown(line.refunded, recorded.currency), amount_shown(refunded, recorded.currency)
        yield Difference("refunded", *shown)


def _status_difference(line: Line, recorded: LedgerEntry) -> Iterator[Difference]:
    status = STATES[line.kind].get((line.status or "").lower())
    if status is not None and status != recorded.status:
        yield Difference("status", line.status or "", recorded.status)


def _with_concerns(
    entries: Iterable[Entry], books: Books, declared: Mapping[PaymentKey, datetime | None]
) -> Iterator[Entry]:
    counted: set[str] = set()
    for entry in entries:
        key = books.payment_of(entry)
        concern = None if key is None else _concern(entry, key, declared)
        if concern is None or (entry.recorded is not None and entry.recorded.id in counted):
            yield entry
            continue
        if entry.recorded is not None:
            # A bill that names one payment twice does not leave two undeclared.
            counted.add(entry.recorded.id)
        yield entry._replace(concerns=(concern,))


def _concern(entry: Entry, key: PaymentKey, declared: Mapping[PaymentKey, datetime | None]) -> Concern | None:
    recorded = entry.recorded
    if recorded is not None and recorded.kind is Kind.PAYMENT:
        owed = recorded.status == Status.PAID and recorded.refund_status != Refunded.FULL and key not in declared
        return Concern.PAID_NOT_DECLARED if owed else None
    refunded_at = recorded.at if recorded else entry.line.time if entry.line else None
    done = recorded.status == RefundStatus.SUCCESS if recorded else True
    if not done or key not in declared:
        return None
    first = declared[key]
    # Without both times nobody can say that it was before: somebody looks.
    after = first is None or refunded_at is None or refunded_at >= first
    return Concern.REFUNDED_AFTER_DECLARATION if after else None
