"""The sandbox as a process: every fault over real HTTP, kill -9, its titles, its front page, its switches."""

import os
import signal
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from customs.gateway.endpoints import BY_NAME
from customs.sandbox.app import THREADS
from customs.sandbox.declaration_scenarios import SCENARIOS
from customs.sandbox.faults import FAULTS, FaultConfig, FaultInjector, InjectedFault
from customs.sandbox.ledger import Ledger
from tests.patience import PATIENCE_SECONDS

from .caller import WECHAT, order

# What the first call for a number meets (an exception of `requests`, or a status and whether JSON came), and
# whether it was processed all the same.
LOST = requests.ConnectionError
SLOW = requests.ReadTimeout
STRUCK = {
    "DROP-REQUEST": (LOST, False),
    "DROP-REPLY": (LOST, True),
    "RESET": ((LOST, requests.exceptions.ChunkedEncodingError), True),
    "DELAY-REQUEST": (SLOW, True),
    "DELAY-REPLY": (SLOW, True),
    "DRIP": (None, True),
    "ERROR-BEFORE": ((500, True), False),
    "ERROR-AFTER": ((500, True), True),
    "BUSY503": ((503, True), False),
    "BUSY429": ((429, True), False),
    "PROXY502": ((502, False), False),
    "TRUNCATED": ((200, False), True),
    "MALFORMED": ((200, False), True),
    "TEXT": ((200, True), True),
    "HUGE": ((200, True), True),
    "MOVED302": ((302, False), False),
    "MOVED307": ((307, False), False),
    "SWAPPED": ((200, True), True),
    "NO-META": ((200, True), True),
    "META500": ((200, True), True),
    "SYS555": ((555, True), False),
    "BAD555": ((555, True), False),
    "DENIED401": ((401, True), False),
    "LATE411": ((411, True), False),
}


def ledger(served: Any, payment_no: str) -> Any:
    return requests.get(f"{served.url}/ledger", params={"payment_no": payment_no}, timeout=5).json()


def test_every_fault_is_met() -> None:
    assert {fault.word for fault in FAULTS} == STRUCK.keys()


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.word != "DRIP"], ids=lambda fault: fault.word)
def test_a_fault_strikes_first_and_heals(served: Any, fault: Any) -> None:
    params = order(number=f"{fault.word}-1")
    met, processed = STRUCK[fault.word]

    for _ in range(fault.times):
        if isinstance(met, tuple) and isinstance(met[0], int):
            status, body = served.caller.declare(WECHAT, **params)
            assert (status, body is not None) == met
        else:
            with pytest.raises(met):
                served.caller.declare(WECHAT, **params)
    # A late reply is still on its way when the caller has given up.
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(ledger(served, params["payment_no"])["filings"]) != processed and time.monotonic() < deadline:
        time.sleep(0.05)
    filed = len(ledger(served, params["payment_no"])["filings"])
    status, body = served.caller.declare(WECHAT, **params)

    assert filed == processed
    assert (status, body["data"]["out_order_no"]) == (200, params["out_order_no"])


def test_a_dripping_reply_comes_byte_by_byte(served: Any) -> None:
    params = order(number="DRIP-1")
    headers = served.caller.headers(params)

    with requests.post(
        served.url + WECHAT, data=params, headers=headers, timeout=PATIENCE_SECONDS, stream=True
    ) as reply:
        first = [next(reply.iter_content(1)) for _ in range(2)]

    assert first[0] == b"{"


def test_a_prefix_aims_a_fault_at_one_kind_of_call(served: Any) -> None:
    params = order(number="MODIFY-ERROR-AFTER-1")

    added, _ = served.caller.declare(WECHAT, **params)
    asked, _ = served.caller.query(WECHAT, out_order_no=params["out_order_no"], customs="SHENZHEN")
    modified, _ = served.caller.declare(WECHAT, **params, action_type="MODIFY")

    assert (added, asked, modified) == (200, 200, 500)
    assert ledger(served, params["payment_no"])["filings"][0]["modifies"] == 1


def test_seeded_faults_depend_on_the_seed_and_the_numbers_alone() -> None:
    def struck(seed: int) -> list[InjectedFault | None]:
        injector = FaultInjector(Ledger(None), FaultConfig(seed, fault_rate=0.5))
        calls = [order(number=str(number)) for number in range(20)] * 2
        return [injector.fault_for(BY_NAME["wechatpay_declare"], call) for call in calls]

    first, second, other = struck(7), struck(7), struck(8)

    assert first == second != other
    assert 0 < first.count(None) < len(first)


def test_an_outage_is_switched_on_and_off(served: Any) -> None:
    def switch(**switches: Any) -> requests.Response:
        return requests.post(f"{served.url}/control", json=switches, timeout=5)

    assert switch(outage=True).json()["outage"] is True
    during, _ = served.caller.declare(WECHAT, **order(number="77"))
    assert switch(outage=False).json()["outage"] is False
    after, _ = served.caller.declare(WECHAT, **order(number="77"))
    wrong = switch(fault_rate=2, colour="red")

    assert (during, after, wrong.status_code) == (503, 200, 400)


def test_the_front_page_lists_every_word_and_needs_nothing_from_elsewhere(served: Any) -> None:
    page = requests.get(served.url, timeout=5).text

    assert all(f"<code>{row.word}</code>" in page for row in (*SCENARIOS, *FAULTS))
    assert "<script" not in page
    assert "http" not in page


def test_a_killed_sandbox_remembers_and_is_one_process(serve_sandbox: Any, tmp_path: Path) -> None:
    with serve_sandbox(tmp_path / "ledger.db") as first:
        titles = subprocess.run(
            ["ps", "-o", "args=", "--pid", str(first.process.pid), "--ppid", str(first.process.pid)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        first.caller.declare(WECHAT, **order(number="EXCEPT-1"))
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait(5)
    with serve_sandbox(tmp_path / "ledger.db") as second:
        state = second.caller.state(WECHAT, out_order_no="EXCEPT-1", customs="SHENZHEN")

    assert titles == ["customs sandbox"]
    assert state == "EXCEPT"


def test_calls_that_are_never_whole_hold_no_thread(served: Any) -> None:
    head = f"POST {WECHAT} HTTP/1.1\r\nHost: sandbox\r\nContent-Length: 99\r\n\r\n".encode()
    port = urlsplit(served.url).port
    with ExitStack() as stack:
        for _ in range(THREADS + 6):
            stack.enter_context(socket.create_connection(("127.0.0.1", port))).sendall(head)

        status, _ = served.caller.declare(WECHAT, **order(number="78"))

    assert status == 200
