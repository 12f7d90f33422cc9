"""Read what is stored that concerns a batch's orders, at once for all of them, under locks.

Payments and order numbers, known or not, are locked first, before other locks: what is found holds for all at once
(R1, R4 to R6a).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from zlib import crc32

from sqlalchemy import ARRAY, BigInteger, and_, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, selectinload

from customs.auth.principal import Caller
from customs.db.bulk import in_list
from customs.db.database import Base
from customs.declarations.contents import Content
from customs.declarations.fields import AMOUNT_NAMES, CONTENT, ORDER, Field
from customs.declarations.intake.comparison_rules import Existing, ExistingPush, NumberOwner
from customs.declarations.intake.orders import Order
from customs.declarations.models import Declaration, NumberLock, Push, SubOrder
from customs.gateway import Channel, SubOrderPart
from customs.payments_port import PaymentKey
from customs.privacy.vault import Vault
from customs.stats.tallies import begins, day_of

Pushes = Mapping[tuple[str, Channel, str], Sequence[ExistingPush]]

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


def declarations_behind(db: Session, pushes: Pushes) -> dict[tuple[str, Channel, str, str], Declaration]:
    """Return the declarations behind these pushes by their key (R1), to be compared with orders."""
    ids = {push.declaration_id for of_payment in pushes.values() for push in of_payment}
    if not ids:
        return {}
    rows = db.scalars(
        select(Declaration).where(in_list(db, Declaration.id, ids)).options(selectinload(Declaration.sub_orders))
    )
    return {(row.merchant_no, row.channel, row.office, row.payment_no): row for row in rows}


def is_same(known: Declaration, order: Order, vault: Vault) -> bool:
    """Return whether an order repeats a declaration: a registration it leaves out counts as the one that was used."""
    return (
        known.out_order_no == order.out_order_no
        and all(_repeats(field, getattr(order, field.name), getattr(known, field.name)) for field in CONTENT)
        # Who the buyer was is not known any more: the same numbers and amounts are a repeat.
        and (known.buyer_erased_at is not None or vault.open_buyer(known.buyer, known.id) == order.buyer)
        and {part_of(row) for row in known.sub_orders} == set(order.sub_orders)
    )


def _repeats(field: Field, given: object, known: object) -> bool:
    return given == known or (field.registered and given is None)


def part_of(row: SubOrder) -> SubOrderPart:
    """Return a stored sub-order as the value that goes on the wire."""
    return SubOrderPart(row.sub_order_no, **{name: getattr(row, name) for name in AMOUNT_NAMES})


def order_of(known: Declaration, vault: Vault) -> Order:
    """Return a stored declaration as the order it stands for."""
    values = {field.name: getattr(known, field.name) for field in ORDER}
    return Order(
        **values | {"channel": Channel(known.channel)},
        buyer=vault.open_buyer(known.buyer, known.id),
        sub_orders=tuple(part_of(row) for row in known.sub_orders),
    )


def pushes_of(db: Session, orders: Collection[Order]) -> Pushes:
    """Return the pushes of the same payments, whatever office they are for."""
    rows = db.execute(
        select(
            Push.merchant_no,
            Push.channel,
            Push.payment_no,
            Push.declaration_id,
            Declaration.office,
            Push.customs,
            Push.sub_order_no,
            SubOrder.amount,
            Push.accepted_content,
        )
        .join(Declaration, Declaration.id == Push.declaration_id)
        .outerjoin(
            SubOrder,
            and_(SubOrder.declaration_id == Push.declaration_id, SubOrder.sub_order_no == Push.sub_order_no),
        )
        .where(in_list(db, Declaration.payment_no, {order.payment_no for order in orders}), Push.cancelled.is_(False))
    )
    pushes: dict[tuple[str, Channel, str], list[ExistingPush]] = {}
    for row in rows:
        amounts = [row.amount, Content.read(row.accepted_content).amounts["amount"] if row.accepted_content else None]
        # While customs has another amount than is wanted, the larger one counts.
        amount = max((one for one in amounts if one is not None), default=None)
        known = ExistingPush(row.declaration_id, row.office, row.customs, row.sub_order_no, amount)
        pushes.setdefault((row.merchant_no, row.channel, row.payment_no), []).append(known)
    return pushes


def existing_data(
    db: Session,
    pushes: Pushes,
    orders: Collection[Order],
    cert_indexes: Collection[str],
    caller: Caller,
    now: datetime,
) -> Existing:
    """Read who has the same numbers (named where the caller may see it), and what each buyer spent this year."""
    return Existing(
        pushes=pushes,
        owners_of_number=_owners_of_numbers(db, {number for order in orders for number in order.numbers}, caller),
        owners_of_payment=_owners({*pushes, *_of_several_merchants(orders)}),
        spent=_spent(db, set(cert_indexes), {order.merchant_no for order in orders}, now),
    )


def _of_several_merchants(orders: Collection[Order]) -> Iterable[tuple[str, Channel, str]]:
    """Return the payments of a batch where they may meet: one merchant's own never do."""
    merchants = {order.merchant_no for order in orders}
    return (order.payment for order in orders) if len(merchants) > 1 else ()


def _owners(payments: Iterable[tuple[str, Channel, str]]) -> dict[tuple[Channel, str], set[str]]:
    """Return the merchants who declare a payment of each number."""
    owners: dict[tuple[Channel, str], set[str]] = {}
    for merchant_no, channel, payment_no in payments:
        owners.setdefault((channel, payment_no), set()).add(merchant_no)
    return owners


def _owners_of_numbers(db: Session, numbers: set[str], caller: Caller) -> dict[tuple[Channel, str], list[NumberOwner]]:
    """Return the payments with live filings under each number of an order or part: the gateway knows no merchants."""
    if not numbers:
        return {}
    owner = (Declaration.merchant_no, Declaration.payment_no, Declaration.id)
    of_orders = select(Declaration.channel, Declaration.out_order_no, *owner).where(
        in_list(db, Declaration.out_order_no, numbers), Declaration.cancelled.is_(False)
    )
    of_sub_orders = (
        select(Declaration.channel, SubOrder.sub_order_no, *owner)
        .join(Declaration, Declaration.id == SubOrder.declaration_id)
        .where(in_list(db, SubOrder.sub_order_no, numbers), Declaration.cancelled.is_(False))
    )
    owners: dict[tuple[Channel, str], list[NumberOwner]] = {}
    for asked in (of_orders, of_sub_orders):
        for channel, number, merchant_no, payment_no, declaration_id in db.execute(asked):
            named = declaration_id if caller.may_touch(merchant_no) else None
            owners.setdefault((channel, number), []).append(NumberOwner(merchant_no, payment_no, named))
    return owners


def _spent(db: Session, indexes: set[str], merchants: set[str], now: datetime) -> dict[str, Decimal]:
    """Return yuan declared this year through these merchants by blind index, each payment's sub-orders once (R10)."""
    if not indexes:
        return {}
    year = begins(day_of(now).replace(month=1, day=1))
    rows = db.execute(
        select(
            Declaration.cert_index,
            Declaration.payment_no,
            func.sum(SubOrder.amount),
            func.count(Declaration.id.distinct()),
        )
        .join(SubOrder, SubOrder.declaration_id == Declaration.id)
        .where(
            Declaration.cert_index.is_not(None),
            Declaration.merchant_no.in_(merchants),
            in_list(db, Declaration.cert_index, indexes),
            Declaration.created_at >= year,
            Declaration.cancelled.is_(False),
        )
        .group_by(Declaration.cert_index, Declaration.payment_no)
    )
    spent: dict[str, Decimal] = {}
    for index, _, total, offices in rows:
        # One payment declared at two offices was still spent once.
        spent[str(index)] = spent.get(str(index), Decimal()) + total / offices
    return spent
