"""API keys: shown once, kept as a digest, recognised only letter by letter, rotated while both live."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from customs.auth.api_keys import caller_of, create_api_key, note_use, revoke_api_key, rotate_api_key
from customs.auth.models import ApiKey
from customs.auth.principal import Caller, Scope
from customs.container import Services
from customs.db import database
from customs.errors import ActionNotAllowed, ApiKeyInvalid, NotFound
from tests import make


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What a key may do does not depend on where it is kept."""
    return sqlite_url


@pytest.fixture
def create(services: Services):
    def made(name: str = "an ERP", *, sandbox: bool = True, scopes=(), merchants=(), expires_at=None) -> str:
        with services.transaction() as db:
            rights = {"scopes": scopes, "merchants": merchants}
            return create_api_key(db, name, sandbox=sandbox, **rights, now=make.NOON, expires_at=expires_at)

    return made


@pytest.fixture
def recognise(services: Services):
    def recognised(key: str, now: datetime = make.NOON) -> Caller:
        with services.reading() as db:
            return caller_of(db, key, now)[0]

    return recognised


def test_a_key_is_recognised_and_no_two_are_equal(create, recognise):
    one, other = create(), create()

    assert one != other
    assert recognise(one).id != recognise(other).id
    assert recognise(one).name == "an ERP"


@pytest.mark.parametrize(("sandbox", "prefix"), [(True, "ck_test_"), (False, "ck_live_")])
def test_a_key_shows_which_gateway_it_belongs_to_and_cannot_be_guessed(create, sandbox: bool, prefix: str):
    key = create(sandbox=sandbox)

    assert key.startswith(prefix)
    assert len(key.removeprefix(prefix)) >= 43


def test_without_scopes_and_merchants_a_key_is_for_all_of_them(create, recognise):
    caller = recognise(create())

    assert (caller.scopes, caller.merchants) == (frozenset(Scope), None)


def test_a_key_is_for_what_it_was_made_for(create, recognise):
    caller = recognise(create(scopes=[Scope.DECLARATIONS_READ], merchants=["M100", "M200"]))

    assert caller.scopes == {Scope.DECLARATIONS_READ}
    assert caller.merchants == {"M100", "M200"}


@pytest.mark.parametrize(
    "change",
    [str.upper, lambda key: key[:-1], lambda key: key + "x", lambda key: "", lambda key: "%", lambda key: "李"],
)
def test_what_is_nearly_a_key_is_none(create, recognise, change):
    key = create()

    with pytest.raises(ApiKeyInvalid):
        recognise(change(key))


def test_a_revoked_key_is_none(create, recognise, services: Services):
    key = create()
    with services.transaction() as db:
        db.query(ApiKey).one().revoked_at = database.now(db)

    with pytest.raises(ApiKeyInvalid):
        recognise(key)


def test_the_database_holds_no_key(create, services: Services):
    key = create()

    with services.reading() as db:
        rows = db.execute(text("SELECT * FROM api_keys")).all()
    assert key not in str(rows)
    assert key.removeprefix("ck_test_").removeprefix("ck_live_") not in str(rows)


# How long.


def test_an_expired_key_is_none(create, recognise):
    key = create(expires_at=make.NOON + timedelta(days=1))

    assert recognise(key, make.NOON + timedelta(hours=23)).name == "an ERP"
    with pytest.raises(ApiKeyInvalid):
        recognise(key, make.NOON + timedelta(days=1))


# Rotation.


@pytest.fixture
def rotate(services: Services):
    def rotated(name_or_id: str = "an ERP", *, hours: int = 24, now: datetime = make.NOON, **options) -> str:
        with services.transaction() as db:
            return rotate_api_key(db, name_or_id, sandbox=True, overlap=timedelta(hours=hours), now=now, **options)

    return rotated


def test_a_rotated_key_has_the_same_rights_and_is_the_same_caller(create, rotate, recognise):
    old = create(scopes=[Scope.DECLARATIONS_READ], merchants=["M100"])

    new = rotate()

    before, after = recognise(old), recognise(new)
    assert new != old
    assert (before.id, before.name, before.scopes, before.merchants) == (
        after.id,
        after.name,
        after.scopes,
        after.merchants,
    )
    assert before.key_id != after.key_id


def test_both_live_until_the_overlap_is_over(create, rotate, recognise):
    old, new = create(), rotate(hours=2)

    assert recognise(old, make.NOON + timedelta(minutes=119))
    with pytest.raises(ApiKeyInvalid):
        recognise(old, make.NOON + timedelta(hours=2))
    assert recognise(new, make.NOON + timedelta(days=3650))


def test_an_overlap_lengthens_no_life(create, rotate, recognise):
    old = create(expires_at=make.NOON + timedelta(hours=1))

    new = rotate(hours=24)

    with pytest.raises(ApiKeyInvalid):
        recognise(old, make.NOON + timedelta(hours=1))
    # The new one is made for as long as the old one was.
    assert recognise(new, make.NOON + timedelta(minutes=59))
    with pytest.raises(ApiKeyInvalid):
        recognise(new, make.NOON + timedelta(hours=1))


def test_the_newest_of_a_name_is_the_one_that_is_rotated(create, rotate, recognise):
    create()
    second, third = rotate(), rotate()

    assert recognise(second).id == recognise(third).id


def test_a_name_of_two_keys_is_refused_and_their_ids_are_shown(create, rotate, recognise):
    keys = [create(), create()]

    with pytest.raises(ActionNotAllowed) as refused:
        rotate()

    ids = [recognise(key).key_id for key in keys]
    assert all(one in refused.value.detail for one in ids)
    assert recognise(rotate(ids[0])).id == ids[0]


@pytest.mark.parametrize("name", ["nobody", "", "%"])
def test_there_is_nothing_to_rotate_under_another_name(create, rotate, name: str):
    create()

    with pytest.raises(NotFound):
        rotate(name)


def test_a_revoked_key_cannot_be_rotated(create, rotate, recognise, services: Services):
    key_id = recognise(create()).key_id
    with services.transaction() as db:
        revoke_api_key(db, key_id, make.NOON)

    with pytest.raises(NotFound):
        rotate(key_id)


def test_a_key_that_is_not_there_cannot_be_revoked(services: Services):
    with pytest.raises(NotFound), services.transaction() as db:
        revoke_api_key(db, "key_0", make.NOON)


# Its last use.


def test_the_last_use_is_noted_once_a_minute(create, recognise, services: Services):
    key = create()
    key_id = recognise(key).key_id
    noted = []
    for seconds in (0, 59, 60, 61):
        now = make.NOON + timedelta(seconds=seconds)
        with services.transaction() as db:
            _, is_new = caller_of(db, key, now)
            note_use(db, key_id, now)
            noted.append((is_new, db.get_one(ApiKey, key_id, populate_existing=True).last_used_at))

    minute = make.NOON + timedelta(minutes=1)
    assert noted == [(True, make.NOON), (False, make.NOON), (True, minute), (False, minute)]
