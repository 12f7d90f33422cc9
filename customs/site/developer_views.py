"""Pages for developers: a quick start up to the first successful call, the sandbox's words, the log of requests."""

import copy
import json
import re
import secrets
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, request
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session

from customs.audit.request_log import RequestFilters, list_requests, request_of
from customs.auth.api_keys import KeyRequest, key_seen, keys_seen
from customs.auth.principal import Scope
from customs.declarations.reading.queries import newest_batch_of
from customs.errors import NotFound
from customs.ids import new_id
from customs.sandbox.declaration_scenarios import SCENARIOS
from customs.sandbox.faults import FAULTS
from customs.sandbox.payment_scenarios import NOTIFICATION_SCENARIOS, PAYMENT_SCENARIOS, REFUND_SCENARIOS, WALLETS
from customs.site.api_key_views import LONGEST_NAME, create_once, own_scopes
from customs.site.openapi import examples
from customs.site.openapi.examples import SPLIT
from customs.web.forms import CREATED, CreatedWithSecret
from customs.web.labels import Label
from customs.web.rendering import render_fragment, render_page
from customs.web.request import allow_only_arguments, current_caller, given_filters, page_arguments
from customs.web.services import services
from customs.web.session_auth import current_session, login_required, request_time

pages = Blueprint("developer_pages", __name__, url_prefix="/developers")

KEY_LIVES = timedelta(days=30)
KEY_SCOPES = (Scope.DECLARATIONS_READ, Scope.DECLARATIONS_WRITE, Scope.PAYMENTS_READ, Scope.PAYMENTS_WRITE)
_ = lazy_gettext

# What the words of a table decide, in which numbers they stand, and its rows.
WORD_TABLES = (
    (_("Declarations"), _("in out_order_no or sub_order_no"), SCENARIOS),
    (_("Payments"), _("in out_order_no"), PAYMENT_SCENARIOS),
    (_("Who pays"), _("in out_order_no"), WALLETS),
    (_("Refunds"), _("in the payment's out_order_no"), REFUND_SCENARIOS),
    (_("Notifications of payments"), _("in out_order_no"), NOTIFICATION_SCENARIOS),
    (_("Faults of the network and the gateway"), _("in any of these numbers; only the first calls are struck"), FAULTS),
)


@pages.get("")
@login_required(Scope.WEBHOOKS_WRITE)
def quick_start() -> Response:
    allow_only_arguments()
    return _start(None)


@pages.post("/key")
@login_required(Scope.WEBHOOKS_WRITE)
def make_own_key() -> Response:
    """Create a key of one's own for the first calls, shown on the page that uses it."""
    whose = {"name": current_session().person.name}
    sandbox = services().settings.sandbox
    name = gettext("Test key of %(name)s", **whose) if sandbox else gettext("Key of %(name)s", **whose)
    scopes = [one for one in KEY_SCOPES if one in own_scopes()]
    wish = KeyRequest(name[:LONGEST_NAME], scopes, lifetime=KEY_LIVES)
    return _start(create_once(lambda keys: keys.create(wish)))


@pages.get("/keys/<key_id>/activity")
@login_required(Scope.WEBHOOKS_WRITE)
def key_activity(key_id: str) -> Response:
    """Show what came with a key so far: its batch, or why its last call was refused."""
    allow_only_arguments()
    caller = current_caller()
    with services().reading() as db:
        key = key_seen(db, key_id, caller)
        batch = newest_batch_of(db, key.family, caller)
        asked = list_requests(db, [key.family], RequestFilters(), limit=1, cursor=None).rows
    return render_fragment("developers/key_activity.html", key_id=key.id, batch=batch, last=asked[0] if asked else None)


@pages.get("/sandbox")
@login_required(Scope.WEBHOOKS_WRITE)
def show_sandbox() -> Response:
    allow_only_arguments()
    if not services().settings.sandbox:
        raise NotFound
    return render_page("developers/sandbox.html", tables=WORD_TABLES, gateway=services().settings.base_url)


def _start(made: CreatedWithSecret | None) -> Response:
    """Return the page, with the text of a key that was made just now."""
    own = current_caller().merchants
    order = first_order(sorted(own)[0] if own else SPLIT["merchant_no"], request_time())
    prefix = "ck_test_" if services().settings.sandbox else "ck_live_"
    key = made.secret if made and made.secret else f"{prefix}…"
    return render_page(
        "developers/start.html",
        CREATED if made else 200,
        made=made,
        call=first_call(request.host_url.rstrip("/"), key, order),
        once=new_id("form"),
    )


SERIAL_DIGITS = 11


def first_order(merchant_no: str, now: datetime) -> dict[str, Any]:
    """Return the split order of the API's page for one merchant, with numbers that no other order has."""
    serial = f"{secrets.randbelow(10**SERIAL_DIGITS):0{SERIAL_DIGITS}d}"
    order = copy.deepcopy(examples.SPLIT)
    order["merchant_no"] = merchant_no
    order["out_order_no"] = f"{now:%y%m%d}{serial}"
    order["payment_no"] = f"{now:%Y%m%d%H%M%S}{serial}"
    for place, part in enumerate(order["sub_orders"], start=1):
        part["sub_order_no"] = f"{order['out_order_no']}-{place}"
    return order


def first_call(desk: str, key: str, order: dict[str, Any]) -> str:
    """Return the curl line that submits the order. `desk`: its address, without a slash at the end."""
    fields = ",\n  ".join(f"{_json(name)}: {_json(value)}" for name, value in order.items())
    return (
        f'curl {desk}/api/v1/batches \\\n  -H "Authorization: Bearer {key}" \\\n'
        f'  -H "Content-Type: application/json" \\\n  -H "Idempotency-Key: {order["out_order_no"]}" \\\n'
        f'  -d \'{{"name": "quick start", "declarations": [{{\n  {fields}\n}}]}}\''
    )


def _json(value: Any) -> str:
    # An apostrophe would end what the shell takes for the body.
    return json.dumps(value, ensure_ascii=False).replace("'", "\\u0027")


STATUS = re.compile(r"([1-5])(?:[xX]{2}|([0-9]{2}))", re.ASCII)
NONE_AT_ALL = (0, -1)
_ = lazy_gettext

# By the first digit of the status.
OUTCOMES = {
    "2": Label(_("Done"), "check-circle-fill", "success"),
    "3": Label(_("Unchanged"), "dash-circle", "waiting"),
    "4": Label(_("Refused"), "x-circle-fill", "except"),
    "5": Label(_("Failed"), "x-circle-fill", "fail"),
}


@pages.get("/requests")
@login_required(Scope.WEBHOOKS_WRITE)
def show_requests() -> Response:
    allow_only_arguments("cursor", "request_id", "path", "status", "key")
    limit, cursor = page_arguments()
    with services().reading() as db:
        names, callers = _names(db), _callers(db)
        page = list_requests(db, callers, _filters(), limit=limit, cursor=cursor)
    return render_page("developers/requests.html", page=page, names=names, outcomes=OUTCOMES)


@pages.get("/requests/<log_id>")
@login_required(Scope.WEBHOOKS_WRITE)
def show_request(log_id: str) -> Response:
    with services().reading() as db:
        names = _names(db)
        found = request_of(db, log_id, _callers(db))
    return render_page("developers/request.html", one=found, names=names, outcomes=OUTCOMES)


def statuses(text: str) -> tuple[int, int]:
    """Return the bounds of the statuses meant: 422 is itself, 4xx all that begin with 4."""
    match = STATUS.fullmatch(text)
    if match is None:
        return NONE_AT_ALL
    first = int(match[1]) * 100
    return (first, first + 99) if match[2] is None else (first + int(match[2]), first + int(match[2]))


def _filters() -> RequestFilters:
    asked = given_filters("request_id", "path", "status", "key")
    wanted = asked.get("status")
    return RequestFilters(
        request_id=asked.get("request_id"),
        path=asked.get("path"),
        statuses=statuses(wanted) if wanted else None,
        caller=asked.get("key"),
    )


def _names(db: Session) -> dict[str, str]:
    """Return the names of the keys that the user sees, by the caller they stand for."""
    return {key.family: key.name for key in keys_seen(db, current_caller())}


def _callers(db: Session) -> list[str] | None:
    """Return the callers whose requests the user sees; None, everybody's, for an admin of every merchant."""
    caller = current_caller()
    sees_all = caller.may(Scope.ADMIN) and caller.merchants is None
    return None if sees_all else list(_names(db))
