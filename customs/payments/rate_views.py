"""The page of reference rates: one question, the rate with its age, or why there is none."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flask import Blueprint, Response
from werkzeug import Response as WerkzeugResponse

from customs.auth.principal import Scope
from customs.gateway import CURRENCY_PLACES, Channel
from customs.payments.collect import rates
from customs.payments.services import services
from customs.web.forms import Form, choices, handle_form, merchant_choices
from customs.web.rendering import render_page
from customs.web.request import current_caller, given_filters, required_argument
from customs.web.session_auth import login_required
from customs.web.template_filters import YUAN

pages = Blueprint("rate_pages", __name__)

FIELDS = ("channel", "merchant_no", "currency")
# A rate that is asked for anew when it is older than that was not to be had.
OLD = rates.FRESH.total_seconds()
FOREIGN = tuple(currency for currency in CURRENCY_PLACES if currency != YUAN)


@pages.get("/rates")
@login_required(Scope.PAYMENTS_READ)
def show_rate() -> WerkzeugResponse:
    asked = given_filters(*FIELDS)
    if not asked:
        return _page(Form())
    return handle_form(lambda: _told(asked), lambda error: _page(Form.after(error, asked, FIELDS)))


def _told(asked: Mapping[str, str]) -> Response:
    channel, currency = Channel(required_argument("channel", tuple(Channel))), required_argument("currency", FOREIGN)
    merchant_no = required_argument("merchant_no").strip()
    rates.check_merchant(merchant_no, current_caller())
    rate, age = rates.rate_of(services().engine, services().wallets, channel, merchant_no, currency)
    return _page(Form(asked), rate=f"{Decimal(rate.rate).normalize():f}", fetched_at=rate.fetched_at, is_old=age > OLD)


def _page(form: Form, **rate: Any) -> Response:
    return render_page(
        "payments/rates.html",
        form=form,
        merchants=merchant_choices(current_caller()),
        channels=choices(Channel),
        currencies=choices(FOREIGN),
        **rate,
    )
