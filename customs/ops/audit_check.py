"""Check of the audit trail: whether every entry is as it was written, and whether the tables were put back."""

import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError

from customs.audit.actions import Actor, AuditAction, audit_event
from customs.audit.anchors import Anchor, anchor_end
from customs.audit.hash_chain import ChainDefect
from customs.audit.models import AuditEnd, AuditEntry
from customs.audit.trail import THE_END, ChainVerdict
from customs.config import Settings
from customs.container import Services
from customs.db import database
from customs.declarations.models import Batch
from customs.errors import ActionNotAllowed
from customs.privacy.masking import mask_text
from customs.webhooks.http_sender import signed_headers

log = structlog.get_logger()

ANCHOR_EVERY_SECONDS = 300.0
POST_SECONDS = 15.0


@dataclass(frozen=True)
class AuditCheck:
    """Result of a check. `end` is None while the trail is empty, `anchor` while this host has written none.

    `unrecorded`: the id of a batch of which a trail that fits in itself knows nothing; `trouble`: why the anchors
    cannot be read.
    """

    verdict: ChainVerdict
    end: AuditEnd | None
    anchor: Anchor | None
    unrecorded: str | None
    trouble: str | None
    took: timedelta

    @property
    def ok(self) -> bool:
        return self.verdict.ok and self.unrecorded is None


def check_audit_trail(services: Services) -> AuditCheck:
    """Verify every entry, and that the trail goes on from this host's anchor: some 15 seconds for a million."""
    began = time.monotonic()
    anchor, trouble = None, None
    try:
        # Before the snapshot: an anchor that is written meanwhile would be newer than what the snapshot shows.
        anchor = services.anchors.last()
    except (OSError, UnicodeError) as error:
        trouble = f"{services.anchors.file}: {type(error).__name__}"
    with services.reading() as db:
        verdict = services.audit.verify(db)
        if verdict.ok and anchor is not None and not anchor.holds(db):
            verdict = replace(verdict, first_bad=anchor.number, what=ChainDefect.PUT_BACK)
        end, unrecorded = db.get(AuditEnd, THE_END), _unrecorded_batch(db)
    return AuditCheck(verdict, end, anchor, unrecorded, trouble, timedelta(seconds=time.monotonic() - began))


def _unrecorded_batch(db: Session) -> str | None:
    """Return the oldest or newest batch if the trail does not know it: then the whole trail was removed or put back."""
    # Batches from before there was a trail name no sender.
    submitted = select(Batch.id).where(Batch.sender_id != "").limit(1)
    ends = [db.scalar(submitted.order_by(order)) for order in (Batch.created_at, Batch.created_at.desc())]
    recorded = {db.scalar(select(AuditEntry.subject_id).where(AuditEntry.subject_id == one).limit(1)) for one in ends}
    return next((one for one in ends if one not in recorded), None)


def anchor_audit_trail(services: Services) -> Anchor | None:
    """Anchor the end of the trail if it moved; what keeps it from that is logged, and stops nothing."""
    try:
        return anchor_end(services.engine, services.audit, services.anchors)
    except (OSError, UnicodeError, SQLAlchemyError) as error:
        log.warning("the audit trail could not be anchored", error=type(error).__name__)
        return None


def accept_end(services: Services, by: Actor, reason: str) -> Anchor:
    """Take the trail as it now ends, as after a restore; the acceptance is an entry, and the reason in the anchor.

    Raises ActionNotAllowed without a reason, when entries of the trail were changed, or when another process anchors
    it this moment.
    """
    if not reason.strip():
        raise ActionNotAllowed("say why the end of the audit trail is accepted")
    found = check_audit_trail(services)
    if found.verdict.what not in (None, ChainDefect.PUT_BACK):
        raise ActionNotAllowed("entries of the audit trail were changed, and its end is not accepted: `customs doctor`")
    given_up = "none" if found.anchor is None else f"{found.anchor.number} {found.anchor.hash}"
    with services.transaction() as db:
        event = audit_event(by, AuditAction.AUDIT_ACCEPT_END, "trail", reason=reason, anchor=given_up)
        services.audit.append(db, event, database.now(db))
    anchor = anchor_end(services.engine, services.audit, services.anchors, accepted=mask_text(reason, None))
    if anchor is None:
        raise ActionNotAllowed("another process anchors the audit trail this moment: try again")
    return anchor


def post_anchor(settings: Settings, anchor: Anchor) -> bool:
    """Post an anchor to where the settings say, signed as webhooks are; return whether it was taken."""
    facts = {"number": anchor.number, "hash": anchor.hash, "host": socket.gethostname()}
    body = json.dumps({"type": "audit.anchored", "timestamp": anchor.at, "data": facts}).encode()
    signed = signed_headers(f"anchor_{anchor.hash}", int(time.time()), body, [settings.audit_anchor_secret])
    try:
        with PoolManager(ca_certs=settings.ca_bundle or DEFAULT_CA_BUNDLE_PATH) as pool:
            answer = pool.request(
                "POST",
                settings.audit_anchor_url,
                body=body,
                headers={"Content-Type": "application/json", **signed},
                timeout=Timeout(total=POST_SECONDS),
                retries=False,
                redirect=False,
                preload_content=False,
            )
        trouble = "" if 200 <= answer.status < 300 else f"status {answer.status}"
    except (HTTPError, OSError) as error:
        # Its own text repeats the URL, which may hold a secret.
        trouble = type(error).__name__
    if trouble:
        log.warning("an audit anchor could not be posted", number=anchor.number, error=trouble)
    return not trouble


class PeriodicAnchor:
    """Anchors the trail at the start of a process and every few minutes after, and posts what was anchored.

    Posted beside the caller, one at a time: a receiver that hangs holds nobody up. What was not taken is posted again.
    """

    def __init__(self, services: Services, clock: Callable[[], float] = time.monotonic) -> None:
        self._services = services
        self._clock = clock
        self._due_at = float("-inf")
        self._posted: Anchor | None = None
        self._post: threading.Thread | None = None

    def tick(self) -> None:
        """Anchor if it is time."""
        if self._clock() < self._due_at:
            return
        self._due_at = self._clock() + ANCHOR_EVERY_SECONDS
        anchor_audit_trail(self._services)
        if self._services.settings.audit_anchor_url and not (self._post and self._post.is_alive()):
            self._post = threading.Thread(target=self._post_newest, name="audit-anchor", daemon=True)
            self._post.start()

    def _post_newest(self) -> None:
        with suppress(OSError, UnicodeError):
            anchor = self._services.anchors.last()
            if anchor not in (None, self._posted) and post_anchor(self._services.settings, anchor):
                self._posted = anchor
