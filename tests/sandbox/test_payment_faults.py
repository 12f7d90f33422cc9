"""Faults at the payment side: every row strikes creates, refunds and queries too, by word and by seed."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from customs.gateway.endpoints import BY_NAME
from customs.sandbox.faults import FAULTS, FaultConfig, FaultInjector, InjectedFault
from customs.sandbox.ledger import Ledger

from .caller import sale
from .test_server import STRUCK

# A read may be late; the words of the others are met at once.
LATE = ("DELAY-REQUEST", "DELAY-REPLY", "DRIP")
QUICK = [fault for fault in FAULTS if fault.word not in LATE]


def meet(call: Any, fault: InjectedFault) -> None:
    """Call as often as the fault strikes, and see that it does."""
    met, _ = STRUCK[fault.word]
    for _ in range(fault.times):
        if isinstance(met, tuple) and isinstance(met[0], int):
            status, body = call()
            assert (status, body is not None) == met
        else:
            with pytest.raises(met):
                call()


@pytest.mark.parametrize("fault", QUICK, ids=lambda fault: fault.word)
def test_a_fault_strikes_a_create_first_and_heals(served: Any, fault: InjectedFault) -> None:
    number = f"{fault.word}-P1"

    meet(lambda: served.caller.pay("/order/scanned_pay", number), fault)
    processed = served.caller.order(number) != 404
    status, body = served.caller.pay("/order/scanned_pay", number)

    assert processed == STRUCK[fault.word][1]
    assert (status, body["data"]["order"]["agent_order_id"]) == (200, number)


@pytest.mark.parametrize("fault", QUICK, ids=lambda fault: fault.word)
def test_a_fault_in_the_refunds_number_strikes_the_refund_and_heals(served: Any, fault: InjectedFault) -> None:
    refund_no = f"{fault.word}-R1"
    served.caller.pay("/alipay/scan_pay", f"9{fault.word.lower()}")
    number = served.caller.order(f"9{fault.word.lower()}", "/alipay/order")["payment_no"]
    asked = {"payment_no": number, "refund_amount": "5", "outer_refund_no": refund_no}

    meet(lambda: served.caller.refund("/alipay/refund", **asked), fault)
    processed = served.caller.send("GET", "/alipay/refund", {"payment_no": number})[1]["refunds"]
    status, _ = served.caller.refund("/alipay/refund", **asked)

    assert len(processed) == STRUCK[fault.word][1]
    assert status == 200
    assert len(served.caller.send("GET", "/alipay/refund", {"payment_no": number})[1]["refunds"]) == 1


@pytest.mark.parametrize(
    ("kind", "statuses"), [("PAY", (500, 200, 200)), ("REFUND", (200, 500, 200)), ("QUERY", (200, 200, 500))]
)
def test_a_prefix_in_the_order_number_aims_a_fault(sandbox: Any, kind: str, statuses: tuple[int, ...]) -> None:
    number = f"{kind}-ERROR-AFTER-1"

    created, _ = sandbox.caller.pay("/order/scan_pay", number)
    payment_no = sandbox.ledger()["payments"][0]["payment_no"]
    refunded, _ = sandbox.caller.refund(order_no=payment_no, refund_amount="5", outer_refund_no="R1")
    asked, _ = sandbox.caller.send("GET", "/order", {"order_no": payment_no})

    assert (created, refunded, asked) == statuses
    assert [row["status"] for row in sandbox.ledger()["refunds"]] == ["SUCCESS"]


def test_swapped_numbers_are_theirs_and_ours_in_each_others_place(sandbox: Any) -> None:
    _, body = sandbox.caller.pay("/alipay/qrcode_pay", "SWAPPED-1")

    assert body["data"]["order"]["payment_no"] == "SWAPPED-1"
    assert body["data"]["order"]["outer_order_no"].isdigit()


def test_a_lost_reply_leads_to_one_refund_when_it_is_asked_for_again(served: Any) -> None:
    served.caller.pay("/order/scan_pay", "REFUND-DROP-REPLY-7")
    number = served.caller.order("REFUND-DROP-REPLY-7")["no"]
    asked = {"order_no": number, "refund_amount": "5", "outer_refund_no": "R7"}

    with pytest.raises(requests.ConnectionError):
        served.caller.refund(**asked)
    served.caller.refund(**asked)

    (row,) = [
        row for row in requests.get(f"{served.url}/ledger/refunded", timeout=5).json() if row["payment_no"] == number
    ]
    assert (row["refunds"], row["refunded"]) == (1, "5")


def test_seeded_faults_meet_payment_calls_repeatably() -> None:
    def struck(seed: int) -> list[InjectedFault | None]:
        injector = FaultInjector(Ledger(None), FaultConfig(seed, fault_rate=0.5))
        sales = [sale("/order/scan_pay", str(number)) for number in range(20)] * 2
        refunds = [{"order_no": "1", "outer_refund_no": f"R{number}"} for number in range(20)]
        return [
            *(injector.fault_for(BY_NAME["scan_pay"], call) for call in sales),
            *(injector.fault_for(BY_NAME["refund"], call) for call in refunds),
        ]

    first, second, other = struck(7), struck(7), struck(8)

    assert first == second != other
    assert 0 < first.count(None) < len(first)


def test_an_outage_reaches_the_payment_side(sandbox: Any) -> None:
    sandbox.client.post("/control", json={"outage": True})

    statuses = [
        sandbox.caller.pay("/order/scan_pay")[0],
        sandbox.caller.refund(order_no="1")[0],
        sandbox.caller.send("GET", "/rate", {"merchant_no": "M1", "currency": "USD"})[0],
    ]

    assert statuses == [503] * 3


def test_a_slow_reply_to_a_refund_is_processed_once(served: Any) -> None:
    served.caller.pay("/order/scan_pay", "slow-1")
    number = served.caller.order("slow-1")["no"]
    asked = {"order_no": number, "refund_amount": "5", "outer_refund_no": "DELAY-REQUEST-R"}

    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(served.patient.refund, **asked)
        statuses = [served.patient.refund(**asked)[0], late.result()[0]]

    assert statuses == [200, 200]
    assert len(served.caller.send("GET", "/refund", {"order_no": number})[1]["refunds"]) == 1
