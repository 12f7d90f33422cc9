"""Making, recognising, rotating and ending API keys: shown once, kept as a digest."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from customs.auth.models import ApiKey
from customs.auth.principal import Caller, Scope
from customs.errors import ActionNotAllowed, ApiKeyInvalid, NotFound
from customs.ids import new_id

# How exactly the last use of a key is known: more would be a write for each request.
USE_NOTED_EVERY = timedelta(minutes=1)


def create_api_key(
    db: Session,
    name: str,
    *,
    sandbox: bool,
    scopes: Sequence[Scope],
    merchants: Sequence[str],
    now: datetime,
    expires_at: datetime | None = None,
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
) -> str:
    """A new key with the same rights, whose text is returned; the old one lives on for `overlap`, and no longer.

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


def list_api_keys(db: Session) -> Sequence[ApiKey]:
    """Every key there ever was, oldest first."""
    return db.scalars(select(ApiKey).order_by(ApiKey.id)).all()


def state_of(key: ApiKey, now: datetime) -> str:
    """live, replaced (and live until it expires), expired or revoked."""
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is not None and key.expires_at <= now:
        return "expired"
    return "replaced" if key.replaced_by else "live"


def caller_of(db: Session, text: str, now: datetime) -> tuple[Caller, bool]:
    """The caller behind a key's text, and whether it is time to note its use; ApiKeyInvalid when there is none."""
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
