"""Lock payments and order numbers, known or not, so that what is said of them holds for all at once (R1, R4 to R6a).

Whoever takes other locks too takes these first.
"""

from collections.abc import Iterable
from zlib import crc32

from sqlalchemy import ARRAY, BigInteger, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from customs.db.database import Base
from customs.declarations.intake.orders import Order
from customs.declarations.models import NumberLock
from customs.payments_port import PaymentKey

LOCKS = Base.metadata.tables[NumberLock.__tablename__]
KEYS = bindparam("keys", type_=ARRAY(BigInteger))
# In the order of the keys, both: of two who want the same ones, nobody waits for the other in a circle. A key that
# somebody else inserts right now is waited for; one that is there already is locked by the second statement.
ADD = insert(LOCKS).from_select(["key"], select(func.unnest(KEYS))).on_conflict_do_nothing().returning(LOCKS.c.key)
LOCK = select(LOCKS.c.key).where(LOCKS.c.key == func.any(KEYS)).order_by(LOCKS.c.key).with_for_update()


def lock_orders(db: Session, orders: Iterable[Order]) -> None:
    """Lock the payments and every number of these orders until the transaction ends."""
    named = {_digest("payment", *order.payment) for order in orders}
    named |= {_digest("number", order.channel, number) for order in orders for number in order.numbers}
    _lock(db, named)


def lock_payment(db: Session, key: PaymentKey) -> None:
    """Lock one payment as those who take in its orders do."""
    _lock(db, {_digest("payment", *key)})


def _lock(db: Session, named: set[int]) -> None:
    # SQLite has one writer at a time.
    if named and db.connection().dialect.name == "postgresql":
        added = set(db.scalars(ADD, {"keys": sorted(named)}))
        if existing := sorted(named - added):
            db.scalars(LOCK, {"keys": existing}).all()


def _digest(*words: str) -> int:
    return crc32("\0".join(words).encode(errors="surrogatepass"))
