"""Whether a batch still runs, asked so often that the question must be cheap: from its end, where the last ones run."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from customs.declarations.models import BatchReplay, Declaration, Push

GOES_ON = (Push.declaration_id == Declaration.id, Push.due_at.is_not(None), Push.case_reason.is_(None))


def is_running(db: Session, batch_id: str) -> bool:
    """Whether a push of the batch is due without an open case: then its state is RUNNING."""
    pushes = select(Push.id).where(*GOES_ON).exists()
    # What was handed in last is mostly what ends last: the index is read from there, the first one found settles it.
    own = select(Declaration.id).where(Declaration.batch_id == batch_id, pushes).order_by(Declaration.id.desc())
    if db.scalar(own.limit(1)) is not None:
        return True
    again = select(Declaration.id).join(BatchReplay, BatchReplay.declaration_id == Declaration.id)
    return db.scalar(again.where(BatchReplay.batch_id == batch_id, pushes).limit(1)) is not None
