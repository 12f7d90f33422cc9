"""Commands about payments: collect, refund, query the gateway, show a rate."""

import json
import sys
import time
from decimal import Decimal
from typing import Any

import click
import segno
from rich.console import Console
from rich.table import Table

from customs.auth.principal import operator
from customs.cli.output import load_or_fail
from customs.config import read_settings
from customs.container import Services
from customs.db import database
from customs.errors import NotFound, ValidationFailed
from customs.gateway import CURRENCY_PLACES, PAYMENT_CHANNELS, Channel, PayerKind
from customs.payments import queries, serializers
from customs.payments.collect import rates, refunds
from customs.payments.collect.create import PaymentService, ask_again
from customs.payments.models import Payment, Refund
from customs.payments.schemas import PaymentIn, RefundIn
from customs.payments.states import RefundStatus, Status
from customs.payments.tasks.task import TaskAction

NOT_PAID = 3
POLL_SECONDS = 1.0
SHOWN = ("id", "status", "amount", "currency", "out_order_no", "payment_no", "refund_status", "refundable_amount")


@click.command()
@click.argument("channel", type=click.Choice([channel.value for channel in PAYMENT_CHANNELS]))
@click.argument("method")
@click.option("--merchant", required=True)
@click.option("--amount", required=True)
@click.option("--currency", required=True, type=click.Choice(list(CURRENCY_PLACES)))
@click.option("--subject", required=True, help="What the payer reads.")
@click.option("--number", help="The order number; generated if left out.")
@click.option("--set", "inputs", multiple=True, metavar="NAME=VALUE", help="What the method needs: openid, appid, ...")
@click.option("--wait", is_flag=True, help="Wait until the payment has ended; exit 3 when it is not PAID.")
@click.option("--json", "as_json", is_flag=True)
def pay(
    channel: str,
    method: str,
    merchant: str,
    amount: str,
    currency: str,
    subject: str,
    number: str | None,
    inputs: tuple[str, ...],
    wait: bool,
    as_json: bool,
) -> None:
    """Collect a payment through METHOD, the last part of its path in the document: scanned_pay, scan_pay, ..."""
    services = Services(read_settings())
    body = {"channel": channel, "method": method, "merchant_no": merchant, "amount": amount, "currency": currency}
    body |= {"subject": subject} | ({"out_order_no": number} if number else {}) | _named(inputs)
    till = PaymentService(services.wallets, services.vault, services.settings, operator(), services.audit)
    order = till.with_openid(services.engine, till.checked(load_or_fail(PaymentIn(), body)))
    with services.transaction() as db:
        payment_id = till.pay(db, order, database.now(db)).id
    services.payment_handler.run_now(Payment.__tablename__, payment_id)
    shown = _payment(services, payment_id)
    if not as_json:
        _show_payer(shown)
    while wait and shown["status"] == Status.INIT:
        time.sleep(POLL_SECONDS)
        shown = _payment(services, payment_id)
    _show(shown, as_json)
    if wait and shown["status"] != Status.PAID:
        sys.exit(NOT_PAID)


@click.command()
@click.argument("number")
@click.option("--amount", help="All that is left without it.")
@click.option("--reason", required=True)
@click.option("--json", "as_json", is_flag=True)
def refund(number: str, amount: str | None, reason: str, as_json: bool) -> None:
    """Refund the payment with this number."""
    services = Services(read_settings())
    asked = load_or_fail(RefundIn(), {"reason": reason} | ({"amount": amount} if amount else {}))
    payment_id = _only_one(services, number)
    with services.transaction() as db:
        made = refunds.refund(
            db, payment_id, asked, services.declarations, operator(), services.audit, database.now(db)
        )
    services.payment_handler.run_now(Refund.__tablename__, made.id)
    with services.reading() as db:
        shown = serializers.refund_json(queries.refund_of(db, made.id, operator()))
    if as_json:
        return click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    click.echo(f"{shown['id']}  {shown['status']}  {shown['amount']} {shown['currency']}")
    if shown["status"] == RefundStatus.FAIL:
        raise ValidationFailed(f"the gateway refused the refund: {shown['explanation']}")
    return None


@click.command()
@click.argument("number")
@click.option("--json", "as_json", is_flag=True)
def query(number: str, as_json: bool) -> None:
    """Ask the gateway for the payment with this number, and show it with its refunds."""
    services = Services(read_settings())
    payment_id = _only_one(services, number)
    with services.transaction() as db:
        ask_again(db.get_one(Payment, payment_id, with_for_update=True), database.now(db))
    services.payment_handler.run_now(Payment.__tablename__, payment_id, TaskAction.QUERY)
    _show(_payment(services, payment_id), as_json)


@click.command()
@click.argument("channel", type=click.Choice([channel.value for channel in PAYMENT_CHANNELS]))
@click.argument("currency", type=click.Choice(list(CURRENCY_PLACES)))
@click.option("--merchant", required=True)
@click.option("--json", "as_json", is_flag=True)
def rate(channel: str, currency: str, merchant: str, as_json: bool) -> None:
    """Show the reference rate: yuan for one unit of the currency."""
    services = Services(read_settings())
    quote, age = rates.rate_of(services.engine, services.wallets, Channel(channel), merchant, currency)
    if as_json:
        return click.echo(json.dumps(serializers.rate_json(quote, age)))
    click.echo(f"1 {currency} = {Decimal(quote.rate).normalize():f} CNY  ({age:.0f} s old)")
    return None


def _named(inputs: tuple[str, ...]) -> dict[str, str]:
    named: dict[str, str] = {}
    for position, one in enumerate(inputs, 1):
        name, equals, value = one.partition("=")
        if not equals:
            raise ValidationFailed(f"--set number {position}: write it as name=value")
        named[name] = value
    return named


def _only_one(services: Services, number: str) -> str:
    """Return the id of the only payment found; raise when there is none or there are several."""
    with services.reading() as db:
        found = [payment.id for payment in queries.payments_numbered(db, number, operator())]
    if not found:
        raise NotFound(f"no payment has the number {number}")
    if len(found) > 1:
        raise ValidationFailed(f"{number} stands for several payments: use one of {', '.join(found)}")
    return found[0]


def _payment(services: Services, payment_id: str) -> dict[str, Any]:
    with services.reading() as db:
        found = queries.payment_of(db, payment_id, operator())
        return serializers.payment_json(found, services.vault, queries.refunds_of(db, payment_id))


def _show_payer(shown: dict[str, Any]) -> None:
    """Print what the payer needs next: a QR code, a URL or parameters."""
    payer = shown["payer"]
    if payer is None:
        return
    if payer["kind"] == PayerKind.QR:
        segno.make_qr(payer["url"]).terminal(compact=True)
    click.echo(payer["url"] or json.dumps(payer["parameters"], ensure_ascii=False, indent=2))


def _show(shown: dict[str, Any], as_json: bool) -> None:
    if as_json:
        return click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    table = Table(show_header=False)
    for name in SHOWN:
        table.add_row(name, str(shown[name] or ""))
    if shown["explanation"]:
        table.add_row("explanation", shown["explanation"])
    if shown["case"]:
        table.add_row("needs review", shown["case"]["reason"])
    for one in shown["refunds"]:
        table.add_row("refund", f"{one['id']}  {one['status']}  {one['amount']}  {one['reason']}")
        if one["case"]:
            table.add_row("needs review", f"{one['id']}  {one['case']['reason']}")
    Console(markup=False).print(table)
    return None
