"""Who paid, and what they showed: in no plain text of the database, whatever the gateway echoes."""

from pathlib import Path
from typing import Any

import pytest

from customs.errors import DecryptionKeyMissing
from customs.ops.key_rotation import rotate_keys
from customs.payments.models import Payment
from customs.payments.redaction import mask_account
from customs.privacy.vault import Vault
from tests.payments.shop import Counter, pay, refund
from tests.payments.till import Till, order_reply, sale_reply

PLANTED = {
    "openid": "oPLANTEDwJiwtsjv8C0lT5Lj7Mw1",
    "auth_code": "135605691981176449",
    "buyer_email": "planted.li.lei@mail.test",
    "buyer_id": "2088102146225135",
}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def plain(till: Till) -> bytes:
    """Every byte that the database has on disk."""
    file = Path(till.services.engine.url.database or "")
    return b"".join(one.read_bytes() for one in sorted(file.parent.glob(f"{file.name}*")))


def found(till: Till) -> list[str]:
    content = plain(till)
    return [name for name, value in PLANTED.items() if value.encode() in content]


@pytest.mark.parametrize(
    "inputs",
    [{"method": "mp_pay", "openid": PLANTED["openid"]}, {"method": "scan_pay", "auth_code": PLANTED["auth_code"]}],
    ids=["openid", "auth_code"],
)
def test_inputs_are_sealed(till: Till, inputs: dict[str, Any]):
    till.pay(**inputs)

    assert found(till) == []


def test_who_paid_is_sealed(till: Till):
    personal = {name: PLANTED[name] for name in ("openid", "buyer_email", "buyer_id")}

    till.paid(personal=personal)

    assert found(till) == []


def test_nothing_stays_of_a_whole_journey(till: Till, erp, counter: Counter):
    payment = pay(erp, method="scan_pay", auth_code=PLANTED["auth_code"])
    for order in counter.orders.values():
        order |= {
            "openid": PLANTED["openid"],
            "buyer_email": PLANTED["buyer_email"],
            "buyer_id": int(PLANTED["buyer_id"]),
        }
    till.ask_again(payment["id"])

    till.services.payment_handler.run_now("payments", payment["id"], till.payment(payment["id"]).next_action)
    refund(erp, payment["id"])

    assert till.payment(payment["id"]).personal is not None
    assert found(till) == []


def test_a_row_moved_to_another_payment_does_not_open(till: Till):
    first, second = till.paid(personal={"openid": "a" * 20}), till.paid(personal={"openid": "b" * 20})
    with till.services.transaction() as db:
        moved = db.get_one(Payment, second)
        moved.personal = db.get_one(Payment, first).personal

    with pytest.raises(DecryptionKeyMissing):
        till.services.vault.open(till.payment(second).personal or "", f"payments.personal:{second}")


@pytest.mark.parametrize(
    ("account", "shown"),
    [("oQx43wJiwtsjv8C0", "oQ****C0"), ("abcd", "****"), ("", "****"), ("abcde", "ab****de")],
)
def test_how_an_account_is_masked(account: str, shown: str):
    assert mask_account(account) == shown


def test_after_a_new_key_everything_is_sealed_with_it(till: Till):
    payment_id = till.pay(method="scan_pay", auth_code=PLANTED["auth_code"])
    till.do(payment_id, sale_reply("INIT", payment_no="P1"))
    till.do(payment_id, order_reply("PAID", payment_no="P1", personal={"openid": PLANTED["openid"]}), after=60)
    settings = till.services.settings
    both = Vault(("a newer key of the tests", *settings.pii_keys), settings.secret_key)

    assert rotate_keys(till.services.engine, both)["payers"] == 1

    payment = till.payment(payment_id)
    newest = Vault(("a newer key of the tests",), settings.secret_key)
    assert PLANTED["openid"] in newest.open(payment.personal or "", f"payments.personal:{payment_id}")
    assert PLANTED["auth_code"] in newest.open(payment.inputs or "", f"payments.inputs:{payment_id}")
