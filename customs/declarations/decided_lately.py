"""Decided lately: what somebody sent out within the last hour, and how it stands now."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from customs.access.callers import Caller
from customs.declarations.foretelling import is_moving
from customs.declarations.models import Declaration
from customs.declarations.queries import DECLARATIONS_BY
from customs.declarations.rehearsing import MOST_AT_ONCE
from customs.declarations.states import State
from customs.history.audit_models import AuditEntry
from customs.history.deeds import Act
from customs.paging import newest_first

LATELY = timedelta(hours=1)
SENDING_OUT = (Act.DECLARATION_REDECLARE, Act.DECLARATION_MODIFY)


@dataclass(frozen=True)
class Lately:
    """The declarations that somebody decided on last, by state; those `in_review` failed again, or in another part."""

    states: Mapping[State, int]
    in_review: Sequence[Declaration]
    moving: bool

    @property
    def total(self) -> int:
        return sum(self.states.values())


def decided_lately(db: Session, caller: Caller, now: datetime) -> Lately:
    """What the caller corrected or pushed again within the last hour, as far as it can be decided on at once."""
    decided = (
        select(AuditEntry.subject_id)
        .where(AuditEntry.actor_id == caller.id, AuditEntry.at > now - LATELY, AuditEntry.action.in_(SENDING_OUT))
        .order_by(AuditEntry.at.desc())
        .limit(MOST_AT_ONCE)
    )
    ids = sorted(set(db.scalars(decided)))
    found = db.scalars(
        select(Declaration)
        .where(Declaration.id.in_(ids), caller.sees(Declaration.merchant_no))
        .options(selectinload(Declaration.pushes))
        .order_by(*newest_first(DECLARATIONS_BY))
    ).all()
    return Lately(
        states=Counter(declaration.state for declaration in found),
        in_review=[declaration for declaration in found if declaration.needs_review],
        moving=any(is_moving(declaration.pushes, now) and not declaration.needs_review for declaration in found),
    )
