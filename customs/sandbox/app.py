"""Flask application of the sandbox: the document's routes from the endpoints table, a ledger, controls."""

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from customs.gateway.endpoints import BY_NAME, ENDPOINTS, Endpoint
from customs.sandbox.bills import DELIMITERS, ENCODINGS, Bills
from customs.sandbox.context import SandboxContext
from customs.sandbox.control_reports import refunds_by_payment, report
from customs.sandbox.declaration_endpoints import answer
from customs.sandbox.fault_injection import FaultConfig, FaultInjector, is_declaration
from customs.sandbox.ledger import Ledger
from customs.sandbox.notifications import load_private_key
from customs.sandbox.notifier import Notifier
from customs.sandbox.page import front_page
from customs.sandbox.payer import Payer
from customs.sandbox.payment_endpoints import PaymentCalls
from customs.sandbox.payment_ledger import PaymentLedger
from customs.sandbox.request import Call
from customs.sandbox.responses import Answer, Refused, answered, refused
from customs.sandbox.settings import SandboxSettings
from customs.sandbox.verification import NUMBERS_VERSION, Gate, load_public_key

LARGEST_BODY = 64 * 1024

Process = Callable[[Call], Answer]


def create_sandbox(settings: SandboxSettings, *, now: Callable[[], float] = time.time) -> Flask:
    """One gateway with its own ledger; its notifier is `app.extensions["notifier"]`, and starts when asked to.

    Raises OSError or ValueError when a key cannot be read.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    ledger = Ledger(settings.ledger)
    injector = FaultInjector(ledger, FaultConfig(settings.fault_seed or 0, settings.fault_rate))
    gate = Gate(settings.agent_no, load_public_key(settings.agent_public_key.read_bytes()), now)
    context = SandboxContext(ledger, PaymentLedger(ledger), settings, now)
    bills = Bills()
    notifier = Notifier(context, load_private_key(settings.gateway_private_key))
    payment_calls = PaymentCalls(context, bills)
    for endpoint in ENDPOINTS:
        if endpoint.signed:
            process = _declaring(context) if is_declaration(endpoint) else _paying(payment_calls, notifier)
            view = _view(endpoint, process, context, gate, injector)
            app.add_url_rule(
                endpoint.path, endpoint.name, view, methods=[endpoint.method], provide_automatic_options=False
            )
    Payer(context).add_routes(app)
    _add_own_routes(app, context, injector, bills)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Refused, lambda refusal: refusal.answer.response())
    app.extensions["notifier"] = notifier
    return app


def _declaring(context: SandboxContext) -> Process:
    return lambda call: answered(answer(context, BY_NAME[call.endpoint], call.params))


def _paying(payment_calls: PaymentCalls, notifier: Notifier) -> Process:
    def process(call: Call) -> Answer:
        reply = payment_calls.answer(call)
        notifier.notify_early(call)
        return reply

    return process


def _view(
    endpoint: Endpoint, process: Process, context: SandboxContext, gate: Gate, injector: FaultInjector
) -> Callable[[], Response]:
    """One documented call: let it in, meet its fault or not, process it, write it down."""

    def view() -> Response:
        try:
            params = gate.admit(endpoint, request)
        except Refused as refusal:
            context.ledger.note(context.now(), endpoint.name, {}, outcome=refusal.reason)
            return refusal.answer.response()
        call = Call(endpoint.name, params, request.headers["Version"] == NUMBERS_VERSION, request.host_url)
        fault = injector.fault_for(endpoint, params)
        noted = context.ledger.note(context.now(), endpoint.name, call.numbered(), fault=fault.word if fault else "")

        def proceed() -> Answer:
            try:
                reply, outcome = process(call), "answered"
            except Refused as refusal:
                reply, outcome = refusal.answer, refusal.reason
            context.ledger.settle(noted, outcome)
            return reply

        return fault.strike(proceed) if fault else proceed().response()

    return view


def _add_own_routes(app: Flask, context: SandboxContext, injector: FaultInjector, bills: Bills) -> None:
    """What the real gateway does not have; none of it is signed, so the sandbox stays on its own machine."""

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


def _http_error(error: HTTPException) -> Response:
    return refused(error.code or 500, error.name).response()
