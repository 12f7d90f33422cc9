"""The page of reference rates: one question, the rate with its age, or why there is none."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flask import Blueprint, Response
from werkzeug import Response as WerkzeugResponse

from customs.access.callers import Scope
from customs.gateway import CURRENCY_PLACES, Channel
from customs.payments import rates
from customs.payments.page_forms import Form, answered, choices, merchants_to_choose
from customs.web.asking import filled
from customs.web.doors import current_caller, required_word, services
from customs.web.formats import YUAN
from customs.web.rendering import desk
from customs.web.visitors import opens

pages = Blueprint("rate_pages", __name__)

FIELDS = ("channel", "merchant_no", "currency")
# A rate that is asked for anew when it is older than that was not to be had.
OLD = rates.FRESH.total_seconds()
FOREIGN = tuple(currency for currency in CURRENCY_PLACES if currency != YUAN)


@pages.get("/rates")
@opens(Scope.PAYMENTS_READ)
def show_rate() -> WerkzeugResponse:
    asked = filled(*FIELDS)
    return answered(lambda: _told(asked), _page, asked, FIELDS) if asked else _page(Form())


def _told(asked: Mapping[str, str]) -> Response:
    channel, currency = Channel(required_word("channel", tuple(Channel))), required_word("currency", FOREIGN)
    merchant_no = required_word("merchant_no").strip()
    rates.check_merchant(merchant_no, current_caller())
    rate, age = rates.rate_of(services().engine, services().wallets, channel, merchant_no, currency)
    return _page(Form(asked), rate=f"{Decimal(rate.rate).normalize():f}", fetched_at=rate.fetched_at, is_old=age > OLD)


def _page(form: Form, **told: Any) -> Response:
    return desk(
        "payments/rates.html",
        form=form,
        merchants=merchants_to_choose(current_caller()),
        channels=choices(Channel),
        currencies=choices(FOREIGN),
        **told,
    )
