"""The codes of webhook endpoints: what is wrong with an address."""

from customs.web.catalogue.entry import Entry, Words

WEBHOOKS = (
    Entry(
        "url_invalid",
        Words("This is not an address that can be called.", "Use an absolute https URL without user or fragment."),
        Words("不是可以调用的地址。", "使用完整的 https 地址,不带用户名和片段(#)。"),
    ),
    Entry(
        "target_refused",
        Words("Deliveries do not go to this host: it is ours or an inner one.", "Use a host of the public internet."),
        Words("不会向该主机推送:它属于内网或本系统。", "使用公网可访问的主机。"),
    ),
)
