"""What sets the channels apart, one row each (sections 9 and 11.4); their calls on the wire are in `gateway`."""

from dataclasses import dataclass

from customs.gateway.channels import Channel


@dataclass(frozen=True)
class ChannelRow:
    """One channel. `name` and `chinese` are what sentences and spreadsheets call it, `spellings` what they also read.

    `needs`: fields that an order, or each of its sub-orders, must have beyond what all channels need.
    `lacks`: fields that have no place in its messages.
    `ordered`: where an office has several codes, one may have to wait for the one before it.
    `has_modify`: corrected content goes out by MODIFY; elsewhere it goes along with a re-push.
    `query_names_code`: a query names the customs code. Where it does not, pushes of one payment go out one at a time,
    or nobody could tell whose answer it is.
    `has_cool_down`: a re-push soon after the last push is ignored.
    """

    name: str
    chinese: str
    spellings: tuple[str, ...]
    needs: frozenset[str]
    lacks: frozenset[str]
    ordered: bool
    has_modify: bool
    query_names_code: bool
    has_cool_down: bool


ROWS = {
    Channel.WECHATPAY: ChannelRow(
        name="WeChat",
        chinese="微信",
        spellings=(
            "wechatpay",
            "wechat",
            "weixin",
            "weixinpay",
            "wxpay",
            "微信",
            "微信支付",
            "微信支付(wechatpay)",
            "财付通",
            "财付通支付科技有限公司",
        ),
        needs=frozenset({"transport_amount", "product_amount"}),
        lacks=frozenset({"merchant_customs_name"}),
        ordered=False,
        has_modify=True,
        query_names_code=True,
        has_cool_down=False,
    ),
    Channel.ALIPAY: ChannelRow(
        name="Alipay",
        chinese="支付宝",
        spellings=("alipay", "zhifubao", "支付宝", "支付宝支付", "支付宝(alipay)", "支付宝(中国)网络技术有限公司"),
        needs=frozenset({"merchant_customs_name"}),
        lacks=frozenset({"duty"}),
        ordered=True,
        has_modify=False,
        query_names_code=False,
        has_cool_down=True,
    ),
}
# A channel without a row fails here, and never behaves as another one.
CHANNELS = {channel: ROWS[channel] for channel in Channel}

BY_SPELLING = {spelling: channel for channel, row in CHANNELS.items() for spelling in row.spellings}
ONE_AT_A_TIME = tuple(channel for channel, row in CHANNELS.items() if not row.query_names_code)
