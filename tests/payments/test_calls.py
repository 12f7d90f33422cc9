"""The signed calls: what goes out over real HTTP, what is believed of what comes back, and what is kept of both."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from customs.gateway import Gateway, GatewayError, Misuse, Signer, Unknown, wallets
from customs.ops.standalone import keep_key_pair
from customs.payments import queries
from customs.payments.models import Payment
from customs.payments.states import PaymentCase
from customs.payments.tasks.payment_task import PaymentTask
from customs.payments.tasks.refund_task import RefundTask
from customs.payments.tasks.task import Task
from customs.privacy.vault import Vault
from tests import make
from tests.gateway.loopback import Loopback, answer, listening, sent
from tests.payments.till import Till, order_reply

OPENID = "oQx43wJiwtsjv8C0lT5Lj7Mw1QZ4"
AUTH_CODE = "135605691981176449"
EMAIL = "li.lei@mail.test"
DESK = {"method": "cashier_desk", "return_url": "https://shop.test/back"}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    home = tmp_path_factory.mktemp("keys")
    keep_key_pair(home, "agent")
    return Signer.from_file(home / "agent_private.pem")


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    with listening(answer("{}")) as loopback:
        yield loopback


@pytest.fixture
def call(till: Till, loopback: Loopback, signer: Signer) -> Callable[..., Any]:
    """Claims the one task that is due and makes its call; the gateway answers with this data."""
    services = till.services
    through = wallets(Gateway(loopback.url, "agent-1", signer, timeout=5.0))

    def make_call(vault: Vault | None = None, status: int = 200, **data: Any):
        meta = {"success": status == 200, "status_code": status}
        loopback.respond = answer(json.dumps({"meta": meta, "data": data}), status)
        works = (
            PaymentTask(through, vault or services.vault, services.declarations, services.settings),
            RefundTask(through, services.declarations, services.settings),
        )
        till.wait(seconds=10)
        (task,) = till.claim()
        (work,) = [work for work in works if work.table is task.table]
        try:
            return work.call(task), task
        except GatewayError as error:
            return error, task

    return make_call


def order(till: Till, payment_id: str, **changes: Any) -> dict[str, Any]:
    """The order as the gateway shows it (4.9)."""
    payment = till.payment(payment_id)
    shown = {
        "order_no": "2017062211220001",
        "agent_order_id": payment.out_order_no,
        "merchant_no": payment.merchant_no,
        "currency": payment.currency,
        "amount": "100.00",
        "status": "PAID",
    }
    return shown | changes


def settle(till: Till, made: tuple[Any, Task]) -> None:
    """Record what a call brought."""
    outcome, task = made
    assert till.send([task]) == [task]
    till.answer(task, outcome)


# Somebody else's records.


def kept_of(till: Till, payment_id: str) -> str:
    """All that is stored and shown of a payment and its refunds."""
    rows = [till.payment(payment_id), *till.refunds(payment_id), *till.events(payment_id)]
    return str([vars(row) for row in rows])


FOREIGN = {"merchant_no": "M900", "order_no": "P-THEIRS", "agent_order_id": "O-THEIRS", "openid": "THEIR-WALLET"}


@pytest.mark.parametrize("status", [200, 400])
def test_of_an_answer_about_another_merchants_order_nothing_is_kept(till: Till, call, status: int):
    payment_id = till.pay(**DESK)
    for _ in range(3):
        settle(till, call(status=status, order=order(till, payment_id, **FOREIGN, status="THEIRS")))
        till.ask_again(payment_id)

    assert not [word for word in (*FOREIGN.values(), "THEIRS") if word in kept_of(till, payment_id)]
    assert till.payment(payment_id).case_kind == (PaymentCase.ANOTHERS_NUMBER if status == 200 else None)


def test_under_our_number_another_merchants_order_is_not_kept(till: Till, call):
    payment_id = till.pay(**DESK)

    settle(till, call(order=order(till, payment_id, merchant_no="M900")))

    assert "M900" not in kept_of(till, payment_id)


def test_an_answer_that_names_another_payment_of_ours_is_not_kept(till: Till, call):
    till.paid("P-THEIRS")
    payment_id = till.pay(**DESK)

    settle(till, call(order=order(till, payment_id, order_no="P-THEIRS")))

    assert "P-THEIRS" not in kept_of(till, payment_id)


def test_of_an_answer_about_another_payments_refund_nothing_is_kept(till: Till, call):
    payment_id = till.paid("P1")
    number = till.refund_of(till.refund(payment_id, "40.00")).outer_refund_no
    theirs = {"no": "G-THEIRS", "order_no": "P-THEIRS", "outer_refund_no": number, "status": "SUCCESS"}

    for _ in range(4):
        till.wait(hours=1)
        settle(till, call(refund=theirs))

    (refund,) = till.refunds(payment_id)
    assert (refund.status, refund.case_kind) == ("PENDING", PaymentCase.ANOTHERS_NUMBER)
    assert "THEIRS" not in kept_of(till, payment_id)


def test_what_an_older_version_kept_of_another_merchant_is_not_shown(till: Till):
    payment_id = till.pay()
    reply = json.dumps({"data": {"order": FOREIGN}})
    till.do(payment_id, Unknown("P-THEIRS", exchange=make.exchange(reply=reply)))

    with till.services.reading() as db:
        events = queries.events_of(db, payment_id, limit=10, after=0).rows

    assert "THEIRS" in kept_of(till, payment_id)
    assert "THEIRS" not in str([vars(event) for event in events])


# What goes out.


def test_an_order_is_asked_for_by_our_own_number_only(till: Till, call, loopback: Loopback):
    payment_id = till.pay(**DESK)

    call(order=order(till, payment_id))

    assert sent(loopback) == ("GET /order", {"agent_order_id": till.payment(payment_id).out_order_no})


def test_a_refund_names_its_amount_and_our_number(till: Till, call, loopback: Loopback):
    refund_id = till.refund(till.paid("P1"), "40.00")

    call()

    number = till.refund_of(refund_id).outer_refund_no
    assert sent(loopback) == (
        "POST /refund",
        {"order_no": "P1", "refund_amount": "40.00", "outer_refund_no": number},
    )


def test_a_refund_of_yen_is_whole_yen(till: Till, call, loopback: Loopback):
    till.refund(till.paid("P1", currency="JPY", amount="100"), "40")

    call()

    assert sent(loopback)[1]["refund_amount"] == "40"


# What is believed: a cashier desk's link is not signed, and the payer's browser may have changed it.


@pytest.mark.parametrize(
    "tampered",
    [{"amount": "0.01"}, {"amount": 0.01}, {"currency": "JPY"}, {"merchant_no": "M666"}],
    ids=["amount", "amount as a number", "currency", "merchant"],
)
def test_an_order_that_was_tampered_with_is_not_paid(till: Till, call, tampered: dict[str, Any]):
    payment_id = till.pay(**DESK)

    settle(till, call(order=order(till, payment_id, **tampered)))

    assert till.payment(payment_id).status == "INIT"


@pytest.mark.parametrize("amount", ["100", "100.00", 100, 100.0])
def test_our_amount_is_ours_however_it_is_written(till: Till, call, amount: object):
    payment_id = till.pay(**DESK)

    settle(till, call(order=order(till, payment_id, amount=amount)))

    assert till.payment(payment_id).status == "PAID"


def test_another_refunds_answer_is_not_applied(till: Till, call):
    refund_id = till.refund(till.paid("P1"))

    outcome, _ = call(refund={"outer_refund_no": "another", "order_no": "P1", "status": "SUCCESS"})

    assert isinstance(outcome, Unknown)
    assert till.refund_of(refund_id).status == "PENDING"


# Keys that are not configured.


def test_without_the_key_of_its_inputs_nothing_is_sent(till: Till, call, loopback: Loopback):
    till.pay(method="scan_pay", auth_code=AUTH_CODE)

    outcome, _ = call(vault=Vault(("another key of the tests",), "a secret of the tests"))

    assert isinstance(outcome, Misuse)
    assert loopback.received == []


def test_asking_needs_no_key(till: Till, call):
    payment_id = till.pay(**DESK)

    outcome, _ = call(
        vault=Vault(("another key of the tests",), "a secret of the tests"), order=order(till, payment_id)
    )

    assert outcome.status == "PAID"


# What is kept: who paid is masked wherever it was said.


def kept(made: tuple[Any, Task]) -> str:
    outcome, _ = made
    return repr((outcome.exchange.params, outcome.exchange.reply, getattr(outcome, "message", "")))


def test_a_code_that_was_shown_is_masked_in_what_is_kept(till: Till, call):
    till.pay(method="scan_pay", auth_code=AUTH_CODE)

    made = call(status=400, message=f"auth_code {AUTH_CODE} is spent")

    assert AUTH_CODE not in kept(made)


@pytest.mark.parametrize(
    "printed",
    [
        {"openid": OPENID},
        {"buyer_id": int("2088102146225135")},
        {"buyer_email": EMAIL},
        {"note": f"for {OPENID}", "openid": OPENID},
    ],
    ids=["text", "a number", "an address", "echoed elsewhere"],
)
def test_who_paid_is_masked_in_what_is_kept(till: Till, call, printed: dict[str, Any]):
    payment_id = till.pay(**DESK)

    made = call(order=order(till, payment_id, **printed))

    assert not [planted for planted in (OPENID, "2088102146225135", EMAIL) if planted in kept(made)]


def test_who_paid_is_masked_in_json_within_a_json_text(till: Till, call):
    till.pay(**DESK)

    made = call(status=555, message=json.dumps({"wx_message": "no", "openid": OPENID}))

    assert OPENID not in kept(made)


def test_who_paid_is_masked_where_a_long_reply_is_cut(till: Till, call):
    payment_id = till.pay(**DESK)
    empty = len(json.dumps({"meta": {"success": True, "status_code": 200}, "data": {"filler": ""}}))
    filler = "x" * (16_384 - empty - 30)

    made = call(filler=filler, order=order(till, payment_id, openid=OPENID) | {"openid": OPENID * 20})

    assert OPENID not in kept(made)


def test_what_is_masked_is_still_json(till: Till, call):
    payment_id = till.pay(**DESK)

    outcome, _ = call(order=order(till, payment_id, openid=OPENID, buyer_id=2088102146225135))

    assert json.loads(outcome.exchange.reply)["data"]["order"]["buyer_id"] == "20****35"


def test_the_payer_is_sealed(till: Till, call):
    payment_id = till.pay(**DESK)

    settle(till, call(order=order(till, payment_id, openid=OPENID)))

    payment = till.payment(payment_id)
    assert payment.personal is not None
    assert OPENID not in payment.personal


def test_an_unreadable_answer_changes_nothing(till: Till, call):
    payment_id = till.pay(**DESK)

    outcome, task = call(order=order(till, payment_id))
    settle(till, (replace(outcome, status="PAI"), task))

    assert till.payment(payment_id).status == "INIT"


@pytest.mark.parametrize(("minutes", "leaves"), [(1, True), (3, False)])
def test_a_code_that_was_shown_long_ago_is_not_charged(
    till: Till, call, loopback: Loopback, minutes: int, leaves: bool
):
    payment_id = till.pay(method="scan_pay", auth_code=AUTH_CODE)
    with till.services.transaction() as db:
        made_at = datetime.now(UTC) - timedelta(minutes=minutes)
        db.get_one(Payment, payment_id).created_at = made_at

    outcome, _ = call(order=order(till, payment_id))

    assert isinstance(outcome, Misuse) is not leaves
    assert len(loopback.received) == leaves


def test_a_payer_whose_part_was_lost_with_the_answer_is_reported_so(till: Till):
    payment_id = till.pay()
    till.do(payment_id, Unknown("lost", exchange=make.exchange()))

    till.do(payment_id, order_reply("INIT", payment_no="P1"))

    assert "have another payment made" in str(till.payment(payment_id).explanation)
