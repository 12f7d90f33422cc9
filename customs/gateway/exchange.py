"""A request and its reply, stored complete: a dispute is settled by both sides' words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Exchange:
    """One call on the wire. `params` and `reply` are as sent and received: mask them before keeping them.

    `status` is the HTTP status, None when no answer began; `reply` is the answer's text as far as known.
    """

    method: str
    path: str
    params: Mapping[str, str] = field(repr=False)
    status: int | None
    reply: str = field(repr=False)
    duration_ms: int


@dataclass(frozen=True)
class Reply:
    """A success of the gateway: `body` is the whole JSON object, numbers with a fraction as Decimal."""

    body: Mapping[str, Any] = field(repr=False)
    exchange: Exchange
