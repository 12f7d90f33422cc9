"""Bundle what every operation of the gateway needs."""

from collections.abc import Callable
from dataclasses import dataclass

from customs.sandbox.ledger import Ledger
from customs.sandbox.payment_ledger import PaymentLedger
from customs.sandbox.settings import SandboxSettings


@dataclass(frozen=True)
class SandboxContext:
    """The ledgers of declarations and payments, the settings; `now` gives Unix seconds."""

    ledger: Ledger
    payments: PaymentLedger
    settings: SandboxSettings
    now: Callable[[], float]
