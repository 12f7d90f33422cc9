"""Choose the fault of a call: by a word in its order number, by seed, or the outage."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from customs.gateway.endpoints import Endpoint
from customs.sandbox.declaration_scenarios import Words
from customs.sandbox.faults import FAULTS, OUTAGE, InjectedFault
from customs.sandbox.ledger import NUMBERS, Ledger, PaymentLedger

BY_WORD = {fault.word: fault for fault in FAULTS}
SEEDED = tuple(fault for fault in FAULTS if fault.seeded)
KINDS = ("ADD", "MODIFY", "REPUSH", "PAY", "REFUND", "QUERY")
WORDS = Words(BY_WORD, prefixes=KINDS)
REFUND_PATHS = ("/refund", "/alipay/refund")
# Our numbers, the most exact first, and the gateway's, which stand for what we called it.
SPOKEN = ("outer_refund_no", "sub_order_no", "out_order_no", "agent_order_id", "outer_order_no")
THEIRS = ("order_no", "payment_no")
ROLLED = (*NUMBERS, "customs", "action_type")


@dataclass(frozen=True)
class FaultConfig:
    """The configuration at present: `fault_rate` is 0 to 1; in an outage every call is answered 503."""

    fault_seed: int
    fault_rate: float
    outage: bool = False


class FaultInjector:
    """Chooses the faults of one sandbox; the configuration may change while it runs."""

    def __init__(self, ledger: Ledger, config: FaultConfig) -> None:
        self._ledger = ledger
        self._payments = PaymentLedger(ledger)
        self.config = config

    def change(self, **changes: Any) -> None:
        """Set the fields of the configuration that are given, leave the rest."""
        self.config = replace(self.config, **changes)

    def fault_for(self, endpoint: Endpoint, params: Mapping[str, str]) -> InjectedFault | None:
        """Return the fault of this call, if any: by word, else by seed."""
        config = self.config
        if config.outage:
            return OUTAGE
        return self._by_word(endpoint, params) or self._by_seed(config, endpoint, params)

    def _by_word(self, endpoint: Endpoint, params: Mapping[str, str]) -> InjectedFault | None:
        kind = kind_of(endpoint, params)
        for number in self._numbers(endpoint, params):
            if found := WORDS.found(number):
                wanted, word = found
                if wanted in ("", kind) and self._ledger.count(f"{wanted} {number}") <= BY_WORD[word].times:
                    return BY_WORD[word]
        return None

    def _numbers(self, endpoint: Endpoint, params: Mapping[str, str]) -> Iterator[str]:
        """Yield the caller's numbers in a call, or behind the gateway's numbers in it."""
        yield from (params[name] for name in SPOKEN if name in params)
        if is_declaration(endpoint):
            return
        refund = self._payments.refund(params.get("refund_no", ""))
        payment = next((self._payments.payment(params[name]) for name in THEIRS if name in params), None)
        yield from (refund.outer_refund_no, refund.our_no) if refund else ()
        yield from (payment.our_no,) if payment else ()

    def _by_seed(self, config: FaultConfig, endpoint: Endpoint, params: Mapping[str, str]) -> InjectedFault | None:
        if not config.fault_rate:
            return None
        # The dice know the seed, the call's numbers and how often it came: never the time.
        rolled = ROLLED if is_declaration(endpoint) else sorted(params)
        call = " ".join([endpoint.name, *(params.get(name, "-") for name in rolled)])
        dice = random.Random(f"{config.fault_seed} {call} {self._ledger.count(call)}")  # noqa: S311 - repeatable on purpose
        return dice.choice(SEEDED) if dice.random() < config.fault_rate else None


def is_declaration(endpoint: Endpoint) -> bool:
    """Whether it is one of section 9."""
    return endpoint.section.startswith("9.")


def kind_of(endpoint: Endpoint, params: Mapping[str, str]) -> str:
    """Which of KINDS a call is: the word that may stand before a fault's word to aim it."""
    if endpoint.method == "GET":
        return "QUERY"
    if endpoint.path in REFUND_PATHS:
        return "REFUND"
    if not is_declaration(endpoint):
        return "PAY"
    return "REPUSH" if endpoint.path.endswith("/redeclaration") else params.get("action_type", "ADD")
