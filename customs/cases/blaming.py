"""Blaming: which fields of what was sent an explanation speaks of, by the words in it; none where it does not say."""

import re
from collections.abc import Collection, Mapping

from customs.declarations.causes import Error

AMOUNTS = ("sub_order_amount", "transport_amount", "product_amount")
BUYER = ("name", "cert_id")
REGISTRATION = ("mch_customs_no", "merchant_customs_name")

# Read from top to bottom; what one row has read is gone for those below: a registered name is no registration number.
WORDS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(words, re.IGNORECASE), fields)
    for words, fields in (
        (r"备案名称?|企业名称|商户名称|merchant_customs_name|registered name|company name", REGISTRATION[1:]),
        (r"备案编?号|海关编码|mch_customs_no|registration (?:number|no)\b", REGISTRATION[:1]),
        (r"备案|registration|registered", REGISTRATION),
        (r"身份证|证件|cert_id|\bid (?:card|number|no)\b", BUYER[1:]),
        (r"姓名|buyer'?s? name", BUYER[:1]),
        (r"身份|实名|订购人|支付人|付款人|identity|\bbuyer\b|\bpayer\b", BUYER),
        (r"运费|物流费|transport_amount|transport|freight", AMOUNTS[1:2]),
        (r"货款|货值|商品价格|商品金额|product_amount|product|goods", AMOUNTS[2:]),
        (r"金额|拆单|\bamounts?\b|sub_order_amount", AMOUNTS),
        (r"关税|税额|税款|\bduty\b|\btax\b", ("duty",)),
        (r"子订单号?|sub[-_ ]?order(?:_no)?", ("sub_order_no",)),
        (r"关区|海关编号|海关代码|customs code", ("customs",)),
        (r"支付单号?|支付流水|交易单?号|流水号|payment_no|payment number|transaction", ("payment_no",)),
        (r"订单|\border\b|out_order_no|ORDERNOTEXIST", ("out_order_no", "payment_no")),
    )
)
# Whose explanation is the gateway's own; the others are explained in words of ours.
EXPLAINED = frozenset({Error.FAIL, Error.EXCEPT, Error.REFUSED})
# What the others are about.
BY_ERROR: Mapping[Error, tuple[str, ...]] = {
    Error.IDENTITY: BUYER,
    Error.OVER_PAID: AMOUNTS,
    Error.REFUND: AMOUNTS,
}


def blamed(error: Error, explanation: str, among: Collection[str]) -> frozenset[str]:
    """Those of these fields, by their names on the wire, that are to blame as far as anybody says."""
    named = set(BY_ERROR.get(error, ()))
    left = explanation if error in EXPLAINED else ""
    for words, fields in WORDS:
        left, times = words.subn(" ", left)
        named.update(fields if times else ())
    return frozenset(named.intersection(among))
