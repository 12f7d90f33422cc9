"""Roles: each may do what the table says, no more; a person acts as a caller like any other."""

import pytest

from customs.auth.models import Person
from customs.auth.principal import Scope
from customs.auth.roles import NEEDS_CODE, SCOPES, Role, caller_of_person
from tests import make

MAY = {
    Role.CLERK: "declarations:read declarations:write payments:read payments:write",
    Role.REVIEWER: "declarations:read declarations:write declarations:review payments:read refunds:write",
    Role.DEVELOPER: "declarations:read declarations:write payments:read payments:write webhooks:write",
    Role.ADMIN: " ".join(Scope),
}


def person(role: Role, merchants: list[str] | None = None) -> Person:
    return Person(id="per_1", login="zhang", name="Zhang", role=str(role), merchants=merchants, created_at=make.NOON)


@pytest.mark.parametrize("role", Role)
def test_each_role_may_do_what_it_is_for(role: Role):
    caller = caller_of_person(person(role))

    assert {scope for scope in Scope if caller.may(scope)} == set(map(Scope, MAY[role].split()))


def test_every_role_has_its_scopes():
    assert set(SCOPES) == set(Role)


def test_who_decides_over_others_needs_a_code():
    decides = {role for role in Role if {Scope.DECLARATIONS_REVIEW, Scope.ADMIN} & SCOPES[role]}

    assert decides == NEEDS_CODE


@pytest.mark.parametrize(("merchants", "sees"), [(None, None), (["M100", "M200"], {"M100", "M200"})])
def test_a_person_acts_for_their_merchants(merchants, sees):
    caller = caller_of_person(person(Role.CLERK, merchants))

    assert (caller.id, caller.name, caller.merchants) == ("per_1", "Zhang", sees)
