"""Handle due deliveries for the dispatcher: fan-out, claim, call and record follow each other here."""

import json
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Engine

from customs.config import Settings
from customs.db import database
from customs.db.database import DatabaseClock
from customs.errors import DecryptionKeyMissing
from customs.jobs.failpoints import Failpoints
from customs.jobs.leases import SendDeadlines, run_despite_races, this_holder
from customs.privacy.vault import Vault
from customs.timestamps import MACHINE, Clock, instant
from customs.webhooks.claim import LEASES, Task, claim, is_waiting, mark
from customs.webhooks.fanout import GROUP, fan_out, is_pending
from customs.webhooks.http_sender import Answer, Sender, signed_headers
from customs.webhooks.record import record
from customs.webhooks.subscriptions import secret_place

log = structlog.get_logger()

TIMEOUT_SECONDS = 15.0
# For so many calls to the gateway at once, one request to other people's servers; never one alone, for that may hang.
GATEWAY_CALLS_A_THREAD = 4
FEWEST_THREADS = 2
GROUPS_A_CLAIM = 4
# When there was nothing to send, the next look is this far off: a busy handler of declarations claims all the time.
LOOK_AGAIN_SECONDS = 0.5


def timeout_of(settings: Settings) -> float:
    """Seconds of wall clock for one attempt."""
    return min(TIMEOUT_SECONDS, settings.lease_seconds / 2)


def webhook_threads(settings: Settings) -> int:
    """How many receivers one worker waits for at once."""
    return max(FEWEST_THREADS, settings.gateway_concurrency // GATEWAY_CALLS_A_THREAD)


def sender_of(settings: Settings) -> Sender:
    """What posts to the endpoints of this desk."""
    return Sender(timeout=timeout_of(settings), loopback=settings.sandbox, ca_bundle=settings.ca_bundle or None)


class DeliveryHandler:
    """Fans events out, claims due deliveries, sends them, records what came back."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        vault: Vault,
        failpoints: Failpoints,
        sender: Sender | None = None,
        *,
        clock: Clock = MACHINE,
        holder: str | None = None,
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._failpoints = failpoints
        self._sender = sender or sender_of(settings)
        self._holder = holder or this_holder()
        self._clock = clock
        self._lease = timedelta(seconds=settings.lease_seconds)
        self._most = webhook_threads(settings)
        self._now = DatabaseClock(clock)
        self._leased: set[Task] = set()
        self._deadlines: SendDeadlines[Task] = SendDeadlines(
            engine, settings.lease_seconds, timeout_of(settings), clock
        )
        self._last = ""
        self._look_at = 0.0

    def claim(self, room: int) -> list[Task]:
        room = min(room, self._most - len(self._leased))
        if room < 1 or self._clock.monotonic() < self._look_at or not self._finds_work():
            return []
        for _group in range(GROUPS_A_CLAIM):
            if self.fan_out() < GROUP:
                break
        with self._engine.begin() as db:
            now = self._now(db)
            found = claim(db, room=room, now=now, holder=self._holder, lease=self._lease, after=self._last)
            tasks, self._last = found
            self._failpoints.hit("webhook_claim_before_commit")
        self._leased.update(tasks)
        if not tasks:
            self._look_at = self._clock.monotonic() + LOOK_AGAIN_SECONDS
        return tasks

    def fan_out(self) -> int:
        """Make deliveries of a group of pending events; return how many events there were."""
        with database.transaction(self._engine) as db:
            published = fan_out(db, self._now(db.connection()))
            self._failpoints.hit("webhook_fan_out_before_commit")
        return published

    def _finds_work(self) -> bool:
        """One look that takes no lock: SQLite has one writer, and mostly there is nothing to write."""
        with database.reading(self._engine) as session:
            db = session.connection()
            found = is_pending(db) or is_waiting(db, self._now(db))
        if not found:
            self._look_at = self._clock.monotonic() + LOOK_AGAIN_SECONDS
        return found

    def record_and_send(self, answered: Sequence[tuple[Task, Answer]], leaving: Sequence[Task]) -> list[Task]:
        return run_despite_races(lambda: self._record_and_send(answered, leaving))

    def _record_and_send(self, answered: Sequence[tuple[Task, Answer]], leaving: Sequence[Task]) -> list[Task]:
        start = self._deadlines.start()
        with self._engine.begin() as db:
            now = self._now(db)
            late = record(db, answered, now) if answered else []
            self._failpoints.hit("webhook_record_before_commit")
            allowed = mark(db, leaving, now, self._lease)
        for task in late:
            log.warning("an endpoint's answer came too late", delivery_id=task.id, fence=task.fence)
        self._forget([*(task for task, _ in answered), *(task for task in leaving if task not in allowed)])
        self._deadlines.set(allowed, start, now)
        return allowed

    def call(self, task: Task) -> Answer:
        if self._deadlines.is_over(task):
            return Answer(error="the lease was about to end", was_sent=False)
        self._failpoints.hit("webhook_call_before_send")
        try:
            answer = self._post(task)
        except DecryptionKeyMissing as error:
            answer = Answer(error=f"not sent: {error.detail}"[:200])
        except Exception:
            log.exception("a webhook could not be sent", delivery_id=task.id)
            answer = Answer(error="not sent: an error of this desk")
        self._failpoints.hit("webhook_call_after_reply")
        return answer

    def _post(self, task: Task) -> Answer:
        keys = [self._vault.open(secret, secret_place(task.endpoint_id)) for secret in task.secrets]
        body = body_of(task.event)
        headers = signed_headers(task.event["id"], int(time.time()), body, keys)
        return self._sender.post(task.url, headers, body)

    def extend_leases(self, leased: Sequence[Task]) -> None:
        with self._engine.begin() as db:
            LEASES.extend(db, leased, self._now(db) + self._lease)

    def release(self, reserved: Sequence[Task]) -> None:
        if reserved:
            with self._engine.begin() as db:
                LEASES.release(db, reserved)
        self._forget(reserved)

    def _forget(self, tasks: Sequence[Task]) -> None:
        self._leased.difference_update(tasks)
        self._deadlines.forget(tasks)


def body_of(event: dict[str, Any] | Any) -> bytes:
    """What is sent of an event, byte for byte the same at every attempt."""
    payload = {"type": event["type"], "timestamp": instant(event["created_at"]), "data": event["data"]}
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
