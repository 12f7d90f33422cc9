"""The page of rates: what the gateway tells, how old it is, and why there is none."""

import re
from datetime import timedelta

import pytest

from customs.container import Services
from customs.db import database
from customs.payments.models import Rate
from tests.gateway.loopback import answer
from tests.payments.shop import Counter
from tests.web.visiting import People, Visitor, text_of

ASKED = {"channel": "wechatpay", "merchant_no": "M100", "currency": "HKD"}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def clerk(services: Services) -> Visitor:
    return People(services).signed_in("clerk")


def test_the_form_comes_first(clerk: Visitor):
    page = clerk.get("/rates")

    assert "Ask for a rate" in text_of(page)
    assert 'value="CNY"' not in page.text


def test_a_rate_is_shown_with_its_age(clerk: Visitor, counter: Counter):
    page = clerk.get("/rates", query_string=ASKED)

    assert "1 HKD = 0.8599 CNY" in text_of(page)
    # On a busy machine some seconds ago, never in the future.
    assert re.search(r"told (just now|\d+ seconds? ago)", text_of(page))


def test_without_the_gateway_the_last_one_is_shown_as_such(clerk: Visitor, services: Services, counter: Counter):
    counter.instead = lambda verb: answer("{}", 503)
    with services.transaction() as db:
        db.add(Rate(**ASKED, rate="0.9000", fetched_at=database.now(db) - timedelta(hours=3)))

    page = clerk.get("/rates", query_string=ASKED)

    assert "1 HKD = 0.9 CNY" in text_of(page)
    assert "this is what it said last" in text_of(page)


def test_no_rate_at_all_is_reported(clerk: Visitor, counter: Counter):
    counter.instead = lambda verb: answer("{}", 503)

    page = clerk.get("/rates", query_string=ASKED)

    assert page.status_code == 503
    assert "The gateway did not answer" in text_of(page)
    assert 'value="M100"' in page.text


def test_a_refusal_is_reported(clerk: Visitor, counter: Counter):
    page = clerk.get("/rates", query_string=ASKED | {"channel": "alipay"})

    assert page.status_code == 422
    assert "The gateway refuses this: unknown" in text_of(page)


@pytest.mark.parametrize("change", [{"currency": "CNY"}, {"channel": "cash"}, {"merchant_no": ""}])
def test_what_cannot_be_asked_is_reported_in_the_form(clerk: Visitor, counter: Counter, change: dict[str, str]):
    page = clerk.get("/rates", query_string=ASKED | change)

    assert page.status_code == 422
    assert "Ask for a rate" in text_of(page)
    assert counter.paths == []


def test_another_merchants_rate_is_not_told(services: Services, counter: Counter):
    page = People(services).signed_in("clerk", ["M999"]).get("/rates", query_string=ASKED)

    assert page.status_code == 422
    assert "This merchant is not one of yours." in text_of(page)
    assert counter.paths == []
