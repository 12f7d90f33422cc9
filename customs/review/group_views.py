"""The pages of what failed: groups by cause, and one cause with its cases, seen to by somebody and decided together."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request
from flask_babel import gettext
from werkzeug import Response as WerkzeugResponse

from customs.auth.principal import Scope
from customs.db import database
from customs.declarations import sentences
from customs.declarations.actions.bulk_actions import MOST_AT_ONCE
from customs.declarations.cases import CaseKind
from customs.declarations.offices import OFFICES, codes_for, offices_behind
from customs.declarations.reading.failure_groups import (
    NOBODY,
    GroupFilters,
    group_of,
    list_groups,
    members,
    recent_decisions,
)
from customs.errors import ErrorDetail, ValidationFailed
from customs.events.comments import comments_of
from customs.gateway import Channel
from customs.review import advice
from customs.review.case_service import CaseService, assignable
from customs.web.forms import submit_action
from customs.web.rendering import render_fragment, render_page
from customs.web.request import current_caller, given_filters, number_in_cursor, page_arguments, text_argument
from customs.web.services import services
from customs.web.session_auth import current_session, login_required

pages = Blueprint("failure_groups", __name__)

ME = "me"
CODES = tuple(sorted({code.code for channel in Channel for office in OFFICES for code in codes_for(channel, office)}))
CHOICES: Mapping[str, tuple[str, ...]] = {
    "channel": tuple(Channel),
    "customs": CODES,
    "error": tuple(CaseKind),
    "assignee": (ME, NOBODY),
}


@pages.get("/review")
@login_required(Scope.DECLARATIONS_READ)
def list_page() -> Response:
    """The groups with open cases, the largest first."""
    (limit, cursor), asked = (
        page_arguments(),
        {name: text_argument(name, ("", *CHOICES[name])) or "" for name in CHOICES},
    )
    wanted = {name: _meant(name, word) for name, word in asked.items() if word}
    before = str(number_in_cursor(cursor))
    with services().reading() as db:
        found = list_groups(db, current_caller(), GroupFilters(**wanted), limit=limit, cursor=before)
        shown: dict[str, Any] = {"recent": recent_decisions(db, current_caller(), database.now(db))}
    shown |= {"groups": found.rows, "next_cursor": found.next_cursor, "asked": asked, "choices": CHOICES}
    return render_page(
        "review/groups.html", offices_behind=offices_behind, is_narrowed=bool(given_filters(*CHOICES)), **shown
    )


@pages.get("/review/causes/<cause_id>")
@login_required(Scope.DECLARATIONS_READ)
def show(cause_id: str) -> Response:
    """One cause, with what helps and the cases that are open."""
    (limit, cursor), caller = page_arguments(MOST_AT_ONCE), current_caller()
    with services().reading() as db:
        group = group_of(db, caller, cause_id)
        found = members(db, caller, cause_id, limit=limit, cursor=cursor)
        shown: dict[str, Any] = {"people": assignable(db, caller), "comments": comments_of(db, caller, cause_id)}
        shown["recent"] = recent_decisions(db, caller, database.now(db))
    shown |= {"group": group, "cases": found.rows, "next_cursor": found.next_cursor}
    return render_page("review/cause.html", offices_behind=offices_behind, **shown, **_words(group.cause.error))


@pages.get("/review/recent")
@login_required(Scope.DECLARATIONS_READ)
def recent() -> Response:
    """Render the part that pages poll for while something goes on that this person sent out."""
    with services().reading() as db:
        found = recent_decisions(db, current_caller(), database.now(db))
    return render_fragment("review/recent.html", recent=found)


@pages.post("/review/causes/<cause_id>/assign")
@login_required(Scope.DECLARATIONS_WRITE)
def assign(cause_id: str) -> WerkzeugResponse:
    """Let oneself, somebody else or nobody see to it."""
    chosen = request.form.get("assignee", "")
    person_id = {ME: current_session().person.id, NOBODY: None}.get(chosen, chosen)
    message = gettext("Nobody sees to it now.") if person_id is None else gettext("It is written down who sees to it.")
    place = _place(cause_id)
    return submit_action(lambda db: _service(db).assign(cause_id, person_id), place, message, back=place)


@pages.post("/review/causes/<cause_id>/comment")
@login_required(Scope.DECLARATIONS_WRITE)
def comment(cause_id: str) -> WerkzeugResponse:
    """Write something beside it."""
    text, place = request.form.get("text", ""), _place(cause_id)
    message = gettext("Your comment is kept.")
    return submit_action(
        lambda db: _service(db).remark_on_cause(cause_id, text, _concerned()), place, message, back=place
    )


def _meant(name: str, word: str) -> str:
    return current_session().person.id if (name, word) == ("assignee", ME) else word


def _concerned() -> str | None:
    """The merchant whom a comment concerns: the only one that somebody has, or the one they chose."""
    mine = current_caller().merchants
    if mine is None:
        return None
    named = request.form.get("merchant_no") or (next(iter(mine)) if len(mine) == 1 else "")
    if named not in mine:
        raise ValidationFailed(
            "choose a merchant", errors=[ErrorDetail("/merchant_no", "merchant_unknown", "choose one of yours")]
        )
    return named


def _service(db: Any) -> CaseService:
    return CaseService(db, current_caller(), database.now(db), services().audit)


def _words(error: str) -> dict[str, Any]:
    mine = current_caller().merchants
    return {
        "advice": advice.ADVICE[CaseKind(error)],
        "Resolution": advice.Resolution,
        "sentences": sentences,
        "most_at_once": MOST_AT_ONCE,
        "merchants": sorted(mine or ()),
        "me": current_session().person.id,
    }


def _place(cause_id: str) -> str:
    return f"/review/causes/{cause_id}"
