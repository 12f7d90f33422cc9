"""Earlier submissions of orders that are handed in again: when and by whom, and in which batch."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from customs.auth.principal import Caller
from customs.db.bulk import in_list
from customs.declarations.models import Batch, Declaration
from customs.declarations.reading.queries import sees_batch


@dataclass(frozen=True)
class EarlierSubmission:
    """Declarations that one batch brought; `batch` is None for one that the caller does not see."""

    count: int
    at: datetime
    batch: Batch | None


def earlier_submissions(db: Session, declaration_ids: Collection[str], caller: Caller) -> Sequence[EarlierSubmission]:
    """The batches that brought these declarations of the caller's, that of most of them first."""
    if not declaration_ids:
        return []
    batch_id, at = Declaration.batch_id, func.min(Declaration.created_at, type_=Declaration.created_at.type)
    counted = select(batch_id, func.count(), at).where(in_list(db, Declaration.id, declaration_ids)).group_by(batch_id)
    found = {brought: (count, since) for brought, count, since in db.execute(counted)}
    seen = select(Batch).where(in_list(db, Batch.id, found), sees_batch(caller))
    batches = {batch.id: batch for batch in db.scalars(seen)}
    earlier = [EarlierSubmission(count, since, batches.get(brought)) for brought, (count, since) in found.items()]
    return sorted(earlier, key=lambda one: (-one.count, one.at))
