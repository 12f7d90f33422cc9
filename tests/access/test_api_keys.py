"""API keys: shown once, kept as a digest, and recognised only letter by letter."""

import pytest
from sqlalchemy import text

from customs import database
from customs.access.api_keys import caller_of, create_api_key
from customs.access.callers import Caller, Scope
from customs.access.models import ApiKey
from customs.errors import KeyUnknown
from customs.wiring import Services


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What a key may do does not depend on where it is kept."""
    return sqlite_url


@pytest.fixture
def create(services: Services):
    def made(*, sandbox: bool = True, scopes=(), merchants=()) -> str:
        with services.transaction() as db:
            now = database.now(db)
            return create_api_key(db, "an ERP", sandbox=sandbox, scopes=scopes, merchants=merchants, now=now)

    return made


@pytest.fixture
def recognise(services: Services):
    def recognised(key: str) -> Caller:
        with services.reading() as db:
            return caller_of(db, key)

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

    with pytest.raises(KeyUnknown):
        recognise(change(key))


def test_a_revoked_key_is_none(create, recognise, services: Services):
    key = create()
    with services.transaction() as db:
        db.query(ApiKey).one().revoked_at = database.now(db)

    with pytest.raises(KeyUnknown):
        recognise(key)


def test_the_database_holds_no_key(create, services: Services):
    key = create()

    with services.reading() as db:
        rows = db.execute(text("SELECT * FROM api_keys")).all()
    assert key not in str(rows)
    assert key.rsplit("_", 1)[-1] not in str(rows)
