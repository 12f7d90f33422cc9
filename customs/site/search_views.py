"""Search by number: an order, a payment, a refund or a batch."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, request
from sqlalchemy.orm import Session
from werkzeug import Response as WerkzeugResponse

from customs.auth.principal import Caller, Scope
from customs.declarations.reading import queries as declarations
from customs.errors import NotFound
from customs.payments import queries as payments
from customs.web.rendering import render_page
from customs.web.request import current_caller
from customs.web.services import services
from customs.web.session_auth import login_required

pages = Blueprint("search", __name__)

LONGEST = 64


@dataclass(frozen=True)
class Found:
    """Everything with one number that the user may see."""

    declarations: tuple[Any, ...] = ()
    batches: tuple[Any, ...] = ()
    payments: tuple[Any, ...] = ()

    @property
    def only_place(self) -> str | None:
        """Return the address of the result when there is exactly one."""
        places = [
            *(f"/declarations/{one.id}" for one in self.declarations),
            *(f"/batches/{one.id}" for one in self.batches),
            *(f"/payments/{one.id}" for one in self.payments),
        ]
        return places[0] if len(places) == 1 else None


@pages.get("/search")
@login_required(Scope.DECLARATIONS_READ)
def search() -> WerkzeugResponse:
    number = request.args.get("q", "").strip()
    found = look_up(number, current_caller())
    if found.only_place:
        return redirect(found.only_place)
    return render_page("search.html", number=number[:LONGEST], found=found)


def look_up(number: str, caller: Caller) -> Found:
    """Look for each kind of thing once; find nothing for what can be no number."""
    if not number or len(number) > LONGEST or not number.isprintable():
        return Found()
    with services().reading() as db:
        paid = payments.payments_numbered(db, number, caller) if caller.may(Scope.PAYMENTS_READ) else ()
        return Found(
            tuple(declarations.declarations_numbered(db, number, caller)), _batch(db, number, caller), tuple(paid)
        )


def _batch(db: Session, number: str, caller: Caller) -> tuple[Any, ...]:
    try:
        return (declarations.batch_of(db, number, caller),)
    except NotFound:
        return ()
