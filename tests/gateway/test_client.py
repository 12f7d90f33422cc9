"""Each row of the promise "what came back, and what it means", over real HTTP."""

import json
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from customs.gateway import (
    BY_NAME,
    Busy,
    ClockSkew,
    Credentials,
    Gateway,
    GatewayError,
    Misuse,
    NotFound,
    NotSent,
    Refused,
    Unknown,
    Verifier,
)

from .loopback import answer, drip, listening, raw, reset

QUERY = BY_NAME["wechatpay_query_declaration"]
REDECLARE = BY_NAME["wechatpay_redeclare"]
ASKED = {"out_order_no": "A~1", "customs": "SHENZHEN"}
OK = '{"meta": {"status_code": 200, "message": "请求成功", "success": true}, "data": {"state": "SUCCESS"}}'
HTML = "<html><h1>Bad Gateway</h1></html>"
DATE = "Thu, 22 Jun 2017 13:29:47 GMT"
PLAIN_TEXT = {"kind": "text/html"}


def meta(status_code=None, success=False, message="no"):
    return json.dumps({"meta": {"status_code": status_code, "success": success, "message": message}})


def wechat(inner, status=555):
    return answer(meta(555, message=inner), status)


def head(length):
    return f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n".encode()


UNKNOWN = {
    "reset": reset,
    "closed without a word": raw(b""),
    "closed amid the headers": raw(b"HTTP/1.1 200 OK\r\nContent-Ty"),
    "closed amid the body": raw(head(900) + OK.encode()[:30]),
    "truncated chunk": raw(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{"
    ),
    "no HTTP": raw(b"220 mail.example.com\r\n\r\n"),
    "contradicting lengths": raw(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1, 2\r\n\r\n{}"
    ),
    "truncated JSON": answer(OK[:40]),
    "no JSON": answer("OK"),
    "not UTF-8": raw(head(9) + b'{"m":"\xff"}'),
    "deep JSON": answer("[" * 200_000),
    "NaN": answer(OK.replace("200", "NaN")),
    "duplicate names": answer(OK.replace('"data"', '"meta"')),
    "a list": answer("[]"),
    "meta missing": answer('{"data": {}}'),
    "meta no object": answer('{"meta": []}'),
    "success missing": answer('{"meta": {"status_code": 200}}'),
    "success in words": answer(OK.replace("true", '"yes"')),
    "HTML with 200": answer(HTML, **PLAIN_TEXT),
    "compressed": answer("\x1f\x8b", Content_Encoding="gzip"),
    "302": answer("", 302, Location="/elsewhere"),
    "307": answer("", 307, Location="/elsewhere"),
    "304": raw(b"HTTP/1.1 304 Not Modified\r\n\r\n"),
    "huge": answer('{"meta": {"success": true}, "x": "' + "x" * 1_100_000 + '"}'),
    "400 by a proxy": answer(HTML, 400, **PLAIN_TEXT),
    "404 by a proxy": answer(HTML, 404, **PLAIN_TEXT),
    "404 without meta": answer('{"detail": "no"}', 404),
    "411 by a proxy": answer(HTML, 411, **PLAIN_TEXT),
    "500": answer(meta(500), 500),
    "500 in meta": answer(meta(500)),
    "502": answer(HTML, 502, **PLAIN_TEXT),
    "504": answer(meta(504), 504),
    "404 and 400 at once": answer(meta(400), 404),
    "success and 404 at once": answer(meta(404, success=True)),
    "success and 503 at once": answer(meta(503, success=True)),
    "status that is no status": answer(meta("９９９")),
    "555 without JSON inside": wechat("系统繁忙"),
    "555 with a list inside": wechat("[]"),
    "555 without code": wechat('{"wx_message": "no"}'),
    "555 with a system code": wechat('{"wx_message": "busy", "wx_code": "SYSTEM_ERROR"}'),
    "555 with minus one": wechat('{"wx_message": "busy", "wx_code": -1}'),
    "555 by a proxy": answer(HTML, 555, **PLAIN_TEXT),
}
KNOWN = {
    "400": (answer(meta(400), 400), Refused),
    "400 without a status in meta": (answer(meta(), 400), Refused),
    "400 in meta": (answer(meta(400)), Refused),
    "422": (answer(meta(422), 422), Refused),
    "success false": (answer(meta(200)), Refused),
    "success false without status": (answer(meta()), Refused),
    "404": (answer(meta(404), 404), NotFound),
    "404 in meta as text": (answer(meta("404")), NotFound),
    "401": (answer(meta(401), 401), Credentials),
    "401 in meta": (answer(meta(401)), Credentials),
    "401 by a proxy": (answer(HTML, 401, **PLAIN_TEXT), Credentials),
    "403": (answer(HTML, 403, **PLAIN_TEXT), Credentials),
    "503": (answer(HTML, 503, **PLAIN_TEXT), Busy),
    "503 in meta": (answer(meta(503)), Busy),
    "429": (answer(meta(429), 429), Busy),
    "411": (answer(meta(411), 411), ClockSkew),
    "555": (wechat('{"wx_message": "no such order", "wx_code": "PARAM_ERROR"}'), Refused),
    "555 encoded twice": (wechat(json.dumps('{"wx_message": "m", "wx_code": "PARAM_ERROR"}')), Refused),
    "555 in meta": (wechat('{"wx_message": "m", "wx_code": "PARAM_ERROR"}', status=200), Refused),
}


def failure(respond, signer, endpoint=QUERY, **options) -> GatewayError:
    params = ASKED if endpoint is QUERY else ASKED | {"mch_customs_no": "M1"}
    with listening(respond) as loopback, pytest.raises(GatewayError) as caught:
        loopback.gateway(signer, **options).call(endpoint, params)
    assert len(loopback.received) == 1, "nothing is ever sent twice"
    return caught.value


@pytest.mark.parametrize("respond", UNKNOWN.values(), ids=UNKNOWN.keys())
@pytest.mark.parametrize("endpoint", [QUERY, REDECLARE], ids=["GET", "POST"])
def test_what_was_sent_and_not_understood_is_unknown(respond, endpoint, signer):
    assert type(failure(respond, signer, endpoint)) is Unknown


@pytest.mark.parametrize(("respond", "kind"), KNOWN.values(), ids=KNOWN.keys())
def test_each_refusal_has_its_class(respond, kind, signer):
    assert type(failure(respond, signer)) is kind


@pytest.mark.parametrize("kind", ["text/html", "text/plain; charset=gbk", ""])
@pytest.mark.parametrize("content", [OK, f"\ufeff{OK}"], ids=["plain", "with a mark"])
def test_json_with_meta_is_an_answer_whatever_its_header_says(kind, content, signer):
    with listening(answer(content, kind=kind)) as loopback:
        reply = loopback.gateway(signer).call(QUERY, ASKED)

    assert reply.body["data"] == {"state": "SUCCESS"}


def test_a_555_hands_on_wechats_words(signer):
    error = failure(wechat('{"wx_message": "重复", "wx_code": "PARAM_ERROR"}'), signer)

    assert (error.status, error.code, error.message) == (555, "PARAM_ERROR", "重复")


def test_an_error_carries_the_exchange_and_its_text_no_parameter(signer):
    error = failure(answer(meta(400, message="no such A~1"), 400), signer)

    assert error.message == "no such A~1"
    assert error.exchange.params == ASKED
    assert error.exchange.status == 400
    assert json.loads(error.exchange.reply)["meta"]["success"] is False
    assert "A~1" not in f"{error} {error!r} {error.exchange!r}"


def test_a_clock_skew_tells_the_gateways_time_and_that_of_the_clock_that_signed(signer):
    our_time = datetime(2017, 6, 22, 13, 31, 17, tzinfo=UTC)

    error = failure(answer(meta(411), 411, Date=DATE), signer, now=our_time.timestamp)

    assert (error.server_time, error.our_time) == (datetime(2017, 6, 22, 13, 29, 47, tzinfo=UTC), our_time)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "7"}, 7.0),
        ({"Retry_After": "Thu, 22 Jun 2017 13:30:47 GMT", "Date": DATE}, 60.0),
        ({"Retry_After": "9" * 400}, 86400.0),
        ({"Retry_After": "-1"}, None),
        ({"Retry_After": "soon"}, None),
        ({}, None),
    ],
)
def test_a_busy_gateway_says_for_how_long(headers, seconds, signer):
    assert failure(answer(meta(503), 503, **headers), signer).retry_after == seconds


def test_nonsense_characters_in_an_answer_are_made_storable(signer):
    error = failure(answer('{"meta": {"success": false, "message": "a\\ud800b\\u0000"}}'), signer)

    assert error.message == "a?b\ufffd"


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nX: ", head(900)], ids=["headers", "body"])
def test_a_dripping_server_holds_nobody_beyond_the_timeout(start, signer):
    over = threading.Event()

    error = failure(drip(start, over), signer, timeout=0.4)
    is_still_dripping = not over.is_set()
    over.set()

    assert type(error) is Unknown
    assert is_still_dripping


def test_a_silent_server_is_unknown_when_time_is_up(signer):
    over = threading.Event()

    error = failure(lambda handler: over.wait(5), signer, timeout=0.3)
    over.set()

    assert type(error) is Unknown


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize("url", ["http://127.0.0.1:{}", "https://127.0.0.1:{}", "http://nowhere.invalid:{}"])
def test_what_reaches_nobody_was_not_sent(url, signer):
    gateway = Gateway(url.format(free_port()), "agent-1", signer, timeout=5)

    with pytest.raises(NotSent) as caught:
        gateway.call(QUERY, ASKED)

    assert caught.value.exchange.status is None


def test_a_server_that_speaks_no_tls_was_sent_nothing(signer):
    with listening(answer(OK)) as loopback:
        gateway = Gateway(loopback.url.replace("http:", "https:"), "agent-1", signer, timeout=5)

        with pytest.raises(NotSent):
            gateway.call(QUERY, ASKED)

    assert loopback.received == []


def test_a_certificate_nobody_trusts_was_sent_nothing(signer):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).parent / "keys" / "self_signed.pem")
    with listening(answer(OK), context) as loopback:
        with pytest.raises(NotSent):
            loopback.gateway(signer).call(QUERY, ASKED)
        trusting = loopback.gateway(signer, ca_bundle=str(Path(__file__).parent / "keys" / "self_signed.pem"))

        reply = trusting.call(QUERY, ASKED)

    assert reply.exchange.status == 200
    assert len(loopback.received) == 1


def test_a_get_sends_in_the_url_what_was_signed(signer):
    with listening(answer(OK)) as loopback:
        loopback.gateway(signer).call(QUERY, ASKED | {"out_order_no": "A~1 ·\U00020bb7+%"})

    sent = loopback.received[0]
    query = sent.target.partition("?")[2]
    assert sent.target.startswith("/wechatpay/declaration?customs=SHENZHEN&out_order_no=A%7E1%20%C2%B7%F0%A0%AE%B7%2B")
    assert sent.body == ""
    assert_signed(sent, query)


def test_a_post_sends_in_the_body_what_was_signed(signer):
    with listening(answer(OK)) as loopback:
        loopback.gateway(signer).call(REDECLARE, ASKED | {"mch_customs_no": "M&=~"})

    sent = loopback.received[0]
    assert (sent.verb, sent.target) == ("POST", "/wechatpay/redeclaration")
    assert sent.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert dict(parse_qsl(sent.body)) == ASKED | {"mch_customs_no": "M&=~"}
    assert_signed(sent, sent.body)


def assert_signed(sent, pairs: str) -> None:
    verifier = Verifier((Path(__file__).parent / "keys" / "public_spki.pem").read_bytes())
    assert (sent.headers["AgentNo"], sent.headers["Version"]) == ("agent-1", "1.0")
    assert sent.headers["Timestamp"] == "1498138187"
    assert sent.headers["Accept-Encoding"] == "identity"
    assert verifier.verify(f"{pairs},1498138187".encode(), sent.headers["Signature"])


def test_a_success_is_handed_over_complete(signer):
    with listening(answer(OK.replace('"SUCCESS"', "0.87"), kind="Application/JSON; charset=utf-8")) as loopback:
        reply = loopback.gateway(signer).call(QUERY, ASKED)

    assert reply.body["data"] == {"state": Decimal("0.87")}
    assert reply.exchange.reply.startswith('{"meta"')
    assert (reply.exchange.method, reply.exchange.path) == ("GET", "/wechatpay/declaration")


def test_a_base_url_may_have_a_path(signer):
    with listening(answer(OK)) as loopback:
        Gateway(loopback.url + "/v1/", "agent-1", signer).call(QUERY, ASKED)

    assert loopback.received[0].target.startswith("/v1/wechatpay/declaration?")


def test_proxies_of_the_environment_are_not_used(signer, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    with listening(answer(OK)) as loopback:
        loopback.gateway(signer).call(QUERY, ASKED)

    assert len(loopback.received) == 1


def test_connections_are_kept_and_shared_between_threads(signer):
    clients = set()

    def respond(handler):
        clients.add(handler.client_address)
        answer(OK)(handler)

    with listening(respond) as loopback, ThreadPoolExecutor(4) as threads:
        gateway = loopback.gateway(signer, pool_size=4)
        replies = list(threads.map(lambda _: gateway.call(QUERY, ASKED), range(40)))
        gateway.close()

    assert len(replies) == len(loopback.received) == 40
    assert len(clients) <= 4


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("wechatpay_query_declaration", {"out_order_no": "A1"}),
        ("wechatpay_query_declaration", ASKED | {"name": "Lisa"}),
        ("wechatpay_query_declaration", ASKED | {"out_order_no": "\ud800"}),
        ("alipay_cashier_desk", {}),
    ],
)
def test_what_the_document_does_not_allow_is_never_sent(name, params, signer):
    with listening(answer(OK)) as loopback, pytest.raises(Misuse) as caught:
        loopback.gateway(signer).call(BY_NAME[name], params)

    assert loopback.received == []
    assert "Lisa" not in str(caught.value)
