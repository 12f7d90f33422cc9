"""A typed client for the WiseCashier gateway, usable on its own: it knows the document and nothing of us."""

from customs.gateway.channels import Channel, DeclarationChannel, channels
from customs.gateway.client import Gateway
from customs.gateway.endpoints import BY_NAME, ENDPOINTS, Endpoint, check
from customs.gateway.errors import (
    Busy,
    ClockSkew,
    Credentials,
    GatewayError,
    Misuse,
    NotFound,
    NotSent,
    Refused,
    Unknown,
    UnreadableKey,
)
from customs.gateway.exchange import Exchange, Reply
from customs.gateway.filings import Buyer, Filing, SubOrderPart, money_text
from customs.gateway.messages import DeclarationReply, declaration_reply, find_records
from customs.gateway.signing import Signer, Verifier, notification_text, signing_text

__all__ = [
    "BY_NAME",
    "ENDPOINTS",
    "Busy",
    "Buyer",
    "Channel",
    "ClockSkew",
    "Credentials",
    "DeclarationChannel",
    "DeclarationReply",
    "Endpoint",
    "Exchange",
    "Filing",
    "Gateway",
    "GatewayError",
    "Misuse",
    "NotFound",
    "NotSent",
    "Refused",
    "Reply",
    "Signer",
    "SubOrderPart",
    "Unknown",
    "UnreadableKey",
    "Verifier",
    "channels",
    "check",
    "declaration_reply",
    "find_records",
    "money_text",
    "notification_text",
    "signing_text",
]
