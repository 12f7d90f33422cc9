"""Roles: what a person may do, as a table, and the caller that stands for a person in every query and deed."""

from collections.abc import Mapping
from enum import StrEnum

from customs.auth.models import Person
from customs.auth.principal import Caller, Scope


class Role(StrEnum):
    """What somebody is here for."""

    CLERK = "clerk"
    REVIEWER = "reviewer"
    DEVELOPER = "developer"
    ADMIN = "admin"


SCOPES: Mapping[Role, frozenset[Scope]] = {
    Role.CLERK: frozenset(
        {Scope.DECLARATIONS_READ, Scope.DECLARATIONS_WRITE, Scope.PAYMENTS_READ, Scope.PAYMENTS_WRITE}
    ),
    Role.REVIEWER: frozenset(
        {
            Scope.DECLARATIONS_READ,
            Scope.DECLARATIONS_WRITE,
            Scope.DECLARATIONS_REVIEW,
            Scope.PAYMENTS_READ,
            Scope.REFUNDS_WRITE,
        }
    ),
    Role.DEVELOPER: frozenset(
        {
            Scope.DECLARATIONS_READ,
            Scope.DECLARATIONS_WRITE,
            Scope.PAYMENTS_READ,
            Scope.PAYMENTS_WRITE,
            Scope.WEBHOOKS_WRITE,
        }
    ),
    Role.ADMIN: frozenset({Scope.ADMIN}),
}
# Who decides over others' work, or over others, shows a second factor where codes are required.
NEEDS_CODE = frozenset({Role.REVIEWER, Role.ADMIN})


def caller_of_person(person: Person) -> Caller:
    """A person as the caller they act as: the scopes of their role, for their merchants."""
    merchants = None if person.merchants is None else frozenset(person.merchants)
    return Caller(person.id, person.name, SCOPES[Role(person.role)], merchants)
