"""A typed client for the WiseCashier gateway, usable on its own: it knows the document and nothing of us."""

from customs.gateway.channels import Channel, DeclarationChannel, channels
from customs.gateway.client import Gateway
from customs.gateway.declaration_request import Buyer, Filing, SubOrderPart
from customs.gateway.endpoints import BY_NAME, ENDPOINTS, Endpoint, check
from customs.gateway.errors import (
    Busy,
    ClockSkew,
    Credentials,
    ForgedNotification,
    GatewayError,
    MalformedNotification,
    Misuse,
    NotFound,
    NotSent,
    OtherRecord,
    Refused,
    RefusedNotification,
    TooLate,
    Unknown,
    UnreadableKey,
)
from customs.gateway.exchange import Exchange, Reply
from customs.gateway.messages import (
    DeclarationReply,
    OrderReply,
    PayerData,
    PayerKind,
    RefundReply,
    SaleReply,
    declaration_reply,
    find_records,
    holds_others,
    withheld,
    without_others,
)
from customs.gateway.messages.sales import Sale
from customs.gateway.methods import METHODS, Method, cashier_url, method_of
from customs.gateway.money import CURRENCY_PLACES, amount_text, as_meant, in_places, money_text
from customs.gateway.notification import Notification, read_notification
from customs.gateway.signing import Signer, Verifier, notification_text, signing_text
from customs.gateway.wallets import RateReply, Wallet, wallets

__all__ = [
    "BY_NAME",
    "CURRENCY_PLACES",
    "ENDPOINTS",
    "METHODS",
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
    "ForgedNotification",
    "Gateway",
    "GatewayError",
    "MalformedNotification",
    "Method",
    "Misuse",
    "NotFound",
    "NotSent",
    "Notification",
    "OrderReply",
    "OtherRecord",
    "PayerData",
    "PayerKind",
    "RateReply",
    "RefundReply",
    "Refused",
    "RefusedNotification",
    "Reply",
    "Sale",
    "SaleReply",
    "Signer",
    "SubOrderPart",
    "TooLate",
    "Unknown",
    "UnreadableKey",
    "Verifier",
    "Wallet",
    "amount_text",
    "as_meant",
    "cashier_url",
    "channels",
    "check",
    "declaration_reply",
    "find_records",
    "holds_others",
    "in_places",
    "method_of",
    "money_text",
    "notification_text",
    "read_notification",
    "signing_text",
    "wallets",
    "withheld",
    "without_others",
]
