"""Generated orders: valid, each different, in the mix that a warehouse sends."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from itertools import count
from typing import Any

from stdnum.cn import ric

from customs.gateway import Buyer, Channel, Filing

MERCHANTS = 5
OLDEST = date(1950, 1, 1)
BIRTHDAYS = 18_000
SURNAMES = "李王张刘陈杨赵黄周吴"
GIVEN_NAMES = "雷娜伟芳敏静磊洋艳勇"
# One code each, so that a declaration is one call.
OFFICE = {Channel.WECHATPAY: "SHENZHEN", Channel.ALIPAY: "GUANGZHOU"}
CODE = {Channel.WECHATPAY: "SHENZHEN", Channel.ALIPAY: "ZONGSHU"}

_numbers = count(1)


def fresh_numbers(how_many: int) -> list[int]:
    """Return numbers that no order of this run has used."""
    return [next(_numbers) for _ in range(how_many)]


def unsplit_order(number: int) -> dict[str, Any]:
    """Return an unsplit order with a buyer as the API takes it; WeChat Pay and Alipay alternate."""
    channel = list(Channel)[number % 2]
    order = {
        "channel": str(channel),
        "office": OFFICE[channel],
        "merchant_no": f"M{number % MERCHANTS}",
        "out_order_no": f"1805189{number:010d}",
        "payment_no": f"2018051816320384{number:010d}",
        "mch_customs_no": "123456789BTW",
        "buyer": {"name": _name(number), "cert_id": _cert_id(number)},
    }
    return order | ({"duty": 88} if channel is Channel.WECHATPAY else {"merchant_customs_name": "Example Trading"})


def mixed_order(number: int) -> dict[str, Any]:
    """Return an order of which every fourth is split in two."""
    order = unsplit_order(number)
    return order | {"sub_orders": list(_parts(number))} if number % 4 == 0 else order


def filing(order: Mapping[str, Any]) -> Filing:
    """Return what our client sends for an unsplit order."""
    return Filing(
        out_order_no=order["out_order_no"],
        payment_no=order["payment_no"],
        customs=CODE[Channel(order["channel"])],
        mch_customs_no=order["mch_customs_no"],
        merchant_customs_name=order.get("merchant_customs_name"),
        duty=order.get("duty"),
        buyer=Buyer(**order["buyer"]),
    )


def _parts(number: int) -> Iterator[dict[str, str]]:
    for part in (1, 2):
        yield {
            "sub_order_no": f"S{number:010d}-{part}",
            "amount": "46.44",
            "transport_amount": "23.22",
            "product_amount": "23.22",
        }


def _name(number: int) -> str:
    return SURNAMES[number % 10] + GIVEN_NAMES[number // 10 % 10]


def _cert_id(number: int) -> str:
    born = OLDEST + timedelta(days=number % BIRTHDAYS)
    # Never so many zeros at the end that it seems rounded by a spreadsheet.
    digits = f"110105{born:%Y%m%d}{number // BIRTHDAYS % 990 + 1:03d}"
    # It takes the whole number and ignores the last character.
    return digits + str(ric.calc_check_digit(f"{digits}X"))
