"""Intake: a batch's rows are shaped, completed, checked against the rules and what we hold, and stored in one piece."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from customs import database
from customs.access.callers import Caller
from customs.declarations import held as holdings
from customs.declarations.findings import Finding, Severity
from customs.declarations.models import Batch
from customs.declarations.orders import Order
from customs.declarations.planning import plan_pushes
from customs.declarations.preflight import Complaint, complaints_about, conflicts_with_held
from customs.declarations.registrations import Registrations, registrations_of
from customs.declarations.schemas import LONGEST_BATCH, DeclarationIn
from customs.declarations.storing import Prepared, prepare, store
from customs.errors import Fault, Invalid
from customs.history.vault import Vault
from customs.settings import Settings

Locate = Callable[[str], tuple[int | None, str | None]]


def nowhere(_pointer: str) -> tuple[int | None, str | None]:
    """The place of what did not come from a spreadsheet."""
    return None, None


class Rejected(Invalid):
    """The batch has rows that must be corrected first."""

    def __init__(self, detail: str, findings: Sequence[Finding]) -> None:
        errors = [finding for finding in findings if finding.severity is Severity.ERROR]
        faults = [Fault(error.pointer, error.code, f"{error.detail}; {error.action}") for error in errors]
        super().__init__(detail, faults=faults)
        self.findings = tuple(findings)


@dataclass(frozen=True)
class Rules:
    """The switches: ID numbers that are well shaped and wrong, and rules that only warn here (R6, R7)."""

    warn_only: frozenset[str]

    @classmethod
    def of(cls, settings: Settings) -> "Rules":
        lenient = {"cert_id_invalid"} if settings.cert_id_check == "warn" else set()
        return cls(settings.rules_as_warnings | lenient)

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

    `given` holds the orders as handed in, before a registration on file completed them.
    """

    orders: dict[int, Order]
    given: Mapping[int, Order]
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
    checked = Checked(dict(shaped.orders), shaped.orders, [*findings], locate, rules)
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
    return checked


def compare(
    db: Session, vault: Vault, checked: Checked, prepared: Mapping[int, Prepared], now: datetime
) -> dict[int, str]:
    """Compare with what we hold; returns the replays: the index of a row and the declaration it repeats (R1)."""
    pushes = holdings.pushes_of(db, checked.orders.values())
    existing = holdings.existing(db, pushes)
    replays: dict[int, str] = {}
    for index, order in list(checked.orders.items()):
        if (known := existing.get(order.key)) is None:
            continue
        if holdings.is_same(known, checked.given[index], vault):
            replays[index] = known.id
            del checked.orders[index]
        else:
            checked.complain(index, _conflict(known.id))
    # What a buyer spent matters only to orders whose amounts are known.
    indexes = {key: prepared[key].cert_index for key, order in checked.orders.items() if order.sub_orders}
    held = holdings.held(db, pushes, checked.orders.values(), [index for index in indexes.values() if index], now)
    for index, order in list(checked.orders.items()):
        for complaint in conflicts_with_held(order, held, indexes.get(index)):
            checked.complain(index, complaint)
    return replays


@dataclass(frozen=True)
class Submission:
    """What was handed in, before anything of it was looked at; `locate` and `findings` come from a spreadsheet."""

    rows: Sequence[Any]
    name: str = ""
    on_error: str = "reject"
    locate: Locate = nowhere
    findings: Sequence[Finding] = ()


@dataclass(frozen=True)
class Ready:
    """A submission that has passed all that needs no lock: ids given, buyers sealed."""

    submission: Submission
    checked: Checked
    prepared: Mapping[int, Prepared]


def make_ready(engine: Engine, vault: Vault, rules: Rules, submission: Submission, caller: Caller) -> Ready:
    """The costly part of intake, done before the transaction that stores begins."""
    if not 1 <= len(submission.rows) <= LONGEST_BATCH:
        raise Invalid(f"a batch holds 1 to {LONGEST_BATCH:,} declarations, this one {len(submission.rows):,}: split it")
    shaped = shape(submission.rows)
    with database.reading(engine) as db:
        on_file = registrations_of(db, {order.merchant_no for order in shaped.orders.values()})
        today = database.now(db).date()
    checked = check(shaped, caller, on_file, rules, today, locate=submission.locate, findings=submission.findings)
    return Ready(submission, checked, {index: prepare(order, vault) for index, order in checked.orders.items()})


def take_in(db: Session, vault: Vault, ready: Ready, sender: Caller) -> Batch:
    """Store the batch whole, or its good rows when `on_error` is "accept_valid"; raises Invalid with every error."""
    now = database.now(db)
    checked = ready.checked.copy()
    whole = ready.submission.on_error == "reject" or checked.is_wrong_as_a_whole
    if checked.errors and whole:
        raise rejection(checked)
    replays = compare(db, vault, checked, ready.prepared, now)
    if checked.errors and (whole or not (checked.orders or replays)):
        raise rejection(checked)
    return store(
        db,
        [ready.prepared[index] for index in sorted(checked.orders)],
        sorted(set(replays.values())),
        findings=checked.findings,
        merchants=sorted(checked.merchants),
        name=ready.submission.name or f"{now:%Y-%m-%d %H:%M:%S} UTC",
        sender=sender,
        now=now,
    )


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


def _conflict(declaration_id: str) -> Complaint:
    return Complaint(
        "",
        "already_declared",
        Severity.ERROR,
        f"{declaration_id} declares this payment at this office with other content",
        "correct that declaration with modify, or send it again with redeclare",
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


def complaints_of(messages: Any, place: str = "") -> Iterator[Complaint]:
    """The leaves of marshmallow's messages, each at its place."""
    if isinstance(messages, dict):
        for key, below in messages.items():
            # "_schema" is marshmallow's name for the object itself.
            yield from complaints_of(below, place if key == "_schema" else f"{place}/{_escaped(key)}".lstrip("/"))
        return
    for fault in messages:
        yield Complaint(place, fault.code, Severity.ERROR, str(fault), fault.action)


def _escaped(key: object) -> str:
    return str(key)[:100].replace("~", "~0").replace("/", "~1")


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
            row, _ = checked.locate(f"/declarations/{other}")
            checked.complain(index, _repeated(f"row {row}" if row else f"/declarations/{other}"))
            continue
        mode = "split" if split else "as a whole"
        owners |= dict.fromkeys((*filings, *((order.payment, plan.customs, mode) for plan in planned)), index)


def _repeated(other: str) -> Complaint:
    return Complaint(
        "",
        "repeated_in_batch",
        Severity.ERROR,
        f"{other} of this batch already declares this payment there",
        "remove one of the two, or join their sub-orders in one declaration",
    )
