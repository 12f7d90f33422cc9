"""What the network and the gateway's own machinery do to a call: one table, printed on the front page.

A fault strikes the first calls for a number and then heals, so what was declared still ends. It gets `proceed`,
which processes the call: whether and when it is called tells a lost request from a lost reply.
"""

import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from flask import Response, request

from customs.sandbox.calls import Answer, Refused, refused

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
    chinese: str
    english: str
    strike: Strike
    times: int = 1
    seeded: bool = True


SYSTEM_ERROR = '{"wx_message": "系统错误", "wx_code": "SYSTEMERROR"}'
BUSY = instead(503, "busy, try later", Retry_After=RETRY_AFTER_SECONDS)

FAULTS = (
    InjectedFault("DROP-REQUEST", "请求丢失:处理前断开连接", "closed before processing", drop_request),
    InjectedFault("DROP-REPLY", "应答丢失:处理后断开连接", "processed, then closed without a reply", drop_reply),
    InjectedFault("RESET", "应答中途连接被重置", "processed, reset in the middle of the reply", reset),
    InjectedFault("DELAY-REQUEST", "处理前延迟 2 秒", "2 seconds late before processing", delay_request),
    InjectedFault("DELAY-REPLY", "处理后延迟 2 秒", "2 seconds late after processing", delay_reply),
    InjectedFault("DRIP", "应答逐字节缓慢返回", "processed, the reply drips byte by byte", drip, seeded=False),
    InjectedFault("ERROR-BEFORE", "处理前返回 500", "500 before processing", instead(500, "internal error")),
    InjectedFault("ERROR-AFTER", "处理后返回 500", "500 after processing", failed_after),
    InjectedFault("BUSY503", "三次 503,带 Retry-After", "503 with Retry-After, three times", BUSY, times=3),
    InjectedFault(
        "BUSY429",
        "一次 429,带 Retry-After",
        "429 with Retry-After",
        instead(429, "too many calls", Retry_After=RETRY_AFTER_SECONDS),
    ),
    InjectedFault("PROXY502", "代理返回 502 HTML", "502 with a proxy's HTML", bad_gateway),
    InjectedFault("TRUNCATED", "处理后返回被截断的 JSON", "processed, half of the JSON", truncated),
    InjectedFault("MALFORMED", "处理后返回非法 JSON", "processed, no valid JSON", malformed),
    InjectedFault("TEXT", "处理后返回错误的内容类型", "processed, JSON sent as text/plain", plain_text),
    InjectedFault("HUGE", "处理后返回 2 MiB 的应答", "processed, a reply of 2 MiB", huge),
    InjectedFault("MOVED302", "重定向 302", "redirected with 302", moved(302)),
    InjectedFault("MOVED307", "重定向 307", "redirected with 307", moved(307)),
    InjectedFault("SWAPPED", "处理后返回的单号互换", "processed, the numbers of the reply are swapped", swapped),
    InjectedFault("NO-META", "处理后返回缺少 meta", "processed, the reply has no meta", no_meta),
    InjectedFault("META500", "处理后 HTTP 200,meta 为 500", "processed, HTTP 200 with 500 in meta", failed_inside),
    InjectedFault(
        "SYS555",
        "两次 555,微信系统错误",
        "555 twice, a system error inside",
        instead(555, SYSTEM_ERROR),
        times=2,
    ),
    InjectedFault(
        "BAD555",
        "两次 555,内容不可读",
        "555 twice, the message is no JSON",
        instead(555, "{wx_message: ?"),
        times=2,
    ),
    InjectedFault("DENIED401", "一次 401", "401 once", instead(401, "the Signature is refused"), seeded=False),
    InjectedFault("LATE411", "一次 411", "411 once", instead(411, "the Timestamp is refused")),
)

OUTAGE = InjectedFault("OUTAGE", "整个网关不可用", "the whole gateway is away", BUSY)
