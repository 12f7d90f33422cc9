"""Notifications of paid orders (10.2), signed over raw values (10.3), sent again until the answer is `success`.

The queue is in the ledger.
"""

import base64
import ipaddress
import logging
import sqlite3
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlencode, urlsplit

import requests
import rsa
import urllib3

from customs.sandbox.calls import Call
from customs.sandbox.context import SENDING_SECONDS, SandboxContext, settle, settle_refund
from customs.sandbox.methods import METHODS
from customs.sandbox.payment_scenarios import NOTIFY
from customs.sandbox.payments import NO_KEY, NOT_LOOPBACK, Notification, Payment
from customs.sandbox.values import paid_in, rate_text

VERSION = "1.0"


def notification_fields(payment: Payment) -> dict[str, str]:
    """The form of 10.2; the names are the same for both channels."""
    wallet = payment.wallet.currency
    form = {
        "status": payment.status,
        "openid": payment.content.get("openid", f"o{payment.payer}"),
        "trade_type": METHODS[payment.method].trade_type,
        "exchange_rate": rate_text(payment.channel, payment.currency),
        "no": payment.payment_no,
        "currency": payment.currency,
        "amount": payment.content["amount"],
        "trade_time": payment.trade_time,
        "pay_currency": wallet,
        "pay_amount": str(paid_in(wallet, payment.currency, payment.amount)),
        "agent_order_id": payment.our_no,
    }
    return {name: value for name, value in form.items() if value}


def signature(form: Mapping[str, str], timestamp: str, key: rsa.PrivateKey) -> str:
    """The signature of 10.3: over the values as they are, unlike 2.2, which encodes them first."""
    text = "&".join(f"{name}={form[name]}" for name in sorted(form)) + f",{timestamp}"
    return base64.b64encode(rsa.sign(text.encode(), key, "SHA-256")).decode()


def is_loopback(url: str) -> bool:
    """Whether this machine is called: a sandbox knocks at nobody else's door."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or parts.username is not None:
        return False
    try:
        return parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def load_private_key(file: Path | None) -> rsa.PrivateKey | None:
    """The gateway's key, None when there is none. Raises OSError or ValueError when it cannot be read."""
    return rsa.PrivateKey.load_pkcs1(file.read_bytes()) if file else None


LOOK_SECONDS = 0.1
TIMEOUT_SECONDS = 5
AT_ONCE = 8
LONGEST_ANSWER = 64

log = logging.getLogger(__name__)


class Notifier:
    """Sends one sandbox's notifications; `start` gives it a thread, `work` is one round of it."""

    def __init__(self, context: SandboxContext, key: rsa.PrivateKey | None) -> None:
        self._context = context
        self._key = key

    def start(self) -> None:
        """Work until the process ends."""
        threading.Thread(target=self._run, name="notifier", daemon=True).start()

    def _run(self) -> NoReturn:
        pause = threading.Event()
        while True:
            sent = 0
            try:
                sent = self.work()
            except sqlite3.Error:
                # Nothing is lost: what was not written down is due again.
                log.exception("notifying failed")
            if sent < AT_ONCE:
                pause.wait(LOOK_SECONDS)

    def work(self) -> int:
        """Let orders and refunds move whose time has come, then send what is due. The number of those sent."""
        payments, now = self._context.payments, self._context.now()
        with payments.turn():
            for payment in payments.due_payments(now):
                settle(self._context, payment)
            for refund in payments.due_refunds(now):
                settle_refund(self._context, refund)
            due = payments.due_notifications(now, AT_ONCE)
            for notification in due:
                self._mark_sending(notification)
        if due:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(self._send, due))
        return len(due)

    def notify_early(self, call: Call) -> None:
        """Send now what has to arrive before the reply to this create."""
        if not NOTIFY.row(call.our_no).early:
            return
        with self._context.payments.turn():
            payment = self._context.payments.payment_by_our_no(call.our_no, call.channel)
            waiting = self._context.payments.notifications(payment.payment_no) if payment else []
            early = [one for one in waiting if one.early]
            for notification in early:
                self._mark_sending(notification)
        for notification in early:
            self._send(notification)

    def _mark_sending(self, notification: Notification) -> None:
        notification.early = False
        notification.due_at = self._context.now() + SENDING_SECONDS
        self._context.payments.keep_notification(notification)

    def _send(self, notification: Notification) -> None:
        outcome = self._outcome(notification)
        now = self._context.now()
        at = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
        notification.answered(outcome, at, now, self._context.settings.step_seconds)
        with self._context.payments.turn():
            self._context.payments.keep_notification(notification)

    def _outcome(self, notification: Notification) -> str:
        if not is_loopback(notification.url):
            return NOT_LOOPBACK
        payment = self._context.payments.payment(notification.payment_no)
        if self._key is None or payment is None:
            return NO_KEY
        form = notification_fields(payment)
        timestamp = str(int(self._context.now()))
        # A forgery carries a signature that is well formed and made for another amount.
        signed = form | {"amount": f"{form['amount']}0"} if notification.forged else form
        headers = {
            "AgentNo": self._context.settings.agent_no,
            "Signature": signature(signed, timestamp, self._key),
            "Version": VERSION,
            "Timestamp": timestamp,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        try:
            return _post(notification.url, urlencode(form), headers)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            return f"not delivered: {type(error).__name__}"


def _post(url: str, body: str, headers: dict[str, str]) -> str:
    """`success`, or what was answered instead."""
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(
            url, body.encode(), headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False, stream=True
        )
        words = answer.raw.read(LONGEST_ANSWER, decode_content=True).decode(errors="replace").strip()
        answer.close()
    if answer.status_code == requests.codes.ok and words == "success":
        return "success"
    return f"answered {answer.status_code}, not success"
