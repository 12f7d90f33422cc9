"""Which pushes a declaration needs: one for each of its sub-orders (or itself) and customs code, in order."""

from dataclasses import dataclass
from functools import lru_cache

from customs.declarations.offices import codes_for, waits_for_the_one_before
from customs.gateway.channels import Channel


@dataclass(frozen=True)
class PlannedPush:
    """One push to be made. `waits_for` is the position of the push that must be SUCCESS first; None for at once."""

    position: int
    customs: str
    sub_order_no: str
    waits_for: int | None


@lru_cache(maxsize=1024)
def plan_pushes(channel: Channel, office: str, sub_order_nos: tuple[str, ...] = ()) -> tuple[PlannedPush, ...]:
    """The pushes of one declaration; an order that is not split has the one sub-order number ""."""
    codes = codes_for(channel, office)
    ordered = waits_for_the_one_before(channel, office)
    planned: list[PlannedPush] = []
    for sub_order_no in sub_order_nos or ("",):
        for step, code in enumerate(codes):
            position = len(planned)
            waits_for = position - 1 if ordered and step else None
            planned.append(PlannedPush(position, code.code, sub_order_no, waits_for))
    return tuple(planned)
