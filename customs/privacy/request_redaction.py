"""Redact bodies, paths and queries for the request log: only values known to be harmless are shown."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from stdnum.cn import ric

from customs.privacy.masking import ANY_CERT_ID, mask_cert_id, mask_free_text, mask_name

HIDDEN = "***"
LONGEST_SHOWN = 16 * 1024
# Above this a body is neither read nor kept: its size and digest say whether it was the same.
LARGEST_READ = 64 * 1024

# Objects and lists that are looked into; whatever else holds more than a value is hidden whole.
HOLDERS = frozenset(
    [
        "declarations",
        "sub_orders",
        "buyer",
        "registrations",
        "pushes",
        "counts",
        "case",
        "allowed_actions",
        "findings",
        "errors",
        "results",
        "data",
        "types",
        "replayed",
        "refunds",
        "deliveries",
        "merchants",
    ]
)
# Fields of one word without blanks: numbers, amounts, times, and words of ours.
WORDS = frozenset(
    [
        "channel",
        "office",
        "merchant_no",
        "out_order_no",
        "payment_no",
        "mch_customs_no",
        "duty",
        "submit",
        "sub_order_no",
        "amount",
        "transport_amount",
        "product_amount",
        "on_error",
        "override",
        "id",
        "batch_id",
        "created_at",
        "state",
        "identity",
        "cancelled",
        "waiting_for",
        "needs_review",
        "since",
        "customs",
        "attempts",
        "next_action",
        "due_at",
        "action",
        "allowed",
        "not_before",
        "replayed",
        "total",
        "status",
        "pointer",
        "row",
        "column",
        "severity",
        "type",
        "request_id",
        "has_more",
        "next_cursor",
        "method",
        "currency",
        "paid_at",
        "pay_amount",
        "pay_currency",
        "exchange_rate",
        "trade_type",
        "wallet",
        "refund_status",
        "refundable_amount",
        "outcome_unknown",
        "payment_id",
        "outer_refund_no",
        "refund_no",
        "ended_at",
        "agent_no",
        "stopped_at",
        "held_until",
        "updated_at",
        "declaration_id",
        "index",
        "pushes",
        "kind",
        "event_id",
        "endpoint_id",
        "limit",
        "cursor",
        "until",
        "start",
        "end",
        "refresh",
        "results",
        "key_id",
        "types",
        "merchants",
        "deliveries",
    ]
)
# What people write: shown, but for what looks like an ID or phone number in it.
TEXTS = frozenset(
    ["merchant_customs_name", "reason", "subject", "explanation", "title", "why", "description", "paused_why"]
)
# In an answer `code` names what is wrong; in a request it is a payer's login code.
ANSWERED_WORDS = WORDS | {"code"}
ANSWERED_TEXTS = TEXTS | {"detail"}
MASKS = {"name": mask_name, "cert_id": mask_cert_id}

WORD = re.compile(r"[0-9A-Za-z_.:,+/?~%=-]{1,200}", re.ASCII)
FIELD = re.compile(r"[a-zA-Z_][0-9a-zA-Z_]{0,63}", re.ASCII)
SMALL = 10**9
BIRTH_DATE = re.compile(r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])")


def shown_request(raw: bytes) -> str:
    """Redact a request's body and cut it; return "***" if it is not JSON."""
    return _shown(raw, WORDS, TEXTS)


def shown_answer(raw: bytes) -> str:
    """Redact an answer's body; error details may repeat the unknown name of a field."""
    parsed = _parsed(raw)
    errors = parsed.get("errors") if isinstance(parsed, dict) else None
    pointers = [str(one.get("pointer")) for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
    plain = all(pointer == "" or _word(pointer) == pointer for pointer in pointers)
    return _shown(raw, ANSWERED_WORDS, ANSWERED_TEXTS if plain else TEXTS)


def shown_path(path: str) -> str:
    """Redact a path: an ID number or name that somebody put there is hidden."""
    return "/".join(_word(part) if part else "" for part in path.split("/"))


def shown_query(pairs: Iterable[tuple[str, str]]) -> str | None:
    """Redact a query string: only values of parameters that the API knows are shown."""
    shown = [f"{_field(name)}={_word(value) if name in WORDS else HIDDEN}" for name, value in pairs]
    return "&".join(shown) or None


def _shown(raw: bytes, words: frozenset[str], texts: frozenset[str]) -> str:
    parsed = _parsed(raw)
    masked = HIDDEN if parsed is None else json.dumps(_masked(parsed, "", words, texts), ensure_ascii=False)
    return masked[:LONGEST_SHOWN]


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _masked(value: Any, field: str, words: frozenset[str], texts: frozenset[str]) -> Any:
    if isinstance(value, Mapping):
        if field and field not in HOLDERS:
            return HIDDEN
        return {_field(name): _masked(one, name, words, texts) for name, one in value.items()}
    if isinstance(value, list):
        return [_masked(one, field, words, texts) for one in value] if not field or field in HOLDERS else HIDDEN
    if value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) < SMALL):
        return value
    if field in MASKS:
        return MASKS[field](str(value))
    if field in words:
        return _word(str(value))
    return mask_free_text(str(value).replace("\x00", "�")) if field in texts else HIDDEN


def _word(text: str) -> str:
    if not WORD.fullmatch(text):
        return HIDDEN
    # An order number may have 18 digits too; that these are also a true ID number is rare enough.
    return ANY_CERT_ID.sub(lambda found: _certain(found.group()), text)


def _certain(digits: str) -> str:
    true = BIRTH_DATE.match(digits, 6) and ric.calc_check_digit(digits) == digits[-1].upper()
    return mask_cert_id(digits) if true else digits


def _field(name: str) -> str:
    return name if FIELD.fullmatch(name) else HIDDEN
