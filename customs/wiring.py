"""Wiring: the parts one process shares, made from its settings when they are first needed; nothing connects before."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from customs import database
from customs.crash_points import CrashPoints
from customs.declarations.allowing import Policy
from customs.declarations.checking import Rules
from customs.declarations.pushing import DeclarationDesk
from customs.doorbell import Doorbell
from customs.gateway import Gateway, Signer, channels
from customs.history.vault import Vault
from customs.settings import Settings


class Services:
    """What doors and workers need; one per process, and after a fork a new one."""

    def __init__(self, settings: Settings, crash_at: str = "", *, pings: bool = True) -> None:
        self.settings = settings
        self._pings = pings
        self.crash = CrashPoints(crash_at)

    @cached_property
    def engine(self) -> Engine:
        return database.connect(self.settings.database_url, pings=self._pings)

    @cached_property
    def vault(self) -> Vault:
        return Vault(self.settings.pii_keys, self.settings.secret_key)

    @cached_property
    def doorbell(self) -> Doorbell:
        return Doorbell(self.settings.redis_url)

    @cached_property
    def policy(self) -> Policy:
        return Policy(self.settings.alipay_repush_seconds, self.settings.redeclare_failed)

    @cached_property
    def rules(self) -> Rules:
        return Rules.of(self.settings)

    @cached_property
    def gateway(self) -> Gateway:
        settings = self.settings
        return Gateway(
            settings.base_url,
            settings.agent_no,
            Signer.from_file(settings.private_key_file),
            version=settings.version,
            timeout=settings.gateway_timeout_seconds,
            pool_size=settings.gateway_concurrency,
        )

    @cached_property
    def desk(self) -> DeclarationDesk:
        return DeclarationDesk(self.engine, self.settings, self.vault, channels(self.gateway), self.crash)

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
