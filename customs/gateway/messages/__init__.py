"""The only folder that knows the document's many spellings: from a reply's JSON to what it says, a noun a file."""

from customs.gateway.messages.declarations import DeclarationReply, declaration_reply
from customs.gateway.messages.orders import OrderReply, RefundReply, order_reply, refund_replies, refund_reply
from customs.gateway.messages.owners import holds_others, withheld, without_others
from customs.gateway.messages.records import find_records
from customs.gateway.messages.sales import PayerData, PayerKind, SaleReply, openid_in, sale_reply

__all__ = [
    "DeclarationReply",
    "OrderReply",
    "PayerData",
    "PayerKind",
    "RefundReply",
    "SaleReply",
    "declaration_reply",
    "find_records",
    "holds_others",
    "openid_in",
    "order_reply",
    "refund_replies",
    "refund_reply",
    "sale_reply",
    "withheld",
    "without_others",
]
