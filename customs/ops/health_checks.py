"""What is wrong with this desk and how to mend it: each part is looked at and says so in one line."""

import socket
import ssl
from collections.abc import Callable, Iterator
from urllib.parse import SplitResult, urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from sqlalchemy import Select, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from customs.audit.hash_chain import Tampering
from customs.audit.models import AuditEntry
from customs.container import Services
from customs.db import database
from customs.db.database import UnusableDatabase
from customs.db.schema_guard import ANY_VERSION, mismatch_of
from customs.declarations.models import Batch, Declaration
from customs.declarations.reading import recount
from customs.errors import DecryptionKeyMissing, GatewayUnavailable
from customs.gateway import Signer, UnreadableKey
from customs.lanes.queries import LaneState, lanes_in_use, state_of
from customs.ops.backlog import backlogs
from customs.ops.check_result import NOTHING, Examined, Said
from customs.ops.process_checks import look_at_processes, look_at_redis
from customs.payments.models import Payment, Refund
from customs.webhooks.models import Endpoint

OLD_BACKLOG_SECONDS = 60.0
CONNECT_SECONDS = 3.0
# Sentences that translators find; their facts are put in when they are said.
_ = Said


def examine(services: Services, *, thoroughly: bool = True) -> list[Examined]:
    """Look at every part; what depends on the database is left out when it is away.

    Unless `thoroughly`, also what takes long on a large desk.
    """
    examined = [one for look in LOOKS for one in look(services)]
    if any(one.part == "database" and one.verdict == "wrong" for one in examined):
        return examined
    looks = (*DATABASE_LOOKS, *LONG_LOOKS) if thoroughly else DATABASE_LOOKS
    return examined + [one for look in looks for one in look(services)]


def _settings(services: Services) -> Iterator[Examined]:
    settings = services.settings
    where = {"url": settings.base_url}
    if settings.sandbox:
        yield Examined("gateway", "ok", _("this desk speaks to the sandbox at %(url)s", where))
    else:
        yield Examined("gateway", "ok", _("this desk speaks to the real gateway at %(url)s", where))
    if settings.sandbox and not _is_local(settings.base_url):
        yield Examined(
            "gateway", "note", _("CUSTOMS_SANDBOX is on, and the gateway is not on this machine"), _("is it a sandbox?")
        )


def _is_local(url: str) -> bool:
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1", "sandbox")


def _database(services: Services) -> Iterator[Examined]:
    kind = {"kind": "SQLite" if services.settings.is_sqlite else "PostgreSQL"}
    try:
        with services.engine.execution_options(**{ANY_VERSION: True}).connect() as db:
            mismatch = mismatch_of(db)
    except UnusableDatabase as error:
        yield Examined("database", "wrong", _("%(kind)s: %(error)s", kind | {"error": error}))
        return
    except SQLAlchemyError as error:
        away = _("%(kind)s: %(error)s", kind | {"error": type(error).__name__})
        yield Examined("database", "wrong", away, _("check CUSTOMS_DATABASE_URL"))
        return
    if mismatch:
        old = _("%(kind)s, not at the version of this program", kind)
        yield Examined("database", "wrong", old, _("run `customs db upgrade`, or install what it was upgraded with"))
    elif trouble := services.readiness.trouble():
        full = _("%(kind)s: %(error)s", kind | {"error": trouble})
        yield Examined("database", "wrong", full, _("make room on its disk, or let this program write to it"))
    else:
        yield Examined("database", "ok", _("%(kind)s, at the newest version", kind))


def _signing_key(services: Services) -> Iterator[Examined]:
    file = services.settings.private_key_file
    try:
        Signer.from_file(file)
    except (OSError, UnreadableKey) as error:
        mend = _("set WISECASHIER_PRIVATE_KEY_FILE, or `customs keys generate DIR`")
        yield Examined("signing key", "wrong", _("%(file)s: %(error)s", {"file": file, "error": error}), mend)
        return
    yield Examined("signing key", "ok", _("%(file)s can be read", {"file": file}))


def _notifications(services: Services) -> Iterator[Examined]:
    """Without them payments are asked for all the same, only later."""
    settings = services.settings
    mend = _("set WISECASHIER_PUBLIC_KEY_FILE to the gateway's public key")
    try:
        verified = services.verifier is not None
    except GatewayUnavailable as error:
        found = _("%(file)s: %(error)s", {"file": settings.public_key_file, "error": error.__cause__})
        yield Examined("notifications", "wrong", found, mend)
        return
    if not verified:
        yield Examined("notifications", "note", _("cannot be verified: payments are only asked for"), mend)
    elif not settings.desk_url:
        mend = _("set CUSTOMS_PUBLIC_URL to where the gateway reaches this desk")
        yield Examined("notifications", "note", _("nobody tells us of payments: they are only asked for"), mend)


def _gateway(services: Services) -> Iterator[Examined]:
    try:
        _knock(urlsplit(services.settings.base_url), services.settings.ca_bundle or DEFAULT_CA_BUNDLE_PATH)
    except OSError as error:
        found = _("cannot be reached: %(error)s", {"error": error})
        yield Examined("gateway", "wrong", found, _("check WISECASHIER_BASE_URL and the network"))


def _knock(url: SplitResult, ca_bundle: str) -> None:
    """Connect as a call does, certificate included. Raises OSError."""
    port = url.port or (443 if url.scheme == "https" else 80)
    with socket.create_connection((url.hostname or "", port), CONNECT_SECONDS) as connection:
        if url.scheme == "https":
            trusting = ssl.create_default_context(cafile=ca_bundle)
            trusting.wrap_socket(connection, server_hostname=url.hostname).close()


def _lanes(services: Services) -> Iterator[Examined]:
    with services.reading() as db:
        now = database.now(db)
        stood = [(lane, state_of(lane, now)) for lane in lanes_in_use(db, services.settings)]
    for lane, state in stood:
        if state is LaneState.STOPPED:
            found = _("agent %(agent)s is stopped: %(reason)s", {"agent": lane.agent_no, "reason": lane.reason})
            yield Examined("lane", "wrong", found, _("mend the cause, then `customs lanes resume`"))
        elif state is LaneState.FAILING:
            failure = {"agent": lane.agent_no, "failure": lane.failure}
            found = _("no call of agent %(agent)s brings an answer: %(failure)s", failure)
            yield Examined("lane", "wrong", found, _("look at the network, the certificate and the gateway"))
    if all(state is LaneState.OPEN for _lane, state in stood):
        yield Examined("lane", "ok", _("calls go through"))


def _backlog(services: Services) -> Iterator[Examined]:
    """What goes to the gateway must not wait; a receiver of webhooks that does not answer keeps its own waiting."""
    with services.reading() as db:
        now = database.now(db)
        work = backlogs(db, now)
    deliveries = work.pop("deliveries")
    age = max(one.age(now) for one in work.values())
    late = age > OLD_BACKLOG_SECONDS
    waiting = sum(one.waiting for one in work.values())
    found = _("%(count)d due, the oldest for %(seconds).0f s", {"count": waiting, "seconds": age})
    mend = _("start more `customs worker`, or look at the lane") if late else NOTHING
    yield Examined("backlog", "wrong" if late else "ok", found, mend)
    if deliveries.age(now) > OLD_BACKLOG_SECONDS:
        found = _("the oldest delivery has been due for %(seconds).0f s", {"seconds": deliveries.age(now)})
        yield Examined("webhooks", "note", found, _("look at the receivers"))


def _review(services: Services) -> Iterator[Examined]:
    with services.reading() as db:
        count = db.scalar(select(func.count()).select_from(Declaration).where(Declaration.needs_review)) or 0
    if count:
        found = _("%(count)d declarations need somebody", {"count": count})
        yield Examined("review", "note", found, _("`customs status NUMBER` says why"))
    with services.reading() as db:
        money = {name: db.scalar(_cases_of(kind)) or 0 for name, kind in (("payments", Payment), ("refunds", Refund))}
    if any(money.values()):
        found = _("%(payments)d payments and %(refunds)d refunds need somebody", money)
        yield Examined("review", "note", found, _("`customs query NUMBER` asks for one now, its page says what to do"))


def _cases_of(kind: type[Payment | Refund]) -> Select[int]:
    return select(func.count()).select_from(kind).where(kind.case_reason.is_not(None))


def _webhooks(services: Services) -> Iterator[Examined]:
    with services.reading() as db:
        paused = db.scalars(
            select(Endpoint).where(Endpoint.paused_at.is_not(None), Endpoint.deleted_at.is_(None))
        ).all()
    for endpoint in paused:
        named = {"endpoint": endpoint.id, "why": endpoint.paused_why}
        mend = _("mend the receiver, then POST /api/v1/webhook-endpoints/%(endpoint)s/resume", named)
        yield Examined("webhooks", "note", _("%(endpoint)s is paused: %(why)s", named), mend)


def _vault(services: Services) -> Iterator[Examined]:
    """The newest and the oldest buyer: a key that is missing shows at one end."""
    with services.reading() as db:
        sealed = select(Declaration.id, Declaration.buyer).where(Declaration.buyer.is_not(None)).limit(1)
        orders = Declaration.created_at, Declaration.created_at.desc()
        ends = [db.execute(sealed.order_by(order)).first() for order in orders]
    try:
        for row in ends:
            if row is not None:
                services.vault.open_buyer(row.buyer, row.id)
    except DecryptionKeyMissing as error:
        found = _("cannot be opened: %(error)s", {"error": error.detail})
        yield Examined("names and ID numbers", "wrong", found, _("put the older key back into CUSTOMS_PII_KEYS"))
        return
    yield Examined("names and ID numbers", "ok", _("can be opened"))


def _tallies(services: Services) -> Iterator[Examined]:
    """Every declaration counted anew: some 20 seconds for a million."""
    found = recount.find(services.engine)
    if not found:
        yield Examined("tallies", "ok", _("say what the tables hold"))
        return
    counts = {"tallies": len(found.tallies), "causes": found.causes}
    wrong = _("%(tallies)d do not say what the tables hold; %(causes)d cases are without their cause", counts)
    yield Examined("tallies", "wrong", wrong, _("run `customs db recount`; was an older program running?"))


# How the audit trail does not fit: `number` is the first entry that does not, `entries` so many before it do.
TAMPERED = {
    Tampering.ALTERED: _("entry %(number)s was altered; the %(entries)d before it fit"),
    Tampering.MISSING: _("entry %(number)s is missing; the %(entries)d before it fit"),
    Tampering.ADDED: _("entry %(number)s was added by somebody else; the %(entries)d before it fit"),
    Tampering.CUT_OFF: _("entry %(number)s and what came after it are gone; the %(entries)d before it fit"),
    Tampering.SEAL: _("the seal of its end does not fit; the %(entries)d entries do"),
}


def look_at_trail(services: Services) -> Iterator[Examined]:
    """Every entry of it: some 15 seconds for a million."""
    with services.reading() as db:
        verdict = services.audit.verify(db)
        unrecorded = _unrecorded_batch(db)
    mend = _("somebody wrote to the database: compare with an export or a backup of an earlier day")
    if verdict.what is Tampering.SEAL:
        mend = _(
            "after a change of CUSTOMS_SECRET_KEY: `customs keys rotate --seal-audit-trail`; "
            "else somebody wrote to the database: compare with an export or a backup of an earlier day"
        )
    if verdict.what is not None:
        found = TAMPERED[verdict.what].of(number=verdict.first_bad, entries=verdict.entries)
        yield Examined("audit trail", "wrong", found, mend)
    elif unrecorded is not None:
        found = _("it fits, and knows nothing of %(batch)s: it was put back", {"batch": unrecorded})
        yield Examined("audit trail", "wrong", found, mend)
    else:
        found = _("%(entries)d entries, each as it was written", {"entries": verdict.entries})
        yield Examined("audit trail", "ok", found)


def _unrecorded_batch(db: Session) -> str | None:
    """The oldest or newest batch, where nobody is on record for it: then all of the trail was taken or put back."""
    # What came before there was a trail names no sender.
    handed_in = select(Batch.id).where(Batch.sender_id != "").limit(1)
    ends = [db.scalar(handed_in.order_by(order)) for order in (Batch.created_at, Batch.created_at.desc())]
    recorded = {db.scalar(select(AuditEntry.subject_id).where(AuditEntry.subject_id == one).limit(1)) for one in ends}
    return next((one for one in ends if one not in recorded), None)


LOOKS: tuple[Callable[[Services], Iterator[Examined]], ...] = (
    _settings,
    _database,
    look_at_redis,
    _signing_key,
    _notifications,
    _gateway,
)
DATABASE_LOOKS: tuple[Callable[[Services], Iterator[Examined]], ...] = (
    look_at_processes,
    _lanes,
    _backlog,
    _review,
    _webhooks,
    _vault,
)
LONG_LOOKS: tuple[Callable[[Services], Iterator[Examined]], ...] = (_tallies, look_at_trail)
