"""The pages of declarations: the list with its filters, and one declaration as it moves."""

from typing import Any

from flask import Blueprint, Response, request

from customs.auth.principal import Scope
from customs.auth.saved_filters import saved_filters_of
from customs.db import database
from customs.declarations import labels
from customs.declarations.actions.bulk_actions import MOST_AT_ONCE
from customs.declarations.offices import OFFICES
from customs.declarations.reading import list_filters
from customs.declarations.reading.detail import declaration_detail, timeline_of
from customs.declarations.reading.queries import list_declarations
from customs.declarations.services import services
from customs.events.comments import comments_of
from customs.gateway import Channel, money_text
from customs.web.rendering import render_fragment, render_page
from customs.web.request import current_caller, number_in_cursor, page_arguments
from customs.web.session_auth import current_visit, login_required

pages = Blueprint("declaration_pages", __name__)

SAVED = "declarations"
EVENTS_A_PAGE = 50


@pages.get("/declarations")
@login_required(Scope.DECLARATIONS_READ)
def list_page() -> Response:
    asked, (limit, cursor) = list_filters.asked(), page_arguments()
    caller = current_caller()
    with services().reading() as db:
        found = list_declarations(db, caller, asked.filters, limit=limit, cursor=cursor)
        counts = asked.counts(db, caller)
        saved = saved_filters_of(db, current_visit().person.id, SAVED)
    shown = {"asked": asked, "counts": counts, "saved": saved, **_choices()}
    return render_page("declarations/list.html", rows=found.rows, next_cursor=found.next_cursor, **shown)


@pages.get("/declarations/<declaration_id>")
@login_required(Scope.DECLARATIONS_READ)
def show(declaration_id: str) -> Response:
    return render_page("declarations/page.html", **detail_context(declaration_id))


@pages.get("/declarations/<declaration_id>/live")
@login_required(Scope.DECLARATIONS_READ)
def live(declaration_id: str) -> Response:
    """What the page asks for while something goes on: itself again, without its shell."""
    return render_fragment(
        "declarations/live.html", may=current_caller().may, Scope=Scope, **detail_context(declaration_id)
    )


def detail_context(declaration_id: str) -> dict[str, Any]:
    """Everything the page of one declaration shows, read at one moment."""
    before, caller, parts = number_in_cursor(request.args.get("cursor")), current_caller(), services()
    with parts.reading() as db:
        now = database.now(db)
        detail = declaration_detail(db, caller, declaration_id, parts.vault, parts.policy, parts.payments, now)
        events = timeline_of(db, declaration_id, limit=EVENTS_A_PAGE, before=before)
        comments = comments_of(db, caller, declaration_id)
    return {
        "detail": detail,
        "events": events.rows,
        "next_cursor": events.next_cursor,
        "is_newest": not before,
        "comments": comments,
        "now": now,
        "labels": labels,
        "amount_text": money_text,
    }


def _choices() -> dict[str, Any]:
    merchants = current_caller().merchants
    return {
        "channels": tuple(Channel),
        "states": list_filters.STATES,
        "offices": tuple(OFFICES),
        "merchants": None if merchants is None else sorted(merchants),
        "tabs": list_filters.TABS,
        "query": list_filters.query_of_filters(),
        "labels": labels,
        "most_at_once": MOST_AT_ONCE,
    }
