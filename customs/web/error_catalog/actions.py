"""The codes of what may not be done with a declaration now: the rules of review."""

from customs.web.error_catalog.entry import Entry, Words

ACTIONS = (
    Entry(
        "cancelled",
        Words("The declaration was cancelled.", "Hand the order in again; its numbers are free."),
        Words("申报单已取消。", "重新提交订单；单号可再次使用。"),
    ),
    Entry(
        "in_flight",
        Words("A call for this push is under way.", "Try again after `not_before`: a minute at most."),
        Words("正在向网关发送。", "到 `not_before` 后再试，最多一分钟。"),
    ),
    Entry(
        "outcome_unknown",
        Words(
            "Nobody knows yet what became of the last call; the gateway is being asked.",
            "Wait: nothing else is sent before the gateway has answered. When asking leads nowhere, ask the gateway.",
        ),
        Words("上一次调用结果未知，正在向网关查询。", "请等待：网关答复之前不会再发送；若一直没有结果，请联系网关。"),
    ),
    Entry(
        "still_running",
        Words("The push has not ended and goes on by itself.", "Wait for SUCCESS, FAIL or EXCEPT."),
        Words("推送尚未结束，会自动继续。", "等待 SUCCESS、FAIL 或 EXCEPT。"),
    ),
    Entry(
        "fail_needs_correction",
        Words(
            "A FAIL comes back as FAIL when nothing is corrected.",
            "Correct it with modify; or let it out as it is with `override`, which needs `declarations:review`.",
        ),
        Words(
            "FAIL 不更正就重推，结果仍会是 FAIL。",
            "先用 modify 更正；或用 `override` 强制重推（需要 `declarations:review`）。",
        ),
    ),
    Entry(
        "no_repush",
        Words("This customs code takes no re-push.", "Ask the office; the declaration stays as it is."),
        Words("该海关编号不支持重推。", "联系海关；申报单保持原状。"),
    ),
    Entry(
        "too_early",
        Words("Alipay ignores a re-push so soon after the last one.", "Try again after `not_before`."),
        Words("距上次推送太近，支付宝会忽略重推。", "到 `not_before` 后再试。"),
    ),
    Entry(
        "already_sent",
        Words("Something was sent to the gateway already, so it cannot be taken back.", "Correct it with modify."),
        Words("已向网关发送，不能取消。", "用 modify 更正。"),
    ),
    Entry(
        "no_case",
        Words("No case is open.", "There is nothing to dismiss."),
        Words("没有待处理的问题。", "无需关闭。"),
    ),
    Entry(
        "no_buyer",
        Words("No buyer is named in this declaration.", "There is nothing to reveal."),
        Words("该申报单没有填写订购人。", "没有可查看的信息。"),
    ),
    Entry(
        "reason_short",
        Words("The reason is too short to be one.", "Say in a few words why you have to see it."),
        Words("原因太短。", "请用一句话说明为什么需要查看。"),
    ),
    Entry(
        "push_unknown",
        Words("A push of another declaration was named.", "Name pushes of this declaration, or leave them out."),
        Words("指定的推送不属于这条申报单。", "只填写本申报单的推送，或省略。"),
    ),
    Entry(
        "sub_order_unknown",
        Words("The declaration has no such sub-order.", "Name one that it has: modify adds none."),
        Words("申报单没有这个子订单。", "填写已有的子订单号；modify 不能新增。"),
    ),
    Entry(
        "unchanged",
        Words("Nothing in the change differs from the declaration.", "Name what changes; to send it again: redeclare."),
        Words("更正内容与原申报单相同。", "填写要更改的字段；仅需重发请用 redeclare。"),
    ),
)
