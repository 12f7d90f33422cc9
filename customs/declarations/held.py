"""What our data already says about a batch's orders, read at once for all of them."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from customs.declarations.models import Declaration, Push, SubOrder
from customs.declarations.orders import Order
from customs.declarations.preflight import Held, HeldPush
from customs.gateway import Channel, SubOrderPart
from customs.history.vault import Vault

# One statement asks for this many at once; SQLite takes some 32,000 values.
CHUNK = 5000

Item = TypeVar("Item")


def existing(db: Session, orders: Collection[Order]) -> dict[tuple[str, Channel, str, str], Declaration]:
    """The declarations with the same key as one of these orders (R1)."""
    wanted = {order.key for order in orders}
    found: dict[tuple[str, Channel, str, str], Declaration] = {}
    for payment_nos in _chunks({order.payment_no for order in orders}):
        rows = db.scalars(
            select(Declaration)
            .where(Declaration.payment_no.in_(payment_nos), Declaration.cancelled.is_(False))
            .options(selectinload(Declaration.sub_orders))
        )
        for row in rows:
            key = (row.merchant_no, Channel(row.channel), row.office, row.payment_no)
            if key in wanted:
                found[key] = row
    return found


def is_same(known: Declaration, order: Order, vault: Vault) -> bool:
    """Whether an order repeats a declaration: a registration it leaves out counts as the one that was used."""
    return (
        known.out_order_no == order.out_order_no
        and known.duty == order.duty
        and order.mch_customs_no in (None, known.mch_customs_no)
        and order.merchant_customs_name in (None, known.merchant_customs_name)
        and vault.open_buyer(known.buyer, known.id) == order.buyer
        and {part_of(row) for row in known.sub_orders} == set(order.sub_orders)
    )


def part_of(row: SubOrder) -> SubOrderPart:
    """The stored sub-order as the value that goes on the wire."""
    return SubOrderPart(row.sub_order_no, row.amount, row.transport_amount, row.product_amount)


def order_of(known: Declaration, vault: Vault) -> Order:
    """The stored declaration as the order it stands for."""
    return Order(
        channel=Channel(known.channel),
        office=known.office,
        merchant_no=known.merchant_no,
        out_order_no=known.out_order_no,
        payment_no=known.payment_no,
        mch_customs_no=known.mch_customs_no,
        merchant_customs_name=known.merchant_customs_name,
        duty=known.duty,
        buyer=vault.open_buyer(known.buyer, known.id),
        sub_orders=tuple(part_of(row) for row in known.sub_orders),
    )


def held(db: Session, orders: Collection[Order], cert_indexes: Mapping[int, str], now: datetime) -> Held:
    """Pushes of the same payments, sub-orders of the same numbers, and what each buyer spent this year."""
    return Held(
        pushes=_pushes(db, {order.payment_no for order in orders}),
        payment_of_sub_order=_sub_orders(db, {number for order in orders for number in order.sub_order_nos}),
        spent=_spent(db, set(cert_indexes.values()), now),
    )


def _pushes(db: Session, payment_nos: set[str]) -> dict[tuple[str, Channel, str], list[HeldPush]]:
    pushes: dict[tuple[str, Channel, str], list[HeldPush]] = {}
    for chunk in _chunks(payment_nos):
        rows = db.execute(
            select(
                Push.merchant_no,
                Push.channel,
                Push.payment_no,
                Push.declaration_id,
                Declaration.office,
                Push.customs,
                Push.sub_order_no,
            )
            .join(Declaration, Declaration.id == Push.declaration_id)
            .where(Declaration.payment_no.in_(chunk), Push.cancelled.is_(False))
        )
        for merchant_no, channel, payment_no, *rest in rows:
            pushes.setdefault((merchant_no, Channel(channel), payment_no), []).append(HeldPush(*rest))
    return pushes


def _sub_orders(db: Session, numbers: set[str]) -> dict[tuple[Channel, str], str]:
    owners: dict[tuple[Channel, str], str] = {}
    for chunk in _chunks(numbers):
        rows = db.execute(
            select(Declaration.channel, SubOrder.sub_order_no, Declaration.payment_no)
            .join(Declaration, Declaration.id == SubOrder.declaration_id)
            .where(SubOrder.sub_order_no.in_(chunk), Declaration.cancelled.is_(False))
        )
        owners |= {(Channel(channel), number): payment_no for channel, number, payment_no in rows}
    return owners


def _spent(db: Session, indexes: set[str], now: datetime) -> dict[str, Decimal]:
    """Yuan declared this year by blind index, each payment's sub-orders once (R10)."""
    spent: dict[str, Decimal] = {}
    year = now.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    for chunk in _chunks(indexes):
        rows = db.execute(
            select(
                Declaration.cert_index,
                Declaration.payment_no,
                func.sum(SubOrder.amount),
                func.count(Declaration.id.distinct()),
            )
            .join(SubOrder, SubOrder.declaration_id == Declaration.id)
            .where(Declaration.cert_index.in_(chunk), Declaration.created_at >= year, Declaration.cancelled.is_(False))
            .group_by(Declaration.cert_index, Declaration.payment_no)
        )
        for index, _, total, offices in rows:
            # One payment declared at two offices was still spent once.
            spent[str(index)] = spent.get(str(index), Decimal()) + total / offices
    return spent


def _chunks(items: Iterable[Item]) -> Iterator[Sequence[Item]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
