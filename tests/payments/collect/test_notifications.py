"""The gateway knocks: what its key has signed schedules a query, and nothing whatever changes anything else."""

import base64
import random
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from flask.testing import FlaskClient
from sqlalchemy import func, select

from customs.payments.models import Notification
from customs.payments.tasks.task import TaskAction
from tests.application import application
from tests.payments.till import Till, order_reply, sale_reply

KNOCK = "/notify/wisecashier"
FORM = "application/x-www-form-urlencoded"
MUTATIONS = 500


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def client(till: Till, key: rsa.RSAPrivateKey) -> Iterator[FlaskClient]:
    pem, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    till.services.settings.public_key_file.write_bytes(key.public_key().public_bytes(pem, form))
    return application(till.services).test_client()


@pytest.fixture
def knock(client: FlaskClient, key: rsa.RSAPrivateKey) -> Callable[..., Any]:
    """Sends a form as the gateway signs it (10.3): the values as they are, with the header's Timestamp."""

    def send(form: dict[str, str], timestamp: str | None = None, signer: rsa.RSAPrivateKey = key, **changed: str):
        timestamp = timestamp or str(int(time.time()))
        text = "&".join(f"{name}={form[name]}" for name in sorted(form)) + f",{timestamp}"
        signature = base64.b64encode(signer.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
        headers = {"Timestamp": timestamp, "Signature": signature}
        return client.post(KNOCK, data=urlencode(form | changed), headers=headers, content_type=FORM)

    return send


def reported(till: Till, payment_id: str, **changes: str) -> dict[str, str]:
    """The form of 10.2 for a payment."""
    payment = till.payment(payment_id)
    form = {
        "status": "PAID",
        "openid": "oQx43wJiwtsjv8C0lT5Lj7Mw1QZ4",
        "no": payment.payment_no or "2017062211220001",
        "currency": payment.currency,
        "amount": "100.00",
        "trade_time": "2026-11-23 12:00:00",
        "agent_order_id": payment.out_order_no,
    }
    return form | changes


def opened(till: Till, payment_no: str | None = "2017062211220001", **changes: Any) -> str:
    payment_id = till.pay(**changes)
    till.do(payment_id, sale_reply("INIT", payment_no=payment_no))
    return payment_id


def snapshot(till: Till) -> list[Any]:
    """Everything that is stored of payments, refunds and notifications."""
    with till.services.engine.begin() as db:
        tables = ("payments", "refunds", "payment_events", "notifications")
        return [db.exec_driver_sql(f"SELECT * FROM {table} ORDER BY id").all() for table in tables]


def kept(till: Till) -> int:
    with till.services.reading() as db:
        return db.scalar(select(func.count()).select_from(Notification)) or 0


def test_a_verified_notification_has_the_payment_asked_for_and_changes_nothing_else(till: Till, knock):
    payment_id = opened(till)
    before = till.payment(payment_id)

    answer = knock(reported(till, payment_id))

    after = till.payment(payment_id)
    assert (answer.status_code, answer.text) == (200, "success")
    assert (after.status, after.paid_at, after.next_action) == ("INIT", None, TaskAction.QUERY)
    assert after.due_at < before.due_at or after.due_at <= till.now
    assert kept(till) == 1


def test_after_the_query_the_payment_is_paid(till: Till, knock):
    payment_id = opened(till)
    knock(reported(till, payment_id))

    till.do(payment_id, order_reply("PAID", payment_no="2017062211220001"), after=1)

    assert till.payment(payment_id).status == "PAID"


def test_an_early_one_is_kept_and_waits_for_the_call_that_makes_the_payment(till: Till, knock):
    payment_id = till.pay()

    answer = knock(reported(till, payment_id))

    assert answer.text == "success"
    assert till.payment(payment_id).next_action is TaskAction.SEND
    assert kept(till) == 1


def test_one_that_comes_while_the_payment_is_made_has_it_asked_for_at_once(till: Till, knock):
    payment_id = till.pay()
    till.wait(seconds=5)
    (task,) = till.send(till.claim())
    knock(reported(till, payment_id))

    till.answer(task, sale_reply("INIT", payment_no="2017062211220001"))

    till.wait(seconds=1)
    assert [again.id for again in till.claim()] == [payment_id]


def test_twice_is_kept_once(till: Till, knock):
    payment_id = opened(till)
    knock(reported(till, payment_id))

    answer = knock(reported(till, payment_id))

    assert (answer.text, kept(till)) == ("success", 1)


def test_a_replay_after_it_was_paid_changes_nothing(till: Till, knock):
    payment_id = opened(till)
    knock(reported(till, payment_id))
    till.do(payment_id, order_reply("PAID", payment_no="2017062211220001"), after=1)
    before = snapshot(till)

    answer = knock(reported(till, payment_id), timestamp="1498138187")

    assert answer.text == "success"
    assert snapshot(till) == before


def test_a_late_one_has_an_expired_payment_asked_for(till: Till, knock):
    payment_id = opened(till)
    till.ask_again(payment_id)
    till.do(payment_id, order_reply("EXPIRED", payment_no="2017062211220001"))

    knock(reported(till, payment_id))

    payment = till.payment(payment_id)
    assert (payment.status, payment.next_action) == ("EXPIRED", TaskAction.QUERY)


def test_an_unknown_one_is_kept_and_has_nothing_asked_for(till: Till, knock):
    payment_id = opened(till)
    before = snapshot(till)[0]

    answer = knock(reported(till, payment_id, no="another", agent_order_id="of somebody else"))

    assert (answer.text, kept(till)) == ("success", 1)
    assert snapshot(till)[0] == before


def test_a_number_that_both_channels_use_has_the_right_payment_asked_for(till: Till, knock):
    other = opened(till, "1111", out_order_no="SHOP-1")
    payment_id = opened(till, "2222", out_order_no="SHOP-1", channel="alipay", method="scanned_pay")
    due = till.payment(other).due_at

    knock(reported(till, payment_id))

    assert till.payment(payment_id).due_at <= till.now
    assert till.payment(other).due_at == due


def test_until_the_gateways_number_is_known_both_are_asked_for(till: Till, knock):
    ids = [
        opened(till, None, out_order_no="SHOP-1"),
        opened(till, None, out_order_no="SHOP-1", channel="alipay", method="scanned_pay"),
    ]

    knock(reported(till, ids[1], no="2222"))

    assert all(till.payment(one).due_at <= till.now for one in ids)


# What is not the gateway's.


def test_what_another_key_signed_changes_nothing(till: Till, knock):
    payment_id = opened(till)
    before = snapshot(till)
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    answer = knock(reported(till, payment_id), signer=stranger)

    assert (answer.status_code, snapshot(till)) == (400, before)


@pytest.mark.parametrize(
    "form",
    [
        {"status": "FAIL"},
        {"status": ""},
        {"subject": "tea & cake"},
        {"subject": "a=b"},
        {"surprise": "1"},
        {"amount": "1e9"},
        {"trade_time": "yesterday"},
        {"payment_no": "another"},
        {"no": ""},
    ],
    ids=lambda form: next(f"{name} {value}" for name, value in form.items()),
)
def test_what_is_signed_but_not_of_the_document_changes_nothing(till: Till, knock, form: dict[str, str]):
    payment_id = opened(till)
    before = snapshot(till)

    answer = knock(reported(till, payment_id, **form))

    assert (answer.status_code, snapshot(till)) == (400, before)


@pytest.mark.parametrize("number", ["9" * 65, "9" * 5000])
def test_a_number_longer_than_any_is_no_crash(till: Till, knock, number: str):
    opened(till)
    before = snapshot(till)

    answer = knock({"status": "PAID", "no": number, "agent_order_id": number})

    assert answer.status_code < 500
    assert snapshot(till) == before


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe", b"status=PAID", b"&".join(b"a%d=1" % n for n in range(200)), b"no=1&no=2", b"{}", b"no=%00"],
    ids=["empty", "not UTF-8", "no number", "too many", "twice", "JSON", "NUL"],
)
@pytest.mark.parametrize("headers", [{}, {"Timestamp": "x", "Signature": "é"}, {"Timestamp": "1", "Signature": "AAAA"}])
def test_any_body_is_refused_without_a_crash(till: Till, client: FlaskClient, body: bytes, headers: dict[str, str]):
    answer = client.post(KNOCK, data=body, headers=headers, content_type=FORM)

    assert answer.status_code == 400


def test_mutated_ones_change_nothing(till: Till, client: FlaskClient, key: rsa.RSAPrivateKey):
    form = reported(till, opened(till))
    chance = random.Random(7)
    timestamp = "1764000000"
    text = "&".join(f"{name}={form[name]}" for name in sorted(form)) + f",{timestamp}"
    signature = base64.b64encode(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
    honest = {"body": urlencode(sorted(form.items())), "Timestamp": timestamp, "Signature": signature}
    before = snapshot(till)

    statuses = set()
    for _ in range(MUTATIONS):
        sent = dict(honest)
        part = chance.choice(list(sent))
        at = chance.randrange(len(sent[part]))
        letter = chance.choice([one for one in "0aZ9&=%+.,-_" if one != sent[part][at]])
        sent[part] = sent[part][:at] + letter + sent[part][at + chance.choice([0, 1]) :]
        headers = {"Timestamp": sent["Timestamp"], "Signature": sent["Signature"]}
        statuses.add(client.post(KNOCK, data=sent["body"], headers=headers, content_type=FORM).status_code)

    assert statuses == {400}
    assert snapshot(till) == before


def test_without_the_gateways_key_it_is_reported_to_come_again(till: Till):
    client = application(till.services).test_client()

    answer = client.post(KNOCK, data="status=PAID&no=1", content_type=FORM)

    assert answer.status_code == 503


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_nobody_reads_there(client: FlaskClient, method: str):
    assert getattr(client, method)(KNOCK).status_code == 405
