"""The codes of webhook endpoints: what is wrong with an address or with what is asked of it."""

from customs.web.error_catalog.entry import Entry, Words

WEBHOOKS = (
    Entry(
        "url_invalid",
        Words("This is not an address that can be called.", "Use an absolute https URL without user or fragment."),
        Words("不是可以调用的地址。", "使用完整的 https 地址，不带用户名和片段（#）。"),
    ),
    Entry(
        "target_refused",
        Words("Deliveries do not go to this host: it is ours or an inner one.", "Use a host of the public internet."),
        Words("不会向该主机推送：它属于内网或本系统。", "使用公网可访问的主机。"),
    ),
    Entry(
        "types_missing",
        Words("No type of event is chosen.", "Choose at least one, or let the endpoint be told of everything."),
        Words("没有选择事件类型。", "请至少选择一种，或选择接收全部事件。"),
    ),
    Entry(
        "endpoints_too_many",
        Words("There are as many endpoints as one key or person may have.", "Remove one that is not needed any more."),
        Words("接收地址数量已达上限。", "请先删除不再使用的接收地址。"),
    ),
    Entry(
        "event_unwanted",
        Words("No endpoint of yours wants this event.", "Make one for its type and merchant, then send it again."),
        Words("没有接收地址订阅该事件。", "请先为该事件类型和商户添加接收地址，再重新发送。"),
    ),
)
