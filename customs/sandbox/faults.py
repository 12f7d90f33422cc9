"""Faults of the network and the gateway: a table, printed on the front page, and the choice by word, seed or outage.

A fault strikes the first calls for a number and then heals, so what was declared still ends. It gets `proceed`,
which processes the call: whether and when it is called tells a lost request from a lost reply.
"""

import random
import socket
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import Response, request

from customs.gateway.endpoints import Endpoint
from customs.sandbox.calls import Answer, Refused, refused
from customs.sandbox.declaration_scenarios import Words
from customs.sandbox.ledger import NUMBERS, Ledger, PaymentLedger

# Marks a text for the translations; the pages translate it.
_ = str
Proceed = Callable[[], Answer]
Strike = Callable[[Proceed], Response]

DELAY_SECONDS = 2.0
DRIP_SECONDS = 0.1
HUGE_BYTES = 2 * 1024 * 1024
RETRY_AFTER_SECONDS = "1"
# Where a served sandbox puts the connection of a call.
SOCKET = "customs.sandbox.socket"
# An abortive close: what was not read yet is thrown away and the peer sees a reset.
ABORT = struct.pack("ii", 1, 0)


def _connection() -> socket.socket:
    connection = request.environ.get(SOCKET)
    if not isinstance(connection, socket.socket):
        raise Refused(500, "this fault needs the served sandbox: here is no connection to break", "fault")
    return connection


def _hang_up(connection: socket.socket) -> Response:
    connection.shutdown(socket.SHUT_RDWR)
    return Response()


def drop_request(proceed: Proceed) -> Response:
    return _hang_up(_connection())


def drop_reply(proceed: Proceed) -> Response:
    connection = _connection()
    proceed()
    return _hang_up(connection)


def reset(proceed: Proceed) -> Response:
    connection = _connection()
    answer = proceed()
    raw = answer.raw

    def half() -> Iterator[bytes]:
        yield raw[: len(raw) // 2]
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        connection.shutdown(socket.SHUT_RDWR)
        yield raw[len(raw) // 2 :]

    return _raw(answer, half())


def delay_request(proceed: Proceed) -> Response:
    time.sleep(DELAY_SECONDS)
    return proceed().response()


def delay_reply(proceed: Proceed) -> Response:
    answer = proceed()
    time.sleep(DELAY_SECONDS)
    return answer.response()


def drip(proceed: Proceed) -> Response:
    answer = proceed()
    raw = answer.raw

    def drops() -> Iterator[bytes]:
        for byte in raw:
            time.sleep(DRIP_SECONDS)
            yield bytes([byte])

    return _raw(answer, drops())


def _raw(answer: Answer, chunks: Iterator[bytes]) -> Response:
    return Response(chunks, headers={"Content-Length": str(len(answer.raw))}, content_type=answer.mimetype)


def instead(status: int, message: str, **headers: str) -> Strike:
    """Not processed: refused with a status of section 3 (or a proxy's)."""
    return lambda proceed: refused(status, message).response(**headers)


def failed_after(proceed: Proceed) -> Response:
    proceed()
    return refused(500, "internal error").response()


def bad_gateway(proceed: Proceed) -> Response:
    page = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
    return Response(page, status=502, mimetype="text/html")


def moved(status: int) -> Strike:
    return lambda proceed: Response(status=status, headers={"Location": request.path})


def truncated(proceed: Proceed) -> Response:
    answer = proceed()
    return Response(answer.raw[: len(answer.raw) // 2], content_type=answer.mimetype)


def malformed(proceed: Proceed) -> Response:
    answer = proceed()
    return Response(answer.raw.replace(b'"', b"'"), content_type=answer.mimetype)


def plain_text(proceed: Proceed) -> Response:
    return Response(proceed().raw, mimetype="text/plain")


def huge(proceed: Proceed) -> Response:
    answer = proceed()
    return replace(answer, body={**answer.body, "padding": "x" * HUGE_BYTES}).response()


THEIRS = ("payment_no", "order_no", "no")
OWN = ("out_order_no", "outer_order_no", "agent_order_id", "outer_refund_no")


def _swapped(value: Any) -> Any:
    """The same with the gateway's number and the caller's in each other's place, wherever a record holds both."""
    if isinstance(value, list):
        return [_swapped(one) for one in value]
    if not isinstance(value, dict):
        return value
    record = {name: _swapped(one) for name, one in value.items()}
    theirs, own = (next((name for name in names if name in record), None) for names in (THEIRS, OWN))
    if theirs and own:
        record[theirs], record[own] = record[own], record[theirs]
    return record


def swapped(proceed: Proceed) -> Response:
    answer = proceed()
    return replace(answer, body=_swapped(dict(answer.body))).response()


def no_meta(proceed: Proceed) -> Response:
    answer = proceed()
    return replace(answer, body={name: value for name, value in answer.body.items() if name != "meta"}).response()


def failed_inside(proceed: Proceed) -> Response:
    proceed()
    return Answer(200, refused(500, "internal error").body).response()


@dataclass(frozen=True)
class InjectedFault:
    """One row; it strikes the first `times` calls. Only what a caller survives unaided is chosen by seed."""

    word: str
    meaning: str
    strike: Strike
    times: int = 1
    seeded: bool = True


SYSTEM_ERROR = '{"wx_message": "系统错误", "wx_code": "SYSTEMERROR"}'
BUSY = instead(503, "busy, try later", Retry_After=RETRY_AFTER_SECONDS)

FAULTS = (
    InjectedFault("DROP-REQUEST", _("closed before processing"), drop_request),
    InjectedFault("DROP-REPLY", _("processed, then closed without a reply"), drop_reply),
    InjectedFault("RESET", _("processed, reset in the middle of the reply"), reset),
    InjectedFault("DELAY-REQUEST", _("2 seconds late before processing"), delay_request),
    InjectedFault("DELAY-REPLY", _("2 seconds late after processing"), delay_reply),
    InjectedFault("DRIP", _("processed, the reply drips byte by byte"), drip, seeded=False),
    InjectedFault("ERROR-BEFORE", _("500 before processing"), instead(500, "internal error")),
    InjectedFault("ERROR-AFTER", _("500 after processing"), failed_after),
    InjectedFault("BUSY503", _("503 with Retry-After, three times"), BUSY, times=3),
    InjectedFault(
        "BUSY429",
        _("429 with Retry-After"),
        instead(429, "too many calls", Retry_After=RETRY_AFTER_SECONDS),
    ),
    InjectedFault("PROXY502", _("502 with a proxy's HTML"), bad_gateway),
    InjectedFault("TRUNCATED", _("processed, half of the JSON"), truncated),
    InjectedFault("MALFORMED", _("processed, no valid JSON"), malformed),
    InjectedFault("TEXT", _("processed, JSON sent as text/plain"), plain_text),
    InjectedFault("HUGE", _("processed, a reply of 2 MiB"), huge),
    InjectedFault("MOVED302", _("redirected with 302"), moved(302)),
    InjectedFault("MOVED307", _("redirected with 307"), moved(307)),
    InjectedFault("SWAPPED", _("processed, the numbers of the reply are swapped"), swapped),
    InjectedFault("NO-META", _("processed, the reply has no meta"), no_meta),
    InjectedFault("META500", _("processed, HTTP 200 with 500 in meta"), failed_inside),
    InjectedFault(
        "SYS555",
        _("555 twice, a system error inside"),
        instead(555, SYSTEM_ERROR),
        times=2,
    ),
    InjectedFault(
        "BAD555",
        _("555 twice, the message is no JSON"),
        instead(555, "{wx_message: ?"),
        times=2,
    ),
    InjectedFault("DENIED401", _("401 once"), instead(401, "the Signature is refused"), seeded=False),
    InjectedFault("LATE411", _("411 once"), instead(411, "the Timestamp is refused")),
)

OUTAGE = InjectedFault("OUTAGE", _("the whole gateway is away"), BUSY)


BY_WORD = {fault.word: fault for fault in FAULTS}
SEEDED = tuple(fault for fault in FAULTS if fault.seeded)
KINDS = ("ADD", "MODIFY", "REPUSH", "PAY", "REFUND", "QUERY")
WORDS = Words(BY_WORD, prefixes=KINDS)
REFUND_PATHS = ("/refund", "/alipay/refund")
# Our numbers, the most exact first, and the gateway's, which stand for what we called it.
SPOKEN = ("outer_refund_no", "sub_order_no", "out_order_no", "agent_order_id", "outer_order_no")
GATEWAY_NUMBERS = ("order_no", "payment_no")
ROLLED = (*NUMBERS, "customs", "action_type")


@dataclass(frozen=True)
class FaultConfig:
    """The configuration at present: `fault_rate` is 0 to 1; in an outage every call is answered 503."""

    fault_seed: int
    fault_rate: float
    outage: bool = False


class FaultInjector:
    """Chooses the faults of one sandbox; the configuration may change while it runs."""

    def __init__(self, ledger: Ledger, config: FaultConfig) -> None:
        self._ledger = ledger
        self._payments = PaymentLedger(ledger)
        self.config = config

    def change(self, **changes: Any) -> None:
        """Set the fields of the configuration that are given, leave the rest."""
        self.config = replace(self.config, **changes)

    def fault_for(self, endpoint: Endpoint, params: Mapping[str, str]) -> InjectedFault | None:
        """Return the fault of this call, if any: by word, else by seed."""
        config = self.config
        if config.outage:
            return OUTAGE
        return self._by_word(endpoint, params) or self._by_seed(config, endpoint, params)

    def _by_word(self, endpoint: Endpoint, params: Mapping[str, str]) -> InjectedFault | None:
        kind = kind_of(endpoint, params)
        for number in self._numbers(endpoint, params):
            if found := WORDS.found(number):
                wanted, word = found
                if wanted in ("", kind) and self._ledger.count(f"{wanted} {number}") <= BY_WORD[word].times:
                    return BY_WORD[word]
        return None

    def _numbers(self, endpoint: Endpoint, params: Mapping[str, str]) -> Iterator[str]:
        """Yield the caller's numbers in a call, or behind the gateway's numbers in it."""
        yield from (params[name] for name in SPOKEN if name in params)
        if is_declaration(endpoint):
            return
        refund = self._payments.refund(params.get("refund_no", ""))
        payment = next((self._payments.payment(params[name]) for name in GATEWAY_NUMBERS if name in params), None)
        yield from (refund.outer_refund_no, refund.our_no) if refund else ()
        yield from (payment.our_no,) if payment else ()

    def _by_seed(self, config: FaultConfig, endpoint: Endpoint, params: Mapping[str, str]) -> InjectedFault | None:
        if not config.fault_rate:
            return None
        # The dice know the seed, the call's numbers and how often it came: never the time.
        rolled = ROLLED if is_declaration(endpoint) else sorted(params)
        call = " ".join([endpoint.name, *(params.get(name, "-") for name in rolled)])
        dice = random.Random(f"{config.fault_seed} {call} {self._ledger.count(call)}")  # noqa: S311 - repeatable on purpose
        return dice.choice(SEEDED) if dice.random() < config.fault_rate else None


def is_declaration(endpoint: Endpoint) -> bool:
    """Whether it is one of section 9."""
    return endpoint.section.startswith("9.")


def kind_of(endpoint: Endpoint, params: Mapping[str, str]) -> str:
    """Which of KINDS a call is: the word that may stand before a fault's word to aim it."""
    if endpoint.method == "GET":
        return "QUERY"
    if endpoint.path in REFUND_PATHS:
        return "REFUND"
    if not is_declaration(endpoint):
        return "PAY"
    return "REPUSH" if endpoint.path.endswith("/redeclaration") else params.get("action_type", "ADD")
