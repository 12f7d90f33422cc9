"""What every operation of the gateway needs at hand, so that it is handed in as one."""

from collections.abc import Callable
from dataclasses import dataclass

from customs.sandbox.ledger import Ledger
from customs.sandbox.payment_ledger import Book
from customs.sandbox.settings import SandboxSettings


@dataclass(frozen=True)
class Desk:
    """The ledger, its payment side, the settings; `now` gives Unix seconds."""

    ledger: Ledger
    book: Book
    settings: SandboxSettings
    now: Callable[[], float]
