"""Table of the channels: their endpoints, and how they differ (6.5, 9, 11.4, 11.5)."""

from dataclasses import dataclass

from customs.gateway.endpoints import ENDPOINTS, Endpoint

# Marks a text for the translations; the pages translate it.
_ = str


@dataclass(frozen=True)
class Channel:
    """One channel: the document's sections that are its own, its customs codes, and the words of its replies.

    `label` is what people call it, `bill_name` what bills do. `rate_form` is how it writes a rate. `receipt` names the
    field with the payment company's own number. `at_once`: no waiting states.
    `repush_corrects`: changed fields go with the re-push, there is no MODIFY.
    """

    name: str
    label: str
    bill_name: str
    sections: tuple[str, ...]
    codes: tuple[str, ...]
    receipt: str
    split: tuple[str, ...]
    same: str
    different: str
    unchecked: str | None
    rate_form: str = "{}"
    at_once: bool = False
    repush_corrects: bool = False
    no_repush: frozenset[str] = frozenset()

    def owns(self, endpoint: Endpoint) -> bool:
        """Whether the endpoint stands in a section of this channel."""
        return any(f"{endpoint.section}.".startswith(f"{section}.") for section in self.sections)


WECHATPAY = Channel(
    name="wechatpay",
    label=_("WeChat Pay"),
    bill_name="微信支付",
    sections=("4", "9.1", "9.2", "9.3"),
    codes=(
        "GUANGZHOU_ZS",
        "GUANGZHOU_HP_GJ",
        "GUANGZHOU_NS_GJ",
        "HANGZHOU_ZS",
        "NINGBO",
        "ZHENGZHOU_BS",
        "CHONGQING",
        "XIAN",
        "SHANGHAI_ZS",
        "SHENZHEN",
        "ZHENGZHOU_ZH_ZS",
        "TIANJIN",
        "BEIJING",
    ),
    receipt="wechatpay_no",
    split=("sub_order_no", "sub_order_amount", "transport_amount", "product_amount"),
    same="SAME",
    different="DIFFERENT",
    unchecked="UNCHECKED",
)

ALIPAY = Channel(
    name="alipay",
    label=_("Alipay"),
    bill_name="支付宝",
    sections=("6", "7", "9.4", "9.5", "9.6"),
    codes=(
        "HANGZHOU_ZONGSHU",
        "ZONGSHU",
        "ZHENGZHOU",
        "HENAN",
        "NINGBO",
        "SHENZHEN_ZS",
        "SHANGHAI_CBT",
        "NANSHAGJ",
        "GUANGZHOU_HUANGPU",
    ),
    receipt="alipay_no",
    split=("sub_order_no", "sub_order_amount"),
    same="T",
    different="F",
    unchecked=None,
    rate_form="{:.6f}",
    at_once=True,
    repush_corrects=True,
    no_repush=frozenset({"NANSHAGJ"}),
)

CHANNELS = {channel.name: channel for channel in (WECHATPAY, ALIPAY)}
# Bills (8) are of all channels, and of none.
BY_ENDPOINT = {
    endpoint.name: channel for channel in CHANNELS.values() for endpoint in ENDPOINTS if channel.owns(endpoint)
}
