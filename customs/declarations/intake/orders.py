"""An order as handed in, after its shape was checked: plain values that every rule of intake works on."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from customs.gateway import Buyer, Channel, SubOrderPart


@dataclass(frozen=True)
class Order:
    """One Declaration of the contract; `mch_customs_no` is None where a registration on file is to be used."""

    channel: Channel
    office: str
    merchant_no: str
    out_order_no: str
    payment_no: str
    mch_customs_no: str | None = None
    merchant_customs_name: str | None = None
    duty: int | None = None
    submit: str = "now"
    buyer: Buyer | None = None
    sub_orders: tuple[SubOrderPart, ...] = ()

    @property
    def key(self) -> tuple[str, Channel, str, str]:
        """What makes it one declaration (R1)."""
        return self.merchant_no, self.channel, self.office, self.payment_no

    @property
    def payment(self) -> tuple[str, Channel, str]:
        return self.merchant_no, self.channel, self.payment_no

    @property
    def placed_numbers(self) -> Iterator[tuple[str, str]]:
        """Its own numbers, each with its place in a Declaration."""
        yield "out_order_no", self.out_order_no
        yield "payment_no", self.payment_no
        for index, part in enumerate(self.sub_orders):
            yield f"sub_orders/{index}/sub_order_no", part.sub_order_no

    @property
    def sub_order_nos(self) -> tuple[str, ...]:
        return tuple(part.sub_order_no for part in self.sub_orders)

    @property
    def numbered_places(self) -> Iterator[tuple[str, str]]:
        """Each number that the gateway may be asked by, after its JSON pointer below the declaration (R6a)."""
        yield "out_order_no", self.out_order_no
        for index, part in enumerate(self.sub_orders):
            yield f"sub_orders/{index}/sub_order_no", part.sub_order_no

    @property
    def numbers(self) -> tuple[str, ...]:
        return self.out_order_no, *self.sub_order_nos

    @property
    def total(self) -> Decimal | None:
        """The sum of its sub-orders in yuan; unknown when it is not split (R3)."""
        return sum((part.amount for part in self.sub_orders), Decimal()) if self.sub_orders else None


class Severity(StrEnum):
    """An error keeps a declaration out; a warning asks a person to look."""

    ERROR = "error"
    WARNING = "warning"


class RuleFinding(NamedTuple):
    """What a rule says of one declaration; `place` is the JSON pointer below it."""

    place: str
    code: str
    severity: Severity
    detail: str
    action: str


# What rules say of the rows of a batch, each with the row's index.
Found = Iterable[tuple[int, RuleFinding]]


@dataclass(frozen=True)
class Finding:
    """What is reported about a batch.

    `pointer` is a JSON pointer into the request; `row` (1-based, header included) and `column` are a sheet's.

    `detail` and `action` never repeat a name or an ID number.
    """

    pointer: str
    row: int | None
    column: str | None
    code: str
    severity: Severity
    detail: str
    action: str

    def as_dict(self) -> dict[str, str | int | None]:
        return asdict(self)
