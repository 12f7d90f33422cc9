"""The services that views of declarations use besides those of every view."""

from typing import Protocol

from flask import current_app

from customs.declarations.actions.action_rules import Policy
from customs.declarations.intake.validate import Rules
from customs.payments_port import Payments
from customs.web.services import WebServices


class DeclarationServices(WebServices, Protocol):
    """`payments` says what is known of payments made here."""

    @property
    def policy(self) -> Policy: ...
    @property
    def rules(self) -> Rules: ...
    @property
    def payments(self) -> Payments: ...


def services() -> DeclarationServices:
    """Return the services of the application that handles this request."""
    found: DeclarationServices = current_app.extensions["services"]
    return found
