"""Making and recognising API keys: shown once, kept as a digest."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from customs.access.callers import Caller, Scope
from customs.access.models import ApiKey
from customs.errors import KeyUnknown
from customs.ids import new_id


def create_api_key(
    db: Session, name: str, *, sandbox: bool, scopes: Sequence[Scope], merchants: Sequence[str], now: datetime
) -> str:
    """Store a new key and return its text, for the only time. No scopes or merchants means all of them."""
    # 256 random bits need no slow hash: there is nothing to guess.
    text = f"ck_{'test' if sandbox else 'live'}_{secrets.token_urlsafe(32)}"
    db.add(
        ApiKey(
            id=new_id("key"),
            name=name,
            digest=_digest(text),
            scopes=[str(scope) for scope in scopes] or None,
            merchants=list(merchants) or None,
            created_at=now,
        )
    )
    return text


def caller_of(db: Session, text: str) -> Caller:
    """The caller behind a key's text; KeyUnknown when there is none."""
    key = db.scalar(select(ApiKey).where(ApiKey.digest == _digest(text)))
    if key is None or key.revoked_at is not None:
        raise KeyUnknown
    return Caller(
        id=key.id,
        name=key.name,
        scopes=frozenset(Scope) if key.scopes is None else frozenset(map(Scope, key.scopes)),
        merchants=None if key.merchants is None else frozenset(key.merchants),
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
