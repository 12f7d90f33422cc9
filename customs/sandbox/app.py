"""The sandbox as a Flask application: the document's routes from the endpoints table, a ledger, a switch."""

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from customs.gateway.endpoints import ENDPOINTS, Endpoint
from customs.sandbox.answers import Answer, Refused, answered, refused
from customs.sandbox.declarations import OPERATIONS, Desk, answer
from customs.sandbox.ledger import Ledger
from customs.sandbox.page import front_page
from customs.sandbox.settings import SandboxSettings
from customs.sandbox.verification import Gate, load_public_key
from customs.sandbox.weather import Forecast, Weather

LARGEST_BODY = 64 * 1024
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


def create_sandbox(settings: SandboxSettings, *, now: Callable[[], float] = time.time) -> Flask:
    """One gateway with its own ledger. Raises OSError or ValueError when the caller's key cannot be read."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    ledger = Ledger(settings.ledger)
    weather = Weather(ledger, Forecast(settings.fault_seed or 0, settings.fault_rate))
    gate = Gate(settings.agent_no, load_public_key(settings.agent_public_key.read_bytes()), now)
    desk = Desk(ledger, settings, now)
    for endpoint in ENDPOINTS:
        if (endpoint.method, endpoint.path) in OPERATIONS:
            view = _view(endpoint, desk, gate, weather)
            app.add_url_rule(
                endpoint.path, endpoint.name, view, methods=[endpoint.method], provide_automatic_options=False
            )
    _add_own_routes(app, desk, weather)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Refused, lambda refusal: refusal.answer.response())
    return app


def _view(endpoint: Endpoint, desk: Desk, gate: Gate, weather: Weather) -> Callable[[], Response]:
    """One documented call: let it in, meet its fault or not, process it, write it down."""

    def view() -> Response:
        try:
            params = gate.admit(endpoint, request)
        except Refused as refusal:
            desk.ledger.note(desk.now(), endpoint.name, {}, outcome=refusal.reason)
            return refusal.answer.response()
        fault = weather.fault_for(endpoint, params)
        call = desk.ledger.note(desk.now(), endpoint.name, params, fault=fault.word if fault else "")

        def proceed() -> Answer:
            try:
                reply, outcome = answered(answer(desk, endpoint.method, endpoint.path, params)), "answered"
            except Refused as refusal:
                reply, outcome = refusal.answer, refusal.reason
            desk.ledger.settle(call, outcome)
            return reply

        return fault.strike(proceed) if fault else proceed().response()

    return view


def _add_own_routes(app: Flask, desk: Desk, weather: Weather) -> None:
    """What the real gateway does not have; none of it is signed, so the sandbox stays on its own machine."""

    @app.get("/")
    def index() -> Response:
        return front_page()

    @app.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="ok")

    @app.get("/ledger")
    def ledger() -> Response:
        """The filings (of one payment: with its calls), and how many calls came and were refused."""
        payment_no = request.args.get("payment_no")
        outcomes = desk.ledger.outcomes()
        report: dict[str, Any] = {
            "filings": _filings(desk, payment_no),
            "calls": sum(outcomes.values()),
            "refused_signatures": outcomes.get("signature", 0),
            "refused_parameters": outcomes.get("parameters", 0),
        }
        if payment_no:
            report["log"] = desk.ledger.calls(payment_no)
        return jsonify(report)

    @app.post("/control")
    def control() -> Response:
        """Change the faults at run time; answers with what is set now."""
        wanted = request.get_json()
        if wrong := _wrong_switches(wanted):
            raise Refused(400, wrong)
        weather.change(**wanted)
        return jsonify(asdict(weather.forecast))


SWITCHES: dict[str, Callable[[Any], bool]] = {
    "fault_seed": lambda value: type(value) is int,
    "fault_rate": lambda value: type(value) in (int, float) and 0 <= value <= 1,
    "outage": lambda value: type(value) is bool,
}


def _wrong_switches(wanted: object) -> str:
    if not isinstance(wanted, dict):
        return "a JSON object is expected"
    wrong = sorted(name for name, value in wanted.items() if name not in SWITCHES or not SWITCHES[name](value))
    return f"not a switch, or not a value for it: {', '.join(wrong)}" if wrong else ""


def _filings(desk: Desk, payment_no: str | None) -> list[dict[str, Any]]:
    """The filings as they would be answered at this moment; looking here moves nothing."""
    filings = desk.ledger.filings(payment_no)
    for filing in filings:
        filing.move_on(desk.now(), desk.settings.step_seconds)
    return [
        _row(asdict(filing)) | {"state": filing.step.state, "modify_time": filing.modify_time} for filing in filings
    ]


def _row(filing: dict[str, Any]) -> dict[str, Any]:
    # The digests behind the masks are for comparing inside; nobody outside needs them.
    content = {name: value.partition("#")[0] for name, value in filing["content"].items()}
    return {name: filing[name] for name in LEDGER_FIELDS} | {"content": content}


def _http_error(error: HTTPException) -> Response:
    return refused(error.code or 500, error.name).response()
