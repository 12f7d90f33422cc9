"""Content: what a push declares beside its numbers; what the gateway accepted is kept apart from what we want."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from customs.db.database import HUNDREDTH
from customs.declarations.fields import AMOUNT_NAMES, AMOUNTS, CONTENT_NAMES
from customs.declarations.intake.orders import Order
from customs.declarations.models import Declaration, Push, SubOrder
from customs.errors import DecryptionKeyMissing
from customs.gateway import DeclarationReply, SubOrderPart, money_text
from customs.privacy.masking import mask_buyer
from customs.privacy.vault import Vault


@dataclass(frozen=True)
class Content:
    """What one push declares: its order's content by name, its part's amounts in yuan, and the buyer, sealed."""

    order: Mapping[str, str | int | None]
    amounts: Mapping[str, Decimal | None]
    buyer: str | None

    @classmethod
    def of(cls, declaration: Declaration, part: SubOrder | None) -> "Content":
        """Return the content stored for an order, or one part of it."""
        order = {name: getattr(declaration, name) for name in CONTENT_NAMES}
        return cls(order, {name: getattr(part, name, None) for name in AMOUNT_NAMES}, declaration.buyer)

    @classmethod
    def read(cls, kept: str) -> "Content":
        """Read content back from a column; a field that there was none of then has no value."""
        values: dict[str, Any] = json.loads(kept)
        amounts = {name: None if values.get(name) is None else Decimal(values[name]) for name in AMOUNT_NAMES}
        return cls({name: values.get(name) for name in CONTENT_NAMES}, amounts, values["buyer"])

    @property
    def values(self) -> dict[str, str | int | Decimal | None]:
        """Everything of it but the buyer, by name."""
        return {**self.order, **self.amounts}

    def is_of(self, order: Order, sub_order_no: str, vault: Vault, declaration_id: str) -> bool:
        """Return whether an order, or this part of it, declares the same content."""
        part = next((one for one in order.sub_orders if one.sub_order_no == sub_order_no), None)
        wanted = {name: getattr(order, name) for name in CONTENT_NAMES}
        wanted |= {name: getattr(part, name, None) for name in AMOUNT_NAMES}
        return self.values == wanted and vault.open_buyer(self.buyer, declaration_id) == order.buyer

    def kept(self) -> str:
        """As a column keeps it; the buyer stays sealed."""
        return json.dumps(self.values | {"buyer": self.buyer}, default=str, ensure_ascii=False)

    def plain(self) -> dict[str, Any]:
        """Return the fields without the buyer, amounts as text; empty ones are left out."""
        return {
            name: money_text(value) if isinstance(value, Decimal) else value
            for name, value in self.values.items()
            if value is not None
        }

    def shown(self, declaration_id: str, vault: Vault) -> dict[str, Any]:
        """Return the fields with the buyer masked."""
        buyer = masked_buyer(self.buyer, declaration_id, vault)
        return self.plain() | ({"buyer": buyer} if buyer else {})

    def text(self) -> str:
        """Return the fields without the buyer in one line, for a timeline."""
        return "; ".join(f"{name}={value}" for name, value in self.plain().items())


@dataclass(frozen=True)
class Difference:
    """One field of which the gateway accepted something else than is wanted; None where a side has nothing."""

    name: str
    accepted: str | None
    wanted: str | None


def differences(push: Push, declaration: Declaration, parts: Sequence[SubOrder], vault: Vault) -> list[Difference]:
    """Return the fields in which the gateway accepted other content than is wanted, the buyer masked."""
    if push.accepted_content is None:
        return []
    part = next((one for one in parts if one.sub_order_no == push.sub_order_no), None)
    contents = Content.read(push.accepted_content), Content.of(declaration, part)
    before, after = (
        {name: _text(value) for name, value in one.shown(declaration.id, vault).items()} for one in contents
    )
    names = [name for name in dict.fromkeys([*before, *after]) if before.get(name) != after.get(name)]
    return [Difference(name, before.get(name), after.get(name)) for name in names]


def masked_buyer(sealed: str | None, declaration_id: str, vault: Vault) -> dict[str, str] | None:
    """The buyer masked; None when there is none, or its key is missing: the rest can still be shown."""
    try:
        return mask_buyer(vault.open_buyer(sealed, declaration_id))
    except DecryptionKeyMissing:
        return None


def _text(value: Any) -> str:
    return " ".join(value.values()) if isinstance(value, dict) else str(value)


class Echo(StrEnum):
    """The evidence of an answer's amounts about a correction: the wanted ones, others, or none."""

    WANTED = "wanted"
    OTHER = "other"
    SILENT = "silent"


def echo_of(reply: DeclarationReply, part: SubOrderPart | None, accepted: str | None) -> Echo:
    """Read the amounts that an answer repeats, where what was accepted before is kept apart from what was sent."""
    echoed = {name: amount.quantize(HUNDREDTH) for name in AMOUNT_NAMES if (amount := getattr(reply, name)) is not None}
    if part is None or accepted is None or not echoed:
        return Echo.SILENT
    wanted = {name: getattr(part, name) for name in AMOUNT_NAMES}
    before = Content.read(accepted).amounts
    if any(wanted[name] != amount for name, amount in echoed.items()):
        return Echo.OTHER
    # A question that named the amount may only have been repeated.
    asked = reply.exchange.params if reply.exchange.method == "GET" else {}
    telling = [field.name for field in AMOUNTS if field.name in echoed and field.wire not in asked]
    return Echo.WANTED if any(before[name] != wanted[name] for name in telling) else Echo.SILENT
