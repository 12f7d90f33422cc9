"""Bills: downloaded for a range of days, stored as received, and fetched again while their days go on."""

import calendar
import hashlib
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from customs.auth.principal import Caller
from customs.db import database
from customs.errors import ErrorDetail, GatewayUnavailable, NotFound, ValidationFailed
from customs.gateway import BY_NAME, Gateway, GatewayError, Refused
from customs.gateway.messages.records import GATEWAY_TIME
from customs.ids import new_id
from customs.payments.models import Bill
from customs.payments.redaction import mask_words
from customs.payments_port import Declarations
from customs.privacy.vault import Vault
from customs.reconciliation.match import Reconciled, reconcile
from customs.reconciliation.parser import read_bill

# Section 8 names no format for its dates.
DATE_FORMAT = "%Y-%m-%d"
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
MOST_MONTHS = 3
# No bill is as old; times before year 1 do not exist.
EARLIEST = date(2000, 1, 1)
FRESH = timedelta(minutes=5)
# 64 MiB may come over a slow line.
DOWNLOAD_SECONDS = 60.0
RETRY_SECONDS = 5


class DaysRead(NamedTuple):
    """Days of which a bill is kept, both included, and when it last came."""

    start: date
    end: date
    fetched_at: datetime


@dataclass(frozen=True)
class Bills:
    """Fetches, keeps and reconciles bills."""

    engine: Engine
    vault: Vault
    gateway: Gateway
    agent_no: str
    declarations: Declarations

    def of_days(self, start: date, end: date, *, refresh: bool = False) -> Bill:
        """The bill of these days, both included: the kept one while it is good, else a new one.

        While the gateway is away an older one is returned: see `fetched_at`. Raises ValidationFailed for days
        that cannot be and for what the gateway refuses, GatewayUnavailable when nothing is kept or `refresh` asks for a
        new one.
        """
        with database.reading(self.engine) as db:
            now = database.now(db)
            check_days(start, end, now)
            kept = _latest(db, start, end)
        if kept is not None and not refresh and _is_good(kept, now):
            return kept
        try:
            content = self._download(start, end)
        except Refused as error:
            words = mask_words(error.message)
            errors = [ErrorDetail("", "gateway_refused", words)]
            raise ValidationFailed(f"the gateway gives no bill: {words}", errors=errors) from error
        except GatewayError as error:
            if kept is not None and not refresh:
                return kept
            raise GatewayUnavailable("the gateway did not send the bill", retry_after=RETRY_SECONDS) from error
        return self._keep(start, end, content, now)

    def kept(self, bill_id: str) -> Bill:
        """A bill by its id, whatever came since; raises NotFound."""
        with database.reading(self.engine) as db:
            found = db.get(Bill, bill_id)
        if found is None:
            raise NotFound
        return found

    def days_read(self, most: int) -> list[DaysRead]:
        """The days whose bills were read last, the newest first."""
        last = func.max(Bill.fetched_at, type_=Bill.fetched_at.type)
        days = select(Bill.start_date, Bill.end_date, last).group_by(Bill.start_date, Bill.end_date)
        with database.reading(self.engine) as db:
            return [DaysRead._make(row) for row in db.execute(days.order_by(last.desc()).limit(most))]

    def is_good(self, bill: Bill) -> bool:
        """Whether the gateway would not be asked for another one now."""
        with database.reading(self.engine) as db:
            return _is_good(bill, database.now(db))

    def content(self, bill: Bill) -> bytes:
        """The file as it was received."""
        with database.reading(self.engine) as db:
            sealed = db.scalars(select(Bill.content).where(Bill.id == bill.id)).one()
        return self.vault.open_file(sealed, content_place(bill.id))

    def reconciled(self, bill: Bill, caller: Caller) -> Reconciled:
        """Reconcile the bill with what is known at this moment, as far as the caller may see it."""
        reading = read_bill(self.content(bill))
        since, until = days_in_time(bill.start_date, bill.end_date)
        with database.reading(self.engine, thinks_long=True) as db:
            # What was paid after a bill was written cannot stand in it.
            return reconcile(db, reading, since, min(until, bill.fetched_at), self.declarations, caller)

    def age_seconds(self, bill: Bill) -> float:
        """Return the seconds since the bill was fetched, by the database's clock."""
        with database.reading(self.engine) as db:
            return (database.now(db) - bill.fetched_at).total_seconds()

    def _download(self, start: date, end: date) -> bytes:
        days = {"start_date": start.strftime(DATE_FORMAT), "end_date": end.strftime(DATE_FORMAT)}
        sink = io.BytesIO()
        # In memory, not in a temporary file: a bill may name who paid.
        self.gateway.download(
            BY_NAME["download_bill"], {"agent_no": self.agent_no, **days}, sink, timeout=DOWNLOAD_SECONDS
        )
        return sink.getvalue()

    def _keep(self, start: date, end: date, content: bytes, fetched_at: datetime) -> Bill:
        """Keep it once for each content; of two that fetch the same at once, the second finds the first's."""
        try:
            return self._keep_once(start, end, content, fetched_at)
        except IntegrityError:
            return self._keep_once(start, end, content, fetched_at)

    def _keep_once(self, start: date, end: date, content: bytes, fetched_at: datetime) -> Bill:
        digest = hashlib.sha256(content).hexdigest()
        same = (Bill.start_date == start, Bill.end_date == end, Bill.sha256 == digest)
        with database.transaction(self.engine) as db:
            stored = db.scalar(select(Bill).where(*same).with_for_update())
            if stored is not None:
                stored.fetched_at = max(stored.fetched_at, fetched_at)
                return stored
            bill = Bill(id=new_id("bill"), start_date=start, end_date=end, fetched_at=fetched_at)
            bill.size, bill.sha256 = len(content), digest
            bill.content = self.vault.seal_file(content, content_place(bill.id))
            db.add(bill)
        return bill


def day_in(text: str) -> date:
    """The day that a text such as 2026-11-23 names; raises ValueError for any other."""
    if not DATE.fullmatch(text):
        raise ValueError("no such day")
    return date.fromisoformat(text)


def check_days(start: date, end: date, now: datetime) -> None:
    """Raises ValidationFailed for days in the wrong order, over three months of them, or days that have not come."""
    today = now.astimezone(GATEWAY_TIME).date()
    # Each is asked only when those before it hold: the calendar itself ends where the last one counts.
    rules: tuple[tuple[str, Callable[[], bool], str], ...] = (
        ("start", lambda: start >= EARLIEST, f"a day since {EARLIEST}"),
        ("end", lambda: end <= today, "a day that is not in the future"),
        ("end", lambda: end >= start, "a day that is not before start"),
        ("end", lambda: end <= _months_later(start), f"a day at most {MOST_MONTHS} months after start"),
    )
    for name, holds, wanted in rules:
        if not holds():
            error = ErrorDetail(f"?{name}", "parameter_invalid", f"use {wanted}")
            raise ValidationFailed(f"{name}: use {wanted}", errors=[error])


def days_in_time(start: date, end: date) -> tuple[datetime, datetime]:
    """Return when these days of Shanghai begin and are over, half open."""
    since, until = (datetime.combine(day, time(), GATEWAY_TIME).astimezone(UTC) for day in (start, end))
    return since, until + timedelta(days=1)


def _latest(db: Session, start: date, end: date) -> Bill | None:
    days = (Bill.start_date == start, Bill.end_date == end)
    return db.scalars(select(Bill).where(*days).order_by(Bill.fetched_at.desc(), Bill.id.desc()).limit(1)).first()


def _is_good(bill: Bill, now: datetime) -> bool:
    """A bill that was fetched after its days were over does not change; another one is good for a moment."""
    return bill.fetched_at >= days_in_time(bill.start_date, bill.end_date)[1] or now - bill.fetched_at < FRESH


def _months_later(day: date) -> date:
    years, month = divmod(day.month - 1 + MOST_MONTHS, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def content_place(bill_id: str) -> str:
    """Return the name under which the vault seals a bill's content."""
    return f"bills.content:{bill_id}"
