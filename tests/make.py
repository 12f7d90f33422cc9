"""Builders: orders as an ERP hands them in, and answers as the gateway gives them; every number is used only once."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from customs.auth.principal import Caller, Scope
from customs.declarations.cases import case_sentence
from customs.declarations.intake.orders import Order
from customs.declarations.pushes.outcomes import PushState, RetryPolicy
from customs.declarations.schemas import DeclarationIn
from customs.declarations.states import Action, State
from customs.gateway import DeclarationReply, Exchange

MERCHANT = "M100"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PACE = RetryPolicy(poll_seconds=60.0, grace_seconds=420.0)
SECRETS = {"CUSTOMS_SECRET_KEY": "a secret of the tests", "CUSTOMS_PII_KEYS": "a key of the tests"}
# GB 11643: the weights of the first 17 digits, and the check character by the remainder.
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS = "10X98765432"

_serial = count(1)


def number(prefix: str) -> str:
    """A number that no other row of this process has."""
    return f"{prefix}{next(_serial):010d}"


def cert_id(serial: int = 1, *, birthday: str = "19900307", place: str = "110105") -> str:
    """A resident ID number that is well shaped and true."""
    digits = f"{place}{birthday}{serial:03d}"
    remainder = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, digits, strict=True)) % 11
    return digits + CHECK_CHARACTERS[remainder]


def sub_order_row(product: str = "9.00", transport: str = "1.00", **changes: Any) -> dict[str, Any]:
    """One part of a split order: by default 10.00 = 1.00 + 9.00."""
    row = {
        "sub_order_no": number("S"),
        "amount": str(Decimal(product) + Decimal(transport)),
        "transport_amount": transport,
        "product_amount": product,
    }
    return _changed(row, changes)


def stored_part(declaration_id: str, **values: Any) -> dict[str, Any]:
    """One part of a split order as a row of the database."""
    return {
        "declaration_id": declaration_id,
        "sub_order_no": number("a part "),
        "merchant_no": MERCHANT,
        "position": 1,
        "amount": Decimal("1.00"),
        "transport_amount": None,
        "product_amount": None,
    } | values


def declaration_row(channel: str = "wechatpay", *, parts: int = 0, **changes: Any) -> dict[str, Any]:
    """A Declaration of the contract that every rule lets pass; a change to None leaves the field out."""
    row: dict[str, Any] = {
        "channel": channel,
        "office": "HANGZHOU",
        "merchant_no": MERCHANT,
        "out_order_no": number("O"),
        "payment_no": number("P"),
        "mch_customs_no": "110396T0001",
    }
    if channel == "alipay":
        row["merchant_customs_name"] = "杭州示例商贸有限公司"
    if parts:
        row["sub_orders"] = [sub_order_row() for _ in range(parts)]
    return _changed(row, changes)


def buyer_row(**changes: Any) -> dict[str, Any]:
    return _changed({"name": "李雷", "cert_id": cert_id()}, changes)


def order(channel: str = "wechatpay", **changes: Any) -> Order:
    """The same, once its shape was checked."""
    loaded: Order = DeclarationIn().load(declaration_row(channel, **changes))
    return loaded


def caller(*merchants: str, scopes: frozenset[Scope] = frozenset(Scope)) -> Caller:
    """A key of these merchants; of all of them when none is named."""
    return Caller("key_of_a_test", "an ERP", scopes, frozenset(merchants) or None)


def exchange(**changes: Any) -> Exchange:
    call: dict[str, Any] = {
        "method": "GET",
        "path": "/wechatpay/declaration",
        "params": {},
        "status": 200,
        "reply": "{}",
        "duration_ms": 12,
    }
    return Exchange(**call | changes)


def reply(state: str = "PROCESSING", modify_time: datetime | None = NOON, **changes: Any) -> DeclarationReply:
    """What the gateway says of a push; the caller says which push."""
    shown: dict[str, Any] = {
        "out_order_no": None,
        "payment_no": None,
        "customs": None,
        "sub_order_no": None,
        "state": state,
        "modify_time": modify_time,
        "explanation": None,
        "cert_check_result": None,
        "gateway_no": None,
        "exchange": exchange(),
    }
    return DeclarationReply(**shown | changes)


def push_state(**changes: Any) -> PushState:
    """A push that was never sent."""
    columns: dict[str, Any] = {
        "state": State.UNDECLARED,
        "explanation": None,
        "identity": None,
        "modify_time": None,
        "accepted": False,
        "accepted_content": None,
        "content_in_doubt": False,
        "prior_state": None,
        "budget_from": None,
        "next_action": Action.SUBMIT,
        "due_at": NOON,
        "in_doubt": None,
        "refusal": None,
        "sent_at": None,
        "failed_attempts": 0,
        "poll_count": 0,
        "unknown_rounds": 0,
        "strays": 0,
        "case_kind": None,
        "case_detail": None,
    }
    return PushState(**columns | changes)


def reason(push_state: PushState) -> str | None:
    """The sentence of an open case."""
    return None if push_state.case_kind is None else case_sentence(push_state.case_kind, push_state.case_detail)


def sent(action: Action, at: datetime = NOON, **changes: Any) -> PushState:
    """A push whose call has left and whose outcome is awaited."""
    history: dict[str, Any] = {"next_action": Action.QUERY, "in_doubt": action, "sent_at": at, "budget_from": at}
    if action is not Action.SUBMIT:
        history |= {"accepted": True, "prior_state": State.SUCCESS, "modify_time": at - timedelta(hours=1)}
    return push_state(**history | changes)


def _changed(row: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (row | dict(changes)).items() if value is not None}
