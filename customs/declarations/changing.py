"""Change: merge what a MODIFY names into an order, tell which filings it touches, and write it back."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from customs.declarations.models import Declaration
from customs.declarations.orders import Order
from customs.errors import Fault, Invalid
from customs.gateway import Buyer
from customs.history.vault import Vault

PLAIN = ("mch_customs_no", "merchant_customs_name", "duty")


def changed_order(order: Order, changes: Mapping[str, Any]) -> Order:
    """The order with the changes merged: the buyer field by field, sub-orders by their numbers (9.1).

    Raises Invalid for a sub-order that the order does not have: parts cannot be added by MODIFY.
    """
    changed = replace(order, **{name: changes[name] for name in PLAIN if name in changes})
    if "buyer" in changes:
        changed = replace(changed, buyer=_changed_buyer(order.buyer, changes["buyer"]))
    by_number = {part.sub_order_no: part for part in order.sub_orders}
    for index, change in enumerate(changes.get("sub_orders", ())):
        number = change["sub_order_no"]
        if number not in by_number:
            raise Invalid(
                f"there is no sub-order {number} in this declaration",
                faults=[Fault(f"/sub_orders/{index}/sub_order_no", "sub_order_unknown", "name one it has")],
            )
        by_number[number] = replace(by_number[number], **change)
    return replace(changed, sub_orders=tuple(by_number.values()))


def _changed_buyer(buyer: Buyer | None, change: Mapping[str, str]) -> Buyer:
    merged = ({"name": buyer.name, "cert_id": buyer.cert_id} if buyer else {}) | dict(change)
    if missing := {"name", "cert_id"} - merged.keys():
        raise Invalid(
            "a buyer has a name and an ID number, both or none",
            faults=[Fault(f"/buyer/{name}", "required", "add the field") for name in sorted(missing)],
        )
    return Buyer(**merged)


def changed_sub_orders(before: Order, after: Order) -> set[str]:
    """The sub-order numbers whose filings change; "" stands for an order that is not split."""
    if replace(before, sub_orders=()) != replace(after, sub_orders=()):
        return set(after.sub_order_nos) or {""}
    old = set(before.sub_orders)
    return {part.sub_order_no for part in after.sub_orders if part not in old}


def write_order(declaration: Declaration, order: Order, vault: Vault) -> None:
    """Write the changeable content back; numbers, office and channel never change."""
    for name in PLAIN:
        setattr(declaration, name, getattr(order, name))
    if order.buyer is not None:
        declaration.buyer = vault.seal_buyer(order.buyer, declaration.id)
        declaration.cert_index = vault.index(order.buyer.cert_id)
    parts = {part.sub_order_no: part for part in order.sub_orders}
    for row in declaration.sub_orders:
        part = parts[row.sub_order_no]
        row.amount = part.amount
        row.transport_amount = part.transport_amount
        row.product_amount = part.product_amount
