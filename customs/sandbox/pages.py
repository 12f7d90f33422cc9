"""Pages of the sandbox: its trigger words, ledger and switches, and the payer's side.

The payer enters a cashier desk (4.6, 4.7, 6.4), and pays or gives up an order.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Flask, Response, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from customs.gateway.endpoints import BY_NAME, Endpoint, check
from customs.sandbox.bills import DELIMITERS, ENCODINGS, Bills
from customs.sandbox.calls import Call, Refused, sent_parameters
from customs.sandbox.channels import CHANNELS
from customs.sandbox.context import SandboxContext, end_by_payer, settle
from customs.sandbox.declaration_scenarios import SCENARIOS
from customs.sandbox.faults import FAULTS, KINDS, FaultInjector
from customs.sandbox.payment_endpoints import CASHIER_PATHS, ordered
from customs.sandbox.payment_scenarios import NOTIFICATION_SCENARIOS, PAYMENT_SCENARIOS, REFUND_SCENARIOS, WALLETS
from customs.sandbox.payments import ENDED, Payment, Refund, given_back
from customs.sandbox.response_fields import REPLIES, order
from customs.sandbox.values import wrong_payment_values

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


def front_page() -> Response:
    """Return the page of the trigger words; it needs nothing from elsewhere and runs no script."""
    html = render_template(
        "front.html",
        scenarios=SCENARIOS,
        payment_scenarios=PAYMENT_SCENARIOS,
        wallets=WALLETS,
        refund_scenarios=REFUND_SCENARIOS,
        notification_scenarios=NOTIFICATION_SCENARIOS,
        faults=FAULTS,
        kinds=KINDS,
        channels=CHANNELS.values(),
    )
    return Response(html, mimetype="text/html", headers={"Content-Security-Policy": POLICY})


# Marks a text for the translations; the pages translate it.
_ = str
MOST_LISTED = 100
OUTCOMES = {"pay": "PAID", "refuse": "FAIL"}
STATUSES = {"INIT": _("Waiting for payment"), "PAID": _("Paid"), "FAIL": _("Payment failed"), "EXPIRED": _("Expired")}


@dataclass(frozen=True)
class Payer:
    """The payer's side of one sandbox."""

    context: SandboxContext

    def add_routes(self, app: Flask) -> None:
        """The cashier desks at the document's paths, and the pages of our own."""
        for name in CASHIER_PATHS:
            endpoint = BY_NAME[name]
            app.add_url_rule(endpoint.path, name, self._entered(endpoint), methods=["GET"])
        app.add_url_rule("/pay", "pay_list", self._list, methods=["GET"])
        app.add_url_rule("/pay/<payment_no>", "pay_page", self._show, methods=["GET"])
        app.add_url_rule("/pay/<payment_no>", "pay_action", self._act, methods=["POST"])
        app.add_url_rule("/control/pay", "control_pay", self._control, methods=["POST"])

    def _entered(self, endpoint: Endpoint) -> Callable[[], Response]:
        def enter() -> Response:
            try:
                payment = self._ordered(endpoint)
            except Refused as refusal:
                self.context.ledger.note(self.context.now(), endpoint.name, {}, outcome=refusal.reason)
                return page("refused.html", status=refusal.status, wrong=str(refusal).split("; "))
            self.context.ledger.note(self.context.now(), endpoint.name, traced(payment), outcome="answered")
            return self._order(payment)

        return enter

    def _ordered(self, endpoint: Endpoint) -> Payment:
        pairs = sent_parameters(request)
        params = dict(pairs)
        if len(params) < len(pairs):
            raise Refused(400, "a parameter was sent more than once", "parameters")
        documented = {name: value for name, value in params.items() if name in endpoint.known}
        extra = {name: value for name, value in params.items() if name not in endpoint.known}
        call = Call(endpoint.name, documented, False, request.host_url)
        wrong = check(endpoint, params) + wrong_payment_values(documented)
        wrong += [
            f"{name} is a name of the reply (4.6.4, 6.4.4)"
            for name in extra
            if name in REPLIES[call.channel].brought_back
        ]
        if wrong:
            raise Refused(400, "; ".join(wrong), "parameters")
        return ordered(self.context, call, extra)

    def _order(self, payment: Payment) -> Response:
        to = returned(payment)
        back = to if _paid(payment) else ""
        return page("order.html", to=to, payment=payment, channel=CHANNELS[payment.channel], return_to=back)

    def _list(self) -> Response:
        return page("orders.html", payments=self.context.waiting_payments(MOST_LISTED))

    def _show(self, payment_no: str) -> Response:
        with self.context.payments.turn():
            payment = self.context.payments.payment(payment_no)
            if payment is None:
                raise Refused(404, "no order is known by this number")
            settle(self.context, payment)
        return self._order(payment)

    def _act(self, payment_no: str) -> AnyResponse:
        """The button: back to the merchant when paid (4.6.3, 6.4.3), else to the order's page."""
        status = OUTCOMES.get(request.form.get("action", ""))
        if status is None:
            raise Refused(400, f"action is one of {', '.join(OUTCOMES)}")
        payment = end_by_payer(self.context, payment_no, status)
        return redirect((_paid(payment) and returned(payment)) or f"/pay/{payment_no}", 303)

    def _control(self) -> Response:
        """The button for tests: {"payment_no" or "our_no", "status"? (PAID)}; answers with the ledger's row."""
        wanted = request.get_json()
        if not isinstance(wanted, dict) or not all(isinstance(value, str) for value in wanted.values()):
            raise Refused(400, "a JSON object of texts is expected")
        status, payment_no = wanted.get("status", "PAID"), wanted.get("payment_no", "")
        if status not in ENDED or wanted.keys() - {"payment_no", "our_no", "status"}:
            raise Refused(400, f"payment_no or our_no, and status ({', '.join(ENDED)}) are expected")
        if not payment_no and (known := self.context.payments.payment_by_our_no(wanted.get("our_no", ""))):
            payment_no = known.payment_no
        return jsonify(end_by_payer(self.context, payment_no, status).shown())


def _paid(payment: Payment) -> bool:
    return payment.status == "PAID"


def returned(payment: Payment) -> str:
    """The return_url with the documented fields and the caller's extra ones, "" when there is none."""
    url = payment.content.get("return_url", "")
    if not url:
        return ""
    fields = order(payment, [], REPLIES[payment.channel].brought_back) | payment.extra
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(fields)}"


def traced(payment: Payment) -> Mapping[str, str]:
    """An order's numbers as the ledger's log keeps those of a call."""
    return {"payment_no": payment.payment_no, "out_order_no": payment.our_no}


def page(template: str, *, to: str = "", status: int = 200, **values: object) -> Response:
    """One of these pages; `to` is where its form may lead to in the end. Nothing from elsewhere, no script."""
    # A browser holds the redirect after a form to form-action too: the merchant's origin is named.
    policy = f"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self' {_origin(to)}".strip()
    html = render_template(template, statuses=STATUSES, channels=CHANNELS, **values)
    headers = {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY"}
    return Response(html, status=status, mimetype="text/html", headers=headers)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if url else ""
