"""Services of the application, as the HTTP kernel and every view find them."""

from contextlib import AbstractContextManager
from typing import Protocol

from flask import current_app
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from customs.audit.trail import AuditTrail
from customs.auth.passwords import Passwords
from customs.config import Settings
from customs.db.schema_guard import Readiness
from customs.jobs.wakeup import WorkerNotifier
from customs.privacy.vault import Vault


class WebServices(Protocol):
    """Services for every view; a feature that needs more extends this in its `services.py`."""

    settings: Settings

    @property
    def engine(self) -> Engine: ...
    @property
    def readiness(self) -> Readiness: ...
    @property
    def vault(self) -> Vault: ...
    @property
    def audit(self) -> AuditTrail: ...
    @property
    def passwords(self) -> Passwords: ...
    @property
    def notifier(self) -> WorkerNotifier: ...
    def transaction(self) -> AbstractContextManager[Session]: ...
    def reading(self) -> AbstractContextManager[Session]: ...


def services() -> WebServices:
    """Return the services of the application that handles this request."""
    found: WebServices = current_app.extensions["services"]
    return found
