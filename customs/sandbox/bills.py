"""Bills (8): a text file with one line for each payment and each refund, and a total as its last line."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from customs.sandbox.calls import Answer, Call, Refused
from customs.sandbox.channels import CHANNELS
from customs.sandbox.context import SandboxContext
from customs.sandbox.filings import SHANGHAI
from customs.sandbox.methods import METHODS
from customs.sandbox.payments import Payment, Refund, shanghai
from customs.sandbox.values import rate_text

HEADERS = (
    "交易时间",
    "商户号",
    "支付渠道",
    "交易类型",
    "交易方式",
    "平台订单号",
    "商户订单号",
    "平台退款单号",
    "商户退款单号",
    "币种",
    "订单金额",
    "退款金额",
    "汇率",
    "交易状态",
    "商品描述",
)
DELIMITERS = {"comma": ",", "tab": "\t"}
ENCODINGS = ("utf-8", "utf-8-sig", "gb18030")
# The longest three months.
MOST_DAYS = 92
DATE = re.compile(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})")
TOTAL = "总计"

Line = tuple[str, ...]


@dataclass(frozen=True)
class BillStyle:
    """How bills are written at present."""

    bill_encoding: str = "utf-8"
    bill_delimiter: str = "comma"


class Bills:
    """The bills of one sandbox; their style may change while it runs."""

    def __init__(self) -> None:
        self.style = BillStyle()

    def change(self, **changes: str) -> None:
        """Set the fields of the style that are given, leave the rest."""
        self.style = replace(self.style, **changes)

    def download(self, context: SandboxContext, call: Call) -> Answer:
        """The bill from `start_date` to `end_date`, both days included, in Shanghai's days.

        Raises Refused: 403 another agent's, 400 dates that cannot be or lie over three months back.
        """
        if call.params["agent_no"] != context.settings.agent_no:
            raise Refused(403, "the agent_no is not the caller's")
        start, end = (_day(name, call.params[name]) for name in ("start_date", "end_date"))
        today = datetime.fromtimestamp(context.now(), SHANGHAI).date()
        if end < start or end - start > timedelta(MOST_DAYS) or today - start > timedelta(MOST_DAYS):
            raise Refused(400, "start_date and end_date lie within the last three months, in this order")
        lines = sorted(line for line in _lines(context) if start.isoformat() <= line[0][:10] <= end.isoformat())
        return Answer(200, {}, self._written([HEADERS, *lines, _total(lines)]))

    def _written(self, lines: Iterable[Line]) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text, delimiter=DELIMITERS[self.style.bill_delimiter], lineterminator="\r\n")
        writer.writerows(lines)
        return text.getvalue().encode(self.style.bill_encoding)


def _day(name: str, text: str) -> date:
    match = DATE.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        return date(*map(int, match.groups()))
    except ValueError as error:
        raise Refused(400, f"{name} is no date") from error


def _lines(context: SandboxContext) -> Iterator[Line]:
    orders = {payment.payment_no: payment for payment in context.current_payments()}
    for payment in orders.values():
        if payment.status == "PAID":
            yield _line(payment, payment.trade_time, None)
    for refund in context.current_refunds():
        if refund.status == "SUCCESS":
            yield _line(orders[refund.payment_no], shanghai(refund.since), refund)


def _line(payment: Payment, at: str, refund: Refund | None) -> Line:
    return (
        at,
        payment.content["merchant_no"],
        CHANNELS[payment.channel].bill_name,
        "退款" if refund else "支付",
        METHODS[payment.method].trade_type,
        payment.payment_no,
        payment.our_no,
        refund.refund_no if refund else "",
        refund.outer_refund_no if refund else "",
        payment.currency,
        payment.content["amount"],
        refund.amount if refund else "",
        rate_text(payment.channel, payment.currency),
        refund.status if refund else payment.status,
        payment.subject,
    )


def _total(lines: list[Line]) -> Line:
    """How many of each, and the sums by currency: several currencies have no sum together."""
    kinds = Counter(line[3] for line in lines)
    sums: dict[str, list[Decimal]] = {}
    for line in lines:
        both = sums.setdefault(line[9], [Decimal(0), Decimal(0)])
        both[line[3] == "退款"] += Decimal(line[11] or line[10])
    amounts = (f"{currency} 支付 {paid} 退款 {back}" for currency, (paid, back) in sorted(sums.items()))
    return (TOTAL, f"支付 {kinds['支付']} 笔", f"退款 {kinds['退款']} 笔", *amounts)
