"""Health checks: look at each part of the desk; say in one line what is wrong and how to fix it. Run by the doctor."""

import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from flask_babel import LazyString, lazy_gettext
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from sqlalchemy import Select, func, select
from sqlalchemy.exc import SQLAlchemyError

from customs.config import RENAMED
from customs.container import Services
from customs.db import database
from customs.db.database import UnusableDatabase
from customs.db.schema_guard import ANY_VERSION, mismatch_of
from customs.declarations.models import Declaration
from customs.errors import GatewayUnavailable
from customs.gateway import Signer, UnreadableKey
from customs.jobs.process_registry import Kind, Process, list_processes
from customs.lanes.queries import LaneState, lanes_in_use, state_of
from customs.ops.backlog import backlogs
from customs.payments.models import Payment, Refund
from customs.webhooks.models import Endpoint

OLD_BACKLOG_SECONDS = 60.0
CONNECT_SECONDS = 3.0
# English at a terminal, the page's language on a page.
_ = lazy_gettext
# What is missing without a kind of process, and how to start one. A desk used by commands alone needs no web process.
NEEDED = {
    Kind.WORKER: (_("no worker runs: nothing is declared"), _("start `customs worker`")),
    Kind.CLOCK: (_("no clock runs: what is due later is late"), _("start `customs clock`")),
}
PARTS = {Kind.WORKER: "workers", Kind.CLOCK: "clock"}

# The page of each part.
RUNBOOKS = {
    "gateway": "LaneFailing",
    "settings": "SettingsToReview",
    "database": "DatabaseDown",
    "signing key": "SigningKey",
    "notifications": "SigningKey",
    "redis": "RedisDown",
    "processes": "ProcessTroubled",
    "workers": "NoWorker",
    "clock": "NoClock",
    "lane": "LaneStopped",
    "backlog": "WorkOverdue",
    "webhooks": "WebhookEndpointPaused",
    "review": "ReviewNeeded",
    "names and ID numbers": "NamesUnreadable",
    "tallies": "CountersDiffer",
    "audit trail": "AuditTrailBroken",
    "secrets": "WeakSecrets",
    "files": "ReadableFiles",
}


@dataclass(frozen=True)
class CheckResult:
    """Result of a check: `verdict` is ok, note or wrong; the remedy is empty where nothing has to be done."""

    part: str
    verdict: str
    finding: LazyString | str
    remedy: LazyString | str = ""

    @property
    def runbook(self) -> str:
        """The page in docs/runbooks/ that says more."""
        return f"docs/runbooks/{RUNBOOKS[self.part]}.md"


def _settings(services: Services) -> Iterator[CheckResult]:
    settings, url = services.settings, services.settings.base_url
    if settings.sandbox:
        yield CheckResult("gateway", "ok", _("this desk speaks to the sandbox at %(url)s", url=url))
    else:
        yield CheckResult("gateway", "ok", _("this desk speaks to the real gateway at %(url)s", url=url))
    if settings.sandbox and not _is_local(settings.base_url):
        yield CheckResult(
            "gateway", "note", _("CUSTOMS_SANDBOX is on, and the gateway is not on this machine"), _("is it a sandbox?")
        )
    for earlier in settings.earlier_names:
        found = _("%(earlier)s is called %(name)s now", earlier=earlier, name=RENAMED[earlier])
        yield CheckResult("settings", "note", found, _("set it under its new name"))


def _is_local(url: str) -> bool:
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1", "sandbox")


def _database(services: Services) -> Iterator[CheckResult]:
    kind = "SQLite" if services.settings.is_sqlite else "PostgreSQL"
    try:
        with services.engine.execution_options(**{ANY_VERSION: True}).connect() as db:
            mismatch = mismatch_of(db)
    except UnusableDatabase as error:
        yield CheckResult("database", "wrong", _("%(kind)s: %(error)s", kind=kind, error=error))
        return
    except SQLAlchemyError as error:
        away = _("%(kind)s: %(error)s", kind=kind, error=type(error).__name__)
        yield CheckResult("database", "wrong", away, _("check CUSTOMS_DATABASE_URL"))
        return
    if mismatch:
        old = _("%(kind)s, not at the version of this program", kind=kind)
        yield CheckResult("database", "wrong", old, _("run `customs db upgrade`, or install what it was upgraded with"))
    elif trouble := services.readiness.trouble():
        full = _("%(kind)s: %(error)s", kind=kind, error=trouble)
        yield CheckResult("database", "wrong", full, _("make room on its disk, or let this program write to it"))
    else:
        yield CheckResult("database", "ok", _("%(kind)s, at the newest version", kind=kind))


def _signing_key(services: Services) -> Iterator[CheckResult]:
    file = services.settings.private_key_file
    try:
        Signer.from_file(file)
    except (OSError, UnreadableKey) as error:
        remedy = _("set WISECASHIER_PRIVATE_KEY_FILE, or `customs keys generate DIR`")
        yield CheckResult("signing key", "wrong", _("%(file)s: %(error)s", file=file, error=error), remedy)
        return
    yield CheckResult("signing key", "ok", _("%(file)s can be read", file=file))


def _notifications(services: Services) -> Iterator[CheckResult]:
    """Whether notifications of payments can arrive and be verified; without them payments are polled."""
    settings = services.settings
    remedy = _("set WISECASHIER_PUBLIC_KEY_FILE to the gateway's public key")
    try:
        verified = services.verifier is not None
    except GatewayUnavailable as error:
        found = _("%(file)s: %(error)s", file=settings.public_key_file, error=error.__cause__)
        yield CheckResult("notifications", "wrong", found, remedy)
        return
    if not verified:
        yield CheckResult("notifications", "note", _("cannot be verified: payments are only asked for"), remedy)
    elif not settings.public_address:
        remedy = _("set CUSTOMS_PUBLIC_URL to where the gateway reaches this desk")
        yield CheckResult("notifications", "note", _("nobody tells us of payments: they are only asked for"), remedy)


def _gateway(services: Services) -> Iterator[CheckResult]:
    try:
        _connect(urlsplit(services.settings.base_url), services.settings.ca_bundle or DEFAULT_CA_BUNDLE_PATH)
    except OSError as error:
        found = _("cannot be reached: %(error)s", error=error)
        yield CheckResult("gateway", "wrong", found, _("check WISECASHIER_BASE_URL and the network"))


def _connect(url: SplitResult, ca_bundle: str) -> None:
    """Connect as a call does, TLS certificate included. Raises OSError."""
    port = url.port or (443 if url.scheme == "https" else 80)
    with socket.create_connection((url.hostname or "", port), CONNECT_SECONDS) as connection:
        if url.scheme == "https":
            trusting = ssl.create_default_context(cafile=ca_bundle)
            trusting.wrap_socket(connection, server_hostname=url.hostname).close()


def _redis(services: Services) -> Iterator[CheckResult]:
    """Try whether a job can be enqueued and taken: an answer to PING is not enough."""
    trouble = services.notifier.trouble()
    if trouble is None:
        workers = services.notifier.workers() or 0
        found = _("takes jobs and gives them away; %(workers)d workers wait for them", workers=workers)
        yield CheckResult("redis", "ok", found)
        return
    found = _("does not work, and nothing is lost: %(trouble)s", trouble=trouble)
    remedy = _("start it, or `customs up`; workers drain by themselves every second meanwhile")
    yield CheckResult("redis", "note", found, remedy)


def _processes(services: Services) -> Iterator[CheckResult]:
    """Which processes run, and which of them work without some part."""
    with services.reading() as db:
        now = database.now(db)
        known = list_processes(db)
    if not known:
        nobody = _("nothing of this desk runs"), _("`customs up`, or `customs web`, `customs worker`, `customs clock`")
        yield CheckResult("processes", "note", *nobody)
        return
    alive = [process for process in known if process.runs(now)]
    for kind, missing in NEEDED.items():
        count = sum(process.kind is kind for process in alive)
        if count:
            yield CheckResult(PARTS[kind], "ok", _("%(count)d running", count=count))
        else:
            yield CheckResult(PARTS[kind], "wrong", *missing)
    yield from _troubled(alive)
    yield from _of_other_versions(alive)


def _troubled(alive: list[Process]) -> Iterator[CheckResult]:
    for process in alive:
        if process.trouble:
            facts = {"host": process.host, "pid": process.pid, "trouble": process.trouble}
            found = _("process %(pid)d on %(host)s: %(trouble)s", **facts)
            yield CheckResult(PARTS.get(process.kind, "processes"), "note", found, _("mend that part; work goes on"))


def _of_other_versions(alive: list[Process]) -> Iterator[CheckResult]:
    versions = sorted({process.version for process in alive})
    if len(versions) > 1:
        found = _("versions %(versions)s run side by side", versions=", ".join(versions))
        yield CheckResult("processes", "note", found, _("restart those of the older version"))


def _lanes(services: Services) -> Iterator[CheckResult]:
    with services.reading() as db:
        now = database.now(db)
        states = [(lane, state_of(lane, now)) for lane in lanes_in_use(db, services.settings)]
    for lane, state in states:
        if state is LaneState.STOPPED:
            found = _("agent %(agent)s is stopped: %(reason)s", agent=lane.agent_no, reason=lane.reason)
            yield CheckResult("lane", "wrong", found, _("mend the cause, then `customs lanes resume`"))
        elif state is LaneState.FAILING:
            facts = {"agent": lane.agent_no, "failure": lane.failure}
            found = _("no call of agent %(agent)s brings an answer: %(failure)s", **facts)
            yield CheckResult("lane", "wrong", found, _("look at the network, the certificate and the gateway"))
    if all(state is LaneState.OPEN for _lane, state in states):
        yield CheckResult("lane", "ok", _("calls go through"))


def _backlog(services: Services) -> Iterator[CheckResult]:
    """Age of what is due: late calls to the gateway are wrong, late webhooks are the receiver's own matter."""
    with services.reading() as db:
        now = database.now(db)
        work = backlogs(db, now)
    deliveries = work.pop("deliveries")
    age = max(one.age(now) for one in work.values())
    late = age > OLD_BACKLOG_SECONDS
    waiting = sum(one.waiting for one in work.values())
    found = _("%(count)d due, the oldest for %(seconds).0f s", count=waiting, seconds=age)
    remedy = _("start more `customs worker`, or look at the lane") if late else ""
    yield CheckResult("backlog", "wrong" if late else "ok", found, remedy)
    if deliveries.age(now) > OLD_BACKLOG_SECONDS:
        found = _("the oldest delivery has been due for %(seconds).0f s", seconds=deliveries.age(now))
        yield CheckResult("webhooks", "note", found, _("look at the receivers"))


def _review(services: Services) -> Iterator[CheckResult]:
    with services.reading() as db:
        count = db.scalar(select(func.count()).select_from(Declaration).where(Declaration.needs_review)) or 0
    if count:
        found = _("%(count)d declarations need somebody", count=count)
        yield CheckResult("review", "note", found, _("`customs status NUMBER` says why"))
    with services.reading() as db:
        money = {name: db.scalar(_cases_of(kind)) or 0 for name, kind in (("payments", Payment), ("refunds", Refund))}
    if any(money.values()):
        found = _("%(payments)d payments and %(refunds)d refunds need somebody", **money)
        yield CheckResult(
            "review", "note", found, _("`customs query NUMBER` asks for one now, its page says what to do")
        )


def _cases_of(kind: type[Payment | Refund]) -> Select[int]:
    return select(func.count()).select_from(kind).where(kind.case_kind.is_not(None))


def _webhooks(services: Services) -> Iterator[CheckResult]:
    with services.reading() as db:
        paused = db.scalars(
            select(Endpoint).where(Endpoint.paused_at.is_not(None), Endpoint.deleted_at.is_(None))
        ).all()
    for endpoint in paused:
        remedy = _("mend the receiver, then POST /api/v1/webhook-endpoints/%(endpoint)s/resume", endpoint=endpoint.id)
        found = _("%(endpoint)s is paused: %(why)s", endpoint=endpoint.id, why=endpoint.paused_why)
        yield CheckResult("webhooks", "note", found, remedy)


Check = Callable[[Services], Iterator[CheckResult]]
CHECKS: tuple[Check, ...] = (_settings, _database, _redis, _signing_key, _notifications, _gateway)
# Those that read the database.
DATABASE_CHECKS: tuple[Check, ...] = (_processes, _lanes, _backlog, _review, _webhooks)
