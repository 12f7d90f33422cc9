"""Reference rates: asked for on demand, kept for a minute, and returned with their age (4.11, 6.8)."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from customs.auth.principal import Caller
from customs.db import database
from customs.db.database import Base
from customs.errors import ErrorDetail, GatewayUnavailable, ValidationFailed
from customs.gateway import Channel, GatewayError, Refused, Wallet
from customs.payments.models import LONGEST_NUMBER, Rate

FRESH = timedelta(minutes=1)
RETRY_SECONDS = 5
LONGEST_RATE = 32
RATES = Base.metadata.tables[Rate.__tablename__]


def check_merchant(merchant_no: str, caller: Caller) -> None:
    """Raises ValidationFailed for a merchant that is not the caller's, and for what no merchant can be called."""
    if not caller.may_touch(merchant_no) or len(merchant_no) > LONGEST_NUMBER:
        detail = "this merchant is not yours"
        raise ValidationFailed(
            f"merchant_no: {detail}", errors=[ErrorDetail("?merchant_no", "merchant_unknown", detail)]
        )


def rate_of(
    engine: Engine, wallets: Mapping[Channel, Wallet], channel: Channel, merchant_no: str, currency: str
) -> tuple[Rate, float]:
    """Return the rate and its age in seconds; while the gateway is away an old one.

    Raises ValidationFailed when the gateway refuses, GatewayUnavailable when it does not answer and none is
    known.
    """
    key = (channel, merchant_no, currency)
    with database.reading(engine) as db:
        kept, now = db.get(Rate, key), database.now(db)
    if kept is not None and now - kept.fetched_at < FRESH:
        return kept, _age(kept, now)
    try:
        answered = wallets[channel].rate(merchant_no, currency).rate
    except Refused as error:
        errors = [ErrorDetail("", "gateway_refused", error.message)]
        raise ValidationFailed(f"the gateway gives no rate: {error.message}", errors=errors) from error
    except GatewayError as error:
        if kept is None:
            raise GatewayUnavailable("the gateway did not tell the rate", retry_after=RETRY_SECONDS) from error
        return kept, _age(kept, now)
    with database.transaction(engine) as db:
        now = database.now(db)
        rate = f"{answered:f}"[:LONGEST_RATE]
        fresh = Rate(channel=channel, merchant_no=merchant_no, currency=currency, rate=rate, fetched_at=now)
        _keep(db, fresh)
    return fresh, 0.0


def _keep(db: Session, rate: Rate) -> None:
    """Store a rate over the one before; two who ask at once both store theirs."""
    insert = insert_sqlite if db.connection().dialect.name == "sqlite" else insert_postgresql
    changes = {"rate": rate.rate, "fetched_at": rate.fetched_at}
    named = {"channel": rate.channel, "merchant_no": rate.merchant_no, "currency": rate.currency}
    db.execute(insert(RATES).values(named | changes).on_conflict_do_update(index_elements=list(named), set_=changes))


def _age(rate: Rate, now: datetime) -> float:
    return (now - rate.fetched_at).total_seconds()
