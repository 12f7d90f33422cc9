"""Lock rows in one order: payments by their id, then refunds, then what declarations lock."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, select

from customs.db.database import Base
from customs.payments.models import Payment

PAYMENTS = Base.metadata.tables[Payment.__tablename__]


def lock_payments(db: Connection, ids: Sequence[str]) -> None:
    """Lock these payments; until the transaction ends nobody refunds or declares them."""
    if ids:
        db.execute(
            select(PAYMENTS.c.id).where(PAYMENTS.c.id.in_(sorted(set(ids)))).order_by(PAYMENTS.c.id).with_for_update()
        ).all()


def locked_row(db: Connection, table: Table, row_id: str) -> dict[str, Any]:
    """One row as it is now, locked."""
    return dict(db.execute(select(table).where(table.c.id == row_id).with_for_update()).mappings().one())
