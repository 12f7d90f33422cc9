"""Find, export and erase what is stored of one buyer, named by an ID number or by a payment."""

import json
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from customs.audit.actions import AuditAction, audit_event
from customs.audit.trail import AuditTrail
from customs.auth.principal import operator
from customs.container import Services
from customs.declarations.actions.action_rules import Request
from customs.declarations.models import Declaration, OpenRow
from customs.declarations.open_rows import discard_rows_of_draft
from customs.declarations.reading import queries
from customs.declarations.serializers import declaration_json, timeline_json
from customs.errors import NotFound
from customs.events.comments import Comment
from customs.events.outbox import OutboxEvent
from customs.events.timeline import Event
from customs.gateway import Buyer
from customs.imports.drafts import Draft, put_grid, unseal_draft
from customs.ops.retention import erase_buyers, erase_exchanges, erase_payers
from customs.payments.models import Payment, PaymentEvent
from customs.payments.queries import refunds_of
from customs.payments.redaction import inputs_place, personal_place
from customs.payments.serializers import event_json, payment_json
from customs.privacy.masking import mask_name
from customs.privacy.vault import Vault

WHY_ERASED = "a buyer's personal data was erased"
# What is not erased, and why; docs/operations.md says the same.
STAYS = (
    "numbers, amounts, states and decisions of declarations and payments: customs and the books need them",
    "what is under way or in review: it is erased once it has ended; run this again then",
    "sealed bills, masked answers and the masked request log: they end with their retention",
    "the audit trail: it names no buyer",
    "back-ups: they are the operator's to end",
)


@dataclass(frozen=True)
class Footprint:
    """Where one buyer stands. `drafts`: the numbers of their rows by draft; `buyers`: under which names and numbers."""

    declarations: Sequence[str]
    payments: Sequence[str]
    drafts: Mapping[str, Collection[int]]
    open_rows: Sequence[int]
    comments: Sequence[str]
    buyers: frozenset[Buyer]

    def counts(self) -> dict[str, int]:
        """Return how much there is of each kind."""
        kinds = ("declarations", "payments", "drafts", "open_rows", "comments")
        return {kind: len(getattr(self, kind)) for kind in kinds}


def find_buyer(db: Session, vault: Vault, *, cert_id: str | None = None, payment_no: str | None = None) -> Footprint:
    """Find everything of the buyer with an ID number, or of all buyers of a payment. Raises NotFound."""
    named = [] if payment_no is None else [Declaration.payment_no == payment_no]
    indexes = (
        {vault.index(_plain(cert_id))} if cert_id else set(db.scalars(select(Declaration.cert_index).where(*named)))
    )
    theirs = or_(*named, Declaration.cert_index.in_(indexes - {None}))
    declarations = db.scalars(select(Declaration).where(theirs).order_by(Declaration.id)).all()
    opened = (vault.open_buyer(one.buyer, one.id) for one in declarations)
    buyers = frozenset(buyer for buyer in opened if buyer is not None)
    numbers = {one.payment_no for one in declarations} | ({payment_no} if payment_no else set())
    cert_ids = {buyer.cert_id for buyer in buyers} | ({_plain(cert_id)} if cert_id else set())
    drafts = _rows_of_drafts(db, vault, numbers | cert_ids)
    ids = [one.id for one in declarations]
    found = Footprint(
        declarations=ids,
        payments=db.scalars(select(Payment.id).where(Payment.payment_no.in_(numbers)).order_by(Payment.id)).all(),
        drafts=drafts,
        open_rows=db.scalars(select(OpenRow.id).where(_open_rows(numbers, drafts)).order_by(OpenRow.id)).all(),
        comments=db.scalars(select(Comment.id).where(Comment.subject_id.in_(ids)).order_by(Comment.id)).all(),
        buyers=buyers,
    )
    if not any(found.counts().values()):
        raise NotFound("nothing is stored of this buyer")
    return found


def _open_rows(numbers: Collection[str], drafts: Mapping[str, Collection[int]]) -> Any:
    in_drafts = ((OpenRow.draft_id == draft_id) & OpenRow.row.in_(rows) for draft_id, rows in drafts.items())
    return or_(OpenRow.payment_no.in_(numbers), *in_drafts)


def _rows_of_drafts(db: Session, vault: Vault, values: Collection[str]) -> dict[str, list[int]]:
    """Return the numbers of the rows in which one of these values is a cell, by draft; drafts are opened one by one."""
    found = {}
    for draft_id in db.scalars(select(Draft.id).where(Draft.row_count > 0).order_by(Draft.id)).all():
        grid, _ = unseal_draft(draft := db.get_one(Draft, draft_id), vault)
        db.expunge(draft)
        if rows := [number for number, cells in grid.rows if any(_plain(str(cell)) in values for cell in cells)]:
            found[draft_id] = rows
    return found


def _plain(text: str) -> str:
    """Return an ID or payment number as it is stored: half-width, in capitals, without blanks around it."""
    plain = unicodedata.normalize("NFKC", text).strip()
    return plain.upper() if plain[:-1].isdigit() else plain


def export_buyer(db: Session, services: Services, found: Footprint, now: datetime) -> dict[str, Any]:
    """Return everything that is stored of a buyer, as JSON, the buyer in plain."""
    vault = services.vault
    parts = (selectinload(Declaration.sub_orders), selectinload(Declaration.pushes))
    declarations = db.scalars(select(Declaration).where(Declaration.id.in_(found.declarations)).options(*parts)).all()
    payments = db.scalars(select(Payment).where(Payment.id.in_(found.payments))).all()
    comments = db.scalars(select(Comment).where(Comment.id.in_(found.comments)).order_by(Comment.at)).all()
    rows = db.scalars(select(OpenRow).where(OpenRow.id.in_(found.open_rows))).all()
    return {
        "declarations": [_declaration(db, one, services, now) for one in declarations],
        "payments": [_payment(db, one, vault) for one in payments],
        "drafts": [_draft(db, vault, draft_id, numbers) for draft_id, numbers in found.drafts.items()],
        "open_rows": [
            _columns(row, "batch_id", "row", "merchant_no", "out_order_no", "payment_no", "why") for row in rows
        ],
        "comments": [_columns(one, "subject_id", "author", "text") | {"at": one.at.isoformat()} for one in comments],
        "events": _outbox_events(db, [*declarations, *payments]),
        "not_listed": list(STAYS[2:]),
    }


def _declaration(db: Session, one: Declaration, services: Services, now: datetime) -> dict[str, Any]:
    buyer = services.vault.open_buyer(one.buyer, one.id)
    events = db.scalars(select(Event).where(Event.declaration_id == one.id).order_by(Event.id)).all()
    return {
        **declaration_json(one, services.vault, Request.about(one, None, now, services.policy)),
        "buyer": buyer and {"name": buyer.name, "cert_id": buyer.cert_id},
        "timeline": timeline_json(queries.shown(db, events)),
    }


def _payment(db: Session, one: Payment, vault: Vault) -> dict[str, Any]:
    shown = payment_json(one, vault, refunds_of(db, one.id))
    sealed = (one.inputs, inputs_place(one.id)), (one.personal, personal_place(one.id))
    inputs, paid_by = (None if token is None else json.loads(vault.open(token, place)) for token, place in sealed)
    events = db.scalars(select(PaymentEvent).where(PaymentEvent.payment_id == one.id).order_by(PaymentEvent.id)).all()
    return {**shown, "inputs": inputs, "paid_by": paid_by, "timeline": [event_json(event) for event in events]}


def _draft(db: Session, vault: Vault, draft_id: str, numbers: Collection[int]) -> dict[str, Any]:
    draft = db.get_one(Draft, draft_id)
    grid, _ = unseal_draft(draft, vault)
    rows = [{"row": number, "cells": list(cells)} for number, cells in grid.rows if number in numbers]
    return {"id": draft.id, "name": draft.name, "columns": grid.header, "rows": rows}


def _outbox_events(db: Session, subjects: Iterable[Declaration | Payment]) -> list[dict[str, Any]]:
    ids = {one.id: one.merchant_no for one in subjects}
    since = min((one.created_at for one in subjects), default=None)
    events = select(OutboxEvent).where(OutboxEvent.merchant_no.in_(set(ids.values())))
    if since is not None:
        events = events.where(OutboxEvent.created_at >= since)
    events = events.where(
        or_(*(OutboxEvent.data[name].as_string().in_(ids) for name in ("declaration_id", "payment_id")))
    )
    return [
        {"id": one.id, "type": one.type, "created_at": one.created_at.isoformat(), "data": one.data}
        for one in db.scalars(events.order_by(OutboxEvent.created_at, OutboxEvent.id))
    ]


def _columns(row: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def note_export(db: Session, audit: AuditTrail, found: Footprint, now: datetime) -> None:
    """Write down that a buyer's data was exported: how much, not whose."""
    audit.append(db, _entry(AuditAction.PERSONAL_DATA_EXPORT, found.counts()), now)


def erase_buyer(db: Session, services: Services, found: Footprint, now: datetime) -> dict[str, int]:
    """Erase what law does not keep of a buyer; return how much of each kind. It is the last of its transaction."""
    erased = {
        "declarations": erase_buyers(db, found.declarations, now),
        "payments": erase_payers(db, found.payments),
        "exchanges": _erase_exchanges(db, found),
        "comments": _mask_comments(db, found),
        "draft_rows": sum(_erase_rows(db, services, *rows, now) for rows in found.drafts.items()),
    }
    services.audit.append(db, _entry(AuditAction.PERSONAL_DATA_ERASE, erased), now)
    return erased


def _entry(action: AuditAction, counts: Mapping[str, int]) -> Any:
    return audit_event(operator(), action, "one", **{kind: str(count) for kind, count in counts.items()})


def _erase_exchanges(db: Session, found: Footprint) -> int:
    """Take the exchanges out of the timelines of what is erased: who works on the rest needs them."""
    erased = Declaration.buyer_erased_at.is_not(None), Declaration.id.in_(found.declarations)
    calls = select(Event.id).where(Event.declaration_id.in_(select(Declaration.id).where(*erased)))
    free = Payment.id.in_(found.payments), Payment.next_action.is_(None), Payment.case_kind.is_(None)
    of_payments = select(PaymentEvent.id).where(PaymentEvent.payment_id.in_(select(Payment.id).where(*free)))
    return sum(
        erase_exchanges(db, model, db.scalars(ids.where(model.request.is_not(None))).all())
        for model, ids in ((Event, calls), (PaymentEvent, of_payments))
    )


def _erase_rows(db: Session, services: Services, draft_id: str, numbers: Collection[int], now: datetime) -> int:
    """Take rows out of a draft, with what could be undone; those that a batch left open are discarded."""
    draft = db.scalar(select(Draft).where(Draft.id == draft_id).with_for_update())
    if draft is None:
        return 0
    grid, _ = unseal_draft(draft, services.vault)
    rows = [row for row in grid.rows if row[0] not in numbers]
    put_grid(draft, replace(grid, rows=rows), services.vault, now)
    draft.revision += 1
    if not rows and draft.batch_id is None:
        db.delete(draft)
    db.flush()
    discard_rows_of_draft(db, draft_id, numbers, operator(), WHY_ERASED, services.audit, now)
    return len(grid.rows) - len(rows)


def _mask_comments(db: Session, found: Footprint) -> int:
    """Mask the buyer's name in comments; numbers were masked when they were written."""
    comments = db.scalars(select(Comment).where(Comment.id.in_(found.comments)).with_for_update()).all()
    count = 0
    for comment in comments:
        text = comment.text
        for buyer in found.buyers:
            text = text.replace(buyer.name, mask_name(buyer.name))
        count += text != comment.text
        comment.text = text
    db.flush()
    return count
