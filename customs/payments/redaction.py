"""Seal and mask who paid, and the codes they showed."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from customs.gateway import Exchange, GatewayError, OrderReply, SaleReply
from customs.payments.tasks.outcomes import Outcome
from customs.privacy.masking import mask_reply

# Names under which the gateway sends and is sent what belongs to a person (4.1, 4.2, 4.9, 6.5).
PERSONAL = ("openid", "auth_code", "code", "buyer_email", "buyer_id")
SHOWN = 2
# A field of JSON, also of JSON within a JSON text (3), with its text or its number. A text without an end goes to the
# end of the reply: looking for it again from each field would be quadratic.
IN_JSON = re.compile(
    r'((\\{0,16})"(?:' + "|".join(PERSONAL) + r')\2"\s*:\s*)(?:\2"(.*?)(?:(?<!\\)\2"|\Z)|(-?[0-9][0-9.]*))', re.DOTALL
)

T = TypeVar("T", bound=Outcome)


def personal_place(payment_id: str) -> str:
    """Where a payer's data is sealed to."""
    return f"payments.personal:{payment_id}"


def inputs_place(payment_id: str) -> str:
    """Where a payment's inputs are sealed to."""
    return f"payments.inputs:{payment_id}"


def mask_account(value: str) -> str:
    """`oQx43wJiwtsjv8C0` becomes `oQ****C0`."""
    return f"{value[:SHOWN]}****{value[-SHOWN:]}" if len(value) > 2 * SHOWN else "****"


def mask_words(text: str, values: Mapping[str, str] | None = None) -> str:
    """A text of the gateway's with personal fields masked, and these values wherever they are echoed."""
    text = IN_JSON.sub(_masked_field, text)
    for name, value in (values or {}).items():
        if name in PERSONAL and len(value) > 2 * SHOWN:
            text = text.replace(value, mask_account(value))
    return text


def _masked_field(found: re.Match[str]) -> str:
    return f'{found[1]}{found[2]}"{mask_account(found[3] or found[4] or "")}{found[2]}"'


def masked(outcome: T, inputs: Mapping[str, str]) -> T:
    """The same outcome fit to be kept: its exchange ends in the timeline, its words in explanations."""
    inputs = {**inputs, **_payer_in(outcome)}
    if isinstance(outcome, GatewayError):
        outcome.message = mask_words(outcome.message, inputs)
        outcome.exchange = outcome.exchange and _masked(outcome.exchange, inputs)
        return outcome
    return replace(outcome, exchange=_masked(outcome.exchange, inputs))


def _payer_in(outcome: Outcome) -> Mapping[str, str]:
    """Who paid, as an answer says it: their account may be echoed under other names."""
    order = outcome.order if isinstance(outcome, SaleReply) else outcome
    return order.personal if isinstance(order, OrderReply) else {}


def _masked(exchange: Exchange, inputs: Mapping[str, str]) -> Exchange:
    params = {name: mask_account(value) if name in PERSONAL else value for name, value in exchange.params.items()}
    return replace(exchange, params=params, reply=mask_reply(mask_words(exchange.reply, inputs), None))
