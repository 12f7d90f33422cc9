"""Amendments: merge a MODIFY into an order, find the filings that it touches, and write it back."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from customs.declarations.fields import AMOUNT_NAMES, CONTENT, CONTENT_NAMES, FIELDS, Kind, Part
from customs.declarations.intake.orders import Order
from customs.declarations.models import Declaration, SubOrder
from customs.errors import ErrorDetail, ValidationFailed
from customs.gateway import Buyer, money_text
from customs.privacy.vault import Vault


@dataclass(frozen=True)
class Amendment:
    """A change of a declaration's content: the order as it is, and as it would be."""

    before: Order
    after: Order


def amended(order: Order, changes: Mapping[str, Any]) -> Amendment:
    """Merge changes into an order: the buyer field by field, sub-orders by their numbers (9.1).

    Raises ValidationFailed for a sub-order that the order does not have: parts cannot be added by MODIFY.
    """
    changed = replace(order, **{name: changes[name] for name in CONTENT_NAMES if name in changes})
    if "buyer" in changes:
        changed = replace(changed, buyer=_changed_buyer(order.buyer, changes["buyer"]))
    by_number = {part.sub_order_no: part for part in order.sub_orders}
    for index, change in enumerate(changes.get("sub_orders", ())):
        number = change["sub_order_no"]
        if number not in by_number:
            raise ValidationFailed(
                f"there is no sub-order {number} in this declaration",
                errors=[ErrorDetail(f"/sub_orders/{index}/sub_order_no", "sub_order_unknown", "name one it has")],
            )
        by_number[number] = replace(by_number[number], **change)
    return Amendment(order, replace(changed, sub_orders=tuple(by_number.values())))


def _changed_buyer(buyer: Buyer | None, change: Mapping[str, str]) -> Buyer:
    merged = ({"name": buyer.name, "cert_id": buyer.cert_id} if buyer else {}) | dict(change)
    if missing := {"name", "cert_id"} - merged.keys():
        raise ValidationFailed(
            "a buyer has a name and an ID number, both or none",
            errors=[ErrorDetail(f"/buyer/{name}", "required", "add the field") for name in sorted(missing)],
        )
    return Buyer(**merged)


def changed_sub_orders(change: Amendment) -> set[str]:
    """Return the sub-order numbers whose filings change; "" stands for an order that is not split."""
    before, after = change.before, change.after
    if replace(before, sub_orders=()) != replace(after, sub_orders=()):
        return set(after.sub_order_nos) or {""}
    old = set(before.sub_orders)
    return {part.sub_order_no for part in after.sub_orders if part not in old}


def write_order(declaration: Declaration, order: Order, vault: Vault) -> None:
    """Write the changeable content back; numbers, office and channel never change."""
    for name in CONTENT_NAMES:
        setattr(declaration, name, getattr(order, name))
    if order.buyer is not None:
        declaration.buyer = vault.seal_buyer(order.buyer, declaration.id)
        declaration.cert_index = vault.index(order.buyer.cert_id)
    parts = {part.sub_order_no: part for part in order.sub_orders}
    for row in declaration.sub_orders:
        part = parts[row.sub_order_no]
        for name in AMOUNT_NAMES:
            setattr(row, name, getattr(part, name))


BUYER = {field.header: field.name for field in FIELDS if field.part is Part.BUYER}


def changes_typed(declaration: Declaration, typed: Mapping[str, str]) -> dict[str, Any]:
    """Return the changes in a form as ModifyIn reads them. An empty field means: as it is."""
    filled = {name: text.strip() for name, text in typed.items() if text.strip()}
    changes: dict[str, Any] = {
        field.name: duty_typed(filled[field.name]) if field.kind is Kind.DUTY else filled[field.name]
        for field in CONTENT
        if field.name in filled and filled[field.name] != str(getattr(declaration, field.name))
    }
    if buyer := {name: filled[field] for field, name in BUYER.items() if field in filled}:
        changes["buyer"] = buyer
    parts = [_changed(part, filled) for part in declaration.sub_orders]
    if any(len(part) > 1 for part in parts):
        # Also those that stay as they are: an error's place then counts as the form does.
        changes["sub_orders"] = parts
    return changes


def field_of_amount(name: str, sub_order_no: str) -> str:
    """Return the name of an amount of a sub-order in the form."""
    return f"{name}:{sub_order_no}"


def field_at(declaration: Declaration, pointer: str) -> str:
    """Return the form's field that an error points at; the pointer itself where there is no such field."""
    place = pointer.strip("/").split("/")
    if place[0] == "buyer" and len(place) > 1:
        return next((field for field, name in BUYER.items() if name == place[1]), pointer)
    numbers = {str(index): part.sub_order_no for index, part in enumerate(declaration.sub_orders)}
    if place[0] == "sub_orders" and len(place) > 2 and place[1] in numbers:
        return field_of_amount(place[2], numbers[place[1]])
    return place[0]


def _changed(part: SubOrder, filled: Mapping[str, str]) -> dict[str, str]:
    """Return a sub-order's number and those of its amounts that change."""
    typed = {name: filled.get(field_of_amount(name, part.sub_order_no)) for name in AMOUNT_NAMES}
    return {"sub_order_no": part.sub_order_no} | {
        name: text for name, text in typed.items() if text is not None and text != _text(getattr(part, name))
    }


def _text(amount: Any) -> str | None:
    return None if amount is None else money_text(amount)


def duty_typed(text: str) -> int | str:
    """Read a duty; text that is no integer is returned as it is, for the rules to refuse."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else text
