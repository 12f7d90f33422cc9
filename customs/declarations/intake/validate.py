"""What rules find is applied here: which rows of a batch stay good, and what is reported about the others."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain
from operator import itemgetter
from typing import Any

from marshmallow import ValidationError

from customs.auth.principal import Caller
from customs.declarations.intake.comparison_rules import BATCH_RULES
from customs.declarations.intake.orders import Finding, Found, Order, RuleFinding, Severity
from customs.declarations.intake.rules import preflight_findings
from customs.declarations.registrations import Registrations
from customs.declarations.schemas import DeclarationIn
from customs.errors import ErrorDetail, ValidationFailed
from customs.validation import placed_errors

Locate = Callable[[str], tuple[int | None, str | None]]
ROWS = "/declarations/"


def nowhere(_pointer: str) -> tuple[int | None, str | None]:
    """Return no place: the row did not come from a spreadsheet."""
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
    """The switches: the codes of rules that only warn here (R6, R7)."""

    warn_only: frozenset[str]

    def severity(self, found: RuleFinding) -> Severity:
        return Severity.WARNING if found.code in self.warn_only else found.severity

    def refuses(self, found: RuleFinding) -> bool:
        return self.severity(found) is Severity.ERROR


@dataclass(frozen=True)
class Shaped:
    """The rows that have the shape of a Declaration, by their index, and what is wrong with the others."""

    orders: Mapping[int, Order]
    found: Sequence[tuple[int, RuleFinding]] = ()


@dataclass(frozen=True)
class Checked:
    """A batch's rows so far: the orders still good, by their index, and everything found about all of them.

    `given` holds the caller's orders as handed in, before a registration on file completed them, for these `merchants`.
    """

    orders: Mapping[int, Order]
    given: Mapping[int, Order]
    caller: Caller
    findings: Sequence[Finding]
    locate: Locate
    rules: Rules
    merchants: Collection[str]

    def name_of(self, index: int) -> str:
        """Return what a person calls a row: its number in the spreadsheet, or its pointer."""
        row, _ = self.locate(f"{ROWS}{index}")
        return f"row {row}" if row else f"{ROWS}{index}"

    def without(self, indexes: Collection[int]) -> "Checked":
        """Return the same rows but these."""
        return replace(self, orders={index: order for index, order in self.orders.items() if index not in indexes})

    @property
    def has_batch_error(self) -> bool:
        """Return whether something is wrong with the file rather than with one of its rows."""
        return any(not error.pointer.startswith(ROWS) for error in self.errors)

    @property
    def errors(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity is Severity.ERROR]


def apply(checked: Checked, found: Found) -> Checked:
    """Report what rules found; a row with an error is good no more."""
    findings, wrong = [*checked.findings], set()
    for index, one in found:
        pointer = _pointer(index, one)
        # Nothing can be stored of a row that is misshapen or another merchant's: no switch makes that a warning.
        severity = checked.rules.severity(one) if index in checked.given else Severity.ERROR
        findings.append(Finding(pointer, *checked.locate(pointer), one.code, severity, one.detail, one.action))
        if severity is Severity.ERROR:
            wrong.add(index)
    return replace(checked.without(wrong), findings=findings)


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
    known = {finding.pointer for finding in findings if finding.severity is Severity.ERROR}
    spoilt = {int(pointer.split("/")[2]) for pointer in known if pointer.startswith(ROWS)}
    allowed = {index: order for index, order in shaped.orders.items() if caller.may_touch(order.merchant_no)}
    strangers = [(index, MERCHANT_UNKNOWN) for index in shaped.orders if index not in allowed]
    orders = {index: registrations.complete(order) for index, order in allowed.items()}
    preflight = [(index, one) for index, order in orders.items() for one in preflight_findings(order, today)]
    # Where the spreadsheet reported already what is wrong, nothing is reported again.
    news = ((index, one) for index, one in chain(shaped.found, preflight) if _pointer(index, one) not in known)
    checked = Checked(
        orders=orders,
        given=allowed,
        caller=caller,
        findings=findings,
        locate=locate,
        rules=rules,
        merchants={order.merchant_no for order in orders.values()},
    )
    checked = apply(checked.without(spoilt), sorted(chain(news, strangers), key=itemgetter(0)))
    for rule in BATCH_RULES:
        checked = apply(checked, rule(checked.orders, checked.name_of))
    return checked


def _pointer(index: int, found: RuleFinding) -> str:
    return f"{ROWS}{index}/{found.place}" if found.place else f"{ROWS}{index}"


def rejection(checked: Checked) -> Rejected:
    """Return the error that names every wrong place of a batch."""
    errors = checked.errors
    first = errors[0]
    places = "1 place" if len(errors) == 1 else f"{len(errors)} places"
    return Rejected(
        f"{places} of this batch must be corrected, the first: {first.pointer}: {first.detail}; {first.action}. "
        "Nothing was stored.",
        checked.findings,
    )


MERCHANT_UNKNOWN = RuleFinding(
    "merchant_no", "merchant_unknown", Severity.ERROR, "this merchant is not yours", "use a merchant of this key"
)


def shape(rows: Sequence[Any]) -> Shaped:
    """Read the rows that have the shape of a Declaration, and find what is wrong with the others."""
    schema = DeclarationIn()
    try:
        return Shaped(dict(enumerate(schema.load(rows, many=True))))
    except ValidationError:
        # One by one, so that the good rows are told from the others.
        pass
    orders: dict[int, Order] = {}
    found: list[tuple[int, RuleFinding]] = []
    for index, row in enumerate(rows):
        try:
            orders[index] = schema.load(row)
        except ValidationError as error:
            found += [
                (index, RuleFinding(place, one.code, Severity.ERROR, str(one), one.action))
                for place, one in placed_errors(error.messages)
            ]
    return Shaped(orders, found)
