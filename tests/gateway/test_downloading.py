"""A bill (8) arrives as it is, whatever kind of text it is; everything else that comes instead is no bill."""

import io
import json
import threading

import pytest

from customs.gateway import BY_NAME, ENDPOINTS, Credentials, Misuse, NotFound, NotSent, Refused, Unknown, check

from .loopback import answer, drip, listening, raw, reset

BILL = BY_NAME["download_bill"]
ASKED = {"agent_no": "agent-1", "start_date": "2018-01-01", "end_date": "2018-01-31"}
LINES = "支付单号,金额\r\n2017062312381442716795237,0.10\r\n"
HTML = "<!doctype html><h1>Bad Gateway</h1>"


def meta(status_code, success=False, **more):
    return json.dumps({"meta": {"status_code": status_code, "success": success, "message": "no"}} | more)


def head(kind="text/plain", more="", length=900):
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{more}Content-Length: {length}\r\n\r\n".encode()


def download(respond, signer, **options):
    sink = io.BytesIO()
    with listening(respond) as loopback:
        exchange = loopback.gateway(signer).download(BILL, ASKED, sink, **options)
    return loopback, sink.getvalue(), exchange


@pytest.mark.parametrize(
    "kind", ["text/plain; charset=gb18030", "application/octet-stream", "text/html", "application/json", ""]
)
def test_a_bill_is_written_as_it_came_and_kept_only_once(kind, signer):
    loopback, written, exchange = download(answer(LINES, kind=kind), signer)

    assert written == LINES.encode()
    assert loopback.received[0].target == ("/download_bill?agent_no=agent-1&end_date=2018-01-31&start_date=2018-01-01")
    assert (exchange.method, exchange.path, exchange.status, exchange.reply) == ("GET", "/download_bill", 200, "")


def test_bytes_that_are_no_utf_8_are_kept(signer):
    content = "支付单号\n".encode("gb18030") + b"\xff\x00"

    assert download(raw(head(length=len(content)) + content), signer)[1] == content


def test_an_empty_bill_is_a_bill(signer):
    assert download(answer("", kind="text/plain"), signer)[1] == b""


def test_a_bill_of_several_pieces_is_whole_and_the_connection_is_kept(signer):
    clients = set()
    lines = LINES * 5000

    def respond(handler):
        clients.add(handler.client_address)
        answer(lines, kind="text/plain")(handler)

    with listening(respond) as loopback:
        gateway = loopback.gateway(signer)
        sinks = [io.BytesIO(), io.BytesIO()]
        for sink in sinks:
            gateway.download(BILL, ASKED, sink)

    assert [sink.getvalue() for sink in sinks] == [lines.encode()] * 2
    assert len(clients) == 1


def test_a_bill_at_the_limit_is_taken_and_one_over_it_is_not(signer):
    size = len(LINES.encode())

    assert download(answer(LINES, kind="text/plain"), signer, limit=size)[1] == LINES.encode()
    with pytest.raises(Unknown) as caught:
        download(answer(LINES, kind="text/plain"), signer, limit=size - 1)
    assert caught.value.message == f"the answer is over {size - 1} bytes"


REFUSED = {
    "400": (answer(meta(400), 400), Refused),
    "400 in meta": (answer(meta(400)), Refused),
    "404": (answer(meta(404), 404), NotFound),
    "401 by a proxy": (answer(HTML, 401, kind="text/html"), Credentials),
    "500": (answer(meta(500), 500), Unknown),
    "a success without a bill": (answer(meta(200, success=True, data={})), Unknown),
    "a page": (answer(HTML, kind="text/html"), Unknown),
    "a page that says it is text": (answer(f"\ufeff\n{HTML}", kind="text/plain"), Unknown),
    "a proxy's page": (answer(HTML, 502, kind="text/html"), Unknown),
    "text with another status": (answer(LINES, 206, kind="text/plain"), Unknown),
    "JSON that says it is text": (answer(meta(400), kind="text/plain"), Refused),
    "JSON of somebody else": (answer('[{"error": 1}]', kind="text/plain"), Unknown),
    "JSON over 1 MiB": (answer('{"x": "' + "x" * 1_100_000 + '"}'), Unknown),
    "a redirect": (answer("", 302, Location="/elsewhere"), Unknown),
    "compressed": (answer("\x1f\x8b", kind="text/plain", Content_Encoding="gzip"), Unknown),
    "closed amid the bill": (raw(head() + LINES.encode()), Unknown),
    "reset": (reset, Unknown),
}


@pytest.mark.parametrize(("respond", "kind"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_bill_is_raised_as_what_it_is(respond, kind, signer):
    with pytest.raises(kind) as caught:
        download(respond, signer)

    assert type(caught.value) is kind
    assert caught.value.exchange.path == "/download_bill"


def test_a_dripping_bill_holds_nobody_beyond_its_own_timeout(signer):
    over = threading.Event()

    with pytest.raises(Unknown):
        download(drip(head(), over), signer, timeout=0.3)
    over.set()


def test_a_disk_that_is_full_is_no_matter_of_the_gateways(signer):
    class Full(io.BytesIO):
        def write(self, piece):
            raise OSError("no space left")

    with listening(answer(LINES, kind="text/plain")) as loopback, pytest.raises(OSError, match="no space left"):
        loopback.gateway(signer).download(BILL, ASKED, Full())


def test_what_reaches_nobody_was_not_sent(signer):
    with listening(answer(LINES)) as loopback:
        gateway = loopback.gateway(signer)
    sink = io.BytesIO()

    with pytest.raises(NotSent):
        gateway.download(BILL, ASKED, sink)
    assert sink.getvalue() == b""


def test_a_question_that_is_not_the_documents_is_never_sent(signer):
    with listening(answer(LINES)) as loopback, pytest.raises(Misuse):
        loopback.gateway(signer).download(BILL, {"agent_no": "agent-1"}, io.BytesIO())

    assert loopback.received == []


@pytest.mark.parametrize("action", [e for e in ENDPOINTS if e.method == "POST"], ids=lambda e: e.name)
def test_no_question_for_a_bill_verifies_as_an_action(action):
    assert check(action, {name: value for name, value in ASKED.items() if name in action.known}) != []
