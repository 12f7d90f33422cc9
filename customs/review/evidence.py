"""The evidence of a case: what was sent last, what came back, and the fields that are wrong or can be corrected."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from customs.declarations import fields
from customs.declarations.actions.amendments import field_of_amount
from customs.declarations.cases import CaseKind
from customs.declarations.channels import CHANNELS
from customs.declarations.fields import Part
from customs.declarations.models import Declaration, Push, SubOrder
from customs.declarations.reading.queries import shown
from customs.declarations.states import Action
from customs.events.timeline import Event
from customs.gateway import money_text

CALL, DECISION = "call", "action"
# On the wire, in the order in which a person reads them.
FIELDS = (
    "out_order_no",
    "payment_no",
    "customs",
    *(field.wire for field in fields.FIELDS if field.changeable or field.part is not Part.ORDER),
)
# What the form that corrects calls those that may change (9.1), by their names on the wire.
CORRECTED_AS: Mapping[str, str] = {
    field.wire: field.header for field in fields.FIELDS if field.changeable and field.part is not Part.SUB_ORDER
}
AMOUNTS: Mapping[str, str] = {field.wire: field.name for field in fields.AMOUNTS}


@dataclass(frozen=True)
class FieldEvidence:
    """One field: its name on the wire, what was sent in it, and what a form calls it; None where it never changes."""

    name: str
    sent: str
    is_suspect: bool
    field: str | None


@dataclass(frozen=True)
class Evidence:
    """All there is about one push's case. `explained`: the gateway's own words, if it used any.

    `sent` is the last call that was to change something, None where nothing left yet;
    `answered` is the call whose answer opened the case. Of `lines`, suspect ones come first.
    """

    push: Push
    case: CaseKind
    explained: str
    sent: Event | None
    answered: Event | None
    lines: tuple[FieldEvidence, ...]

    @property
    def suspects(self) -> tuple[FieldEvidence, ...]:
        return tuple(line for line in self.lines if line.is_suspect)

    @property
    def can_be_corrected(self) -> bool:
        """Return whether a correction may help: a suspect field can be changed, or none is known."""
        return not self.suspects or any(line.field for line in self.suspects)

    @property
    def correctable(self) -> tuple[FieldEvidence, ...]:
        return tuple(line for line in self.lines if line.field)

    @property
    def others(self) -> tuple[FieldEvidence, ...]:
        return tuple(line for line in self.lines if not line.is_suspect)


def push_in_case(declaration: Declaration, cause_id: str | None) -> Push | None:
    """Return the push whose case is shown: one of this cause, else the oldest; None without a case."""
    open_ones = [push for push in declaration.pushes if push.case_kind]
    of_cause = [push for push in open_ones if push.cause_id == cause_id]
    return min(
        of_cause or open_ones, key=lambda push: (push.case_since or declaration.created_at, push.position), default=None
    )


def evidence_of(db: Session, declaration: Declaration, push: Push, buyer: Mapping[str, str] | None) -> Evidence:
    """Collect the evidence of a push's open case; `buyer` is masked."""
    case, explained = push.case_kind or CaseKind.OTHER, push.explanation or ""
    sent = _last_call(db, push, Event.detail["action"].as_string() != Action.QUERY)
    content = (sent.request if sent and sent.request else None) or _content(declaration, push, buyer)
    return Evidence(
        push=push,
        case=case,
        explained=explained,
        sent=sent,
        answered=_last_call(db, push, Event.detail["cases"].as_string().is_not(None), Event.at >= push.case_since),
        lines=_lines(declaration, push, content, suspect_fields(case, explained, FIELDS)),
    )


def decisions_of(db: Session, declaration_id: str, *, limit: int) -> Sequence[Event]:
    """Return what people decided or noted on a declaration, newest first."""
    decided = select(Event).where(Event.declaration_id == declaration_id, Event.kind == DECISION)
    return db.scalars(decided.order_by(Event.id.desc()).limit(limit)).all()


def _last_call(db: Session, push: Push, *such: ColumnElement[bool]) -> Event | None:
    calls = select(Event).where(
        Event.declaration_id == push.declaration_id, Event.push_id == push.id, Event.kind == CALL, *such
    )
    return next(iter(shown(db, db.scalars(calls.order_by(Event.id.desc()).limit(1)).all())), None)


def _lines(
    declaration: Declaration, push: Push, content: Mapping[str, str], suspects: frozenset[str]
) -> tuple[FieldEvidence, ...]:
    correctable = _correctable(declaration, push)
    names = [name for name in FIELDS if name in content or name in correctable]
    names += [name for name in content if name not in FIELDS]
    lines = [FieldEvidence(name, content.get(name, ""), name in suspects, correctable.get(name)) for name in names]
    return tuple(sorted(lines, key=lambda line: (not line.is_suspect, line.field is None)))


def _correctable(declaration: Declaration, push: Push) -> dict[str, str]:
    """Return the form's fields that may change, by their names on the wire."""
    fields = {name: field for name, field in CORRECTED_AS.items() if name not in CHANNELS[declaration.channel].lacks}
    part = _part(declaration, push)
    if part is not None:
        values = {name: column for name, column in AMOUNTS.items() if getattr(part, column) is not None}
        fields |= {name: field_of_amount(column, part.sub_order_no) for name, column in values.items()}
    return fields


def _content(declaration: Declaration, push: Push, buyer: Mapping[str, str] | None) -> dict[str, str]:
    """Return what would be sent now."""
    part = _part(declaration, push)
    values: dict[str, str | None] = {
        "out_order_no": declaration.out_order_no,
        "payment_no": declaration.payment_no,
        "customs": push.customs,
        **{field.wire: _text(getattr(declaration, field.name)) for field in fields.CONTENT},
        **(buyer or {}),
        "sub_order_no": push.sub_order_no or None,
    }
    if part is not None:
        amounts = {name: getattr(part, column) for name, column in AMOUNTS.items()}
        values |= {name: None if amount is None else money_text(amount) for name, amount in amounts.items()}
    return {name: text for name, text in values.items() if text is not None}


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _part(declaration: Declaration, push: Push) -> SubOrder | None:
    return next((part for part in declaration.sub_orders if part.sub_order_no == push.sub_order_no), None)


AMOUNTS_FIELDS = tuple(AMOUNTS)
BUYER_FIELDS = ("name", "cert_id")
REGISTRATION_FIELDS = ("mch_customs_no", "merchant_customs_name")

# Read from top to bottom; what one row has read is gone for those below: a registered name is no registration number.
WORDS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(words, re.IGNORECASE), meant)
    for words, meant in (
        (r"备案名称?|企业名称|商户名称|merchant_customs_name|registered name|company name", REGISTRATION_FIELDS[1:]),
        (r"备案编?号|海关编码|mch_customs_no|registration (?:number|no)\b", REGISTRATION_FIELDS[:1]),
        (r"备案|registration|registered", REGISTRATION_FIELDS),
        (r"身份证|证件|cert_id|\bid (?:card|number|no)\b", BUYER_FIELDS[1:]),
        (r"姓名|buyer'?s? name", BUYER_FIELDS[:1]),
        (r"身份|实名|订购人|支付人|付款人|identity|\bbuyer\b|\bpayer\b", BUYER_FIELDS),
        (r"运费|物流费|transport_amount|transport|freight", AMOUNTS_FIELDS[1:2]),
        (r"货款|货值|商品价格|商品金额|product_amount|product|goods", AMOUNTS_FIELDS[2:]),
        (r"金额|拆单|\bamounts?\b|sub_order_amount", AMOUNTS_FIELDS),
        (r"关税|税额|税款|\bduty\b|\btax\b", ("duty",)),
        (r"子订单号?|sub[-_ ]?order(?:_no)?", ("sub_order_no",)),
        (r"关区|海关编号|海关代码|customs code", ("customs",)),
        (r"支付单号?|支付流水|交易单?号|流水号|payment_no|payment number|transaction", ("payment_no",)),
        (r"订单|\border\b|out_order_no|ORDERNOTEXIST", ("out_order_no", "payment_no")),
    )
)
# Kinds whose explanation is in the words of customs or of the gateway.
EXPLAINED = frozenset({CaseKind.FAIL, CaseKind.EXCEPT, CaseKind.REFUSED})
# What the others are about.
BY_KIND: Mapping[CaseKind, tuple[str, ...]] = {
    CaseKind.IDENTITY: BUYER_FIELDS,
    CaseKind.OVER_PAID: AMOUNTS_FIELDS,
    CaseKind.REFUND: AMOUNTS_FIELDS,
}


def suspect_fields(kind: CaseKind, explanation: str, among: Collection[str]) -> frozenset[str]:
    """Return those of these fields, by their names on the wire, that the kind or the explanation of a case names."""
    named = set(BY_KIND.get(kind, ()))
    left = explanation if kind in EXPLAINED else ""
    for words, meant in WORDS:
        left, times = words.subn(" ", left)
        named.update(meant if times else ())
    return frozenset(named.intersection(among))
