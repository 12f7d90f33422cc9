"""What the real gateway does not have: a front page of trigger words, its ledger's report, and switches."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from flask import Flask, Response, jsonify, render_template, request

from customs.sandbox.bills import DELIMITERS, ENCODINGS, Bills
from customs.sandbox.calls import Refused
from customs.sandbox.channels import CHANNELS
from customs.sandbox.context import SandboxContext
from customs.sandbox.declaration_scenarios import SCENARIOS
from customs.sandbox.faults import FAULTS, KINDS, FaultInjector
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
