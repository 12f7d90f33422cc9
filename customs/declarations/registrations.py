"""Registrations (备案): a merchant's number and name with an office for a channel, filled in where it is missing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from customs.audit.actions import AuditAction, AuditEvent, audit_event
from customs.audit.trail import AuditTrail
from customs.auth.principal import Caller
from customs.db.pagination import Page, page_of
from customs.declarations.channels import CHANNELS
from customs.declarations.fields import ORDER
from customs.declarations.intake.orders import Order
from customs.declarations.models import Registration
from customs.declarations.offices import codes_for
from customs.errors import ErrorDetail, ValidationFailed
from customs.gateway import Channel
from customs.ids import new_id
from customs.text_rules.rules import objections_to

MOST_NAMED = 5
# The fields checked against the table of what no number and no name is (R6b).
REFERENCES = {field.name: field.holds for field in ORDER if field.holds is not None}
NARROWED_BY = ("merchant_no", "channel", "office")


@dataclass(frozen=True)
class Registrations:
    """Registrations on file, by merchant, channel and office."""

    on_file: Mapping[tuple[str, Channel, str], Registration]

    def complete(self, order: Order) -> Order:
        """Return the order with the number and name on file where it has none of its own."""
        known = self.on_file.get((order.merchant_no, order.channel, order.office))
        if known is None or (order.mch_customs_no and order.merchant_customs_name):
            return order
        needs_name = "merchant_customs_name" in CHANNELS[order.channel].needs
        return replace(
            order,
            mch_customs_no=order.mch_customs_no or known.mch_customs_no,
            merchant_customs_name=order.merchant_customs_name or (known.merchant_customs_name if needs_name else None),
        )


def registrations_of(db: Session, merchants: Iterable[str]) -> Registrations:
    """Return the registrations of these merchants."""
    rows = db.scalars(select(Registration).where(Registration.merchant_no.in_(sorted(set(merchants))))).all()
    return Registrations({(row.merchant_no, Channel(row.channel), row.office): row for row in rows})


def list_registrations(
    db: Session, caller: Caller, narrowed: Mapping[str, str] | None = None, *, limit: int, cursor: str | None
) -> Page:
    """Return the registrations that the caller may see; `narrowed`: only those with these values of NARROWED_BY."""
    wanted = [getattr(Registration, name) == (narrowed or {})[name] for name in NARROWED_BY if name in (narrowed or {})]
    statement = select(Registration).where(caller.sees(Registration.merchant_no), *wanted)
    return page_of(db, statement, (Registration.id,), limit, cursor)


def put_registrations(
    db: Session, rows: Sequence[Mapping[str, str]], caller: Caller, audit: AuditTrail, now: datetime
) -> int:
    """Put registrations on file, replacing those of the same merchant, channel and office; all or none.

    Raises ValidationFailed naming each row that has an unknown office, lacks Alipay's name or is another merchant's.
    """
    if errors := errors_in(rows, caller):
        raise ValidationFailed("registrations were not taken; nothing was changed", errors=errors)
    on_file = registrations_of(db, [row["merchant_no"] for row in rows]).on_file
    fresh: dict[tuple[str, Channel, str], Registration] = {}
    for row in rows:
        key = (row["merchant_no"], Channel(row["channel"]), row["office"])
        registration = on_file.get(key) or fresh.get(key)
        if registration is None:
            registration = fresh[key] = Registration(
                id=new_id("reg"), merchant_no=key[0], channel=key[1], office=key[2]
            )
            db.add(registration)
        registration.mch_customs_no = row["mch_customs_no"]
        registration.merchant_customs_name = row.get("merchant_customs_name") or None
        registration.updated_at = now
    if rows:
        audit.append(db, _audit_event(rows, caller), now)
    return len(rows)


def _audit_event(rows: Sequence[Mapping[str, str]], caller: Caller) -> AuditEvent:
    """One for all of them: how many, and which the first few are."""
    merchants = sorted({row["merchant_no"] for row in rows})
    named = ["/".join((row["merchant_no"], row["channel"], row["office"])) for row in rows[:MOST_NAMED]]
    detail = {"count": str(len(rows)), "first": ", ".join(named)}
    only = merchants[0] if len(merchants) == 1 else None
    return audit_event(caller, AuditAction.REGISTRATION_PUT, only or "several", merchant_no=only, **detail)


def errors_in(rows: Sequence[Mapping[str, str]], caller: Caller) -> list[ErrorDetail]:
    """Return what is wrong with registrations, each error at its row; rows are shaped as the API takes them."""
    return [error for index, row in enumerate(rows) for error in _errors_of(index, row, caller)]


def _errors_of(index: int, row: Mapping[str, str], caller: Caller) -> list[ErrorDetail]:
    place = f"/registrations/{index}"
    if not caller.may_touch(row["merchant_no"]):
        return [ErrorDetail(f"{place}/merchant_no", "merchant_unknown", "this merchant is not yours")]
    if row["channel"] not in [channel.value for channel in Channel]:
        return [ErrorDetail(f"{place}/channel", "choice", f"use {' or '.join(Channel)}")]
    channel = Channel(row["channel"])
    if not codes_for(channel, row["office"]):
        return [
            ErrorDetail(f"{place}/office", "office_without_codes", f"no such office takes declarations by {channel}")
        ]
    if "merchant_customs_name" in CHANNELS[channel].needs and not row.get("merchant_customs_name"):
        detail = f"{CHANNELS[channel].name} needs the name"
        return [ErrorDetail(f"{place}/merchant_customs_name", "registration_name_missing", detail)]
    return [
        ErrorDetail(f"{place}/{name}", one.code, f"{one.detail}; {one.action}")
        for name, holds in REFERENCES.items()
        for one in objections_to(row.get(name) or "", holds)
        if one.is_error
    ]
