"""Notifications of paid orders (10.2), signed over raw values with the gateway's own key (10.3)."""

import base64
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import rsa

from customs.sandbox.currencies import paid_in, rate_text
from customs.sandbox.methods import METHODS
from customs.sandbox.payments import Payment

VERSION = "1.0"
# Whoever hears nothing for so long asks by itself.
MOST_ATTEMPTS = 12


@dataclass
class Notification:
    """One to be sent to `url` until it is `done`; `due_at` is None then. `attempts`: when, and how it was answered.

    `early` while it waits for the create call, which sends it before its reply leaves.
    """

    payment_no: str
    url: str
    due_at: float | None
    forged: bool = False
    early: bool = False
    done: bool = False
    attempts: list[dict[str, str]] = field(default_factory=list)
    id: int | None = None

    def answered(self, outcome: str, at: str, now: float, pace: float) -> None:
        """Note how an attempt went, and when the next one is due: the delays double."""
        self.attempts.append({"at": at, "outcome": outcome})
        final = outcome in ("success", NOT_LOOPBACK, NO_KEY)
        self.done = final or self.forged or len(self.attempts) >= MOST_ATTEMPTS
        self.due_at = None if self.done else now + pace * 2 ** len(self.attempts)


NOT_LOOPBACK = "not called: no loopback address"
NO_KEY = "not sent: the sandbox has no gateway key"


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
