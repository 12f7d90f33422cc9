"""Which fault meets which call: by a word in its order number, by seed, or all of them in an outage."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace

from customs.gateway.endpoints import Endpoint
from customs.sandbox.faults import FAULTS, OUTAGE, Fault
from customs.sandbox.ledger import NUMBERS, Ledger
from customs.sandbox.words import Words

BY_WORD = {fault.word: fault for fault in FAULTS}
SEEDED = tuple(fault for fault in FAULTS if fault.seeded)
KINDS = ("ADD", "MODIFY", "REPUSH", "QUERY")
WORDS = Words(BY_WORD, prefixes=KINDS)


@dataclass(frozen=True)
class Forecast:
    """What is set at present: `fault_rate` is 0 to 1; in an outage every call is answered 503."""

    fault_seed: int
    fault_rate: float
    outage: bool = False


class Weather:
    """The faults of one sandbox; the forecast may change while it runs."""

    def __init__(self, ledger: Ledger, forecast: Forecast) -> None:
        self._ledger = ledger
        self.forecast = forecast

    def change(self, **changes: int | float | bool) -> None:
        """Set the fields of the forecast that are given, leave the rest."""
        self.forecast = replace(self.forecast, **changes)  # type: ignore[arg-type]

    def fault_for(self, endpoint: Endpoint, params: Mapping[str, str]) -> Fault | None:
        """The fault that strikes this call, if any: by word, else by seed."""
        forecast = self.forecast
        if forecast.outage:
            return OUTAGE
        return self._by_word(kind_of(endpoint, params), params) or self._by_seed(forecast, endpoint, params)

    def _by_word(self, kind: str, params: Mapping[str, str]) -> Fault | None:
        for name in ("sub_order_no", "out_order_no"):
            if found := WORDS.found(params.get(name, "")):
                wanted, word = found
                if wanted in ("", kind) and self._ledger.count(f"{wanted} {params[name]}") <= BY_WORD[word].times:
                    return BY_WORD[word]
        return None

    def _by_seed(self, forecast: Forecast, endpoint: Endpoint, params: Mapping[str, str]) -> Fault | None:
        if not forecast.fault_rate:
            return None
        # The dice know the seed, the call's numbers and how often it came: never the time.
        call = " ".join([endpoint.name, *(params.get(name, "-") for name in (*NUMBERS, "customs", "action_type"))])
        dice = random.Random(f"{forecast.fault_seed} {call} {self._ledger.count(call)}")  # noqa: S311 - repeatable on purpose
        return dice.choice(SEEDED) if dice.random() < forecast.fault_rate else None


def kind_of(endpoint: Endpoint, params: Mapping[str, str]) -> str:
    """ADD, MODIFY, REPUSH or QUERY: the word that may stand before a fault's word to aim it."""
    if endpoint.method == "GET":
        return "QUERY"
    return "REPUSH" if endpoint.path.endswith("/redeclaration") else params.get("action_type", "ADD")
