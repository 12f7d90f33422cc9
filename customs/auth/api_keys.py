"""API keys: created, recognised, rotated and revoked, on the audit trail; shown once, and stored as a digest."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from customs.audit.actions import AuditAction, AuditEvent, audit_event
from customs.audit.trail import AuditTrail
from customs.auth.models import ApiKey, Person
from customs.auth.principal import Caller, Scope
from customs.errors import ActionNotAllowed, ApiKeyInvalid, ErrorDetail, InsufficientScope, NotFound, ValidationFailed
from customs.ids import new_id
from customs.privacy.masking import refuse_personal_number
from customs.timestamps import instant

# How exactly the last use of a key is known: more would be a write for each request.
USE_NOTED_EVERY = timedelta(minutes=1)
# The audit trail's word for scopes or merchants without a limit.
EVERYTHING = "all"


def create_api_key(
    db: Session,
    name: str,
    *,
    sandbox: bool,
    scopes: Sequence[Scope],
    merchants: Sequence[str],
    now: datetime,
    expires_at: datetime | None = None,
    created_by: str | None = None,
) -> str:
    """Store a new key and return its text, for the only time. No scopes or merchants means all of them."""
    key_id, text = new_id("key"), _new_text(sandbox)
    db.add(
        ApiKey(
            id=key_id,
            family=key_id,
            name=name,
            digest=_digest(text),
            scopes=[str(scope) for scope in scopes] or None,
            merchants=list(merchants) or None,
            created_at=now,
            expires_at=expires_at,
            created_by=created_by,
        )
    )
    return text


def rotate_api_key(
    db: Session,
    name_or_id: str,
    *,
    sandbox: bool,
    overlap: timedelta,
    now: datetime,
    lifetime: timedelta | None = None,
    created_by: str | None = None,
) -> str:
    """Make a key with the same rights, and return its text; the old one lives on for `overlap`, and no longer.

    `lifetime`: of the new key; without it, as long as the old one was made for. Raises NotFound, or ActionNotAllowed
    when the name is not that of exactly one key.
    """
    old = _key_to_rotate(db, name_or_id, now)
    key_id, text = new_id("key"), _new_text(sandbox)
    span = lifetime or (old.expires_at and old.expires_at - old.created_at)
    db.add(
        ApiKey(
            id=key_id,
            family=old.family,
            name=old.name,
            digest=_digest(text),
            scopes=old.scopes,
            merchants=old.merchants,
            created_at=now,
            expires_at=now + span if span else None,
            created_by=created_by,
        )
    )
    old.replaced_by = key_id
    old.expires_at = min(now + overlap, old.expires_at or now + overlap)
    return text


def revoke_api_key(db: Session, key_id: str, now: datetime) -> None:
    """End a key at once; one that has ended already stays ended. Raises NotFound."""
    key = db.get(ApiKey, key_id)
    if key is None:
        raise NotFound(f"there is no key {key_id}")
    key.revoked_at = key.revoked_at or now


def end_keys_of(db: Session, person_id: str, now: datetime) -> list[str]:
    """End every key that this person made or rotated, for they may have kept it; return the ids of those that lived."""
    alive = ApiKey.revoked_at.is_(None) & or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now)
    keys = db.scalars(select(ApiKey).where(ApiKey.created_by == person_id, alive).order_by(ApiKey.id)).all()
    for key in keys:
        key.revoked_at = now
    return [key.id for key in keys]


def list_api_keys(db: Session) -> Sequence[ApiKey]:
    """Return every key there ever was, oldest first."""
    return db.scalars(select(ApiKey).order_by(ApiKey.id)).all()


def state_of(key: ApiKey, now: datetime) -> str:
    """Return live, replaced (and live until it expires), expired or revoked."""
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is not None and key.expires_at <= now:
        return "expired"
    return "replaced" if key.replaced_by else "live"


def caller_of(db: Session, text: str, now: datetime) -> tuple[Caller, bool]:
    """Return the caller behind a key's text, and whether to note its use. Raises ApiKeyInvalid."""
    # The digest of what came is looked up: how long that takes tells nothing of any key's text.
    key = db.scalar(select(ApiKey).where(ApiKey.digest == _digest(text)))
    if key is None or state_of(key, now) in ("revoked", "expired"):
        raise ApiKeyInvalid
    caller = Caller(
        id=key.family,
        name=key.name,
        scopes=frozenset(Scope) if key.scopes is None else frozenset(map(Scope, key.scopes)),
        merchants=None if key.merchants is None else frozenset(key.merchants),
        key_id=key.id,
    )
    return caller, key.last_used_at is None or key.last_used_at <= now - USE_NOTED_EVERY


def note_use(db: Session, key_id: str, now: datetime) -> None:
    """Note that a key was used, unless somebody did within the minute."""
    is_old = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= now - USE_NOTED_EVERY)
    db.execute(update(ApiKey).where(ApiKey.id == key_id, is_old).values(last_used_at=now))


def _key_to_rotate(db: Session, name_or_id: str, now: datetime) -> ApiKey:
    # Two rotations at once: the second waits, and then finds the key replaced.
    named = select(ApiKey).where(or_(ApiKey.id == name_or_id, ApiKey.name == name_or_id)).with_for_update()
    found = [key for key in db.scalars(named.order_by(ApiKey.id)) if state_of(key, now) == "live"]
    if not found:
        raise NotFound(f"there is no live key {name_or_id} that was not replaced yet: `customs api-key list`")
    if len(found) > 1:
        ids = ", ".join(key.id for key in found)
        raise ActionNotAllowed(f"{len(found)} keys have the name {name_or_id}: name one of {ids}")
    return found[0]


def _new_text(sandbox: bool) -> str:
    # 256 random bits need no slow hash: there is nothing to guess.
    return f"ck_{'test' if sandbox else 'live'}_{secrets.token_urlsafe(32)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class AuditedKeys:
    """Changes of keys by one caller in one transaction, each with its entry on the audit trail."""

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
        """Create a key as `create_api_key` does."""
        refuse_personal_number(name, "/name")
        text = create_api_key(
            self._db,
            name,
            sandbox=self._sandbox,
            scopes=scopes,
            merchants=merchants,
            now=self._now,
            expires_at=expires_at,
            created_by=self._by.id,
        )
        self._keep(AuditAction.API_KEY_CREATE, self._of(text))
        return text

    def rotate(self, name_or_id: str, overlap: timedelta, lifetime: timedelta | None = None) -> str:
        """Rotate a key as `rotate_api_key` does; the entry is about the new key."""
        text = rotate_api_key(
            self._db,
            name_or_id,
            sandbox=self._sandbox,
            overlap=overlap,
            now=self._now,
            lifetime=lifetime,
            created_by=self._by.id,
        )
        self._keep(AuditAction.API_KEY_ROTATE, self._of(text))
        return text

    def revoke(self, key_id: str) -> None:
        """Revoke a key as `revoke_api_key` does."""
        revoke_api_key(self._db, key_id, self._now)
        self._keep(AuditAction.API_KEY_REVOKE, self._db.get_one(ApiKey, key_id))

    def revoke_named(self, name: str) -> None:
        """Revoke every key of this name that this caller made and somebody could still use."""
        named = select(ApiKey).where(ApiKey.name == name, ApiKey.created_by == self._by.id)
        for key in self._db.scalars(named.order_by(ApiKey.id)).all():
            if state_of(key, self._now) not in ("revoked", "expired"):
                self.revoke(key.id)

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
    """Id and text of a new key; the text is to be shown this once."""

    key_id: str
    text: str = field(repr=False)


def keys_seen(db: Session, by: Caller) -> Sequence[ApiKey]:
    """Return the keys for none but this caller's merchants, newest first."""
    return [key for key in reversed(list_api_keys(db)) if by.covers(key.merchants)]


def key_seen(db: Session, key_id: str, by: Caller) -> ApiKey:
    """Return one of the keys that this caller sees. Raises NotFound, also for another merchant's."""
    key = db.get(ApiKey, key_id)
    if key is None or not by.covers(key.merchants):
        raise NotFound
    return key


def may_hand_out(by: Caller, scopes: Sequence[str] | None) -> bool:
    """Whether these rights are the caller's own; None stands for every right there is."""
    return all(by.may(Scope(one)) for one in (scopes if scopes is not None else Scope))


class ApiKeyService:
    """Changes of keys by a user in one transaction, within the rights and merchants that are theirs."""

    def __init__(self, db: Session, by: Caller, keys: AuditedKeys, now: datetime) -> None:
        self._db = db
        self._by = by
        self._keys = keys
        self._now = now

    def create(self, request: KeyRequest) -> IssuedKey:
        """Create a key. Raises ValidationFailed, or InsufficientScope for a right that the caller has not."""
        if not request.scopes:
            detail = "this key may do nothing"
            raise ValidationFailed(detail, errors=[ErrorDetail("/scopes", "scopes_missing", detail)])
        self._require_enabled()
        self._require_own(request.scopes)
        merchants = self._by.narrowed(request.merchants).merchants or ()
        expires_at = None if request.lifetime is None else self._now + request.lifetime
        return self._issued(self._keys.create(request.name, request.scopes, sorted(merchants), expires_at))

    def rotate(self, key_id: str, overlap: timedelta) -> IssuedKey:
        """Replace a key by another; the old one goes on for `overlap`.

        Raises NotFound, or InsufficientScope as for a new key.
        """
        self._require_enabled()
        self._require_own(key_seen(self._db, key_id, self._by).scopes)
        return self._issued(self._keys.rotate(key_id, overlap))

    def revoke(self, key_id: str) -> None:
        """End a key at once, also one that may do more than the caller. Raises NotFound."""
        key_seen(self._db, key_id, self._by)
        self._keys.revoke(key_id)

    def _require_enabled(self) -> None:
        """Lock the caller: whoever disables them at the same time ends this key too, or went first."""
        locked = select(Person.disabled_at).where(Person.id == self._by.id).with_for_update()
        if self._db.scalar(locked) is not None:
            raise ActionNotAllowed("you were disabled a moment ago")

    def _require_own(self, scopes: Sequence[str] | None) -> None:
        if not may_hand_out(self._by, scopes):
            raise InsufficientScope("nobody hands out a right they do not have")

    def _issued(self, text: str) -> IssuedKey:
        caller, _ = caller_of(self._db, text, self._now)
        return IssuedKey(caller.key_id, text)


def _audit_event(by: Caller, act: AuditAction, key: ApiKey) -> AuditEvent:
    rights = {"scopes": key.scopes, "merchants": key.merchants}
    detail = {name: ", ".join(given) if given else EVERYTHING for name, given in rights.items()}
    if key.expires_at is not None:
        detail["expires_at"] = instant(key.expires_at) or ""
    only = key.merchants[0] if key.merchants and len(key.merchants) == 1 else None
    return audit_event(by, act, key.id, merchant_no=only, name=key.name, **detail)
