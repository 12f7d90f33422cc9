"""What is kept for a time only: the old goes in small bites, the rest stays."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from customs.audit.request_log import LoggedRequest
from customs.auth.models import FailedSignIn, IdempotentReply, UserSession
from customs.container import Services
from customs.db import database
from customs.db.database import Base
from customs.declarations.actions.action_rules import Request
from customs.declarations.contents import Content
from customs.declarations.models import BatchReplay, Declaration, Push
from customs.declarations.serializers import declaration_json
from customs.errors import ActionNotAllowed
from customs.events.outbox import OutboxEvent
from customs.ops import retention
from customs.webhooks.models import Attempt, Delivery, Endpoint
from tests import make
from tests.docs.documents import OPERATIONS
from tests.product import Desk

DAY = timedelta(days=1)


def logged(name: str, age: timedelta) -> LoggedRequest:
    columns = {"request_id": "r", "method": "POST", "path": "/", "status": 200, "duration_ms": 1}
    return LoggedRequest(id=name, at=make.NOON - age, **columns)


def answered(name: str, age: timedelta) -> IdempotentReply:
    return IdempotentReply(caller="c", key=name, fingerprint="f", status=200, body="{}", created_at=make.NOON - age)


def expired(name: str, age: timedelta) -> UserSession:
    times = {"created_at": make.NOON - age - DAY, "last_seen_at": make.NOON - age - DAY, "expires_at": make.NOON - age}
    return UserSession(id=name, person_id="p", digest=name, code_given=False, browser="", **times)


def failed(who: str, age: timedelta) -> FailedSignIn:
    return FailedSignIn(who=who, failures=1, last_at=make.NOON - age)


def test_what_is_older_than_thirty_days_goes_and_the_rest_stays(services: Services):
    with services.transaction() as db:
        db.add_all(make_one(name, age) for make_one in (logged, answered) for name, age in (("a", 29 * DAY),))
        db.add_all(make_one("b", 31 * DAY) for make_one in (logged, answered))

    with services.transaction() as db:
        was_old = retention.has_expired_rows(db, services.settings, make.NOON)
        gone = retention.purge_expired(db, services.settings, make.NOON)
        is_old = retention.has_expired_rows(db, services.settings, make.NOON)
        left = [*db.scalars(select(LoggedRequest.id)), *db.scalars(select(IdempotentReply.key))]

    assert (was_old, gone, is_old) == (True, 2, False)
    assert left == ["a", "a"]


def test_sessions_stay_for_thirty_days_after_they_expired_and_failures_for_a_day(services: Services):
    with services.transaction() as db:
        db.add_all(expired(name, age) for name, age in (("open", -DAY), ("kept", 30 * DAY), ("old", 31 * DAY)))
        db.add_all(
            FailedSignIn(who=name, failures=1, last_at=make.NOON - age)
            for name, age in (("kept", DAY), ("old", 2 * DAY))
        )

    with services.transaction() as db:
        was_old = retention.has_expired_rows(db, services.settings, make.NOON)
        gone = retention.purge_expired(db, services.settings, make.NOON)
        is_old = retention.has_expired_rows(db, services.settings, make.NOON)
        left = [*db.scalars(select(UserSession.id).order_by(UserSession.id)), *db.scalars(select(FailedSignIn.who))]

    assert (was_old, gone, is_old) == (True, 2, False)
    assert left == ["kept", "open", "kept"]


def test_one_bite_is_small_and_the_oldest_go_first(services: Services):
    with services.transaction() as db:
        db.add_all(logged(f"{number:04d}", 40 * DAY - timedelta(seconds=number)) for number in range(600))

    with services.transaction() as db:
        gone = retention.purge_expired(db, services.settings, make.NOON)
        left = db.scalars(select(LoggedRequest.id).order_by(LoggedRequest.id)).all()

    assert gone == retention.BATCH_SIZE
    assert left[0] == "0500"


def test_every_table_ends_or_says_why_it_stays():
    ending = [one.table for one in retention.RETENTION]

    assert sorted([*ending, *retention.ENDS_WITH, *retention.STAYS]) == sorted(Base.metadata.tables)
    assert set(retention.ENDS_WITH.values()) <= set(ending)
    assert all(retention.STAYS.values())


def test_the_operations_page_shows_how_long_each_kind_is_kept():
    assert OPERATIONS.table("data") == [[one.kind, f"`{one.table}`", _shown(one.kept)] for one in retention.RETENTION]


def _shown(kept: str | timedelta) -> str:
    if isinstance(kept, timedelta):
        return f"{kept.days} day{'s' if kept.days > 1 else ''}"
    return f"`CUSTOMS_{kept.upper()}`"


def purge_after(services: Services, days: float) -> int:
    """Purge as the clock would so many days from now."""
    with services.transaction() as db:
        now = database.now(db) + days * DAY
        count = retention.purge_expired(db, services.settings, now)
        assert not retention.has_expired_rows(db, services.settings, now)
    return count


BUYER = {"name": "李雷", "cert_id": make.cert_id(3)}


def test_a_buyer_is_shredded_after_three_years_and_the_declaration_stays(services: Services, desk: Desk):
    row = make.declaration_row(buyer=BUYER)
    declared = desk.declare(**row)
    desk.end(declared)

    purge_after(services, 364)
    exchanged = [event.reply for event in desk.events(declared)]
    purge_after(services, 1094)
    kept = desk.declaration(declared).buyer
    purge_after(services, 1096)

    shredded = desk.declaration(declared)
    assert kept is not None and any(exchanged)
    assert (shredded.buyer, shredded.cert_index) == (None, None)
    assert shredded.buyer_erased_at is not None
    assert [push.state for push in shredded.pushes] == ["SUCCESS"]
    assert all((event.request, event.reply) == (None, None) for event in desk.events(declared))
    with services.reading() as db:
        request = Request.about(shredded, None, database.now(db), services.policy)
    shown = declaration_json(shredded, services.vault, request)
    refused = {one["action"]: one["why"] for one in shown["allowed_actions"] if not one["allowed"]}
    assert shown.get("buyer") is None
    assert refused["redeclare"] == refused["modify"] == "the buyer's data was erased when its retention ended"
    for decide in (lambda: desk.decide("redeclare", declared), lambda: desk.modify(declared, duty=7)):
        with pytest.raises(ActionNotAllowed) as error:
            decide()
        assert [one.code for one in error.value.errors] == ["buyer_erased"]
    desk.take_in(row)
    with services.reading() as db:
        assert db.scalars(select(BatchReplay.declaration_id)).all() == [declared]


def test_a_buyer_of_what_is_under_way_or_in_review_stays(services: Services, desk: Desk):
    in_review = desk.declare(buyer=BUYER)
    desk.end(in_review, "FAIL")
    under_way = desk.declare(buyer=BUYER)

    purge_after(services, 4000)

    assert all(desk.declaration(one).buyer is not None for one in (in_review, under_way))


def test_what_customs_accepted_last_is_shredded_too(services: Services, desk: Desk):
    declared = desk.declare(buyer=BUYER)
    desk.end(declared)
    with services.transaction() as db:
        push = db.scalars(select(Push).where(Push.declaration_id == declared)).one()
        declaration = db.get_one(Declaration, declared)
        push.accepted_content = Content.of(declaration, None).kept()

    purge_after(services, 1096)

    accepted = Content.read(desk.push(declared).accepted_content or "")
    assert accepted.buyer is None
    assert accepted.values["mch_customs_no"] == desk.declaration(declared).mch_customs_no


def test_events_end_with_their_deliveries_but_for_one_that_is_being_made(services: Services):
    with services.transaction() as db:
        db.add(
            Endpoint(
                id="whe_1", url="https://example.com", every_merchant=True, owner="o", created_at=make.NOON, secret="s"
            )
        )
        for name, holder in (("done", None), ("leased", "here:1")):
            db.add(OutboxEvent(id=name, type="batch.done", created_at=make.NOON, data={}, pending=False))
            db.flush()
            db.add(Delivery(id=name, endpoint_id="whe_1", event_id=name, created_at=make.NOON, holder=holder))
            db.flush()
            db.add(Attempt(delivery_id=name, at=make.NOON, url="https://example.com", duration_ms=1))
        db.add(OutboxEvent(id="pending", type="batch.done", created_at=make.NOON, data={}, pending=True))

    with services.transaction() as db:
        gone = retention.purge_expired(db, services.settings, make.NOON + 91 * DAY)
        left = [db.scalars(select(model.id).order_by(model.id)).all() for model in (OutboxEvent, Delivery)]
        attempts = db.scalars(select(Attempt.delivery_id)).all()

    assert gone == 1
    assert left == [["leased", "pending"], ["leased"]]
    assert attempts == ["leased"]


def test_settings_say_how_long(services: Services):
    shorter = replace(services.settings, retention_request_log_days=3)
    with services.transaction() as db:
        db.add_all(logged(name, age) for name, age in (("kept", 2 * DAY), ("old", 4 * DAY)))

    with services.transaction() as db:
        retention.purge_expired(db, shorter, make.NOON)
        left = db.scalars(select(LoggedRequest.id)).all()

    assert left == ["kept"]
