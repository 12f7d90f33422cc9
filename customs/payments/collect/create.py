"""Create payments: check an order, give it a number, and store it before the gateway is called."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from customs.audit.actions import AuditAction, audit_event
from customs.audit.trail import AuditTrail
from customs.auth.principal import Caller
from customs.config import Settings
from customs.db import database
from customs.errors import ActionNotAllowed, ErrorDetail, GatewayUnavailable, ValidationFailed
from customs.gateway import (
    CURRENCY_PLACES,
    METHODS,
    Channel,
    GatewayError,
    Method,
    Misuse,
    PayerKind,
    Refused,
    Wallet,
    cashier_url,
    method_of,
)
from customs.ids import new_id
from customs.payments.models import Payment, PaymentEvent
from customs.payments.redaction import inputs_place
from customs.payments.tasks.payment_task import sale_of
from customs.payments.tasks.task import TaskAction
from customs.privacy.masking import refuse_personal_number
from customs.privacy.vault import Vault
from customs.text_rules.rules import Holds, objections_to
from customs.validation import NUMBER, WHAT_A_NUMBER_IS

# Whoever asked attends to it at once; a worker does if they die.
HEAD_START = timedelta(seconds=3)
RETRY_SECONDS = 5
# What the payer's browser is sent to: never a script, never a path of the gateway's.
WEB_ADDRESS = re.compile(r"https?://[^/?#\s@]+([/?#]\S*)?", re.IGNORECASE)
NOTIFY_PATH = "/notify/wisecashier"
RETURN_PATH = "/payments/{id}/return"
CONTENT = ("merchant_no", "method", "currency", "amount", "subject")


@dataclass(frozen=True)
class Order:
    """An order to be paid. `inputs`: what the method needs of the payer; `extra` comes back on return."""

    channel: Channel
    method: str
    merchant_no: str
    currency: str
    amount: Decimal
    subject: str
    out_order_no: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict, repr=False)
    extra: Mapping[str, str] = field(default_factory=dict)


class PaymentService:
    """Creates payments for one caller."""

    def __init__(
        self, wallets: Mapping[Channel, Wallet], vault: Vault, settings: Settings, caller: Caller, audit: AuditTrail
    ) -> None:
        self._wallets = wallets
        self._vault = vault
        self._settings = settings
        self._caller = caller
        self._audit = audit

    def checked(self, order: Order) -> Order:
        """The same order; raises ValidationFailed with every error."""
        errors = list(_errors_in(order, self._settings))
        if not self._caller.may_touch(order.merchant_no):
            errors.insert(0, ErrorDetail("/merchant_no", "merchant_unknown", "this merchant is not yours"))
        if errors:
            raise ValidationFailed(f"{errors[0].pointer}: {errors[0].detail}", errors=errors)
        return order

    def with_openid(self, engine: Engine, order: Order) -> Order:
        """The order with the openid that its login code stands for (4.4); the code is good for one exchange."""
        if "code" not in order.inputs:
            return order
        with database.reading(engine) as db:
            existing = self.known(db, order)
        if existing is not None:
            return replace(order, inputs=self._inputs(existing))
        try:
            openid = self._wallets[order.channel].openid(order.inputs["code"], order.merchant_no)
        except Refused as error:
            detail = f"the gateway refused this login code: {error.message}"
            raise ValidationFailed(
                detail, errors=[ErrorDetail("/code", "code_refused", "have the payer log in again")]
            ) from error
        except GatewayError as error:
            raise GatewayUnavailable("the login code could not be exchanged", retry_after=RETRY_SECONDS) from error
        inputs = {name: value for name, value in order.inputs.items() if name != "code"} | {"openid": openid}
        return replace(order, inputs=inputs)

    def known(self, db: Session, order: Order) -> Payment | None:
        """The payment that was made under this number with the same content.

        Raises ActionNotAllowed when the number stands for something else: the gateway finds an order by it alone.
        """
        if order.out_order_no is None:
            return None
        named = (Payment.channel == order.channel, Payment.out_order_no == order.out_order_no)
        existing = db.scalar(select(Payment).where(*named))
        if existing is None:
            return None
        is_same = all(getattr(existing, name) == getattr(order, name) for name in CONTENT)
        is_same = is_same and self._caller.may_touch(existing.merchant_no)
        if not (is_same and self._has_inputs(existing, order) and self._has_extra(existing, order)):
            why = "this number already stands for another payment"
            raise ActionNotAllowed(why, errors=[ErrorDetail("/out_order_no", "number_taken", "choose another number")])
        return existing

    def pay(self, db: Session, order: Order, now: datetime) -> Payment:
        """The payment of an order that passed `checked` and `with_openid`: stored now, or found under its number."""
        return self.known(db, order) or self._accept(db, order, now)

    def _has_inputs(self, existing: Payment, order: Order) -> bool:
        """Whether a payment was made with these inputs; a login code is another one each time."""
        exchanged = _exchanged(method_of(order.channel, order.method))
        given = {name: value for name, value in order.inputs.items() if name not in exchanged}
        kept = self._inputs(existing)
        return all(kept.get(name) == value for name, value in given.items())

    def _has_extra(self, existing: Payment, order: Order) -> bool:
        """Whether a cashier desk's link, as long as there is one, hands back the same extra parameters."""
        method = method_of(order.channel, order.method)
        if existing.payer is None or not method.is_cashier_desk:
            return True
        url = _cashier_link(existing, method, self._inputs(existing), order, self._settings)
        return bool(urlsplit(url).query == urlsplit(existing.payer["url"]).query)

    def _inputs(self, existing: Payment) -> dict[str, str]:
        inputs: dict[str, str] = {}
        if existing.inputs:
            inputs = json.loads(self._vault.open(existing.inputs, inputs_place(existing.id)))
        return inputs

    def _accept(self, db: Session, order: Order, now: datetime) -> Payment:
        """Store a payment that is to be made: it is known from here on, whatever happens to whoever asked."""
        refuse_personal_number(order.subject, "/subject", phones=False)
        settings, method = self._settings, method_of(order.channel, order.method)
        payment_id = new_id("pay")
        page = settings.public_address + RETURN_PATH.format(id=payment_id)
        defaults = {"return_url": page} if "return_url" in method.required_inputs and settings.public_address else {}
        inputs = defaults | dict(order.inputs)
        sealed = self._vault.seal(json.dumps(inputs, ensure_ascii=False), inputs_place(payment_id)) if inputs else None
        payment = Payment(
            id=payment_id,
            merchant_no=order.merchant_no,
            channel=order.channel,
            method=order.method,
            # The digits of the id: unique, unguessable, and of the gateway's own form.
            out_order_no=order.out_order_no or payment_id.removeprefix("pay_"),
            currency=order.currency,
            amount=order.amount,
            subject=order.subject,
            notify_url=settings.public_address + NOTIFY_PATH if settings.public_address else None,
            inputs=sealed,
            sender=self._caller.name,
            created_at=now,
            next_action=TaskAction.SEND,
            due_at=now + HEAD_START,
        )
        if method.is_cashier_desk:
            # The payer's browser makes this call; from then on there is something to ask for.
            url = _cashier_link(payment, method, inputs, order, settings)
            payment.payer = {"kind": PayerKind.URL, "url": url, "parameters": {}}
            payment.next_action = TaskAction.QUERY
            payment.due_at = now + timedelta(seconds=settings.payment_poll_seconds)
        db.add(payment)
        db.add(_event(payment, self._caller, now))
        facts = {"channel": str(order.channel), "method": order.method, "amount": str(order.amount)}
        owner = {"merchant_no": order.merchant_no, "currency": order.currency}
        self._audit.append(db, audit_event(self._caller, AuditAction.PAYMENT_CREATE, payment_id, **owner, **facts), now)
        return payment


def _errors_in(order: Order, settings: Settings) -> Iterator[ErrorDetail]:
    known = {row.name: row for row in METHODS if row.channel is order.channel}
    if order.method not in known:
        yield ErrorDetail("/method", "choice", f"{order.channel} has the methods {', '.join(known)}")
        return
    places = CURRENCY_PLACES.get(order.currency)
    if places is None:
        yield ErrorDetail("/currency", "currency_unknown", f"use one of {', '.join(CURRENCY_PLACES)}")
    elif order.amount != round(order.amount, places):
        yield ErrorDetail("/amount", "amount_places", f"{order.currency} has {places} decimal places")
    if order.amount <= 0:
        yield ErrorDetail("/amount", "amount_zero", "an amount is over 0")
    if order.out_order_no is not None:
        yield from _faults_of_number(order.out_order_no)
    method = known[order.method]
    given = {name for name, value in order.inputs.items() if value}
    for name in sorted(set(method.required_inputs) - given - _supplied_inputs(method, given, settings)):
        yield ErrorDetail(f"/{name}", "required", f"{order.method} needs it")
    for name in sorted(given - set(method.required_inputs) - set(method.optional_inputs) - _exchanged(method)):
        yield ErrorDetail(f"/{name}", "input_unused", f"{order.method} takes no {name}: leave it out")
    if "return_url" in given and not WEB_ADDRESS.fullmatch(order.inputs["return_url"]):
        yield ErrorDetail("/return_url", "url_invalid", "use an address such as https://shop.example/back")
    if order.extra and not method.is_cashier_desk:
        yield ErrorDetail("/extra", "input_unused", "only a cashier desk hands extra parameters back")


def _faults_of_number(number: str) -> Iterator[ErrorDetail]:
    """R6 and R6b."""
    objections = [one for one in objections_to(number, Holds.NUMBER) if one.is_error]
    yield from (ErrorDetail("/out_order_no", one.code, f"{one.detail}; {one.action}") for one in objections)
    if not objections and not NUMBER.fullmatch(number):
        yield ErrorDetail("/out_order_no", "number_invalid", WHAT_A_NUMBER_IS)


def inputs_asked(method: Method, settings: Settings) -> Mapping[str, bool]:
    """The inputs that a method takes, the needed ones first, each with whether it has to be given."""
    exchanged = _exchanged(method)
    given_otherwise = _supplied_inputs(method, exchanged, settings)
    needed = {name: name not in given_otherwise for name in method.required_inputs}
    return needed | dict.fromkeys((*sorted(exchanged), *method.optional_inputs), False)


def _exchanged(method: Method) -> set[str]:
    """A mini program's login code stands for the openid it is exchanged for (4.4)."""
    return {"code"} if method.name == "mini_program_pay" else set()


def _supplied_inputs(method: Method, given: set[str], settings: Settings) -> set[str]:
    """What may be left out: we know our own page to return to, and a login code stands for an openid."""
    supplied = {"return_url"} if settings.public_address else set()
    return supplied | ({"openid"} if given & _exchanged(method) else set())


def _cashier_link(payment: Payment, method: Method, inputs: Mapping[str, str], order: Order, settings: Settings) -> str:
    try:
        return cashier_url(settings.base_url, method, sale_of(vars(payment), inputs), order.extra)
    except Misuse as error:
        raise ValidationFailed(
            f"/extra: {error.message}", errors=[ErrorDetail("/extra", "extra_taken", error.message)]
        ) from error


def _event(payment: Payment, caller: Caller, now: datetime) -> PaymentEvent:
    detail: dict[str, Any] = {"action": "pay", "method": payment.method}
    return PaymentEvent(
        merchant_no=payment.merchant_no, payment_id=payment.id, at=now, kind="action", actor=caller.name, detail=detail
    )


def ask_again(payment: Payment, now: datetime) -> None:
    """Have the gateway asked for a payment now, unless the call that makes it is still to come or under way."""
    if payment.next_action is not TaskAction.SEND:
        payment.next_action = TaskAction.QUERY
        payment.due_at = now
