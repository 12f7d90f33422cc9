"""A desk's passage through the lane: how many calls it may claim, and what came of them."""

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


class Passage:
    """One desk's way through the lane of this deployment's credential; every desk's leads through the same lane."""

    def __init__(self, engine: Engine, settings: Settings, now: DatabaseClock) -> None:
        self._rate = settings.gateway_rate
        self._timeout = settings.gateway_timeout_seconds
        self._spotless = False
        with engine.begin() as db:
            self.lane = breaker.lane_id(db, settings.agent_no, settings.base_url, now(db))

    def admit(self, db: Connection, room: int, now: datetime) -> int:
        """How many of `room` calls may be claimed now."""
        admission = breaker.admit(db, self.lane, room, now, rate=self._rate, timeout=self._timeout)
        self._spotless = admission.spotless
        return admission.room

    def claimed(self, db: Connection, calls: int) -> None:
        """Settle what `admit` allowed, with how many calls were claimed of it."""
        if not calls:
            breaker.leave_probe(db, self.lane)
        elif self._rate:
            breaker.spend(db, self.lane, calls)

    def report(self, db: Connection, outcomes: Iterable[object], now: datetime) -> None:
        """Write down what a group of outcomes says of the lane, unless it says nothing new."""
        said = lane_report(outcomes, now)
        if said.is_good and self._spotless:
            return
        self._spotless = False
        if breaker.report(db, self.lane, said, now):
            publish(db, [NewEvent(EventType.LANE_STOPPED, None, {"lane_id": self.lane})], now)
            log.error("the lane was stopped", lane=self.lane)
