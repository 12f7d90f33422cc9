"""What is kept for a time only: the old goes in small bites, the rest stays."""

from datetime import timedelta

from sqlalchemy import select

from customs.auth.models import FailedSignIn, IdempotentReply, UserSession
from customs.container import Services
from customs.ops import retention
from customs.request_log.models import LoggedRequest
from tests import make

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
        was_old = retention.has_expired_rows(db, make.NOON)
        gone = retention.purge_expired(db, make.NOON)
        is_old = retention.has_expired_rows(db, make.NOON)
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
        was_old = retention.has_expired_rows(db, make.NOON)
        gone = retention.purge_expired(db, make.NOON)
        is_old = retention.has_expired_rows(db, make.NOON)
        left = [*db.scalars(select(UserSession.id).order_by(UserSession.id)), *db.scalars(select(FailedSignIn.who))]

    assert (was_old, gone, is_old) == (True, 2, False)
    assert left == ["kept", "open", "kept"]


def test_one_bite_is_small_and_the_oldest_go_first(services: Services):
    with services.transaction() as db:
        db.add_all(logged(f"{number:04d}", 40 * DAY - timedelta(seconds=number)) for number in range(600))

    with services.transaction() as db:
        gone = retention.purge_expired(db, make.NOON)
        left = db.scalars(select(LoggedRequest.id).order_by(LoggedRequest.id)).all()

    assert gone == retention.BATCH_SIZE
    assert left[0] == "0500"
