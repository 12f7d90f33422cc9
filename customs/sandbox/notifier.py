"""Sends what is to be told, again with growing delays until the answer is `success`; the queue is in the ledger."""

import logging
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import NoReturn
from urllib.parse import urlencode

import requests
import rsa
import urllib3

from customs.sandbox.context import Desk
from customs.sandbox.notifications import NO_KEY, NOT_OURS, VERSION, Notification, is_loopback, signature, told
from customs.sandbox.payment_lifecycle import HELD_SECONDS, settle, settle_refund
from customs.sandbox.payment_scenarios import NOTIFY
from customs.sandbox.request import Call

LOOK_SECONDS = 0.1
TIMEOUT_SECONDS = 5
AT_ONCE = 8
LONGEST_ANSWER = 64

log = logging.getLogger(__name__)


class Notifier:
    """One sandbox's messenger; `start` gives it a thread, `work` is one round of it."""

    def __init__(self, desk: Desk, key: rsa.PrivateKey | None) -> None:
        self._desk = desk
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
        book, now = self._desk.book, self._desk.now()
        with book.turn():
            for payment in book.due_payments(now):
                settle(self._desk, payment)
            for refund in book.due_refunds(now):
                settle_refund(self._desk, refund)
            due = book.due_notifications(now, AT_ONCE)
            for notification in due:
                self._hold(notification)
        if due:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(self._send, due))
        return len(due)

    def tell_early(self, call: Call) -> None:
        """Send now what has to arrive before the reply to this create."""
        if not NOTIFY.row(call.our_no).early:
            return
        with self._desk.book.turn():
            payment = self._desk.book.payment_by_ours(call.our_no, call.channel)
            waiting = self._desk.book.notifications(payment.payment_no) if payment else []
            early = [one for one in waiting if one.early]
            for notification in early:
                self._hold(notification)
        for notification in early:
            self._send(notification)

    def _hold(self, notification: Notification) -> None:
        notification.early = False
        notification.due_at = self._desk.now() + HELD_SECONDS
        self._desk.book.keep_notification(notification)

    def _send(self, notification: Notification) -> None:
        outcome = self._outcome(notification)
        now = self._desk.now()
        at = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
        notification.answered(outcome, at, now, self._desk.settings.step_seconds)
        with self._desk.book.turn():
            self._desk.book.keep_notification(notification)

    def _outcome(self, notification: Notification) -> str:
        if not is_loopback(notification.url):
            return NOT_OURS
        payment = self._desk.book.payment(notification.payment_no)
        if self._key is None or payment is None:
            return NO_KEY
        form = told(payment)
        timestamp = str(int(self._desk.now()))
        # A forgery carries a signature that is well formed and made for another amount.
        signed = form | {"amount": f"{form['amount']}0"} if notification.forged else form
        headers = {
            "AgentNo": self._desk.settings.agent_no,
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
