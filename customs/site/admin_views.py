"""The way into administration: the first of its pages that whoever asks may open."""

from flask import Blueprint, redirect
from werkzeug import Response as WerkzeugResponse

from customs.auth.principal import Scope
from customs.web.request import current_caller
from customs.web.session_auth import login_required

pages = Blueprint("admin_pages", __name__)

# In the order of the tabs.
FIRST_PAGES = {Scope.ADMIN: "/admin/people", Scope.DECLARATIONS_READ: "/admin/registrations"}


@pages.get("/admin")
@login_required(Scope.DECLARATIONS_READ)
def administration() -> WerkzeugResponse:
    return redirect(next(page for scope, page in FIRST_PAGES.items() if current_caller().may(scope)))
