"""The codes of collecting and refunding."""

from customs.web.error_catalog.entry import Entry, Words

PAYMENTS = (
    Entry(
        "currency_unknown",
        Words("The gateway does not take this currency.", "Use one of those that `detail` lists."),
        Words("网关不支持该币种。", "使用 `detail` 所列的币种。"),
    ),
    Entry(
        "amount_places",
        Words("The amount has more places than its currency.", "Yen and won have none, all others two."),
        Words("金额的小数位数超过币种的规定。", "日元、韩元没有小数，其余两位。"),
    ),
    Entry(
        "input_unused",
        Words("The method takes no such input.", "Leave it out, or use the method it belongs to."),
        Words("该支付方式不需要此字段。", "去掉它，或换用对应的支付方式。"),
    ),
    Entry(
        "number_taken",
        Words(
            "This order number already stands for another payment.",
            "Choose another number; a repeat must have the same content.",
        ),
        Words("该订单号已用于另一笔支付。", "换一个单号；重发时内容必须一致。"),
    ),
    Entry(
        "extra_taken",
        Words("A name in `extra` belongs to the cashier desk itself.", "Choose another name."),
        Words("`extra` 中的名称与收银台参数冲突。", "换一个名称。"),
    ),
    Entry(
        "code_refused",
        Words("The gateway refused this login code; each is good for once.", "Have the payer log in again."),
        Words("网关拒绝了登录凭证 code；每个只能用一次。", "让付款人重新登录。"),
    ),
    Entry(
        "not_paid",
        Words("The payment is not PAID, so nothing of it can be refunded.", "Wait until it is paid."),
        Words("支付尚未完成，不能退款。", "等支付完成后再退款。"),
    ),
    Entry(
        "number_unknown",
        Words("The gateway has not told its number of this payment yet.", "Try again in a moment."),
        Words("网关尚未返回该笔支付的单号。", "稍后再试。"),
    ),
    Entry(
        "over_refundable",
        Words("The refund is more than what is left.", "Use at most what `detail` says; without an amount, all of it."),
        Words("退款金额超过可退余额。", "不超过 `detail` 所述金额；不填金额则退全部余额。"),
    ),
    Entry(
        "gateway_refused",
        Words("The gateway refuses to answer this.", "`detail` repeats its words: ask for something else."),
        Words("网关拒绝回答此请求。", "`detail` 是网关的原话，请更换查询内容。"),
    ),
)
