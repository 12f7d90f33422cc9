"""Roles of users: a table of their labels and scopes."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from flask_babel import LazyString, lazy_gettext

from customs.auth.models import Person
from customs.auth.principal import Caller, Scope


class Role(StrEnum):
    """Role of a user."""

    CLERK = "clerk"
    REVIEWER = "reviewer"
    DEVELOPER = "developer"
    ADMIN = "admin"


class RoleRow(NamedTuple):
    """One role: its label, what its users do, its icon and its scopes.

    `needs_code`: who decides over others, or over their work, gives a one-time code where codes are required.
    """

    word: LazyString
    about: LazyString
    icon: str
    scopes: frozenset[Scope]
    needs_code: bool = False


_ = lazy_gettext

ROWS = {
    Role.CLERK: RoleRow(
        _("Clerk"),
        _("imports files, hands in and corrects declarations, collects payments"),
        "person-badge",
        frozenset({Scope.DECLARATIONS_READ, Scope.DECLARATIONS_WRITE, Scope.PAYMENTS_READ, Scope.PAYMENTS_WRITE}),
    ),
    Role.REVIEWER: RoleRow(
        _("Reviewer"),
        _("decides on exceptions, refunds, lets lanes go on, reads the audit trail"),
        "shield-check",
        frozenset(
            {
                Scope.DECLARATIONS_READ,
                Scope.DECLARATIONS_WRITE,
                Scope.DECLARATIONS_REVIEW,
                Scope.PAYMENTS_READ,
                Scope.REFUNDS_WRITE,
            }
        ),
        needs_code=True,
    ),
    Role.DEVELOPER: RoleRow(
        _("Developer"),
        _("connects programs: API keys, webhooks, request log"),
        "code-slash",
        frozenset(
            {
                Scope.DECLARATIONS_READ,
                Scope.DECLARATIONS_WRITE,
                Scope.PAYMENTS_READ,
                Scope.PAYMENTS_WRITE,
                Scope.WEBHOOKS_WRITE,
            }
        ),
    ),
    Role.ADMIN: RoleRow(
        _("Administrator"),
        _("everything, and looks after the others"),
        "gear",
        frozenset({Scope.ADMIN}),
        needs_code=True,
    ),
}
# A role without a row fails here.
ROLES = {role: ROWS[role] for role in Role}
SCOPES: Mapping[Role, frozenset[Scope]] = {role: row.scopes for role, row in ROLES.items()}
NEEDS_CODE = frozenset(role for role, row in ROLES.items() if row.needs_code)


def caller_of_person(person: Person) -> Caller:
    """Return a person as a caller: the scopes of their role, for their merchants."""
    merchants = None if person.merchants is None else frozenset(person.merchants)
    return Caller(person.id, person.name, SCOPES[Role(person.role)], merchants)
