"""Views of declarations: the list with its tabs and filters, one declaration as it moves, and the table of offices."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request
from flask_babel import LazyString, gettext, lazy_gettext
from sqlalchemy.orm import Session
from werkzeug import Response as WerkzeugResponse

from customs.auth.principal import Caller, Scope
from customs.auth.saved_filters import SavedFilter, remove_filter, save_filter, saved_filters_of
from customs.db import database
from customs.declarations import sentences
from customs.declarations.actions.bulk_actions import MOST_AT_ONCE
from customs.declarations.offices import OFFICES, CustomsCode, Office, codes_for, waits_for_the_one_before
from customs.declarations.reading.dashboard import counts_of, under_way
from customs.declarations.reading.detail import declaration_detail, timeline_of
from customs.declarations.reading.queries import Filters, list_declarations
from customs.declarations.services import services
from customs.declarations.states import State
from customs.declarations.statistics import CANCELLED, NEEDS_REVIEW
from customs.events.comments import comments_of
from customs.gateway import Channel, money_text
from customs.stats.tallies import begins
from customs.web.forms import submit_action
from customs.web.labels import Label
from customs.web.rendering import render_fragment, render_page
from customs.web.request import (
    allow_only_arguments,
    current_caller,
    day_argument,
    number_in_cursor,
    page_arguments,
    text_argument,
)
from customs.web.session_auth import current_session, login_required

pages = Blueprint("declaration_pages", __name__)

SAVED = "declarations"
EVENTS_A_PAGE = 50

LIST = "/declarations"
_ = lazy_gettext

NO_REPUSH = Label(_("no re-push"), "slash-circle", "except")

ALL, REVIEW, UNDER_WAY, SUCCESS = "all", "review", "running", "success"
# What each tab narrows the list to, its name, and how many that are by what is tallied.
TABS: Mapping[str, tuple[LazyString, Mapping[str, Any], Callable[[Mapping[str, int]], int]]] = {
    ALL: (_("All"), {}, lambda counted: sum(counted.get(word, 0) for word in (*State, CANCELLED))),
    REVIEW: (_("Needs attention"), {"needs_review": True}, lambda counted: counted.get(NEEDS_REVIEW, 0)),
    UNDER_WAY: (_("Under way"), {"under_way": True}, lambda counted: sum(under_way(counted).values())),
    SUCCESS: (
        _("Accepted by customs"),
        {"states": (State.SUCCESS,), "cancelled": False},
        lambda counted: counted.get(State.SUCCESS, 0),
    ),
}
# A state by which one looks for those that were not cancelled, or for those that were.
STATES: Mapping[str, Mapping[str, Any]] = {
    **{state: {"state": state, "cancelled": False} for state in State},
    CANCELLED: {"cancelled": True},
}
LIST_CHOICES: Mapping[str, tuple[str, ...]] = {"channel": tuple(Channel), "state": tuple(STATES)}
WORDS = ("batch_id", "state", "channel", "office", "merchant_no")
DAYS = ("since", "until")
# Tallies are kept by these alone.
UNCOUNTED = ("batch_id", "state")


@dataclass(frozen=True)
class ListFilters:
    """A tab, the words it is narrowed by, and the first and last day."""

    tab: str
    words: Mapping[str, str]
    since: date | None
    until: date | None

    @property
    def is_narrowed(self) -> bool:
        """Return whether a filter may be why a list is empty."""
        return bool(self.words or self.since or self.until)

    @property
    def filters(self) -> Filters:
        """The filters as queries know them."""
        words = {name: word for name, word in self.words.items() if name != "state"}
        narrowed = {**TABS[self.tab][1], **STATES.get(self.words.get("state", ""), {}), **words}
        since = None if self.since is None else begins(self.since)
        until = None if self.until is None else begins(self.until) + timedelta(days=1)
        return Filters(since=since, until=until, **narrowed)

    def counts(self, db: Session, caller: Caller) -> Mapping[str, int | None]:
        """Count the declarations behind each tab; None where no tally counts them."""
        if any(name in self.words for name in UNCOUNTED):
            return dict.fromkeys(TABS)
        narrowed = {name: self.words.get(name) for name in ("channel", "office")}
        counted = counts_of(db, _within(caller, self.words), since=self.since, until=self.until, **narrowed)
        return {tab: count(counted) for tab, (_name, _filters, count) in TABS.items()}


@pages.get("/declarations")
@login_required(Scope.DECLARATIONS_READ)
def list_page() -> Response:
    asked, (limit, cursor) = _filters_asked(), page_arguments()
    caller = current_caller()
    with services().reading() as db:
        found = list_declarations(db, caller, asked.filters, limit=limit, cursor=cursor)
        counts = asked.counts(db, caller)
        saved = saved_filters_of(db, current_session().person.id, SAVED)
    shown = {"asked": asked, "counts": counts, "saved": saved, **_choices()}
    return render_page("declarations/list.html", rows=found.rows, next_cursor=found.next_cursor, **shown)


@pages.post("/filters")
@login_required(Scope.DECLARATIONS_READ)
def save_list_filter() -> WerkzeugResponse:
    """Keep the filters of a list under a name."""
    name, query = (request.form.get(field, "") for field in ("name", "query"))

    def save(db: Session) -> SavedFilter:
        return save_filter(db, current_session().person.id, SAVED, name, query, database.now(db))

    return submit_action(save, lambda made: f"{LIST}?{made.query}", gettext("The filter was saved."))


@pages.post("/filters/<filter_id>/remove")
@login_required(Scope.DECLARATIONS_READ)
def remove_list_filter(filter_id: str) -> WerkzeugResponse:
    return submit_action(
        lambda db: remove_filter(db, current_session().person.id, filter_id), LIST, gettext("The filter was removed.")
    )


@pages.get("/declarations/<declaration_id>")
@login_required(Scope.DECLARATIONS_READ)
def show(declaration_id: str) -> Response:
    return render_page("declarations/detail.html", **detail_context(declaration_id))


@pages.get("/declarations/<declaration_id>/live")
@login_required(Scope.DECLARATIONS_READ)
def live(declaration_id: str) -> Response:
    """Render the part of the page that it polls for while something goes on."""
    return render_fragment(
        "declarations/live.html", may=current_caller().may, Scope=Scope, **detail_context(declaration_id)
    )


def detail_context(declaration_id: str) -> dict[str, Any]:
    """Return everything that the page of one declaration shows, read in one snapshot."""
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
        "sentences": sentences,
        "amount_text": money_text,
    }


def _choices() -> dict[str, Any]:
    merchants = current_caller().merchants
    return {
        "channels": tuple(Channel),
        "states": STATES,
        "offices": tuple(OFFICES),
        "merchants": None if merchants is None else sorted(merchants),
        "tabs": TABS,
        "query": _query_of_filters(),
        "sentences": sentences,
        "most_at_once": MOST_AT_ONCE,
    }


def _filters_asked() -> ListFilters:
    """Read the filters of this request; raises ValidationFailed for unknown ones.

    `day` stands for a first and last day.
    """
    tab = text_argument("tab", ("", *TABS)) or ALL
    found = {name: text_argument(name, ("", *LIST_CHOICES[name]) if name in LIST_CHOICES else ()) for name in WORDS}
    words = {name: text.strip() for name, text in found.items() if text and text.strip()}
    since, until = (day_argument(name) or day_argument("day") for name in DAYS)
    return ListFilters(tab, words, since, until)


def _query_of_filters() -> str:
    """Return the query string of this address's filters, to be saved under a name."""
    kept = {name: text for name in ("tab", *WORDS, *DAYS, "day") if (text := request.args.get(name, "").strip())}
    return urlencode(kept)


def _within(caller: Caller, words: Mapping[str, str]) -> Caller:
    """The caller as they see one merchant."""
    merchant_no = words.get("merchant_no")
    if merchant_no is None:
        return caller
    return replace(caller, merchants=frozenset({merchant_no} if caller.may_touch(merchant_no) else ()))


@dataclass(frozen=True)
class OfficeRow:
    """An office with its name in both languages, and its codes by channel; `waiting`: where one waits for another."""

    office: str
    chinese: str
    english: str
    codes: dict[Channel, tuple[CustomsCode, ...]]
    waiting: frozenset[Channel]


@pages.get("/admin/offices")
@login_required(Scope.DECLARATIONS_READ)
def show_offices() -> Response:
    allow_only_arguments()
    rows = [_office_row(office) for office in OFFICES.values() if office.enabled]
    return render_page("admin/offices.html", rows=rows, channels=list(Channel), no_repush=NO_REPUSH)


def _office_row(office: Office) -> OfficeRow:
    codes = {channel: codes_for(channel, office.office) for channel in Channel}
    waiting = frozenset(channel for channel in Channel if waits_for_the_one_before(channel, office.office))
    return OfficeRow(office.office, office.name, office.english, codes, waiting)
