"""Reference rates: asked for when somebody wants one, kept for a minute, told with their age."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from customs.container import Services
from customs.errors import GatewayUnavailable, ValidationFailed
from customs.gateway import Channel
from customs.payments.collect.rates import rate_of
from customs.payments.models import Rate
from tests import make
from tests.gateway.loopback import answer
from tests.payments.shop import Counter

RATE = "GET /rate"
AWAY = answer("{}", 503)


def ask(services: Services, currency: str = "HKD", merchant_no: str = make.MERCHANT) -> tuple[str, float]:
    rate, age = rate_of(services.engine, services.wallets, Channel.WECHATPAY, merchant_no, currency)
    return rate.rate, age


def age_by(services: Services, seconds: float) -> None:
    with services.transaction() as db:
        for rate in db.scalars(select(Rate)):
            rate.fetched_at -= timedelta(seconds=seconds)


def tells(rate: str):
    return lambda verb: answer(f'{{"meta": {{"success": true}}, "rate": {{"currency": "HKD", "rate": "{rate}"}}}}')


def test_a_rate_is_reported_as_the_gateway_writes_it(services: Services, counter: Counter):
    assert ask(services) == ("0.8599", 0.0)


def test_within_a_minute_the_gateway_is_asked_once(services: Services, counter: Counter):
    ask(services)
    age_by(services, 50)

    rate, age = ask(services)

    assert (rate, counter.paths) == ("0.8599", [RATE])
    assert 50 <= age < 60


def test_after_a_minute_it_is_asked_again(services: Services, counter: Counter):
    ask(services)
    age_by(services, 61)
    counter.instead = tells("0.9")

    assert ask(services) == ("0.9", 0.0)


def test_while_the_gateway_is_away_an_old_one_says_its_age(services: Services, counter: Counter):
    ask(services)
    age_by(services, 86_400)
    counter.instead = lambda verb: AWAY

    rate, age = ask(services)

    assert rate == "0.8599"
    assert 86_400 <= age < 86_500


def test_without_any_nothing_is_made_up(services: Services, counter: Counter):
    counter.instead = lambda verb: AWAY

    with pytest.raises(GatewayUnavailable):
        ask(services)


def test_another_currencys_rate_is_not_taken(services: Services, counter: Counter):
    counter.instead = tells("0.9")

    with pytest.raises(GatewayUnavailable):
        ask(services, "USD")


def test_what_the_gateway_refuses_is_said(services: Services, counter: Counter):
    counter.instead = lambda verb: answer('{"meta": {"success": false, "status_code": 400, "message": "no"}}', 400)

    with pytest.raises(ValidationFailed):
        ask(services)


def test_merchants_have_rates_of_their_own(services: Services, counter: Counter):
    ask(services)

    ask(services, merchant_no="M200")

    assert counter.paths == [RATE, RATE]


@pytest.mark.parametrize("rate", ["123456789012345678.123456789012345678", "0.000000001"])
def test_a_rate_of_many_places_is_kept_as_far_as_it_fits(services: Services, counter: Counter, rate: str):
    counter.instead = tells(rate)

    assert ask(services)[0] == rate[:32]


def test_many_who_ask_at_once_are_all_told(services: Services, counter: Counter):
    start = threading.Barrier(16)
    reported: list[str] = []

    def go() -> None:
        start.wait()
        reported.append(ask(services)[0])

    threads = [threading.Thread(target=go) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert reported == ["0.8599"] * 16
