"""What is wrong with this desk and how to mend it: each part is looked at and says so in one line."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from rq import Worker
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from customs import database, migrating
from customs.declarations.models import Declaration, Push
from customs.due import waits_for_a_worker
from customs.errors import VaultLocked
from customs.gateway import Signer, UnreadableKey
from customs.lanes.models import Lane
from customs.webhooks.models import Endpoint
from customs.wiring import Services

OLD_BACKLOG_SECONDS = 60.0
CONNECT_SECONDS = 3.0


@dataclass(frozen=True)
class Examined:
    """One part: `verdict` is ok, note or wrong."""

    part: str
    verdict: str
    found: str
    mend: str = ""


def examine(services: Services) -> list[Examined]:
    """Look at every part; what depends on the database is left out when it is away."""
    examined = [one for look in LOOKS for one in look(services)]
    if any(one.part == "database" and one.verdict == "wrong" for one in examined):
        return examined
    return examined + [one for look in DATABASE_LOOKS for one in look(services)]


def _settings(services: Services) -> Iterator[Examined]:
    settings = services.settings
    kind = "the sandbox" if settings.sandbox else "the real gateway"
    yield Examined("gateway", "ok", f"this desk speaks to {kind} at {settings.base_url}")
    if settings.sandbox and not _is_local(settings.base_url):
        yield Examined(
            "gateway", "note", "CUSTOMS_SANDBOX is on, and the gateway is not on this machine", "is it a sandbox?"
        )


def _is_local(url: str) -> bool:
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1", "sandbox")


def _database(services: Services) -> Iterator[Examined]:
    kind = "SQLite" if services.settings.is_sqlite else "PostgreSQL"
    try:
        with services.reading() as db:
            db.execute(text("SELECT 1"))
        current = migrating.is_current(services.engine)
    except SQLAlchemyError as error:
        yield Examined("database", "wrong", f"{kind}: {type(error).__name__}", "check CUSTOMS_DATABASE_URL")
        return
    if current:
        yield Examined("database", "ok", f"{kind}, at the newest version")
    else:
        yield Examined("database", "wrong", f"{kind}, not at the newest version", "run `customs db upgrade`")


def _redis(services: Services) -> Iterator[Examined]:
    if not services.doorbell.answers():
        mend = "start it, or `customs up`; workers drain by themselves every second meanwhile"
        yield Examined("redis", "note", "does not answer; nothing is lost", mend)
        return
    workers = Worker.count(connection=services.doorbell.redis)
    verdict = "ok" if workers else "note"
    yield Examined("workers", verdict, f"{workers} behind the queue", "" if workers else "start `customs worker`")


def _signing_key(services: Services) -> Iterator[Examined]:
    file = services.settings.private_key_file
    try:
        Signer.from_file(file)
    except (OSError, UnreadableKey) as error:
        mend = "set WISECASHIER_PRIVATE_KEY_FILE, or `customs keys generate DIR`"
        yield Examined("signing key", "wrong", f"{file}: {error}", mend)
        return
    yield Examined("signing key", "ok", str(file))


def _notifications(services: Services) -> Iterator[Examined]:
    """Without them payments are asked for all the same, only later."""
    settings = services.settings
    try:
        verified = services.verifier is not None
    except (OSError, UnreadableKey) as error:
        mend = "set WISECASHIER_PUBLIC_KEY_FILE to the gateway's public key"
        yield Examined("notifications", "wrong", f"{settings.public_key_file}: {error}", mend)
        return
    if not verified:
        mend = "set WISECASHIER_PUBLIC_KEY_FILE to the gateway's public key"
        yield Examined("notifications", "note", "cannot be verified: payments are only asked for", mend)
    elif not settings.desk_url:
        mend = "set CUSTOMS_PUBLIC_URL to where the gateway reaches this desk"
        yield Examined("notifications", "note", "nobody tells us of payments: they are only asked for", mend)


def _gateway(services: Services) -> Iterator[Examined]:
    url = urlsplit(services.settings.base_url)
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        socket.create_connection((url.hostname or "", port), CONNECT_SECONDS).close()
    except OSError as error:
        yield Examined("gateway", "wrong", f"cannot be reached: {error}", "check WISECASHIER_BASE_URL and the network")


def _lanes(services: Services) -> Iterator[Examined]:
    with services.reading() as db:
        stopped = db.scalars(select(Lane).where(Lane.stopped_at.is_not(None))).all()
    for lane in stopped:
        mend = "mend the cause, then `customs lanes resume`"
        yield Examined("lane", "wrong", f"agent {lane.agent_no} is stopped: {lane.reason}", mend)
    if not stopped:
        yield Examined("lane", "ok", "open")


def _backlog(services: Services) -> Iterator[Examined]:
    with services.reading() as db:
        now = database.now(db)
        due = select(func.count(), func.min(Push.due_at)).where(waits_for_a_worker(Push, now))
        count, oldest = db.execute(due).one()
    age = (now - oldest).total_seconds() if oldest else 0.0
    late = age > OLD_BACKLOG_SECONDS
    mend = "start more `customs worker`, or look at the lane" if late else ""
    yield Examined("backlog", "wrong" if late else "ok", f"{count} due, the oldest for {age:.0f} s", mend)


def _review(services: Services) -> Iterator[Examined]:
    with services.reading() as db:
        count = db.scalar(select(func.count()).select_from(Declaration).where(Declaration.needs_review)) or 0
    if count:
        yield Examined("review", "note", f"{count} declarations need somebody", "`customs status NUMBER` says why")


def _webhooks(services: Services) -> Iterator[Examined]:
    with services.reading() as db:
        paused = db.scalars(
            select(Endpoint).where(Endpoint.paused_at.is_not(None), Endpoint.deleted_at.is_(None))
        ).all()
    for endpoint in paused:
        mend = f"mend the receiver, then POST /api/v1/webhook-endpoints/{endpoint.id}/resume"
        yield Examined("webhooks", "note", f"{endpoint.id} is paused: {endpoint.paused_why}", mend)


def _vault(services: Services) -> Iterator[Examined]:
    """The newest and the oldest buyer: a key that is missing shows at one end."""
    with services.reading() as db:
        sealed = select(Declaration.id, Declaration.buyer).where(Declaration.buyer.is_not(None)).limit(1)
        ends = [db.execute(sealed.order_by(order)).first() for order in (Declaration.id, Declaration.id.desc())]
    try:
        for row in ends:
            if row is not None:
                services.vault.open_buyer(row.buyer, row.id)
    except VaultLocked as error:
        yield Examined("names and ID numbers", "wrong", error.detail, "put the older key back into CUSTOMS_PII_KEYS")
        return
    yield Examined("names and ID numbers", "ok", "can be opened")


LOOKS: tuple[Callable[[Services], Iterator[Examined]], ...] = (
    _settings,
    _database,
    _redis,
    _signing_key,
    _notifications,
    _gateway,
)
DATABASE_LOOKS: tuple[Callable[[Services], Iterator[Examined]], ...] = (
    _lanes,
    _backlog,
    _review,
    _webhooks,
    _vault,
)
