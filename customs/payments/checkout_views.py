"""Collect a payment: choose a method, type in what it needs; and show reference rates."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, request
from sqlalchemy.orm import Session
from werkzeug import Response as WerkzeugResponse

from customs.auth.principal import Scope
from customs.db import database
from customs.gateway import CURRENCY_PLACES, PAYMENT_CHANNELS, Channel, method_of
from customs.payments import labels
from customs.payments.collect import create, rates
from customs.payments.models import Payment
from customs.payments.schemas import INPUTS, PaymentIn
from customs.payments.services import services
from customs.web.forms import Form, choices, handle_form, merchant_choices, typed_fields
from customs.web.idempotency import idempotent
from customs.web.json_body import raw_body, validate
from customs.web.rendering import render_page
from customs.web.request import current_caller, given_filters, required_argument
from customs.web.session_auth import login_required
from customs.web.template_filters import YUAN

pages = Blueprint("checkout", __name__)

# What every way asks for; these may stand in an address, what the payer shows never does.
ORDER = ("merchant_no", "amount", "currency", "subject", "out_order_no")
FIELDS = (*ORDER, *INPUTS)
CREATED = 201
RATE_FIELDS = ("channel", "merchant_no", "currency")
# A rate that is asked for anew when it is older than that was not to be had.
OLD = rates.FRESH.total_seconds()
FOREIGN = tuple(currency for currency in CURRENCY_PLACES if currency != YUAN)


@pages.get("/payments/new")
@login_required(Scope.PAYMENTS_WRITE)
def new_payment() -> Response:
    begun = {name: request.args[name].strip() for name in ORDER if name in request.args}
    return _page(request.args.get("method", ""), Form(begun))


@pages.post("/payments/new")
@login_required(Scope.PAYMENTS_WRITE)
def create_payment() -> WerkzeugResponse:
    asked = typed_fields(*FIELDS)
    code = request.form.get("method", "")
    return handle_form(lambda: _collected(code, asked), lambda error: _page(code, Form.after(error, asked, FIELDS)))


def _collected(code: str, asked: Mapping[str, str]) -> WerkzeugResponse:
    """Have it collected once for each form, and go to where the payer pays."""
    till = _till()
    order = till.checked(validate(PaymentIn(), {**labels.named(code), **asked}))
    # A login code is good for one exchange: only the first press may ask for it.
    with_openid = cache(lambda: till.with_openid(services().engine, order))

    def work(db: Session) -> tuple[dict[str, Any], int]:
        return {"id": till.pay(db, with_openid(), database.now(db)).id}, CREATED

    answer, _ = idempotent(raw_body(), work, before=with_openid)
    services().payment_handler.run_now(Payment.__tablename__, answer["id"])
    return redirect(f"/payments/{answer['id']}", 303)


def _till() -> create.PaymentService:
    found = services()
    return create.PaymentService(found.wallets, found.vault, found.settings, current_caller(), found.audit)


def _page(code: str, form: Form) -> Response:
    way = labels.BY_CODE.get(code, labels.USUAL)
    asked = create.inputs_asked(method_of(way.channel, way.method), services().settings)
    return render_page(
        "payments/new.html",
        form=form,
        way=way,
        ways=[(channel, _places(channel, form)) for channel in PAYMENT_CHANNELS],
        inputs=[(name, labels.INPUTS[name], needed) for name, needed in asked.items()],
        merchants=merchant_choices(current_caller()),
        currencies=choices(CURRENCY_PLACES),
    )


def _places(channel: Channel, form: Form) -> list[tuple[labels.Way, str]]:
    """A channel's ways, each with the address that chooses it and loses nothing of the order."""
    carried = {name: value for name, value in form.typed.items() if name in ORDER}
    return [
        (one, f"/payments/new?{urlencode({'method': one.code, **carried})}#order")
        for one in labels.WAYS
        if one.channel is channel
    ]


@pages.get("/rates")
@login_required(Scope.PAYMENTS_READ)
def show_rate() -> WerkzeugResponse:
    asked = given_filters(*RATE_FIELDS)
    if not asked:
        return _rate_page(Form())
    return handle_form(lambda: _rate(asked), lambda error: _rate_page(Form.after(error, asked, RATE_FIELDS)))


def _rate(asked: Mapping[str, str]) -> Response:
    channel, currency = Channel(required_argument("channel", PAYMENT_CHANNELS)), required_argument("currency", FOREIGN)
    merchant_no = required_argument("merchant_no").strip()
    rates.check_merchant(merchant_no, current_caller())
    rate, age = rates.rate_of(services().engine, services().wallets, channel, merchant_no, currency)
    return _rate_page(
        Form(asked), rate=f"{Decimal(rate.rate).normalize():f}", fetched_at=rate.fetched_at, is_old=age > OLD
    )


def _rate_page(form: Form, **rate: Any) -> Response:
    return render_page(
        "payments/rates.html",
        form=form,
        merchants=merchant_choices(current_caller()),
        channels=choices(PAYMENT_CHANNELS),
        currencies=choices(FOREIGN),
        **rate,
    )
