"""A small file to learn with: orders that go well, some that do not, and two rows that have to be mended first."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import cycle

from customs.declarations.intake.orders import Order
from customs.gateway import Buyer
from customs.imports.sample_orders import MERCHANTS, as_csv, order_of
from customs.imports.sample_stories import ALIPAY, LATE, LOST, STRAIGHT, STRANGER, WECHAT, WRONG_NUMBER, Plot

# An order's numbers take twelve digits of the time, to the millisecond: they come again in thirty years.
TAGS = 10**12
# Those that leave their number with customs out of the file would first have to be put on file.
FROM_THE_FILE = tuple(merchant.merchant_no for merchant in MERCHANTS if not merchant.on_file)


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
