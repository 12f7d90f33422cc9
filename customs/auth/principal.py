"""The caller of every query and change: their scopes, and their merchants."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import ColumnElement, true
from sqlalchemy.orm import InstrumentedAttribute

from customs.errors import ErrorDetail, InsufficientScope, ValidationFailed


class Scope(StrEnum):
    """Permission of a key or role; `admin` includes all others."""

    DECLARATIONS_READ = "declarations:read"
    DECLARATIONS_WRITE = "declarations:write"
    DECLARATIONS_REVIEW = "declarations:review"
    PAYMENTS_READ = "payments:read"
    PAYMENTS_WRITE = "payments:write"
    REFUNDS_WRITE = "refunds:write"
    WEBHOOKS_WRITE = "webhooks:write"
    ADMIN = "admin"


@dataclass(frozen=True)
class Caller:
    """A key, a user, or the operator at the command line. `merchants`: None means every merchant.

    `id` stays the same when a key is rotated; `key_id` is the key that was really used.
    """

    id: str
    name: str
    scopes: frozenset[Scope]
    merchants: frozenset[str] | None
    key_id: str = ""

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def require(self, scope: Scope) -> None:
        if not self.may(scope):
            raise InsufficientScope(f"this needs the scope {scope}")

    def may_touch(self, merchant_no: str) -> bool:
        return self.merchants is None or merchant_no in self.merchants

    def covers(self, merchants: Collection[str] | None) -> bool:
        """Whether all of these are this caller's; None stands for every merchant there is."""
        return self.merchants is None or (merchants is not None and self.merchants.issuperset(merchants))

    def narrowed(self, merchants: Collection[str]) -> "Caller":
        """Return this caller for these merchants only; none named means as they are.

        Raises ValidationFailed for another's.
        """
        foreign = [one for one in merchants if not self.may_touch(one)]
        if foreign:
            raise ValidationFailed(
                "merchants", errors=[ErrorDetail("/merchants", "merchant_unknown", "this merchant is not yours")]
            )
        return replace(self, merchants=frozenset(merchants)) if merchants else self

    def sees(self, column: InstrumentedAttribute[str]) -> ColumnElement[bool]:
        """Return the condition that keeps a query within this caller's merchants."""
        return true() if self.merchants is None else column.in_(sorted(self.merchants))


def operator() -> Caller:
    """Return the operator of the host's command line, who holds the database's password already."""
    return Caller("operator", "operator", frozenset(Scope), None)
