"""Schemas of batches, declarations and their timeline: the contract's JSON, the buyer masked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

from sqlalchemy.orm import Session

from customs.declarations.actions.action_rules import Decision, Policy, Refusal, Request, refusals_of
from customs.declarations.cases import entry_sentence
from customs.declarations.contents import Content, masked_buyer
from customs.declarations.identity import Identity
from customs.declarations.intake.orders import Finding, Severity
from customs.declarations.models import Batch, Declaration, Push, Registration
from customs.declarations.offices import OFFICES, codes_for
from customs.declarations.reading.queries import BatchState, Progress
from customs.declarations.states import Action, State
from customs.events.timeline import Event
from customs.gateway import Channel
from customs.payments_port import Payments
from customs.privacy.vault import Vault
from customs.web import response_fields as out
from customs.web.response_fields import CaseOut, Out


class FindingOut(Out):
    """One thing that was noticed about a batch."""

    pointer = out.Text("JSON pointer to the place, such as `/declarations/3/sub_orders/0/amount`.")
    row = out.Integer("Row of the spreadsheet, from 1; null for what came as JSON.", least=1, null=True)
    column = out.Text("Column of the spreadsheet as it is spelt there.", null=True)
    code = out.Text("Stable; each has a page at `/errors/<code>`.", shape=out.CODE)
    severity = out.Choice(Severity, "An error keeps the declaration out; a warning asks a person to look.")
    detail = out.Text("What is wrong. It repeats no name and no ID number.")
    action = out.Text("What to do.")


class FindingsOut(Out):
    """What a check found."""

    findings = out.List(out.Object(FindingOut), "Errors and warnings, in the order of the rows.")


BatchCountsOut = out.schema_of(
    "BatchCountsOut",
    {
        "total": out.Integer("Every declaration of the batch."),
        **{state.value: out.Integer(f"Declarations that are {state}, without cancelled ones.") for state in State},
        "cancelled": out.Integer("Cancelled declarations; no other number but the total holds them."),
        "needs_review": out.Integer("Declarations with an open case."),
        "open_rows": out.Integer(
            "Rows handed in that were neither submitted, here or later, nor discarded by somebody."
        ),
    },
)


class RowResultOut(Out):
    """What became of one row of a batch."""

    index = out.Integer("The row's place in `declarations`, from 0.")
    declaration_id = out.Id("decl", "The declaration it made, or named again; null for a rejected row.", null=True)
    status = out.Choice(("accepted", "replayed", "rejected"), "Whether it was taken.")


@dataclass(frozen=True)
class BatchView:
    """A batch with its progress; `results` where they were asked for."""

    batch: Batch
    progress: Progress
    replayed: Sequence[str]
    results: list[dict[str, Any]] | None

    @property
    def counts(self) -> Mapping[str, int]:
        progress = self.progress
        rest = {"cancelled": progress.cancelled, "needs_review": progress.needs_review, "open_rows": progress.open_rows}
        return {"total": progress.total} | {state.value: count for state, count in progress.states.items()} | rest


class BatchOut(Out):
    """Declarations that came in together."""

    source = "batch"

    id = out.Id("bat")
    name = out.Text("As it was handed in; empty without one.")
    state = out.Choice(
        BatchState,
        "RUNNING while anything goes on by itself or waits for its payment; then DONE when all are SUCCESS or "
        "cancelled, none needs review and no row is open, else ATTENTION.",
        of=attrgetter("progress.state"),
    )
    counts = out.Object(
        BatchCountsOut, "Declarations by state, and rows that became none.", of=attrgetter("counts"), stored=True
    )
    created_at = out.Instant()
    findings = out.List(
        out.Object(FindingOut), "What was noticed when it came in: warnings, and rows left out.", stored=True
    )
    replayed = out.List(
        out.Id("decl"), "Declarations that this batch named again, unchanged.", of=attrgetter("replayed")
    )
    results = out.List(
        out.Object(RowResultOut),
        "One entry for each row; only with `results=rows`.",
        of=attrgetter("results"),
        stored=True,
        optional=True,
    )


class MaskedBuyerOut(Out):
    """The buyer, masked."""

    name = out.Text("The first character of the name.", shape={"examples": ["李*"]})
    cert_id = out.Text(
        "The first and the last four characters of the ID number.", shape={"examples": ["1101**********002X"]}
    )


class SubOrderOut(Out):
    """One part of a split order, in yuan."""

    sub_order_no = out.Text()
    amount = out.Yuan()
    transport_amount = out.Yuan(optional=True)
    product_amount = out.Yuan(optional=True)


@dataclass(frozen=True)
class ContentView:
    """What the gateway accepted of a push, and the vault that the buyer is sealed in."""

    content: Content
    declaration_id: str
    vault: Vault

    @property
    def values(self) -> SimpleNamespace:
        return SimpleNamespace(**self.content.values)


class AcceptedContentOut(Out):
    """What the gateway accepted last, where that is not what is wanted now; until a correction is accepted."""

    source = "values"

    mch_customs_no = out.Text()
    merchant_customs_name = out.Text(optional=True)
    duty = out.Integer(optional=True)
    amount = out.Yuan(optional=True)
    transport_amount = out.Yuan(optional=True)
    product_amount = out.Yuan(optional=True)
    buyer = out.Object(
        MaskedBuyerOut,
        of=lambda view: masked_buyer(view.content.buyer, view.declaration_id, view.vault),
        stored=True,
        optional=True,
    )


@dataclass(frozen=True)
class PushView:
    """A push, and the vault that its buyer is sealed in."""

    push: Push
    vault: Vault

    @property
    def accepted(self) -> ContentView | None:
        kept = self.push.accepted_content
        return ContentView(Content.read(kept), self.push.declaration_id, self.vault) if kept else None


class PushOut(Out):
    """One declaration at the gateway: the order or one part of it, at one customs code."""

    source = "push"

    id = out.Id("push")
    customs = out.Text("The customs code on the wire.")
    sub_order_no = out.Text(of=lambda view: view.push.sub_order_no or None, null=True)
    state = out.Choice(State, "Where it stands at customs.")
    explanation = out.Text(null=True)
    attempts = out.Integer("Calls made so far that change something at the gateway.")
    next_action = out.Choice(Action, null=True)
    due_at = out.Instant("When; null also for a push that waits for an earlier one.", null=True)
    accepted_content = out.Object(
        AcceptedContentOut,
        "Present where the gateway accepted other content than is wanted now.",
        of=attrgetter("accepted"),
        optional=True,
    )


class AllowedActionOut(Out):
    """Whether a person may do something with a declaration now."""

    action = out.Choice(Decision, "What the API's call is named.", of=lambda pair: pair[0])
    allowed = out.Flag("Whether it would be taken now.", of=lambda pair: pair[1] is None)
    why = out.Text("The first rule against it.", of=lambda pair: pair[1] and pair[1].why, null=True)
    not_before = out.Instant(
        "From when, where waiting helps.", of=lambda pair: pair[1] and pair[1].not_before, null=True
    )


@dataclass(frozen=True)
class DeclarationView:
    """A declaration with the vault, and the request that permissions are checked with."""

    declaration: Declaration
    vault: Vault
    request: Request

    @property
    def buyer(self) -> dict[str, str] | None:
        return masked_buyer(self.declaration.buyer, self.declaration.id, self.vault)

    @property
    def case(self) -> Declaration | None:
        return self.declaration if self.declaration.case_kind else None

    @property
    def pushes(self) -> list[PushView]:
        return [PushView(push, self.vault) for push in self.declaration.pushes]

    @property
    def allowed_actions(self) -> Iterable[tuple[Decision, Refusal | None]]:
        return refusals_of(self.declaration.pushes, self.request).items()


class DeclarationOut(Out):
    """One paid order to be declared at one office. What has no value is left out."""

    source = "declaration"

    id = out.Id("decl")
    batch_id = out.Id("bat", "The batch that it came with.")
    created_at = out.Instant()
    channel = out.Choice(Channel)
    office = out.Text()
    merchant_no = out.Text()
    out_order_no = out.Text()
    payment_no = out.Text()
    mch_customs_no = out.Text()
    merchant_customs_name = out.Text(optional=True)
    duty = out.Integer(optional=True)
    buyer = out.Object(MaskedBuyerOut, of=attrgetter("buyer"), stored=True, optional=True)
    sub_orders = out.List(out.Object(SubOrderOut), "Its parts; empty for an order that is not split.")
    state = out.Choice(
        State,
        "Folded over its pushes: any FAIL, else any EXCEPT, else the least advanced of "
        "UNDECLARED, SUBMITTED, PROCESSING, SUCCESS.",
    )
    identity = out.Choice(Identity, "Whether the buyer is the payer: any MISMATCH wins, then UNCHECKED.")
    cancelled = out.Flag("Whether it was taken back before it was sent.")
    waiting_for = out.Choice(("payment",), "Present while it waits for its payment.", optional=True)
    needs_review = out.Flag("Whether a case is open.")
    case = out.Object(CaseOut, of=attrgetter("case"), null=True)
    pushes = out.List(
        out.Object(PushOut), "What goes to the gateway, in the order of customs codes.", of=attrgetter("pushes")
    )
    allowed_actions = out.List(
        out.Object(AllowedActionOut), "What a person may do with it now.", of=attrgetter("allowed_actions")
    )


class DeclarationEventOut(Out):
    """One entry of a declaration's timeline."""

    at = out.Instant()
    kind = out.Choice(("call", "action", "state"))
    actor = out.Text()
    push_id = out.Id("push", "The push it is about; null for the whole declaration.", null=True)
    detail = out.TextByName(
        "What happened, by names such as action, outcome, reason, from, to.",
        of=lambda event: _detail_json(event.detail),
    )
    request = out.TextByName("What was sent, masked.", null=True)
    reply = out.Text(null=True)
    duration_ms = out.Integer(null=True)


OfficeCodesOut = out.schema_of(
    "OfficeCodesOut",
    {one.value: out.List(out.Text(), f"The codes of {one}, in the order they go out.") for one in Channel},
)


class OfficeOut(Out):
    """An office that can be picked."""

    office = out.Text("What to write into a declaration.")
    name = out.Text("Its Chinese name.")
    ordered = out.Flag("Whether each of its Alipay codes waits for the one before to be SUCCESS.")
    codes = out.Object(
        OfficeCodesOut,
        "Customs codes by channel.",
        of=lambda one: {channel.value: [code.code for code in codes_for(channel, one.office)] for channel in Channel},
        stored=True,
    )


class RegistrationOut(Out):
    """A merchant's number with an office for a channel."""

    id = out.Id("reg")
    merchant_no = out.Text()
    channel = out.Choice(Channel)
    office = out.Text()
    mch_customs_no = out.Text()
    merchant_customs_name = out.Text(null=True)
    updated_at = out.Instant("When it was last put on file.")


FINDING = FindingOut()
BATCH, DECLARATION, DECLARATION_EVENT = BatchOut(), DeclarationOut(), DeclarationEventOut()
OFFICE, REGISTRATION = OfficeOut(), RegistrationOut()


def findings_json(findings: Sequence[Finding]) -> dict[str, Any]:
    return {"findings": FINDING.dump(findings, many=True)}


def batch_json(
    batch: Batch, progress: Progress, replayed: Sequence[str], results: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """A batch as it stands; with `results` what became of each row."""
    shown: dict[str, Any] = BATCH.dump(BatchView(batch, progress, replayed, results))
    return shown


def declarations_json(
    db: Session, declarations: Sequence[Declaration], vault: Vault, policy: Policy, payments: Payments, now: datetime
) -> list[dict[str, Any]]:
    """Serialise declarations with the decisions allowed on each, given what is known of their payments."""
    facts = payments.facts(db, {one.payment for one in declarations})
    requests = (Request.about(one, facts.get(one.payment), now, policy) for one in declarations)
    return [declaration_json(one, vault, request) for one, request in zip(declarations, requests, strict=True)]


def declaration_json(declaration: Declaration, vault: Vault, request: Request) -> dict[str, Any]:
    """Serialise one declaration; `request` decides which actions are allowed."""
    shown: dict[str, Any] = DECLARATION.dump(DeclarationView(declaration, vault, request))
    return shown


def timeline_json(events: Sequence[Event]) -> list[dict[str, Any]]:
    return [entry for event in events for entry in _entries(event)]


def _entries(event: Event) -> Iterator[dict[str, Any]]:
    """One row is a call or an action; where it changed the state, the change is an entry of its own."""
    entry = DECLARATION_EVENT.dump(event)
    detail = entry["detail"]
    change = {name: detail[name] for name in ("from", "to") if name in detail}
    yield entry | {"detail": {name: value for name, value in detail.items() if name not in change}}
    if change:
        yield entry | {"kind": "state", "detail": change, "request": None, "reply": None, "duration_ms": None}


def _detail_json(detail: Mapping[str, Any]) -> dict[str, str]:
    """Return the detail of an event, with the cases opened or closed in it as one sentence."""
    texts = {name: text for name, text in detail.items() if name != "cases"}
    cases = [entry_sentence(case) for case in detail.get("cases", ())]
    return texts | ({"case": "; ".join(cases)} if cases else {})


def offices_json() -> list[dict[str, Any]]:
    """Serialise the offices that can be picked, with the codes of each channel in the order they go out."""
    return [OFFICE.dump(office) for office in OFFICES.values() if office.enabled]


def registration_json(registration: Registration) -> dict[str, Any]:
    shown: dict[str, Any] = REGISTRATION.dump(registration)
    return shown
