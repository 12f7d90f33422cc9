"""The field names of each wallet (4 and 6), so that one class speaks to both."""

from collections.abc import Mapping
from dataclasses import dataclass

from customs.gateway.channels import Channel
from customs.gateway.endpoints import BY_NAME, Endpoint


@dataclass(frozen=True)
class FieldNames:
    """A wallet's names of parameters, and its endpoints.

    `our_no_of_refunds` is what our order's number is called where refunds are listed (4.10, 6.7).
    """

    our_no: str
    subject: str
    payment_no: str
    our_no_of_refunds: str
    order: Endpoint
    refund: Endpoint
    query_refund: Endpoint
    rate: Endpoint


FIELD_NAMES: Mapping[Channel, FieldNames] = {
    Channel.WECHATPAY: FieldNames(
        our_no="agent_order_id",
        subject="product_info",
        payment_no="order_no",
        our_no_of_refunds="agent_order_id",
        order=BY_NAME["order"],
        refund=BY_NAME["refund"],
        query_refund=BY_NAME["query_refund"],
        rate=BY_NAME["rate"],
    ),
    Channel.ALIPAY: FieldNames(
        our_no="out_order_no",
        subject="subject",
        payment_no="payment_no",
        our_no_of_refunds="outer_order_no",
        order=BY_NAME["alipay_order"],
        refund=BY_NAME["alipay_refund"],
        query_refund=BY_NAME["alipay_query_refund"],
        rate=BY_NAME["alipay_rate"],
    ),
}
