"""API keys as people at the desk manage them: those within their merchants, and never with more rights than theirs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from customs.audit.actions import AuditAction, AuditEvent, audit_event
from customs.audit.trail import AuditTrail
from customs.auth.api_keys import caller_of, create_api_key, list_api_keys, revoke_api_key, rotate_api_key
from customs.auth.models import ApiKey
from customs.auth.principal import Caller, Scope
from customs.errors import ErrorDetail, InsufficientScope, NotFound, ValidationFailed
from customs.timestamps import instant


class AuditedKeys:
    """What one caller does to keys in one transaction."""

    def __init__(self, db: Session, by: Caller, audit: AuditTrail, now: datetime, *, sandbox: bool) -> None:
        self._db = db
        self._by = by
        self._audit = audit
        self._now = now
        self._sandbox = sandbox

    def create(
        self,
        name: str,
        scopes: Sequence[Scope] = (),
        merchants: Sequence[str] = (),
        expires_at: datetime | None = None,
    ) -> str:
        """As `create_api_key`."""
        text = create_api_key(
            self._db,
            name,
            sandbox=self._sandbox,
            scopes=scopes,
            merchants=merchants,
            now=self._now,
            expires_at=expires_at,
        )
        self._keep(AuditAction.API_KEY_CREATE, self._of(text))
        return text

    def rotate(self, name_or_id: str, overlap: timedelta, lifetime: timedelta | None = None) -> str:
        """As `rotate_api_key`; the entry is about the new key."""
        text = rotate_api_key(
            self._db, name_or_id, sandbox=self._sandbox, overlap=overlap, now=self._now, lifetime=lifetime
        )
        self._keep(AuditAction.API_KEY_ROTATE, self._of(text))
        return text

    def revoke(self, key_id: str) -> None:
        """As `revoke_api_key`."""
        revoke_api_key(self._db, key_id, self._now)
        self._keep(AuditAction.API_KEY_REVOKE, self._db.get_one(ApiKey, key_id))

    def _of(self, text: str) -> ApiKey:
        caller, _ = caller_of(self._db, text, self._now)
        return self._db.get_one(ApiKey, caller.key_id)

    def _keep(self, act: AuditAction, key: ApiKey) -> None:
        self._audit.append(self._db, _audit_event(self._by, act, key), self._now)


@dataclass(frozen=True)
class KeyRequest:
    """A key as somebody wants it. Without `merchants` it is for all of theirs; without `lifetime` it lives on."""

    name: str
    scopes: Sequence[Scope]
    merchants: Sequence[str] = ()
    lifetime: timedelta | None = None


@dataclass(frozen=True)
class IssuedKey:
    """A new key and its text, which is to be shown this once."""

    key_id: str
    text: str = field(repr=False)


def keys_seen(db: Session, by: Caller) -> Sequence[ApiKey]:
    """The keys of nobody but this caller's merchants, newest first."""
    return [key for key in reversed(list_api_keys(db)) if by.covers(key.merchants)]


def key_seen(db: Session, key_id: str, by: Caller) -> ApiKey:
    """One of them; NotFound also for another merchant's."""
    key = db.get(ApiKey, key_id)
    if key is None or not by.covers(key.merchants):
        raise NotFound
    return key


def may_hand_out(by: Caller, scopes: Sequence[str] | None) -> bool:
    """Whether these rights are the caller's own; None stands for every right there is."""
    return all(by.may(Scope(one)) for one in (scopes if scopes is not None else Scope))


class ApiKeyService:
    """What a caller at the desk does to keys in one transaction."""

    def __init__(self, db: Session, by: Caller, keys: AuditedKeys, now: datetime) -> None:
        self._db = db
        self._by = by
        self._keys = keys
        self._now = now

    def create(self, request: KeyRequest) -> IssuedKey:
        """A new key. Raises ValidationFailed, or InsufficientScope for a right that the caller has not."""
        if not request.scopes:
            detail = "this key may do nothing"
            raise ValidationFailed(detail, errors=[ErrorDetail("/scopes", "scopes_missing", detail)])
        self._require_own(request.scopes)
        merchants = self._by.narrowed(request.merchants).merchants or ()
        expires_at = None if request.lifetime is None else self._now + request.lifetime
        return self._issued(self._keys.create(request.name, request.scopes, sorted(merchants), expires_at))

    def rotate(self, key_id: str, overlap: timedelta) -> IssuedKey:
        """A key in place of one, which goes on for `overlap`.

        Raises NotFound, or InsufficientScope as for a new key.
        """
        self._require_own(key_seen(self._db, key_id, self._by).scopes)
        return self._issued(self._keys.rotate(key_id, overlap))

    def revoke(self, key_id: str) -> None:
        """End a key at once, also one that may do more than the caller. Raises NotFound."""
        key_seen(self._db, key_id, self._by)
        self._keys.revoke(key_id)

    def _require_own(self, scopes: Sequence[str] | None) -> None:
        if not may_hand_out(self._by, scopes):
            raise InsufficientScope("nobody hands out a right they do not have")

    def _issued(self, text: str) -> IssuedKey:
        caller, _ = caller_of(self._db, text, self._now)
        return IssuedKey(caller.key_id, text)


EVERYTHING = "all"


def _audit_event(by: Caller, act: AuditAction, key: ApiKey) -> AuditEvent:
    rights = {"scopes": key.scopes, "merchants": key.merchants}
    detail = {name: ", ".join(given) if given else EVERYTHING for name, given in rights.items()}
    if key.expires_at is not None:
        detail["expires_at"] = instant(key.expires_at) or ""
    only = key.merchants[0] if key.merchants and len(key.merchants) == 1 else None
    return audit_event(by, act, key.id, merchant_no=only, name=key.name, **detail)
