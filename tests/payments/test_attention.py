"""A payment or refund whose outcome stays unknown comes before a person, everywhere one looks; its end closes that."""

import pytest
from sqlalchemy import select

from customs.events.outbox import OutboxEvent
from customs.gateway import Unknown
from customs.ops import doctor
from customs.payments.states import CASE_SENTENCES, PaymentCase
from tests.api.conftest import Erp, client, erp  # noqa: F401
from tests.payments.till import Till, order_reply, refund_reply
from tests.web.visiting import People, text_of


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def announced(till: Till) -> list[str]:
    with till.services.reading() as db:
        return [str(kind) for kind in db.scalars(select(OutboxEvent.type).order_by(OutboxEvent.id))]


def examined(till: Till) -> list[str]:
    return [str(one.finding) for one in doctor.run_checks(till.services) if one.part == "review"]


def unknown_for_a_day(till: Till) -> tuple[str, str]:
    """A payment and a refund of another one of which nobody knows what became."""
    refund_id, payment_id = till.refund(till.paid("P1"), "1.00"), till.pay(out_order_no="SHOP-1")
    for hours in (0, 0, 25):
        till.wait(hours=hours)
        till.work(lambda _: Unknown("silence"))
    return payment_id, refund_id


def test_what_stays_unknown_is_shown_announced_and_counted_until_it_has_ended(till: Till, erp: Erp):  # noqa: F811
    payment_id, refund_id = unknown_for_a_day(till)
    clerk = People(till.services).signed_in("clerk")

    payment, refund = erp.get(f"/payments/{payment_id}").json, erp.get(f"/refunds/{refund_id}").json
    found = [
        [one["id"] for one in erp.get(path, needs_review="true").json["data"]] for path in ("/payments", "/refunds")
    ]
    pages = [text_of(clerk.get(path)) for path in (f"/payments/{payment_id}", f"/payments/{refund['payment_id']}")]
    listed = clerk.get("/payments?needs_review=true").text

    assert [one["needs_review"] for one in (payment, refund)] == [True, True]
    assert {one["case"]["reason"] for one in (payment, refund)} == {CASE_SENTENCES[PaymentCase.NO_ANSWER]}
    assert found == [[payment_id], [refund_id]]
    assert sorted(announced(till)) == ["payment.needs_review", "payment.paid", "refund.needs_review"]
    assert examined(till) == ["1 payments and 1 refunds need somebody"]
    assert all("Ask the payment company before it is collected or refunded a second time" in page for page in pages)
    assert (payment_id in listed, refund["payment_id"] in listed) == (True, False)

    till.wait(hours=1)
    till.work(lambda task: refund_reply() if task.id == refund_id else order_reply("PAID", payment_no="P2"))

    ended = [erp.get(f"/payments/{payment_id}").json, erp.get(f"/refunds/{refund_id}").json]
    assert [(one["status"], one["needs_review"], one["case"]) for one in ended] == [
        ("PAID", False, None),
        ("SUCCESS", False, None),
    ]
    assert examined(till) == []


def test_a_kind_of_case_that_only_a_newer_version_knows_reads_as_an_unknown_outcome():
    assert PaymentCase("NEWER") is PaymentCase.NO_ANSWER
    assert PaymentCase.NO_EFFECT.sentence(None) == "sent many times without effect"
