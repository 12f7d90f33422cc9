"""Show the queue: work that waits, processes that run, results of the health checks; it refreshes itself."""

from typing import Any

from flask import Blueprint, Response, current_app
from flask_babel import LazyString, lazy_gettext

from customs.auth.principal import Scope
from customs.container import Services
from customs.db import database
from customs.declarations.labels import LABELS
from customs.declarations.sentences import OUTCOMES
from customs.declarations.states import Action
from customs.ops.backlog import backlogs
from customs.ops.doctor import run_checks
from customs.ops.health_checks import OLD_BACKLOG_SECONDS
from customs.stats.call_counters import calls_by_outcome
from customs.web.labels import Label
from customs.web.rendering import render_fragment, render_page
from customs.web.request import allow_only_arguments, current_caller
from customs.web.services import services
from customs.web.session_auth import login_required

pages = Blueprint("queue_pages", __name__, url_prefix="/admin/queue")

_ = lazy_gettext
KINDS = {
    "pushes": _("Declarations"),
    "payments": _("Payments"),
    "refunds": _("Refunds"),
    "deliveries": _("Webhook deliveries"),
}
ACTIONS: dict[str, LazyString | str] = {str(action): LABELS[Action][action].word for action in Action} | {
    "payments": _("Collect"),
    "refunds": _("Refund"),
}
VERDICTS = {
    "ok": Label(_("In order"), "check-circle-fill", "success"),
    "note": Label(_("To be noted"), "info-circle", "except"),
    "wrong": Label(_("Wrong"), "x-circle-fill", "fail"),
}
PARTS = {
    "gateway": _("Gateway"),
    "database": _("Database"),
    "redis": _("Redis"),
    "workers": _("Workers"),
    "clock": _("Clock"),
    "processes": _("Processes"),
    "signing key": _("Signing key"),
    "notifications": _("Notifications of payments"),
    "lane": _("Lane"),
    "backlog": _("Backlog"),
    "review": _("Exceptions"),
    "webhooks": _("Webhooks"),
    "names and ID numbers": _("Names and ID numbers"),
}


@pages.get("")
@login_required(Scope.DECLARATIONS_READ)
def show_queue() -> Response:
    allow_only_arguments()
    return render_page("admin/queue.html", **_numbers())


@pages.get("/numbers")
@login_required(Scope.DECLARATIONS_READ)
def live_numbers() -> Response:
    allow_only_arguments()
    return render_fragment("admin/queue_numbers.html", **_numbers())


@pages.get("/findings")
@login_required(Scope.DECLARATIONS_READ)
def live_findings() -> Response:
    allow_only_arguments()
    container: Services = current_app.extensions["services"]
    results = run_checks(container, thoroughly=False)
    return render_fragment(
        "admin/health_checks.html", results=results, parts=PARTS, verdicts=VERDICTS, sees_all=_sees_all()
    )


def _sees_all() -> bool:
    """Return whether totals over every merchant, and what the doctor found in detail, are for this user."""
    return current_caller().merchants is None


def _numbers() -> dict[str, Any]:
    """Return the present counts, and the labels to show them with."""
    with services().reading() as db:
        now = database.now(db)
        work, calls = backlogs(db, now), calls_by_outcome(db)
    ages = {name: one.age(now) for name, one in work.items()}
    return {
        "work": work,
        "ages": ages,
        "late": {name for name, age in ages.items() if age > OLD_BACKLOG_SECONDS},
        "workers": services().notifier.workers(),
        "calls": calls,
        "kinds": KINDS,
        "actions": ACTIONS,
        "outcomes": OUTCOMES,
        "sees_all": _sees_all(),
    }
