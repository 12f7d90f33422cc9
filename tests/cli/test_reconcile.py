"""`customs reconcile` before our own sandbox: a payment is made, paid and refunded, and stands in both books."""

import json
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from customs.cli import commands
from customs.config import read_settings
from customs.container import Services
from customs.gateway import Channel, Sale, method_of
from customs.gateway.messages.records import GATEWAY_TIME
from tests import make
from tests.journeys.gateway import running_gateway
from tests.journeys.processes import wait_until
from tests.reconciliation.bill_books import TODAY, keep, payment

DAY = TODAY.isoformat()


@pytest.fixture
def environment(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """A desk before a running sandbox; the command reads it as from a shell."""
    with running_gateway(tmp_path) as gateway:
        variables = make.SECRETS | {
            "CUSTOMS_HOME": str(tmp_path),
            "CUSTOMS_DATABASE_URL": sqlite_url,
            "CUSTOMS_SANDBOX": "1",
            "WISECASHIER_BASE_URL": gateway.url,
            "WISECASHIER_PRIVATE_KEY_FILE": str(gateway.private_key_file),
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        yield variables


def run(*arguments: str, command: str = "reconcile") -> Any:
    return CliRunner().invoke(commands, [command, *arguments], catch_exceptions=False)


def paid_at_the_gateway(services: Services) -> str:
    """Two orders are paid at the sandbox, by a code that the payer shows; we know one of them. Its number."""
    wallet = services.wallets[Channel.WECHATPAY]
    known = payment(out_order_no=make.number("KNOWN"))
    for number in (known.out_order_no, make.number("STRANGE")):
        code = {"auth_code": "135605691981176449"}
        sale = Sale(make.MERCHANT, "CNY", known.amount, "茶", number, extra=code)
        wallet.create(method_of(Channel.WECHATPAY, "scan_pay"), sale)
        wait_until(lambda number=number: wallet.query(number).status == "PAID", "it is paid")
    response = wallet.query(known.out_order_no)
    known.payment_no, known.paid_at = response.payment_no, response.trade_time
    keep(services, known)
    return known.out_order_no


def test_a_bill_of_the_sandbox_is_reconciled_shown_and_saved(environment: dict[str, str], tmp_path: Path) -> None:
    services = Services(read_settings(environment))
    number = paid_at_the_gateway(services)
    file = tmp_path / "bill.txt"

    # Midnight may have passed since.
    days = DAY, datetime.now(GATEWAY_TIME).date().isoformat()
    shown = run(*days, "--save", str(file))
    as_json = json.loads(run(*days, "--json", command="bill").output)

    assert (shown.exit_code, "only theirs" in shown.output) == (0, True)
    assert {entry["out_order_no"]: entry["verdict"] for entry in as_json["data"]} == {
        number: "matched",
        next(entry["out_order_no"] for entry in as_json["data"] if entry["out_order_no"] != number): "only_theirs",
    }
    assert as_json["unreadable"] == []
    assert number in file.read_text("utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_days_that_are_none_are_refused_by_the_command() -> None:
    assert run("2026-11-31", DAY).exit_code == 2
