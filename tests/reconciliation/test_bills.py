"""Bills are fetched once while they are good, kept as they came, and never readable in the database."""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select, text, update

from customs.container import Services
from customs.errors import DecryptionKeyMissing, GatewayUnavailable, ValidationFailed
from customs.gateway.client import BILL_LIMIT
from customs.gateway.messages.records import GATEWAY_TIME
from customs.ops.key_rotation import rotate_keys
from customs.payments.models import Bill
from customs.privacy.vault import Vault
from customs.reconciliation.bills import Bills, check_days
from tests import make
from tests.gateway.loopback import Loopback, answer, raw, reset
from tests.reconciliation.bill_books import TODAY, YESTERDAY, bill, gateway_that, line_of, payment, sends

CONTENT = bill([line_of(payment())])
GB18030 = "支付单号\t金额\r\n".encode("gb18030") + b"\xff\x00\r\n"
NO = json.dumps({"meta": {"status_code": 400, "success": False, "message": "no bill for these days"}})
NOBODY = json.dumps({"meta": {"status_code": 401, "success": False, "message": "who?"}})


@pytest.fixture
def gateway(services: Services) -> Iterator[Loopback]:
    with gateway_that(sends(CONTENT), services) as loopback:
        yield loopback


@pytest.fixture
def bills(services: Services, gateway: Loopback) -> Bills:
    return Bills(services.engine, services.vault, services.gateway, "agent-1", services.declarations)


def age(services: Services, **passed: float) -> None:
    """Let this time pass for every bill."""
    with services.transaction() as db:
        for one in db.scalars(select(Bill)):
            one.fetched_at -= timedelta(**passed)


def all_kept(services: Services) -> list[Bill]:
    with services.reading() as db:
        return list(db.scalars(select(Bill).order_by(Bill.id)))


@pytest.mark.parametrize("content", [CONTENT, GB18030, b""], ids=["a bill", "bytes that are no text", "empty"])
def test_a_bill_is_kept_as_received(bills: Bills, gateway: Loopback, content: bytes) -> None:
    gateway.respond = sends(content)

    found = bills.of_days(YESTERDAY, TODAY)

    assert bills.content(found) == content
    assert found.size == len(content)
    days = f"agent_no=agent-1&end_date={TODAY:%Y-%m-%d}&start_date={YESTERDAY:%Y-%m-%d}"
    assert gateway.received[0].target == f"/download_bill?{days}"


def test_the_database_shows_nothing_of_a_bill(bills: Bills, services: Services) -> None:
    bills.of_days(YESTERDAY, TODAY)

    with services.reading() as db:
        stored = bytes(db.scalar(text("SELECT content FROM bills")))
    assert b"oQx43" not in stored
    assert b"merchant_no" not in stored


def test_a_bill_that_was_tampered_with_or_moved_does_not_open(bills: Bills, services: Services) -> None:
    one, other = bills.of_days(YESTERDAY, YESTERDAY), bills.of_days(TODAY, TODAY)
    with services.transaction() as db:
        content = db.scalar(select(Bill.content).where(Bill.id == one.id))
        db.execute(update(Bill).where(Bill.id == other.id).values(content=content))

    with pytest.raises(DecryptionKeyMissing):
        bills.content(other)


def test_a_bill_of_days_that_are_over_is_fetched_once(bills: Bills, gateway: Loopback, services: Services) -> None:
    first = bills.of_days(YESTERDAY - timedelta(days=9), YESTERDAY - timedelta(days=3))
    age(services, days=2)

    again = bills.of_days(first.start_date, first.end_date)

    assert again.id == first.id
    assert len(gateway.received) == 1


def test_a_bill_of_yesterday_that_came_yesterday_is_fetched_again(
    bills: Bills, gateway: Loopback, services: Services
) -> None:
    bills.of_days(YESTERDAY, YESTERDAY)
    age(services, days=1)

    bills.of_days(YESTERDAY, YESTERDAY)

    assert len(gateway.received) == 2


@pytest.mark.parametrize(("minutes", "calls"), [(4, 1), (6, 2)])
def test_a_bill_of_today_is_good_for_minutes(
    bills: Bills, gateway: Loopback, services: Services, minutes: int, calls: int
) -> None:
    bills.of_days(TODAY, TODAY)
    age(services, minutes=minutes)

    bills.of_days(TODAY, TODAY)

    assert len(gateway.received) == calls


def test_the_same_content_is_kept_once_and_its_time_moves_on(
    bills: Bills, gateway: Loopback, services: Services
) -> None:
    first = bills.of_days(TODAY, TODAY)
    age(services, hours=1)

    again = bills.of_days(TODAY, TODAY, refresh=True)

    assert [one.id for one in all_kept(services)] == [first.id] == [again.id]
    assert again.fetched_at >= first.fetched_at


def test_other_content_is_kept_beside_the_first_and_the_last_to_come_is_reported(
    bills: Bills, gateway: Loopback, services: Services
) -> None:
    first = bills.of_days(TODAY, TODAY)
    gateway.respond = sends(bill([]))

    second = bills.of_days(TODAY, TODAY, refresh=True)
    kept = bills.of_days(TODAY, TODAY)

    assert {one.id for one in all_kept(services)} == {first.id, second.id}
    assert kept.id == second.id
    assert bills.content(bills.kept(first.id)) == CONTENT


def test_what_the_gateway_refuses_is_reported_in_its_words(bills: Bills, gateway: Loopback, services: Services) -> None:
    gateway.respond = answer(NO)

    with pytest.raises(ValidationFailed, match="no bill for these days"):
        bills.of_days(TODAY, TODAY)

    assert all_kept(services) == []


@pytest.mark.parametrize(
    "respond",
    [
        *(
            answer(NOBODY),
            reset,
            answer("<h1>Bad Gateway</h1>", 502, "text/html"),
            answer("<h1>login</h1>", 200, "text/html"),
        ),
        raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 900\r\n\r\npayment_no"),
        raw(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % (BILL_LIMIT + 1) + bytes(99)
        ),
    ],
    ids=["401", "reset", "502", "a page", "cut off", "cut off and too large"],
)
def test_a_gateway_that_sends_no_bill_is_away(bills: Bills, gateway: Loopback, services: Services, respond) -> None:
    gateway.respond = respond

    with pytest.raises(GatewayUnavailable):
        bills.of_days(TODAY, TODAY)

    assert all_kept(services) == []


def test_a_bill_over_the_limit_is_not_kept(bills: Bills, gateway: Loopback, services: Services) -> None:
    gateway.respond = sends(b"x" * (BILL_LIMIT + 1))

    with pytest.raises(GatewayUnavailable):
        bills.of_days(TODAY, TODAY)

    assert all_kept(services) == []


def test_a_bill_at_the_limit_is_kept(bills: Bills, gateway: Loopback) -> None:
    gateway.respond = sends(b"x" * BILL_LIMIT)

    found = bills.of_days(TODAY, TODAY)

    assert found.size == len(bills.content(found)) == BILL_LIMIT


def test_without_the_gateway_an_older_bill_is_reported(bills: Bills, gateway: Loopback, services: Services) -> None:
    first = bills.of_days(TODAY, TODAY)
    age(services, hours=2)
    gateway.respond = reset

    found = bills.of_days(TODAY, TODAY)

    assert found.id == first.id
    assert bills.age_seconds(found) >= 7200
    with pytest.raises(GatewayUnavailable):
        bills.of_days(TODAY, TODAY, refresh=True)


def test_after_a_new_key_every_bill_is_sealed_anew(bills: Bills, services: Services) -> None:
    found = bills.of_days(TODAY, TODAY)
    old = make.SECRETS["CUSTOMS_PII_KEYS"]

    resealed = [rotate_keys(services.engine, Vault(["the key of this year", old], "index"))["bills"] for _ in range(2)]

    assert resealed == [1, 0]
    only_new = Bills(
        services.engine, Vault(["the key of this year"], "index"), services.gateway, "", bills.declarations
    )
    assert only_new.content(found) == CONTENT


NOW = datetime(2026, 11, 23, 23, 30, tzinfo=GATEWAY_TIME)


@pytest.mark.parametrize(
    ("start", "end", "allowed"),
    [
        ("2026-11-23", "2026-11-23", True),
        ("2026-08-23", "2026-11-23", True),
        ("2026-11-30", "2026-11-29", False),
        ("2026-08-22", "2026-11-23", False),
        ("2026-11-23", "2026-11-24", False),
        ("2025-11-30", "2026-02-28", True),
        ("2025-11-30", "2026-03-01", False),
        ("0001-01-01", "0001-01-02", False),
        ("9999-12-31", "9999-12-31", False),
    ],
)
def test_three_months_up_to_today_in_shanghai(start: str, end: str, allowed: bool) -> None:
    days = date.fromisoformat(start), date.fromisoformat(end)

    if allowed:
        check_days(*days, NOW)
    else:
        with pytest.raises(ValidationFailed, match="use a day"):
            check_days(*days, NOW)
