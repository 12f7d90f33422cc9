"""The codes of what an order says: the rules of preflight, of its payment, and of what is held already."""

from customs.web.error_catalog.entry import Entry, Words

ORDERS = (
    Entry(
        "merchant_unknown",
        Words("This merchant is not one of this key's.", "Use one of the key's merchants, or a key for this one."),
        Words("该商户不在此密钥的权限内。", "使用密钥所属的商户，或换用该商户的密钥。"),
    ),
    Entry(
        "number_invalid",
        Words(
            "A number has 1 to 32 characters of `0-9 A-Z a-z _ - | * @`.",
            "Correct it; in a spreadsheet, format the column as text.",
        ),
        Words("单号须为 1 至 32 位，只能用 `0-9 A-Z a-z _ - | * @`。", "更正单号；在表格中把该列设为文本格式。"),
    ),
    Entry(
        "office_unknown",
        Words("There is no such office.", "Use one of `GET /api/v1/offices`."),
        Words("没有这个海关。", "从 `GET /api/v1/offices` 中选择。"),
    ),
    Entry(
        "office_without_codes",
        Words("The office takes no declarations through this channel.", "Use the other channel or another office."),
        Words("该海关不接受此支付渠道的申报。", "换用另一支付渠道或其他海关。"),
    ),
    Entry(
        "registration_missing",
        Words(
            "No customs number was given, and none is on file for this merchant, channel and office.",
            "Add `mch_customs_no`, or put the number on file with `PUT /api/v1/registrations`.",
        ),
        Words(
            "未提供商户海关备案号，且该商户、渠道、海关没有登记备案。",
            "补上 `mch_customs_no`，或用 `PUT /api/v1/registrations` 登记备案。",
        ),
    ),
    Entry(
        "registration_name_missing",
        Words(
            "Alipay needs the registered name, and none was given or is on file.",
            "Add `merchant_customs_name`, or put it into the registration.",
        ),
        Words("支付宝要求商户海关备案名称，但未提供也未登记。", "补上 `merchant_customs_name`，或写入备案登记。"),
    ),
    Entry(
        "amount_zero",
        Words("An amount must be over zero.", "Correct the amount."),
        Words("金额必须大于零。", "更正金额。"),
    ),
    Entry(
        "amount_part_missing",
        Words(
            "WeChat needs `transport_amount` and `product_amount` of each part.",
            "Add both; `0.00` when there is none.",
        ),
        Words("微信要求每个子订单同时提供物流费和商品价格。", "补齐两者；没有则写 `0.00`。"),
    ),
    Entry(
        "amount_sum",
        Words(
            "The amount of a part is not its freight and its goods together.",
            "Make amount = transport_amount + product_amount, to the fen.",
        ),
        Words("子订单金额不等于物流费加商品价格。", "使 amount = transport_amount + product_amount，精确到分。"),
    ),
    Entry(
        "sub_order_no_missing",
        Words(
            "Amounts stand here without a sub-order number.",
            "If the order is not split, leave the amounts out; if it is split, name the sub-order.",
        ),
        Words("填写了金额，但没有子订单号。", "未拆单：清空子订单金额、物流费、商品价格；已拆单：补上子订单号。"),
    ),
    Entry(
        "sub_order_repeated",
        Words("One sub-order number stands twice in an order.", "Give each part its own number."),
        Words("同一订单中子订单号重复。", "每个子订单使用不同的单号。"),
    ),
    Entry(
        "duty_not_for_alipay",
        Words("Alipay takes no duty.", "Leave `duty` out."),
        Words("支付宝不接受关税字段。", "去掉 `duty`。"),
    ),
    Entry(
        "name_invalid",
        Words(
            "The buyer's name is too long, begins or ends with a blank, or holds a character that shows nothing.",
            "Delete the name, and type it as the ID card has it instead of copying it.",
        ),
        Words("订购人姓名过长，首尾有空格，或含有看不见的字符。", "请清空后按身份证手工输入，不要复制粘贴。"),
    ),
    Entry(
        "buyer_incomplete",
        Words(
            "A buyer has a name and an ID number, and here one of them is missing.",
            "Add it, or leave both out.",
        ),
        Words("订购人姓名和身份证号缺了一个。", "请补齐；不申报订购人时，两项都留空。"),
    ),
    Entry(
        "cert_id_shape",
        Words("An ID number has 17 digits and a digit or X.", "Correct it; keep the column as text."),
        Words("身份证号应为 17 位数字加一位数字或 X。", "更正证件号；表格中把该列设为文本格式。"),
    ),
    Entry(
        "cert_id_invalid",
        Words(
            "The ID number is well shaped and cannot be true: its check digit or its birth date is wrong.",
            "Ask the buyer for the number on their ID card.",
        ),
        Words("身份证号校验未通过：校验码或出生日期有误。", "请订购人提供身份证上的号码。"),
    ),
    Entry(
        "cert_id_region",
        Words(
            "A warning: the first two digits of the ID number are no region's.",
            "Compare it with the ID card.",
        ),
        Words("提醒：身份证号前两位不是任何地区的代码。", "请与身份证核对。"),
    ),
    Entry(
        "over_single_limit",
        Words(
            "A warning: the order is over the personal limit of 5,000 yuan a purchase.",
            "Check that customs will take it as a personal purchase.",
        ),
        Words("提醒：超过个人单次限值 5,000 元。", "确认海关会按个人物品放行。"),
    ),
    Entry(
        "over_yearly_limit",
        Words(
            "A warning: this buyer's purchases come to over 26,000 yuan this year.",
            "Check with the buyer; customs may refuse it.",
        ),
        Words("提醒：该订购人今年的申报额超过 26,000 元。", "与订购人核实；海关可能退单。"),
    ),
    Entry(
        "repeated_in_batch",
        Words(
            "Two rows of the batch declare one payment at one place.",
            "Remove one of them, or join their sub-orders in one declaration.",
        ),
        Words("同一批次中有两行申报同一笔支付。", "删除其一，或把子订单合并到一条申报单。"),
    ),
    Entry(
        "already_declared",
        Words(
            "This payment is declared at this office already, with other content.",
            "Correct that declaration with modify, or send it again with redeclare.",
        ),
        Words("该笔支付已在此海关申报，且内容不同。", "用 modify 更正原申报单，或用 redeclare 重推。"),
    ),
    Entry(
        "declared_elsewhere",
        Words(
            "Another declaration already declares this payment at the same customs code.",
            "Use that one; cancel it first if it was the wrong office and nothing was sent.",
        ),
        Words("另一条申报单已向同一海关编号申报该笔支付。", "使用原申报单；若选错海关且尚未发送，先取消它。"),
    ),
    Entry(
        "split_mixed",
        Words(
            "This payment is declared both split and as a whole at one customs code.",
            "Declare it either split or as a whole.",
        ),
        Words("同一海关编号下，该笔支付既拆单又整单申报。", "只用拆单或整单其中一种方式。"),
    ),
    Entry(
        "payment_shared",
        Words("A warning: another merchant declares a payment of this number.", "Check the number."),
        Words("提醒：另一商户也申报了同一支付单号。", "核对支付单号。"),
    ),
    Entry(
        "order_number_in_use",
        Words(
            "Another payment is declared under this order or sub-order number, and the gateway finds it by the number.",
            "Give each payment numbers of its own; cancel the other declaration first if it was wrong and not sent.",
        ),
        Words(
            "该订单号或子订单号已用于另一笔支付的申报，而网关只凭单号查询。",
            "每笔支付使用各自的单号；若另一条申报单有误且尚未发送，请先撤销它。",
        ),
    ),
    Entry(
        "payment_unknown",
        Words(
            "This payment was not made here: an error when the order is to wait for it, else a warning.",
            'Hand the order in when it is paid, with `"submit": "now"`; or check the number.',
        ),
        Words(
            "该笔支付不是在本系统发起的：等待支付时为错误，否则为提醒。",
            '支付后再以 `"submit": "now"` 提交；或核对单号。',
        ),
    ),
    Entry(
        "payment_not_paid",
        Words("This payment is not paid yet.", 'Wait for it with `"submit": "when_paid"`.'),
        Words("该笔支付尚未完成。", '用 `"submit": "when_paid"` 等待支付完成。'),
    ),
    Entry(
        "payment_ended",
        Words("This payment failed or expired.", "Declare the payment that was made."),
        Words("该笔支付已失败或过期。", "申报实际完成的那笔支付。"),
    ),
    Entry(
        "payment_refunded",
        Words("This payment was refunded.", "There is nothing left to declare."),
        Words("该笔支付已全额退款。", "没有可申报的内容。"),
    ),
    Entry(
        "partly_refunded",
        Words(
            "A warning: a part of this payment was refunded, and the order declares it whole.",
            "Check the order; declare what is left as sub-orders.",
        ),
        Words("提醒：该笔支付部分退款，而订单按整单申报。", "核对订单；剩余部分可拆单申报。"),
    ),
    Entry(
        "refund_under_way",
        Words(
            "A refund of this payment is under way.",
            "Wait until the refund has ended. Where it has waited for a day for a call's outcome, dismiss lets it go.",
        ),
        Words("该笔支付正在退款。", "等退款结束后再操作；若退款因调用结果未明已等待一天，关闭异常即放行退款。"),
    ),
    Entry(
        "over_payment",
        Words("The sub-orders come to more than what was paid less what was refunded.", "Correct the amounts."),
        Words("子订单合计超过实付减去退款的金额。", "更正金额。"),
    ),
    Entry(
        "wallet_not_mainland",
        Words("A warning: the payer's wallet is not a mainland one.", "Check with the payment company."),
        Words("提醒：付款人使用的不是大陆钱包。", "向支付公司确认。"),
    ),
    Entry(
        "payment_old",
        Words("A warning: the payment is older than 365 days.", "The payment company may refuse it: check."),
        Words("提醒：该笔支付已超过 365 天。", "支付公司可能拒绝，请确认。"),
    ),
    Entry(
        "order_differs",
        Words("A warning: the payment was made for another order number.", "Customs compares the two: check it."),
        Words("提醒：该笔支付对应另一个订单号。", "海关会比对两者，请核对。"),
    ),
)
