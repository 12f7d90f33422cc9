"""How batches, declarations and their timeline look from outside: the contract's JSON, the buyer masked."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from customs.declarations.actions.action_rules import Policy, Request, refusals_of
from customs.declarations.actions.bulk_actions import payment_of
from customs.declarations.contents import Content, masked_buyer
from customs.declarations.models import Batch, Declaration, Push, Registration, SubOrder
from customs.declarations.offices import OFFICES, codes_for
from customs.declarations.reading.queries import Progress
from customs.events.timeline import Event
from customs.gateway import Channel, money_text
from customs.payments_port import Payments
from customs.privacy.vault import Vault
from customs.timestamps import instant


def batch_json(batch: Batch, progress: Progress, replayed: Sequence[str]) -> dict[str, Any]:
    counts: dict[str, int] = {"total": progress.total}
    counts |= {state.value: count for state, count in progress.states.items()}
    counts |= {"cancelled": progress.cancelled, "needs_review": progress.needs_review}
    counts |= {"open_rows": progress.open_rows}
    return {
        "id": batch.id,
        "name": batch.name,
        "state": progress.state,
        "counts": counts,
        "created_at": instant(batch.created_at),
        "findings": batch.findings,
        "replayed": list(replayed),
    }


def declarations_json(
    db: Session, declarations: Sequence[Declaration], vault: Vault, policy: Policy, payments: Payments, now: datetime
) -> list[dict[str, Any]]:
    """Declarations with what may be decided on each, held against what is known of their payments."""
    facts = payments.facts(db, {payment_of(one) for one in declarations})
    return [
        declaration_json(one, vault, Request.about(facts.get(payment_of(one)), now, policy)) for one in declarations
    ]


def declaration_json(declaration: Declaration, vault: Vault, request: Request) -> dict[str, Any]:
    """`request` is what a decision on it would be held against now."""
    case = declaration.case_reason and {"reason": declaration.case_reason, "since": instant(declaration.case_since)}
    shown = {
        "id": declaration.id,
        "batch_id": declaration.batch_id,
        "created_at": instant(declaration.created_at),
        "channel": declaration.channel,
        "office": declaration.office,
        "merchant_no": declaration.merchant_no,
        "out_order_no": declaration.out_order_no,
        "payment_no": declaration.payment_no,
        "mch_customs_no": declaration.mch_customs_no,
        "merchant_customs_name": declaration.merchant_customs_name,
        "duty": declaration.duty,
        "buyer": masked_buyer(declaration.buyer, declaration.id, vault),
        "sub_orders": [_sub_order_json(part) for part in declaration.sub_orders],
        "state": declaration.state,
        "identity": declaration.identity,
        "cancelled": declaration.cancelled,
        "waiting_for": declaration.waiting_for,
        "needs_review": declaration.needs_review,
        "case": case or None,
        "pushes": [_push_json(push, vault) for push in declaration.pushes],
        "allowed_actions": _allowed_actions(declaration, request),
    }
    return {name: value for name, value in shown.items() if value is not None or name == "case"}


def _sub_order_json(part: SubOrder) -> dict[str, str]:
    amounts = {name: getattr(part, name) for name in ("amount", "transport_amount", "product_amount")}
    return {
        "sub_order_no": part.sub_order_no,
        **{name: money_text(amount) for name, amount in amounts.items() if amount is not None},
    }


def _push_json(push: Push, vault: Vault) -> dict[str, Any]:
    """`accepted_content` only where the gateway accepted other content than is wanted now."""
    accepted = (
        {"accepted_content": Content.read(push.accepted_content).shown(push.declaration_id, vault)}
        if push.accepted_content
        else {}
    )
    return {
        "id": push.id,
        "customs": push.customs,
        "sub_order_no": push.sub_order_no or None,
        "state": push.state,
        "explanation": push.explanation,
        "attempts": push.attempts,
        "next_action": push.next_action,
        "due_at": instant(push.due_at),
        **accepted,
    }


def _allowed_actions(declaration: Declaration, request: Request) -> list[dict[str, Any]]:
    return [
        {
            "action": action,
            "allowed": refusal is None,
            "why": refusal and refusal.why,
            "not_before": instant(refusal.not_before) if refusal else None,
        }
        for action, refusal in refusals_of(declaration.pushes, request).items()
    ]


def timeline_json(events: Sequence[Event]) -> list[dict[str, Any]]:
    return [entry for event in events for entry in _entries(event)]


def _entries(event: Event) -> Iterator[dict[str, Any]]:
    """One row is a call or an action; where it changed the state, the change is an entry of its own."""
    detail = dict(event.detail)
    change = {name: detail.pop(name) for name in ("from", "to") if name in detail}
    entry = {
        "at": instant(event.at),
        "kind": event.kind,
        "actor": event.actor,
        "push_id": event.push_id,
        "detail": detail,
        "request": event.request,
        "reply": event.reply,
        "duration_ms": event.duration_ms,
    }
    yield entry
    if change:
        yield entry | {"kind": "state", "detail": change, "request": None, "reply": None, "duration_ms": None}


def offices_json() -> list[dict[str, Any]]:
    """What a clerk can pick, with the codes of each channel in the order they go out."""
    return [
        {
            "office": office.office,
            "name": office.name,
            "ordered": office.ordered,
            "codes": {channel.value: [code.code for code in codes_for(channel, office.office)] for channel in Channel},
        }
        for office in OFFICES.values()
        if office.enabled
    ]


def registration_json(registration: Registration) -> dict[str, Any]:
    return {
        "id": registration.id,
        "merchant_no": registration.merchant_no,
        "channel": registration.channel,
        "office": registration.office,
        "mch_customs_no": registration.mch_customs_no,
        "merchant_customs_name": registration.merchant_customs_name,
        "updated_at": instant(registration.updated_at),
    }
