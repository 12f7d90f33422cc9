"""Callers: what they may do, and whose rows they see."""

import pytest
from sqlalchemy import select

from customs.auth.principal import Scope, operator
from customs.declarations.models import Declaration
from customs.errors import InsufficientScope, ValidationFailed
from tests import make
from tests.product import Desk


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The condition is the same text everywhere."""
    return sqlite_url


@pytest.mark.parametrize("leased", Scope)
@pytest.mark.parametrize("asked", Scope)
def test_a_scope_opens_what_is_its_own_and_admin_everything(leased: Scope, asked: Scope):
    caller = make.caller(scopes=frozenset({leased}))

    assert caller.may(asked) == (leased in (asked, Scope.ADMIN))


def test_a_missing_scope_is_named():
    with pytest.raises(InsufficientScope) as refused:
        make.caller(scopes=frozenset()).require(Scope.DECLARATIONS_WRITE)

    assert "declarations:write" in refused.value.detail


@pytest.mark.parametrize(
    ("merchants", "seen"),
    [([], {"M100", "M200"}), (["M100"], {"M100"}), (["M100", "M200"], {"M100", "M200"}), (["M%"], set())],
    ids=["no limit", "one", "both", "a pattern"],
)
def test_a_caller_sees_and_touches_the_merchants_of_its_key(desk: Desk, merchants: list[str], seen: set[str]):
    caller = make.caller(*merchants)
    desk.take_in(make.declaration_row(), make.declaration_row(merchant_no="M200"))

    with desk.services.reading() as db:
        found = set(db.scalars(select(Declaration.merchant_no).where(caller.sees(Declaration.merchant_no))))

    assert found == seen == {merchant for merchant in ("M100", "M200") if caller.may_touch(merchant)}


def test_the_operator_of_the_host_may_do_everything():
    assert all(operator().may(scope) for scope in Scope)
    assert operator().may_touch("M999")


@pytest.mark.parametrize(
    ("own", "merchants", "covered"),
    [
        ((), None, True),
        ((), ["M1"], True),
        (("M1", "M2"), ["M1"], True),
        (("M1", "M2"), ["M1", "M3"], False),
        (("M1",), None, False),
    ],
)
def test_what_is_for_every_merchant_is_covered_by_who_has_every_merchant_only(own, merchants, covered: bool):
    assert make.caller(*own).covers(merchants) is covered


def test_a_caller_is_narrowed_to_merchants_of_its_own():
    caller = make.caller("M1", "M2")

    assert caller.narrowed(["M2"]).merchants == {"M2"}
    assert caller.narrowed([]) is caller
    assert make.caller().narrowed(["M9"]).merchants == {"M9"}
    with pytest.raises(ValidationFailed):
        caller.narrowed(["M2", "M3"])
