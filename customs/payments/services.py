"""The services that views of payments use besides those of every view."""

from collections.abc import Mapping
from typing import Protocol

from flask import current_app

from customs.gateway import Channel, Gateway, Verifier, Wallet
from customs.payments.tasks.handler import PaymentTaskHandler
from customs.payments_port import Declarations
from customs.web.services import WebServices


class PaymentServices(WebServices, Protocol):
    """`verifier` is None while the gateway's public key is not on file."""

    @property
    def gateway(self) -> Gateway: ...
    @property
    def wallets(self) -> Mapping[Channel, Wallet]: ...
    @property
    def verifier(self) -> Verifier | None: ...
    @property
    def declarations(self) -> Declarations: ...
    @property
    def payment_handler(self) -> PaymentTaskHandler: ...


def services() -> PaymentServices:
    """Return the services of the application that handles this request."""
    found: PaymentServices = current_app.extensions["services"]
    return found
