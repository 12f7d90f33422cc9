"""A declaration's state, identity and case, folded over its pushes in the transaction that changed one of them."""

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from customs.database import Base
from customs.declarations.identity import Identity, fold_identities
from customs.declarations.models import Declaration, Push
from customs.declarations.states import State, fold_states

DECLARATIONS = Base.metadata.tables[Declaration.__tablename__]
FOLDED = ("state", "identity", "needs_review", "case_reason", "case_since")

_write_declaration = (
    update(DECLARATIONS)
    .where(DECLARATIONS.c.id == bindparam("declaration_id"))
    .values({name: bindparam(name) for name in FOLDED})
)


def fold(db: Session, declaration_ids: Sequence[str]) -> None:
    """Write the folds of these declarations; the caller holds their locks."""
    push = Push.__table__.c
    rows = db.execute(
        select(push.declaration_id, push.state, push.identity, push.case_reason, push.case_since)
        .where(push.declaration_id.in_(declaration_ids))
        .order_by(push.declaration_id)
    ).all()
    folds = [
        folded(list(pushes)) | {"declaration_id": key} for key, pushes in groupby(rows, attrgetter("declaration_id"))
    ]
    db.execute(_write_declaration, folds)


def folded(pushes: Sequence[Any]) -> dict[str, Any]:
    """The folded columns over rows with state, identity, case_reason and case_since: the oldest open case speaks."""
    cases = sorted((push for push in pushes if push.case_reason), key=attrgetter("case_since"))
    return {
        "state": fold_states(State(push.state) for push in pushes),
        "identity": fold_identities(Identity(push.identity) for push in pushes if push.identity),
        "needs_review": bool(cases),
        "case_reason": cases[0].case_reason if cases else None,
        "case_since": cases[0].case_since if cases else None,
    }
