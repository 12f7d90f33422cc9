"""Table of how the two channels differ at the declaration endpoints (9, 11.4, 11.5)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Channel:
    """One channel: its customs codes, and the words of its replies.

    `receipt` names the field with the payment company's own number. `at_once`: no waiting states.
    `repush_corrects`: changed fields go with the re-push, there is no MODIFY.
    """

    name: str
    codes: tuple[str, ...]
    receipt: str
    split: tuple[str, ...]
    same: str
    different: str
    unchecked: str | None
    at_once: bool = False
    repush_corrects: bool = False
    no_repush: frozenset[str] = frozenset()


WECHATPAY = Channel(
    name="wechatpay",
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
    at_once=True,
    repush_corrects=True,
    no_repush=frozenset({"NANSHAGJ"}),
)

CHANNELS = {channel.name: channel for channel in (WECHATPAY, ALIPAY)}
