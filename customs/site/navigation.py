"""Navigation around every page: links to all others, the gateway's health, who is signed in."""

from dataclasses import dataclass
from typing import Any

from flask import Flask, request
from flask_babel import LazyString, lazy_gettext
from sqlalchemy.orm import Session

from customs.auth.principal import Caller, Scope
from customs.declarations.reading.failure_groups import open_cases
from customs.lanes.queries import Light, light_of
from customs.web.i18n import LANGUAGES
from customs.web.labels import Label, Labels, label_of
from customs.web.rendering import NAVIGATION
from customs.web.services import services
from customs.web.session_auth import current_session


@dataclass(frozen=True)
class Place:
    """One entry of the navigation. `key` opens it after g; None where there is no such key."""

    key: str | None
    path: str
    icon: str
    name: LazyString
    scope: Scope
    beneath: tuple[str, ...]

    def holds(self, path: str) -> bool:
        """Whether a page belongs here."""
        return path == self.path or path.startswith(self.beneath)


_ = lazy_gettext
PLACES = (
    Place("w", "/", "speedometer2", _("Workbench"), Scope.DECLARATIONS_READ, ("/search",)),
    Place(
        "o", "/declarations", "list-check", _("Declarations"), Scope.DECLARATIONS_READ, ("/declarations", "/batches")
    ),
    Place("i", "/import", "upload", _("Import"), Scope.DECLARATIONS_WRITE, ("/import",)),
    Place("r", "/review", "exclamation-triangle", _("Exceptions"), Scope.DECLARATIONS_READ, ("/review",)),
    Place("p", "/payments", "credit-card", _("Payments"), Scope.PAYMENTS_READ, ("/payments", "/rates")),
    Place("b", "/reconciliation", "file-earmark-diff", _("Reconciliation"), Scope.PAYMENTS_READ, ("/reconciliation",)),
    Place(None, "/audit", "journal-text", _("Audit trail"), Scope.DECLARATIONS_REVIEW, ("/audit",)),
    Place(None, "/developers", "code-slash", _("Developers"), Scope.WEBHOOKS_WRITE, ("/developers",)),
    Place(None, "/admin", "gear", _("Administration"), Scope.DECLARATIONS_READ, ("/admin",)),
)
LABELS: Labels = {
    Light: {
        Light.OPEN: Label(_("The gateway answers"), "circle-fill", "success"),
        Light.SLOWED: Label(_("The gateway asked us to wait"), "pause-circle", "except"),
        Light.FAILING: Label(_("No call brings an answer"), "exclamation-triangle-fill", "fail"),
        Light.STOPPED: Label(_("Stopped: the gateway refuses our credentials"), "stop-circle", "fail"),
        Light.UNATTENDED: Label(_("No worker or no clock runs"), "exclamation-triangle-fill", "fail"),
        Light.TROUBLED: Label(_("A part of this desk does not work"), "exclamation-triangle", "except"),
        Light.UNUSED: Label(_("Nothing was sent yet"), "circle", "waiting"),
    }
}
REVIEW = "/review"
# What a light that is not about the gateway is about.
OF_THIS_DESK = (Light.UNATTENDED, Light.TROUBLED)


def init_app(app: Flask) -> None:
    """Put the navigation around every page."""
    app.extensions[NAVIGATION] = _navigation


def _navigation() -> dict[str, Any]:
    """Return what the template of the navigation shows to the user of this request."""
    session = current_session()
    with services().reading() as db:
        cases, light = _looked(db, session.caller)
    settings = services().settings
    return {
        "person": session.person,
        "places": [place for place in PLACES if session.caller.may(place.scope)],
        "here": request.path,
        "open_cases": cases,
        "review_place": REVIEW,
        "light": label_of(light),
        "light_place": "/admin/queue" if light in OF_THIS_DESK else "/admin/lanes",
        "gateway_stopped": light is Light.STOPPED,
        "is_sandbox": settings.sandbox,
        "languages": LANGUAGES,
        "may": session.caller.may,
        "Scope": Scope,
    }


def _looked(db: Session, caller: Caller) -> tuple[int, Light]:
    reads = caller.may(Scope.DECLARATIONS_READ)
    return open_cases(db, caller) if reads else 0, light_of(db, services().settings)
