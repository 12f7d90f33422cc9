"""Admission of one kind of work to the lane: how many calls it may claim, and a report of their outcomes."""

from collections.abc import Iterable
from datetime import datetime

import structlog
from sqlalchemy import Connection, Engine

from customs.config import Settings
from customs.db.database import DatabaseClock
from customs.events.outbox import EventType, NewEvent, publish
from customs.lanes import breaker
from customs.lanes.breaker import lane_report

log = structlog.get_logger()


class LaneAdmission:
    """Admits the calls of one kind of work to the lane of this deployment's credential, which all kinds share."""

    def __init__(self, engine: Engine, settings: Settings, now: DatabaseClock) -> None:
        self._rate = settings.gateway_rate
        self._timeout = settings.gateway_timeout_seconds
        self._was_healthy = False
        with engine.begin() as db:
            self.lane = breaker.lane_id(db, settings.agent_no, settings.base_url, now(db))

    def admit(self, db: Connection, room: int, now: datetime) -> int:
        """Return how many of `room` calls may be claimed now."""
        admission = breaker.admit(db, self.lane, room, now, rate=self._rate, timeout=self._timeout)
        self._was_healthy = admission.is_healthy
        return admission.room

    def claimed(self, db: Connection, calls: int) -> None:
        """Release the probe or spend tokens, by how many of the admitted calls were claimed."""
        if not calls:
            breaker.release_probe(db, self.lane)
        elif self._rate:
            breaker.spend_tokens(db, self.lane, calls)

    def report(self, db: Connection, outcomes: Iterable[object], now: datetime) -> None:
        """Record a report of outcomes on the lane, unless it tells nothing new."""
        report = lane_report(outcomes, now)
        if report.is_good and self._was_healthy:
            return
        self._was_healthy = False
        if breaker.record_report(db, self.lane, report, now):
            publish(db, [NewEvent(EventType.LANE_STOPPED, None, {"lane_id": self.lane})], now)
            log.error("the lane was stopped", lane=self.lane)
