"""Sample files: a warehouse's batch, with how each of its orders has to end, and a small file to learn with."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import chain, cycle, islice
from typing import Any

from stdnum.cn import ric

from customs.declarations.fields import FIELDS
from customs.declarations.identity import Identity
from customs.declarations.intake.orders import Order
from customs.declarations.offices import OFFICES
from customs.declarations.states import State
from customs.gateway import Buyer, Channel, SubOrderPart
from customs.imports.sample_stories import (
    ALIPAY,
    LATE,
    LOST,
    PLOTS,
    SERVED,
    STRAIGHT,
    STRANGER,
    WECHAT,
    WRONG_NUMBER,
    Corrects,
    Plot,
    Remedy,
)


@dataclass(frozen=True)
class Expected:
    """Expected end of an order. `correction` is what the remedy "modify" changes."""

    out_order_no: str
    channel: Channel
    office: str
    state: State
    identity: Identity
    needs_review: bool
    remedy: Remedy
    note: str
    correction: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SampleBatch:
    """The file, what must be on file before it comes in, and how each of its orders ends."""

    content: bytes
    filename: str
    registrations: tuple[Mapping[str, str], ...]
    expected: tuple[Expected, ...]


@dataclass(frozen=True)
class Merchant:
    """A shop; what it has `on_file` its warehouse leaves out of the files."""

    merchant_no: str
    mch_customs_no: str
    name: str
    on_file: bool = False


MERCHANTS = (
    Merchant("M100218", "4401986Y3T", "广州云帆跨境电子商务有限公司"),
    Merchant("M100357", "3302961K7Q", "宁波海棠湾国际贸易有限公司"),
    Merchant("M100463", "4403160A9R", "深圳市禾木优选供应链有限公司", on_file=True),
)
NAMES = (
    *("李雷", "韩梅梅", "张伟", "古丽娜尔·吐尔逊", "王芳", "田𠮷祥", "欧阳若兰", "MARIA DE SOUZA", "刘洋", "陈静"),
    *("杨帆", "黄丽娟", "赵子涵", "买买提·艾力", "周建国", "吴雨桐", "徐志强", "王𬱖", "孙悦", "马晓燕", "朱明远"),
    *("胡佳怡", "司马文静", "郭浩然", "何思琪", "高翔", "林婉清"),
)
PLACES = ("110105", "440106", "330106", "410105", "610113", "340104", "120101", "330203", "440112", "440305")
# How far from a buyer in the list the one who really paid is found.
PAYER = 5000
# An order's numbers take twelve digits of the time, to the millisecond: they come again in thirty years.
TAGS = 10**12
# Those that leave their number with customs out of the file would first have to be put on file.
FROM_THE_FILE = tuple(merchant.merchant_no for merchant in MERCHANTS if not merchant.on_file)


def sample_batch(rows: int = len(PLOTS), *, tag: str) -> SampleBatch:
    """A batch of `rows` orders, the same for the same `tag` (1 to 12 of 0-9 A-Z): a time makes its numbers unique.

    The content is GB18030 CSV with Chinese headers; a split order takes a row for each part.
    """
    drawn = [(plot, order_of(number, plot, tag)) for number, plot in enumerate(islice(cycle(PLOTS), rows), 1)]
    return SampleBatch(
        content=as_csv(order for _, order in drawn),
        filename=f"跨境申报订单-{tag}.csv",
        registrations=tuple(_registrations()),
        expected=tuple(_expected(number, plot, order) for number, (plot, order) in enumerate(drawn, 1)),
    )


def as_csv(orders: Iterable[Order]) -> bytes:
    """Orders as a warehouse's file: GB18030 CSV with Chinese headers."""
    text = io.StringIO()
    sheet = csv.writer(text)
    sheet.writerow(column.chinese for column in FIELDS)
    sheet.writerows(chain.from_iterable(map(_sheet_rows, orders)))
    return text.getvalue().encode("gb18030")


def order_of(number: int, plot: Plot, tag: str) -> Order:
    """The order of a plot, its numbers made of the tag and its own number."""
    base = f"{tag}{number:04d}"
    merchant = MERCHANTS[number % len(MERCHANTS)]
    alipay = plot.channel is ALIPAY
    return Order(
        channel=plot.channel,
        office=plot.office,
        merchant_no=merchant.merchant_no,
        out_order_no=f"{base}-{plot.word}" if plot.word and not plot.in_part else base,
        # As the payment companies number: a date or a fixed head in front, a tail that is not zeros.
        payment_no=f"20{tag}2214{number:05d}50827" if alipay else f"4200002{tag}{number:05d}6138",
        mch_customs_no=None if merchant.on_file else merchant.mch_customs_no,
        merchant_customs_name=merchant.name if alipay and not merchant.on_file else None,
        duty=None if alipay or number % 3 else 1188 + number,
        buyer=_buyer(number) if plot.buyer else None,
        sub_orders=tuple(_part(number, part, base, plot) for part in range(1, plot.parts + 1)),
    )


def _part(number: int, part: int, base: str, plot: Plot) -> SubOrderPart:
    product = _yuan(5890 + (number * 3731 + part * 1907) % 70000)
    transport = _yuan(0 if part == 2 else 1200 + number % 90)
    sub_order_no = f"{base}S{part}" + (f"-{plot.word}" if part == plot.in_part else "")
    return SubOrderPart(sub_order_no, product + transport, transport, product)


def _yuan(fen: int) -> Decimal:
    return Decimal(fen).scaleb(-2)


def _buyer(number: int) -> Buyer:
    born = date(1985, 3, 8) + timedelta(days=number * 211 % 7000)
    # 996 to 999 are kept for people over a hundred: with these birthdays nobody has such a number.
    digits = f"{PLACES[number % len(PLACES)]}{born:%Y%m%d}{996 + number % 4}"
    return Buyer(NAMES[number % len(NAMES)], digits + ric.calc_check_digit(f"{digits}0"))


def _sheet_rows(order: Order) -> Iterator[list[str]]:
    """The order's rows; the further parts of a split order leave blank what the first row holds."""
    shared: dict[str, object] = {
        "channel": "支付宝" if order.channel is ALIPAY else "微信",
        "office": OFFICES[order.office].name,
        "merchant_no": order.merchant_no,
        "out_order_no": order.out_order_no,
        "payment_no": order.payment_no,
        "mch_customs_no": order.mch_customs_no,
        "merchant_customs_name": order.merchant_customs_name,
        "duty": order.duty,
        "buyer_name": order.buyer and order.buyer.name,
        "cert_id": order.buyer and order.buyer.cert_id,
    }
    if not order.sub_orders:
        yield _cells(shared)
    for part in order.sub_orders:
        yield _cells(
            {
                **shared,
                "sub_order_no": part.sub_order_no,
                "sub_order_amount": part.amount,
                "transport_amount": part.transport_amount,
                "product_amount": part.product_amount,
            }
        )
        shared = {}


def _cells(values: Mapping[str, object]) -> list[str]:
    values_of = (values.get(column.header) for column in FIELDS)
    return ["" if value is None else str(value) for value in values_of]


def _registrations() -> Iterator[Mapping[str, str]]:
    for merchant in MERCHANTS:
        for channel, office in SERVED if merchant.on_file else ():
            yield {
                "merchant_no": merchant.merchant_no,
                "channel": channel.value,
                "office": office,
                "mch_customs_no": merchant.mch_customs_no,
                "merchant_customs_name": merchant.name,
            }


def _expected(number: int, plot: Plot, order: Order) -> Expected:
    story = plot.story
    return Expected(
        out_order_no=order.out_order_no,
        channel=order.channel,
        office=order.office,
        state=story.state,
        identity=story.identity if plot.buyer else Identity.UNCHECKED,
        needs_review=story.needs_review,
        remedy=story.remedy,
        note=story.note,
        correction=CORRECTIONS[story.corrects](number, plot, order) if story.remedy == "modify" else {},
    )


def _right_registration(number: int, _plot: Plot, _order: Order) -> dict[str, Any]:
    return {"mch_customs_no": f"{MERCHANTS[number % len(MERCHANTS)].mch_customs_no[:9]}X"}


def _right_buyer(number: int, _plot: Plot, _order: Order) -> dict[str, Any]:
    payer = _buyer(number + PAYER)
    return {"buyer": {"name": payer.name, "cert_id": payer.cert_id}}


def _right_part(_number: int, plot: Plot, order: Order) -> dict[str, Any]:
    part = order.sub_orders[plot.in_part - 1]
    assert part.product_amount is not None
    lower = replace(part, amount=part.amount - 1, product_amount=part.product_amount - 1)
    return {"sub_orders": [{name: getattr(lower, name) for name in ("sub_order_no", "amount", "product_amount")}]}


CORRECTIONS: Mapping[Corrects, Callable[[int, Plot, Order], dict[str, Any]]] = {
    "registration": _right_registration,
    "buyer": _right_buyer,
    "parts": _right_part,
}


def sample_csv(now: datetime, merchants: Sequence[str] = ()) -> bytes:
    """GB18030 CSV with Chinese headers, its numbers new at every moment, of these merchants where some are named."""
    tag = f"{int(now.timestamp() * 1000) % TAGS:012d}"
    owners = cycle(merchants or FROM_THE_FILE)
    drawn = (typed(order_of(number, plot, tag)) for number, (plot, typed) in enumerate(LESSON, 1))
    return as_csv(_owned(order, next(owners)) for order in drawn)


def _owned(order: Order, merchant_no: str) -> Order:
    """The order as this merchant's, with every number it needs in the file itself."""
    known = {merchant.merchant_no: merchant for merchant in MERCHANTS}.get(merchant_no, MERCHANTS[0])
    return replace(
        order,
        merchant_no=merchant_no,
        mch_customs_no=known.mch_customs_no,
        merchant_customs_name=known.name if order.channel is ALIPAY else None,
    )


def _rightly(order: Order) -> Order:
    return order


def _with_a_digit_missing(order: Order) -> Order:
    assert order.buyer is not None
    return replace(order, buyer=Buyer(order.buyer.name, order.buyer.cert_id[:-1]))


def _with_a_wrong_sum(order: Order) -> Order:
    (part,) = order.sub_orders
    return replace(order, sub_orders=(replace(part, amount=part.amount + 1),))


# Each order, and how it was typed.
LESSON: tuple[tuple[Plot, Callable[[Order], Order]], ...] = (
    (Plot(WECHAT, "HANGZHOU", STRAIGHT), _rightly),
    (Plot(ALIPAY, "SHENZHEN", STRAIGHT), _rightly),
    (Plot(WECHAT, "GUANGZHOU", WRONG_NUMBER, "FAIL"), _rightly),
    (Plot(WECHAT, "GUANGZHOU_HUANGPU", STRAIGHT, parts=2), _rightly),
    (Plot(WECHAT, "TIANJIN", STRAIGHT), _with_a_digit_missing),
    (Plot(ALIPAY, "HANGZHOU", LOST, "EXCEPT"), _rightly),
    (Plot(WECHAT, "SHANGHAI", STRANGER, "DIFFERENT"), _rightly),
    (Plot(ALIPAY, "ZHENGZHOU_AIRPORT", STRAIGHT), _rightly),
    (Plot(WECHAT, "NINGBO", STRAIGHT, parts=1), _with_a_wrong_sum),
    (Plot(WECHAT, "CHONGQING", LATE, "SLOW"), _rightly),
    (Plot(ALIPAY, "NINGBO", STRAIGHT), _rightly),
)
