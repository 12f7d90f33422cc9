"""The services of one process, made from its settings when they are first needed; nothing connects before."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from customs.audit.anchors import AnchorFile
from customs.audit.trail import AuditTrail
from customs.auth.passwords import Passwords
from customs.config import Settings
from customs.db import database
from customs.db.schema_guard import Readiness, SchemaGuard
from customs.declarations.actions.action_rules import Policy
from customs.declarations.intake.payment_holds import DeclarationHolds
from customs.declarations.intake.validate import Rules
from customs.declarations.pushes.handler import PushHandler
from customs.declarations.services import DeclarationServices
from customs.errors import GatewayUnavailable
from customs.gateway import Channel, Gateway, Signer, UnreadableKey, Verifier, Wallet, channels, wallets
from customs.jobs.dispatcher import JobHandlers, StaffedHandler
from customs.jobs.failpoints import Failpoints
from customs.jobs.wakeup import WorkerNotifier
from customs.payments.collect.payment_lookup import PaymentLookup
from customs.payments.services import PaymentServices
from customs.payments.tasks.handler import PaymentTaskHandler
from customs.payments.tasks.payment_task import PaymentTask
from customs.payments.tasks.refund_task import RefundTask
from customs.privacy.vault import Vault
from customs.webhooks.delivery_handler import DeliveryHandler, webhook_threads


class Services(DeclarationServices, PaymentServices):
    """Everything that views and workers share; one per process, and after a fork a new one.

    `on_mismatch` is called with what to do when the database is found at another version, before that error.
    """

    def __init__(
        self,
        settings: Settings,
        crash_at: str = "",
        *,
        pings: bool = True,
        on_mismatch: Callable[[str], object] = lambda _: None,
    ) -> None:
        self.settings = settings
        self._pings = pings
        self._on_mismatch = on_mismatch
        self.failpoints = Failpoints(crash_at)

    @cached_property
    def engine(self) -> Engine:
        engine = database.connect(self.settings.database_url, pings=self._pings)
        event.listen(engine, "begin", SchemaGuard(self._on_mismatch))
        return engine

    @cached_property
    def readiness(self) -> Readiness:
        return Readiness(self.engine)

    @cached_property
    def vault(self) -> Vault:
        return Vault(self.settings.pii_keys, self.settings.secret_key)

    @cached_property
    def audit(self) -> AuditTrail:
        return AuditTrail(self.settings.secret_key)

    @cached_property
    def anchors(self) -> AnchorFile:
        return AnchorFile(self.settings.home, self.engine.url)

    @cached_property
    def passwords(self) -> Passwords:
        return Passwords()

    @cached_property
    def notifier(self) -> WorkerNotifier:
        return WorkerNotifier(self.settings.redis_url)

    @cached_property
    def policy(self) -> Policy:
        return Policy(self.settings.alipay_repush_seconds, self.settings.redeclare_failed)

    @cached_property
    def rules(self) -> Rules:
        return Rules(self.settings.warn_only_rules)

    @cached_property
    def gateway(self) -> Gateway:
        settings = self.settings
        try:
            signer = Signer.from_file(settings.private_key_file)
        except UnreadableKey as error:
            raise GatewayUnavailable(f"no call can be signed: {error}; see `customs doctor`") from error
        return Gateway(
            settings.base_url,
            settings.agent_no,
            signer,
            version=settings.version,
            timeout=settings.gateway_timeout_seconds,
            ca_bundle=settings.ca_bundle or None,
            pool_size=settings.gateway_concurrency + payment_threads(settings),
        )

    @cached_property
    def wallets(self) -> Mapping[Channel, Wallet]:
        return wallets(self.gateway)

    @cached_property
    def push_handler(self) -> PushHandler:
        return PushHandler(self.engine, self.settings, self.vault, channels(self.gateway), self.failpoints)

    @cached_property
    def verifier(self) -> Verifier | None:
        """Checks what the gateway tells us; None while its public key is not on file."""
        file = self.settings.public_key_file
        try:
            return Verifier(file.read_bytes()) if file.exists() else None
        except (OSError, UnreadableKey) as error:
            raise GatewayUnavailable(f"nothing can be verified that comes from the gateway: {file}: {error}") from error

    @cached_property
    def declarations(self) -> DeclarationHolds:
        return DeclarationHolds()

    @cached_property
    def payment_handler(self) -> PaymentTaskHandler:
        holds = self.declarations
        works = (
            PaymentTask(self.wallets, self.vault, holds, self.settings),
            RefundTask(self.wallets, holds, self.settings),
        )
        return PaymentTaskHandler(self.engine, self.settings, works, self.failpoints)

    @cached_property
    def delivery_handler(self) -> DeliveryHandler:
        return DeliveryHandler(self.engine, self.settings, self.vault, self.failpoints)

    @cached_property
    def job_handlers(self) -> JobHandlers:
        """Everything a worker does."""
        return staffed(self)

    @cached_property
    def payments(self) -> PaymentLookup:
        return PaymentLookup()

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One short writing transaction."""
        with database.transaction(self.engine) as db:
            yield db

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One snapshot to read from."""
        with database.reading(self.engine) as db:
            yield db


def staffed(services: Services) -> JobHandlers:
    """Every desk of these services with threads of its own: none has another's."""
    settings = services.settings
    return JobHandlers(
        StaffedHandler(services.push_handler, settings.gateway_concurrency),
        StaffedHandler(services.payment_handler, payment_threads(settings)),
        StaffedHandler(services.delivery_handler, webhook_threads(settings)),
    )


def payment_threads(settings: Settings) -> int:
    """Calls at once of one worker for payments and refunds, beside those that declare."""
    return max(1, settings.gateway_concurrency // 2)
