"""Flask application of the sandbox, and its server: one process with threads, so that one ledger serves all."""

import logging
import os
import signal
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, request
from markupsafe import Markup, escape
from setproctitle import setproctitle
from waitress import create_server
from waitress.channel import HTTPChannel
from waitress.server import MultiSocketServer
from waitress.task import WSGITask
from werkzeug.exceptions import HTTPException

from customs.gateway.endpoints import BY_NAME, ENDPOINTS, Endpoint
from customs.sandbox import SandboxSettings
from customs.sandbox.bills import Bills
from customs.sandbox.calls import NUMBERS_VERSION, Answer, Call, Gate, Refused, answered, load_public_key, refused
from customs.sandbox.context import SandboxContext
from customs.sandbox.declaration_endpoints import answer
from customs.sandbox.faults import SOCKET, FaultConfig, FaultInjector, is_declaration
from customs.sandbox.ledger import Ledger, PaymentLedger
from customs.sandbox.notifications import Notifier, load_private_key
from customs.sandbox.pages import Payer, add_own_routes
from customs.sandbox.payment_endpoints import PaymentCalls

LARGEST_BODY = 64 * 1024

Process = Callable[[Call], Answer]
Translate = Callable[[str], str]


def create_sandbox(
    settings: SandboxSettings, *, now: Callable[[], float] = time.time, translate: Translate = str
) -> Flask:
    """One gateway with its own ledger; its notifier is `app.extensions["notifier"]`, and starts when asked to.

    `translate` returns a text of its pages in Chinese, which they show before the English.

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
    add_own_routes(app, context, injector, bills)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Refused, lambda refusal: refusal.answer.response())
    app.extensions["notifier"] = notifier
    app.jinja_env.globals.update(translate=translate, _=_in_both_languages(translate))
    return app


def _in_both_languages(translate: Translate) -> Callable[[str], Markup]:
    def both(text: str) -> Markup:
        translated = translate(text) if text else text
        return escape(text) if translated == text else Markup('{} <span lang="en">{}</span>').format(translated, text)

    return both


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


def _http_error(error: HTTPException) -> Response:
    return refused(error.code or 500, error.name).response()


TITLE = "customs sandbox"
THREADS = 64
MOST_CONNECTIONS = 1000
QUIET_SECONDS = 20


class Task(WSGITask):  # type: ignore[misc]
    """One call; its faults may break the connection it came by."""

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        environ[SOCKET] = self.channel.socket
        return environ


class Connection(HTTPChannel):  # type: ignore[misc]
    """One caller. Its calls are read before a thread takes them: who never ends one holds none."""

    task_class = Task


def serve(settings: SandboxSettings, translate: Translate = str) -> None:
    """Serve until a signal ends it."""
    setproctitle(TITLE)
    # A caller that hung up, and a call that waits for a thread, are what the sandbox is for.
    logging.getLogger("waitress").setLevel(logging.CRITICAL)
    # A thread that still drips or delays a reply would hold the interpreter; the ledger needs no farewell.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    app = create_sandbox(settings, translate=translate)
    server = create_server(
        app,
        host=settings.host,
        port=settings.port,
        threads=THREADS,
        connection_limit=MOST_CONNECTIONS,
        channel_timeout=QUIET_SECONDS,
        cleanup_interval=1,
        asyncore_use_poll=True,
        log_socket_errors=False,
        max_request_body_size=LARGEST_BODY * 2,
        ident="",
    )
    # A name may stand for several addresses: each has a server.
    for listener in server.map.values() if isinstance(server, MultiSocketServer) else (server,):
        listener.channel_class = Connection
    app.extensions["notifier"].start()
    server.run()
