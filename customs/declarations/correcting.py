"""Correcting by hand: what a form says of a declaration, as changes; what it leaves as it is stays out of them."""

from collections.abc import Mapping
from typing import Any

from customs.declarations.models import Declaration, SubOrder
from customs.gateway import money_text

PLAIN = ("mch_customs_no", "merchant_customs_name")
BUYER = {"buyer_name": "name", "cert_id": "cert_id"}
AMOUNTS = ("amount", "transport_amount", "product_amount")


def changes_typed(declaration: Declaration, typed: Mapping[str, str]) -> dict[str, Any]:
    """The changes as ModifyIn reads them. An empty field means: as it is."""
    said = {name: text.strip() for name, text in typed.items() if text.strip()}
    changes: dict[str, Any] = {
        name: said[name] for name in PLAIN if name in said and said[name] != getattr(declaration, name)
    }
    if "duty" in said and said["duty"] != str(declaration.duty):
        changes["duty"] = whole(said["duty"])
    if buyer := {name: said[field] for field, name in BUYER.items() if field in said}:
        changes["buyer"] = buyer
    parts = [_changed(part, said) for part in declaration.sub_orders]
    if any(len(part) > 1 for part in parts):
        # Also those that stay as they are: a fault's place then counts as the form does.
        changes["sub_orders"] = parts
    return changes


def field_of_amount(name: str, sub_order_no: str) -> str:
    """What the form calls an amount of a sub-order."""
    return f"{name}:{sub_order_no}"


def field_at(declaration: Declaration, pointer: str) -> str:
    """The form's field that a fault points at; the pointer itself where there is no such field."""
    place = pointer.strip("/").split("/")
    if place[0] == "buyer" and len(place) > 1:
        return next((field for field, name in BUYER.items() if name == place[1]), pointer)
    numbers = {str(index): part.sub_order_no for index, part in enumerate(declaration.sub_orders)}
    if place[0] == "sub_orders" and len(place) > 2 and place[1] in numbers:
        return field_of_amount(place[2], numbers[place[1]])
    return place[0]


def _changed(part: SubOrder, said: Mapping[str, str]) -> dict[str, str]:
    """A sub-order's number and those of its amounts that change."""
    typed = {name: said.get(field_of_amount(name, part.sub_order_no)) for name in AMOUNTS}
    return {"sub_order_no": part.sub_order_no} | {
        name: text for name, text in typed.items() if text is not None and text != _text(getattr(part, name))
    }


def _text(amount: Any) -> str | None:
    return None if amount is None else money_text(amount)


def whole(text: str) -> int | str:
    """A duty as JSON writes it; what is no whole number is left for the rules to refuse."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else text
