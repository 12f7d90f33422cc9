"""What somebody outside was told: the orders that were acknowledged, as corrected since, and the accepted actions."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

Row = dict[str, Any]
# One declaration = (merchant, channel, office, payment_no); journeys know one merchant (R1).
OrderKey = tuple[str, str, str]


def order_key(row: Mapping[str, Any]) -> OrderKey:
    return row["channel"], row["office"], row["payment_no"]


class Promises:
    """Kept by the client alone: nothing of it is read from the product."""

    def __init__(self) -> None:
        self.orders: dict[OrderKey, Row] = {}
        self.actions: Counter[OrderKey] = Counter()

    def acknowledged(self, rows: Sequence[Row]) -> None:
        self.orders |= {order_key(row): row for row in rows}

    def decided(self, row: Row, changes: Mapping[str, Any]) -> None:
        """An action was accepted; `changes` are the corrected fields, none for a re-push."""
        key = order_key(row)
        self.actions[key] += 1
        self.orders[key] = self.orders[key] | dict(changes)
