"""What is done to API keys on the record: given, replaced, ended; by whom, and with what rights."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from customs.access.api_keys import caller_of, create_api_key, revoke_api_key, rotate_api_key
from customs.access.callers import Caller, Scope
from customs.access.models import ApiKey
from customs.history.auditing import AuditTrail
from customs.history.deeds import Act, Deed, deed_by
from customs.instants import instant

EVERYTHING = "all"


class KeyDeeds:
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
        self._keep(Act.API_KEY_CREATE, self._of(text))
        return text

    def rotate(self, name_or_id: str, overlap: timedelta, lifetime: timedelta | None = None) -> str:
        """As `rotate_api_key`; the entry is about the new key."""
        text = rotate_api_key(
            self._db, name_or_id, sandbox=self._sandbox, overlap=overlap, now=self._now, lifetime=lifetime
        )
        self._keep(Act.API_KEY_ROTATE, self._of(text))
        return text

    def revoke(self, key_id: str) -> None:
        """As `revoke_api_key`."""
        revoke_api_key(self._db, key_id, self._now)
        self._keep(Act.API_KEY_REVOKE, self._db.get_one(ApiKey, key_id))

    def _of(self, text: str) -> ApiKey:
        caller, _ = caller_of(self._db, text, self._now)
        return self._db.get_one(ApiKey, caller.key_id)

    def _keep(self, act: Act, key: ApiKey) -> None:
        self._audit.append(self._db, _deed(self._by, act, key), self._now)


def _deed(by: Caller, act: Act, key: ApiKey) -> Deed:
    rights = {"scopes": key.scopes, "merchants": key.merchants}
    detail = {name: ", ".join(given) if given else EVERYTHING for name, given in rights.items()}
    if key.expires_at is not None:
        detail["expires_at"] = instant(key.expires_at) or ""
    only = key.merchants[0] if key.merchants and len(key.merchants) == 1 else None
    return deed_by(by, act, key.id, merchant_no=only, name=key.name, **detail)
