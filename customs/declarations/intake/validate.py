"""Check: a batch's rows are shaped and held against the rules; what is good and what was found, side by side."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain
from typing import Any

from marshmallow import ValidationError

from customs.auth.principal import Caller
from customs.declarations.intake.orders import Finding, Order, Severity
from customs.declarations.intake.rules import Complaint, complaints_about, number_in_use
from customs.declarations.offices import plan_pushes
from customs.declarations.registrations import Registrations
from customs.declarations.schemas import DeclarationIn
from customs.errors import ErrorDetail, ValidationFailed
from customs.gateway import Channel
from customs.text_rules.numbers import SURELY_DOUBTFUL, is_long, looks_rounded
from customs.text_rules.rules import DIGITS_DOUBTFUL
from customs.validation import placed_errors

Locate = Callable[[str], tuple[int | None, str | None]]


def nowhere(_pointer: str) -> tuple[int | None, str | None]:
    """The place of what did not come from a spreadsheet."""
    return None, None


class Rejected(ValidationFailed):
    """The batch has rows that must be corrected first."""

    def __init__(self, detail: str, findings: Sequence[Finding]) -> None:
        errors = [
            ErrorDetail(one.pointer, one.code, f"{one.detail}; {one.action}")
            for one in findings
            if one.severity is Severity.ERROR
        ]
        super().__init__(detail, errors=errors)
        self.findings = tuple(findings)


@dataclass(frozen=True)
class Rules:
    """The codes of findings that only warn here (R6, R7)."""

    warn_only: frozenset[str]

    def severity(self, code: str, severity: Severity) -> Severity:
        return Severity.WARNING if code in self.warn_only else severity


@dataclass(frozen=True)
class Shaped:
    """Rows by their index: those with the shape of a Declaration, and what is wrong with the others."""

    rows: int
    orders: Mapping[int, Order]
    misshapen: Mapping[int, list[Complaint]]


@dataclass
class Checked:
    """A batch's rows so far: the orders still good, by their index, and everything found about all of them.

    `given` holds the orders as handed in, before a registration on file completed them; `caller` handed them in.
    """

    orders: dict[int, Order]
    given: Mapping[int, Order]
    caller: Caller
    findings: list[Finding]
    locate: Locate
    rules: Rules
    merchants: set[str] = field(default_factory=set)

    def complain(self, index: int, complaint: Complaint, known: Collection[str] = ()) -> None:
        """Note a complaint; of a place that is in `known` already, the spreadsheet said what is wrong."""
        severity = self.rules.severity(complaint.code, complaint.severity)
        pointer = f"/declarations/{index}" + (f"/{complaint.place}" if complaint.place else "")
        if pointer in known:
            self.orders.pop(index, None)
            return
        row, column = self.locate(pointer)
        self.findings.append(
            Finding(pointer, row, column, complaint.code, severity, complaint.detail, complaint.action)
        )
        if severity is Severity.ERROR:
            self.orders.pop(index, None)

    def copy(self) -> "Checked":
        """The same, to be changed by one attempt to store it."""
        return replace(self, orders=dict(self.orders), findings=list(self.findings))

    @property
    def is_wrong_as_a_whole(self) -> bool:
        """Whether something is wrong with the file rather than with one of its rows."""
        return any(not error.pointer.startswith("/declarations/") for error in self.errors)

    @property
    def errors(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity is Severity.ERROR]


def check(
    shaped: Shaped,
    caller: Caller,
    registrations: Registrations,
    rules: Rules,
    today: date,
    *,
    locate: Locate = nowhere,
    findings: Sequence[Finding] = (),
) -> Checked:
    """Apply every rule that needs no database to the rows of `/declarations`.

    `findings` are what a spreadsheet knew already; the rows they call wrong are left out.
    """
    checked = Checked(dict(shaped.orders), shaped.orders, caller, [*findings], locate, rules)
    known = {finding.pointer for finding in checked.errors}
    for index in range(shaped.rows):
        for complaint in shaped.misshapen.get(index, ()):
            checked.complain(index, complaint, known)
        order = checked.orders.get(index)
        if order is None:
            continue
        if not caller.may_touch(order.merchant_no):
            checked.complain(index, MERCHANT_UNKNOWN)
            continue
        checked.merchants.add(order.merchant_no)
        order = checked.orders[index] = registrations.complete(order)
        for complaint in complaints_about(order, today):
            checked.complain(index, complaint, known)
    for pointer in known:
        if pointer.startswith("/declarations/"):
            checked.orders.pop(int(pointer.split("/")[2]), None)
    _repeats_within(checked)
    _numbers_within(checked)
    _rounded_alike(checked)
    return checked


def rejection(checked: Checked) -> Rejected:
    """The error that names every faulty place of a batch."""
    errors = checked.errors
    first = errors[0]
    places = "1 place" if len(errors) == 1 else f"{len(errors)} places"
    return Rejected(
        f"{places} of this batch must be corrected, the first: {first.pointer}: {first.detail}; {first.action}. "
        "Nothing was stored.",
        checked.findings,
    )


MERCHANT_UNKNOWN = Complaint(
    "merchant_no", "merchant_unknown", Severity.ERROR, "this merchant is not yours", "use a merchant of this key"
)


def shape(rows: Sequence[Any]) -> Shaped:
    """The rows that have the shape of a Declaration, and what is wrong with the others."""
    schema = DeclarationIn()
    try:
        return Shaped(len(rows), dict(enumerate(schema.load(rows, many=True))), {})
    except ValidationError:
        # One by one, so that the good rows are told from the others.
        pass
    orders: dict[int, Order] = {}
    misshapen: dict[int, list[Complaint]] = {}
    for index, row in enumerate(rows):
        try:
            orders[index] = schema.load(row)
        except ValidationError as error:
            misshapen[index] = list(complaints_of(error.messages))
    return Shaped(len(rows), orders, misshapen)


def complaints_of(messages: Any) -> Iterator[Complaint]:
    """The leaves of marshmallow's messages, each at its place."""
    for place, error in placed_errors(messages):
        yield Complaint(place, error.code, Severity.ERROR, str(error), error.action)


def _rounded_alike(checked: Checked) -> None:
    """A spreadsheet rounds a whole column: a zero or two at the end count where every long number of it has them."""
    columns: dict[str, list[tuple[int, str, str]]] = {}
    for index, order in checked.orders.items():
        for place, number in order.placed_numbers:
            if is_long(number):
                columns.setdefault(place.rpartition("/")[2], []).append((index, place, number))
    alike = [long for long in columns.values() if all(looks_rounded(number) for _, _, number in long)]
    code, _, *sentences = DIGITS_DOUBTFUL
    for index, place, number in chain.from_iterable(alike):
        if len(number) < SURELY_DOUBTFUL:
            checked.complain(index, Complaint(place, code, Severity.WARNING, *sentences))


def _repeats_within(checked: Checked) -> None:
    """One batch may not hold two rows for the same filing, whatever their content (R1, R5)."""
    if len({order.payment for order in checked.orders.values()}) == len(checked.orders):
        return
    owners: dict[tuple[object, ...], int] = {}
    for index, order in list(checked.orders.items()):
        split = bool(order.sub_orders)
        planned = plan_pushes(order.channel, order.office, order.sub_order_nos)
        filings = [(order.payment, plan.customs, plan.sub_order_no) for plan in planned]
        opposites = {(order.payment, plan.customs, "as a whole" if split else "split") for plan in planned}
        other = next((owners[filing] for filing in (*filings, *opposites) if filing in owners), None)
        if other is not None:
            checked.complain(index, _repeated(_place_of(checked, other)))
            continue
        mode = "split" if split else "as a whole"
        owners |= dict.fromkeys((*filings, *((order.payment, plan.customs, mode) for plan in planned)), index)


def _numbers_within(checked: Checked) -> None:
    """Two payments of one batch share no order number and no sub-order number (R6a)."""
    owners: dict[tuple[Channel, str], int] = {}
    for index, order in list(checked.orders.items()):
        for position, number in enumerate(order.numbers):
            other = owners.setdefault((order.channel, number), index)
            if other != index and checked.given[other].payment != order.payment:
                place, _ = [*order.numbered_places][position]
                detail = f"{_place_of(checked, other)} of this batch has this number for another payment"
                checked.complain(index, number_in_use(place, detail))


def _place_of(checked: Checked, index: int) -> str:
    row, _ = checked.locate(f"/declarations/{index}")
    return f"row {row}" if row else f"/declarations/{index}"


def _repeated(other: str) -> Complaint:
    return Complaint(
        "",
        "repeated_in_batch",
        Severity.ERROR,
        f"{other} of this batch already declares this payment there",
        "remove one of the two, or join their sub-orders in one declaration",
    )
