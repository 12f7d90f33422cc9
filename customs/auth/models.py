"""Tables of users, their sessions, API keys, Idempotency-Keys and failed sign-ins; secrets as digests and hashes."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Boolean, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from customs.db.database import Base, UtcDateTime


class ApiKey(Base):
    """One key. `scopes` and `merchants`: None means all of them.

    `family`: the first of the keys that replaced one another, which is whose answers and limits all of them share.
    `replaced_by`: the key that a rotation made of this one. `expires_at`: None means never. `created_by`: who saw it,
    and with whom it ends; None where the audit trail does not know.
    """

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    family: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(100))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    merchants: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    replaced_by: Mapped[str | None] = mapped_column(String(40))
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_by: Mapped[str | None] = mapped_column(String(40), index=True)


class IdempotentReply(Base):
    """One Idempotency-Key of one caller: reserved while its first request runs, then the answer that was given.

    The answer is written in the transaction that did the work. `status` None: still running, under `turn`, until
    `lease_until` or until `holder` is seen dead.
    """

    __tablename__ = "idempotent_replies"
    __table_args__ = (UniqueConstraint("caller", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    caller: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(255))
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None]
    body: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    turn: Mapped[str | None] = mapped_column(String(40))
    holder: Mapped[str | None] = mapped_column(String(80))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Person(Base):
    """Somebody who signs in. `merchants`: None means all of them.

    `code_secret` is the sealed seed of the one-time codes, None until they were set up; `code_step` the time step of
    the last code that was taken, so that none is taken twice. `must_change_password`: somebody else chose it.
    """

    __tablename__ = "people"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    login: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    role: Mapped[str] = mapped_column(String(16))
    merchants: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    language: Mapped[str | None] = mapped_column(String(8))
    password_hash: Mapped[str] = mapped_column(String(200))
    must_change_password: Mapped[bool] = mapped_column(Boolean)
    code_secret: Mapped[str | None] = mapped_column(Text)
    code_step: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class UserSession(Base):
    """One session of a browser: its token as a digest. `code_given`: the second factor was passed too.

    `browser` is what the browser calls itself, for its owner to tell one from another.
    """

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "person_id", "id"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    person_id: Mapped[str] = mapped_column(String(40))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    code_given: Mapped[bool] = mapped_column(Boolean)
    browser: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class FailedSignIn(Base):
    """How often signing in failed in a row: under one login, with one's codes, or from one address, by blind index."""

    __tablename__ = "failed_sign_ins"

    who: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    # Up to when time was taken for failures that it forgave.
    forgiven_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
