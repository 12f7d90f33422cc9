"""A clerk corrects an order while a worker holds it: what was acknowledged last is what the gateway gets."""

from tests import make
from tests.journeys.deployment import Deployment
from tests.journeys.processes import wait_until

CORRECTED = "110396T0002"


def test_a_correction_of_what_a_worker_has_reserved_is_what_goes_out(small: Deployment) -> None:
    slow = [make.declaration_row(out_order_no=make.number("DELAY-REPLY-")) for _ in range(2)]
    reserved = make.declaration_row()
    small.hand_in(*slow, reserved)
    # One thread: while it waits for the first replies, the third order is reserved and not sent.
    small.start("worker", CUSTOMS_GATEWAY_CONCURRENCY="1")
    wait_until(lambda: bool(small.gateway.calls(slow[0]["payment_no"])), "the first call is under way")

    small.modify(reserved, mch_customs_no=CORRECTED)
    small.wait_until_drained()

    assert small.state_of(reserved) == "SUCCESS"
    assert small.broken_promises() == []


def test_an_answer_from_before_a_correction_does_not_swallow_it(small: Deployment) -> None:
    row = make.declaration_row(out_order_no=make.number("QUERY-DELAY-REPLY-"))
    small.hand_in(row)
    small.start("worker")
    wait_until(lambda: len(small.gateway.calls(row["payment_no"])) == 2, "the slow query is under way")

    small.modify(row, mch_customs_no=CORRECTED)
    small.wait_until_drained()

    assert small.state_of(row) == "SUCCESS"
    assert small.broken_promises() == []
