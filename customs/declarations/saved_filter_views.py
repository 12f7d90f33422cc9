"""The doors through which people keep filters of the list of declarations under names, and forget them."""

from flask import Blueprint, request
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug import Response as WerkzeugResponse

from customs.auth.principal import Scope
from customs.auth.saved_filters import SavedFilter, remove_filter, save_filter
from customs.db import database
from customs.declarations.views import SAVED
from customs.web.form_actions import acted
from customs.web.session_auth import current_visit, login_required

pages = Blueprint("filter_pages", __name__)

LIST = "/declarations"


@pages.post("/filters")
@login_required(Scope.DECLARATIONS_READ)
def save() -> WerkzeugResponse:
    name, query = (request.form.get(field, "") for field in ("name", "query"))

    def save(db: Session) -> SavedFilter:
        return save_filter(db, current_visit().person.id, SAVED, name, query, database.now(db))

    return acted(save, lambda made: f"{LIST}?{made.query}", gettext("The filter was saved."))


@pages.post("/filters/<filter_id>/remove")
@login_required(Scope.DECLARATIONS_READ)
def remove(filter_id: str) -> WerkzeugResponse:
    return acted(
        lambda db: remove_filter(db, current_visit().person.id, filter_id), LIST, gettext("The filter was removed.")
    )
