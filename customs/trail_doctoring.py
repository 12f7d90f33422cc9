"""What the doctor sees of the audit trail: whether each entry is as it was written, and whether any was left out."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from customs.declarations.models import Batch
from customs.examined import Examined
from customs.history.audit_chain import Tampering
from customs.history.audit_models import AuditEntry
from customs.said import Said
from customs.wiring import Services

_ = Said
# How the audit trail does not fit: `number` is the first entry that does not, `entries` so many before it do.
TAMPERED = {
    Tampering.ALTERED: _("entry %(number)s was altered; the %(entries)d before it fit"),
    Tampering.MISSING: _("entry %(number)s is missing; the %(entries)d before it fit"),
    Tampering.ADDED: _("entry %(number)s was added by somebody else; the %(entries)d before it fit"),
    Tampering.CUT_OFF: _("entry %(number)s and what came after it are gone; the %(entries)d before it fit"),
    Tampering.SEAL: _("the seal of its end does not fit; the %(entries)d entries do"),
}


def look_at_trail(services: Services) -> Iterator[Examined]:
    """Every entry of it: some 15 seconds for a million."""
    with services.reading() as db:
        verdict = services.audit.verify(db)
        unrecorded = _unrecorded_batch(db)
    mend = _("somebody wrote to the database: compare with an export or a backup of an earlier day")
    if verdict.what is Tampering.SEAL:
        mend = _(
            "after a change of CUSTOMS_SECRET_KEY: `customs keys rotate --seal-audit-trail`; "
            "else somebody wrote to the database: compare with an export or a backup of an earlier day"
        )
    if verdict.what is not None:
        found = TAMPERED[verdict.what].of(number=verdict.first_bad, entries=verdict.entries)
        yield Examined("audit trail", "wrong", found, mend)
    elif unrecorded is not None:
        found = _("it fits, and knows nothing of %(batch)s: it was put back", {"batch": unrecorded})
        yield Examined("audit trail", "wrong", found, mend)
    else:
        found = _("%(entries)d entries, each as it was written", {"entries": verdict.entries})
        yield Examined("audit trail", "ok", found)


def _unrecorded_batch(db: Session) -> str | None:
    """The oldest or newest batch, where nobody is on record for it: then all of the trail was taken or put back."""
    # What came before there was a trail names no sender.
    handed_in = select(Batch.id).where(Batch.sender_id != "").limit(1)
    ends = [db.scalar(handed_in.order_by(order)) for order in (Batch.created_at, Batch.created_at.desc())]
    recorded = {db.scalar(select(AuditEntry.subject_id).where(AuditEntry.subject_id == one).limit(1)) for one in ends}
    return next((one for one in ends if one not in recorded), None)
