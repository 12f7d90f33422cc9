"""A look at the whole trail, as somebody asks for it: what was found, how long it took, and the end to note down."""

import time
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Engine

from customs import database
from customs.history.audit_models import AuditEnd
from customs.history.auditing import THE_END, AuditTrail, ChainVerdict


@dataclass(frozen=True)
class AuditCheck:
    """What a look found. `end` is None while nothing was ever done."""

    verdict: ChainVerdict
    end: AuditEnd | None
    took: timedelta


def check(engine: Engine, trail: AuditTrail) -> AuditCheck:
    """Look at every entry: some 15 seconds for a million."""
    began = time.monotonic()
    with database.reading(engine) as db:
        verdict = trail.verify(db)
        end = db.get(AuditEnd, THE_END)
    return AuditCheck(verdict, end, timedelta(seconds=time.monotonic() - began))
