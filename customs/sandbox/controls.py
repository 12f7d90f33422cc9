"""What the real gateway does not have: a front page of trigger words, its ledger's report, and switches."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from flask import Flask, Response, jsonify, render_template_string, request

from customs.sandbox.bills import DELIMITERS, ENCODINGS, Bills
from customs.sandbox.calls import Refused
from customs.sandbox.channels import CHANNELS
from customs.sandbox.context import SandboxContext
from customs.sandbox.declaration_scenarios import SCENARIOS
from customs.sandbox.fault_injection import KINDS, FaultInjector
from customs.sandbox.faults import FAULTS
from customs.sandbox.payment_scenarios import NOTIFICATION_SCENARIOS, PAYMENT_SCENARIOS, REFUND_SCENARIOS, WALLETS
from customs.sandbox.payments import Payment, Refund, given_back

LEDGER_FIELDS = (
    "channel",
    "payment_no",
    "out_order_no",
    "customs",
    "sub_order_no",
    "adds",
    "modifies",
    "redeclares",
    "content",
    "history",
)


def report(context: SandboxContext, payment_no: str | None) -> dict[str, Any]:
    """Everything, or what belongs to one payment with the calls about it."""
    outcomes = context.ledger.outcomes()
    payments, refunds = context.current_payments(payment_no), context.current_refunds(payment_no)
    shown: dict[str, Any] = {
        "filings": _filings(context, payment_no),
        "payments": [payment.shown() for payment in payments],
        "refunds": [refund.shown() for refund in refunds],
        "notifications": [asdict(one) for one in context.payments.notifications(payment_no)],
        "calls": sum(outcomes.values()),
        "refused_signatures": outcomes.get("signature", 0),
        "refused_parameters": outcomes.get("parameters", 0),
    }
    if payment_no:
        own = [payment.our_no for payment in payments]
        back = [number for refund in refunds for number in (refund.refund_no, refund.outer_refund_no)]
        shown["log"] = context.ledger.calls(payment_no, [*own, *back])
    return shown


def refunds_by_payment(context: SandboxContext) -> list[dict[str, Any]]:
    """Paid, gone back, on its way and left, of each order with a refund; amounts are text."""
    by_payment: dict[str, list[Refund]] = {}
    for refund in context.current_refunds():
        by_payment.setdefault(refund.payment_no, []).append(refund)
    return [
        _balance(payment, by_payment[payment.payment_no])
        for payment in context.current_payments()
        if payment.payment_no in by_payment
    ]


def _balance(payment: Payment, refunds: list[Refund]) -> dict[str, Any]:
    back, certain = given_back(refunds), given_back(refunds, certain=True)
    names = ("channel", "payment_no", "our_no", "currency")
    return {name: getattr(payment, name) for name in names} | {
        "paid": payment.content["amount"],
        "refunds": len(refunds),
        "refunded": str(certain),
        "pending": str(back - certain),
        "left": str(payment.amount - back),
    }


def _filings(context: SandboxContext, payment_no: str | None) -> list[dict[str, Any]]:
    return [
        _row(asdict(filing)) | {"state": filing.step.state, "modify_time": filing.modify_time}
        for filing in context.current_filings(payment_no)
    ]


def _row(filing: dict[str, Any]) -> dict[str, Any]:
    # The digests behind the masks are for comparing inside; nobody outside needs them.
    content = {name: value.partition("#")[0] for name, value in filing["content"].items()}
    return {name: filing[name] for name in LEDGER_FIELDS} | {"content": content}


def add_own_routes(app: Flask, context: SandboxContext, injector: FaultInjector, bills: Bills) -> None:
    """Add the routes of our own; none of them is signed, so the sandbox stays on its own machine."""

    @app.get("/")
    def index() -> Response:
        return front_page()

    @app.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="ok")

    @app.get("/ledger")
    def ledger() -> Response:
        """What was filed and paid (with `payment_no`: of one payment, and its calls), and how many calls came."""
        return jsonify(report(context, request.args.get("payment_no")))

    @app.get("/ledger/refunded")
    def refunded() -> Response:
        """What was paid, went back and is on its way, a row for each order with a refund; never over what was paid."""
        return jsonify(refunds_by_payment(context))

    @app.post("/control")
    def control() -> Response:
        """Change faults and bills at run time; answers with what is set now."""
        wanted = request.get_json()
        if wrong := _wrong_switches(wanted):
            raise Refused(400, wrong)
        injector.change(**{name: value for name, value in wanted.items() if not name.startswith("bill_")})
        bills.change(**{name: value for name, value in wanted.items() if name.startswith("bill_")})
        return jsonify(asdict(injector.config) | asdict(bills.style))


SWITCHES: dict[str, Callable[[Any], bool]] = {
    "fault_seed": lambda value: type(value) is int,
    "fault_rate": lambda value: type(value) in (int, float) and 0 <= value <= 1,
    "outage": lambda value: type(value) is bool,
    "bill_encoding": lambda value: value in ENCODINGS,
    "bill_delimiter": lambda value: value in tuple(DELIMITERS),
}


def _wrong_switches(wanted: object) -> str:
    if not isinstance(wanted, dict):
        return "a JSON object is expected"
    wrong = sorted(name for name, value in wanted.items() if name not in SWITCHES or not SWITCHES[name](value))
    return f"not a switch, or not a value for it: {', '.join(wrong)}" if wrong else ""


POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1c2430; max-width: 62rem; margin: 2rem auto;
  padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 0 0 2rem; }
caption, th, td { text-align: left; padding: .35rem .6rem; vertical-align: top; }
caption { font-weight: 600; padding-left: 0; }
tbody tr { border-top: 1px solid #d5dbe3; }
code { font: .9em ui-monospace, monospace; background: #eef1f5; padding: .1em .3em; border-radius: 3px; }
.words { table-layout: fixed; }
.words th:nth-child(1) { width: 10.5rem; }
.words th:nth-child(2) { width: 21rem; }
.words th:nth-child(4), .words th:nth-child(5) { width: 5rem; }
"""

PAYMENT_TABLES = (
    ("支付", "Payments", PAYMENT_SCENARIOS),
    ("钱包", "Wallets", WALLETS),
    ("退款", "Refunds", REFUND_SCENARIOS),
    ("通知", "Notifications", NOTIFICATION_SCENARIOS),
)

PAGE = """<!doctype html>
<html lang="zh">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>网关沙箱 / Gateway sandbox</title>
<style>
{{ style|safe }}</style>
</head>
<body>
<h1>网关沙箱 <span lang="en">Gateway sandbox</span></h1>
<p>这里模拟支付网关(文档 4–10):不会真正扣款,也不会向任何海关申报。单号中的大写单词决定结果。</p>
<p lang="en">The gateway (sections 4 to 10), simulated: no money moves, and nothing reaches any customs office.
A word in our number decides what happens: <code>D20261123FAIL001</code>. No other capital letter may touch it.
One word of each table may stand in one number.</p>
<p>等待付款的订单 <span lang="en">Orders waiting for their payer</span>: <a href="/pay">/pay</a>.
账本 <span lang="en">Ledger</span>: <a href="/ledger">/ledger</a>, <code>/ledger?payment_no=…</code>,
<a href="/ledger/refunded">/ledger/refunded</a>.</p>
<h2>报关 <span lang="en">Declarations</span></h2>
<p>单词在商户订单号或子订单号中。
<span lang="en">The word stands in the order number or in the sub-order number.</span></p>
<table class="words">
<caption>结果 <span lang="en">Fates</span></caption>
<thead><tr><th scope="col">单词 Word</th><th scope="col">结果</th>
<th scope="col" lang="en">What happens</th></tr></thead>
<tbody>
{% for row in scenarios %}<tr><td><code>{{ row.word }}</code></td><td>{{ row.chinese }}</td>
<td lang="en">{{ row.english }}</td></tr>
{% endfor %}</tbody>
</table>
<h2>支付 <span lang="en">Payments</span></h2>
<p>单词在商户订单号中;退款的单词也可在商户退款单号中。未支付的订单不能报关。
<span lang="en">The word stands in the order number; a refund's also in <code>outer_refund_no</code>.
An order that is known here and not PAID cannot be declared.</span></p>
{% for chinese, english, rows in payment_tables %}<table class="words">
<caption>{{ chinese }} <span lang="en">{{ english }}</span></caption>
<thead><tr><th scope="col">单词 Word</th><th scope="col">结果</th>
<th scope="col" lang="en">What happens</th></tr></thead>
<tbody>
{% for row in rows %}<tr><td>{% if row.word %}<code>{{ row.word }}</code>{% else %}—{% endif %}</td>
<td>{{ row.chinese }}</td><td lang="en">{{ row.english }}</td></tr>
{% endfor %}</tbody>
</table>
{% endfor %}<h2>故障 <span lang="en">Faults</span></h2>
<p>故障只影响该单号最初的调用,之后恢复;前缀指定调用类型,例如 <code>MODIFY-DROP-REPLY</code>。</p>
<p lang="en">A fault strikes the first calls for a number, then heals. A prefix aims it at one kind of call
({% for kind in kinds %}<code>{{ kind }}-</code>{{ ", " if not loop.last }}{% endfor %}):
<code>MODIFY-DROP-REPLY</code>.</p>
<table class="words">
<thead><tr><th scope="col">单词 Word</th><th scope="col">故障</th><th scope="col" lang="en">What happens</th>
<th scope="col">次数 Times</th><th scope="col">随机 By seed</th></tr></thead>
<tbody>
{% for row in faults %}<tr><td><code>{{ row.word }}</code></td><td>{{ row.chinese }}</td>
<td lang="en">{{ row.english }}</td>
<td>{{ row.times }}</td><td>{{ "✓" if row.seeded }}</td></tr>
{% endfor %}</tbody>
</table>
<table>
<caption>海关编号 <span lang="en">Customs codes</span></caption>
<tbody>
{% for channel in channels %}<tr><th scope="row">{{ channel.name }}</th>
<td>{% for code in channel.codes %}<code>{{ code }}</code> {% endfor %}</td></tr>
{% endfor %}</tbody>
</table>
<p>开关 <span lang="en">Switches</span>:
<code>POST /control {"fault_rate": 0.1, "fault_seed": 7, "outage": false}</code>,
<code>{"bill_encoding": "gb18030", "bill_delimiter": "tab"}</code>.
付款人 <span lang="en">The payer</span>: <code>POST /control/pay {"our_no": "…"}</code></p>
</body>
</html>
"""


def front_page() -> Response:
    """The page; it needs nothing from elsewhere and runs no script."""
    html = render_template_string(
        PAGE,
        style=STYLE,
        scenarios=SCENARIOS,
        payment_tables=PAYMENT_TABLES,
        faults=FAULTS,
        kinds=KINDS,
        channels=CHANNELS.values(),
    )
    return Response(html, mimetype="text/html", headers={"Content-Security-Policy": POLICY})
