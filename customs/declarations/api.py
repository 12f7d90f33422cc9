"""The API of declarations: each view reads the request, calls one function, and serialises the answer."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from flask import Blueprint
from sqlalchemy.orm import Session
from werkzeug import Response as WerkzeugResponse

from customs.auth.principal import Scope
from customs.db import database
from customs.db.pagination import LARGEST_PAGE, Page
from customs.declarations import registrations, serializers
from customs.declarations.actions.decisions import ReviewService
from customs.declarations.intake import accept
from customs.declarations.models import Declaration
from customs.declarations.reading import queries
from customs.declarations.schemas import BatchIn, ModifyIn, ReasonIn, RedeclareIn, RegistrationsIn
from customs.declarations.serializers import (
    BatchOut,
    DeclarationEventOut,
    DeclarationOut,
    FindingsOut,
    OfficeOut,
    RegistrationOut,
)
from customs.declarations.services import services
from customs.declarations.states import State
from customs.gateway import Channel
from customs.web.api_docs import COUNTED_PAGE, PAGE, TIMES, api_docs, one_of, texts, yes_or_no
from customs.web.idempotency import idempotent, idempotent_read
from customs.web.json_body import raw_body, validate_json
from customs.web.request import (
    api_key_required,
    current_caller,
    detail_response,
    flag_argument,
    list_json,
    number_in_cursor,
    page_arguments,
    text_argument,
    time_argument,
)
from customs.web.response_fields import page_schema

api = Blueprint("declarations", __name__, url_prefix="/api/v1")

ALL_OR_NONE = (
    "\n\nIt changes everything it names or nothing: one push that may not is `action_not_allowed`, with the rule."
)
NUMBERS = ("out_order_no", "payment_no", "sub_order_no")


@api.post("/batches")
@api_key_required(Scope.DECLARATIONS_WRITE)
@api_docs(
    "Batches",
    "Hand in declarations",
    BatchOut,
    "Stored durably; the desk goes on by itself.",
    status=202,
    about=(
        "1 to 10,000 declarations. `rejected` names every place that must be corrected, and then nothing was "
        'stored; with `"on_error": "accept_valid"` the good rows are taken and the others are in `findings`. A '
        "declaration that is handed in again unchanged is not declared twice: it is in `replayed`."
    ),
    query=(one_of("results", ("rows",), "Answer with what became of each row."),),
    body=BatchIn,
    codes=("rejected",),
    idempotent=True,
)
def create_batch() -> tuple[dict[str, Any], int]:
    by_row = text_argument("results", ("rows",)) is not None
    ready = _ready_once(validate_json(BatchIn()))

    def work(db: Session) -> tuple[dict[str, Any], int]:
        taken = accept.take_in_rows(
            db, services().vault, ready(), current_caller(), services().payments, services().audit
        )
        return _batch_json(db, taken.batch.id, taken.results() if by_row else None), 202

    answer = idempotent(raw_body(), work, before=ready)
    services().notifier.notify()
    return answer


@api.post("/declarations/preflight")
@api_key_required(Scope.DECLARATIONS_READ)
@api_docs(
    "Declarations",
    "Check a batch and store nothing",
    FindingsOut,
    "What would be found; rows of any shape are answered with findings.",
    about="The same body as `POST /batches`.",
    body=BatchIn,
    idempotent=True,
)
def preflight() -> tuple[dict[str, Any], int]:
    ready_once = _ready_once(validate_json(BatchIn()))

    def read() -> tuple[dict[str, Any], int]:
        ready = ready_once()
        with services().reading() as db:
            now = database.now(db)
            compared = accept.compare(db, services().vault, ready.checked, ready.prepared, services().payments, now)
        return serializers.findings_json(compared.checked.findings), 200

    return idempotent_read(raw_body(), read)


@api.get("/batches")
@api_key_required(Scope.DECLARATIONS_READ)
@api_docs("Batches", "Batches, newest first", page_schema(BatchOut), "One page.", query=(*PAGE, *TIMES))
def list_batches() -> dict[str, Any]:
    limit, cursor = page_arguments()
    with services().reading() as db:
        since, until = time_argument("since"), time_argument("until")
        page = queries.list_batches(db, current_caller(), limit=limit, cursor=cursor, since=since, until=until)
        return list_json(page, [_batch_json(db, batch.id) for batch in page.rows])


@api.get("/batches/<batch_id>")
@api_key_required(Scope.DECLARATIONS_READ)
@api_docs(
    "Batches",
    "One batch: where it stands, by state",
    BatchOut,
    "The batch.",
    about="Poll it until `state` is no longer RUNNING: once a second is welcome.",
    etag=True,
)
def read_batch(batch_id: str) -> WerkzeugResponse:
    with services().reading() as db:
        return detail_response(_batch_json(db, batch_id))


@api.get("/declarations")
@api_key_required(Scope.DECLARATIONS_READ)
@api_docs(
    "Declarations",
    "Declarations, newest first",
    page_schema(DeclarationOut),
    "One page.",
    query=(
        *PAGE,
        *TIMES,
        *texts("batch_id"),
        one_of("state", State),
        one_of("channel", Channel),
        *texts("office"),
        yes_or_no("needs_review", "Whether a case is open."),
        *texts(*NUMBERS),
    ),
)
def list_declarations() -> dict[str, Any]:
    limit, cursor = page_arguments()
    words: dict[str, Any] = {name: text_argument(name) for name in ("batch_id", "office", *NUMBERS)}
    filters = queries.Filters(
        state=text_argument("state", tuple(State)),
        channel=text_argument("channel", tuple(Channel)),
        needs_review=flag_argument("needs_review"),
        since=time_argument("since"),
        until=time_argument("until"),
        **words,
    )
    with services().reading() as db:
        page = queries.list_declarations(db, current_caller(), filters, limit=limit, cursor=cursor)
        return list_json(page, _declarations_json(db, page.rows))


@api.get("/declarations/<declaration_id>")
@api_key_required(Scope.DECLARATIONS_READ)
@api_docs(
    "Declarations",
    "One declaration: its pushes, its case, what may be done",
    DeclarationOut,
    "The declaration.",
    etag=True,
)
def read_declaration(declaration_id: str) -> WerkzeugResponse:
    with services().reading() as db:
        return detail_response(_declaration_json(db, queries.declaration_of(db, declaration_id, current_caller())))


@api.get("/declarations/<declaration_id>/events")
@api_key_required(Scope.DECLARATIONS_READ)
@api_docs(
    "Declarations",
    "The timeline: calls, states, people's actions",
    page_schema(DeclarationEventOut),
    "One page, oldest first.",
    query=COUNTED_PAGE,
)
def list_declaration_events(declaration_id: str) -> dict[str, Any]:
    limit, cursor = page_arguments(LARGEST_PAGE)
    after = number_in_cursor(cursor)
    with services().reading() as db:
        queries.declaration_of(db, declaration_id, current_caller())
        # A call that changed the state makes two entries of one event.
        page = queries.events_of(db, declaration_id, limit=(limit + 1) // 2, after=after)
        return list_json(page, serializers.timeline_json(page.rows))


@api.post("/declarations/<declaration_id>/redeclare")
@api_key_required(Scope.DECLARATIONS_WRITE)
@api_docs(
    "Declarations",
    "Push again",
    DeclarationOut,
    "Taken; its pushes are UNDECLARED again.",
    status=202,
    about=(
        "Without `pushes`: all that are FAIL or EXCEPT, else all that were given up, else all that are SUCCESS. "
        f"`override` lets a FAIL go out as it is and needs the scope `{Scope.DECLARATIONS_REVIEW}` besides."
        f"{ALL_OR_NONE}"
    ),
    body=RedeclareIn,
    codes=("action_not_allowed",),
    idempotent=True,
)
def redeclare(declaration_id: str) -> tuple[dict[str, Any], int]:
    body = validate_json(RedeclareIn())
    return _decided(
        lambda service: service.redeclare(
            declaration_id, body["reason"], override=body["override"], push_ids=body.get("pushes", ())
        ),
    )


@api.post("/declarations/<declaration_id>/modify")
@api_key_required(Scope.DECLARATIONS_WRITE)
@api_docs(
    "Declarations",
    "Correct, and send what changed",
    DeclarationOut,
    "Taken; what changed goes out again.",
    status=202,
    about=f"The fields that change; `sub_orders` are merged by `sub_order_no`.{ALL_OR_NONE}",
    body=ModifyIn,
    codes=("action_not_allowed",),
    idempotent=True,
)
def modify(declaration_id: str) -> tuple[dict[str, Any], int]:
    body = validate_json(ModifyIn())
    reason = body.pop("reason")
    return _decided(
        lambda service: service.modify(declaration_id, reason, body, services().vault, services().rules),
    )


@api.post("/declarations/<declaration_id>/cancel")
@api_key_required(Scope.DECLARATIONS_WRITE)
@api_docs(
    "Declarations",
    "Take back what was not sent yet",
    DeclarationOut,
    "Cancelled; its numbers are free again.",
    body=ReasonIn,
    codes=("action_not_allowed",),
    idempotent=True,
)
def cancel(declaration_id: str) -> tuple[dict[str, Any], int]:
    body = validate_json(ReasonIn())
    return _decided(lambda service: service.cancel(declaration_id, body["reason"]), status=200)


@api.post("/declarations/<declaration_id>/dismiss")
@api_key_required(Scope.DECLARATIONS_REVIEW)
@api_docs(
    "Declarations",
    "Close the open case as it is",
    DeclarationOut,
    "Closed.",
    body=ReasonIn,
    codes=("action_not_allowed",),
    idempotent=True,
)
def dismiss(declaration_id: str) -> tuple[dict[str, Any], int]:
    body = validate_json(ReasonIn())
    return _decided(lambda service: service.dismiss(declaration_id, body["reason"]), status=200)


@api.get("/offices")
@api_key_required(Scope.DECLARATIONS_READ)
@api_docs(
    "Set-up", "What can be picked, with the codes of each channel", page_schema(OfficeOut), "All of them.", query=()
)
def list_offices() -> dict[str, Any]:
    return list_json(Page((), None), serializers.offices_json())


@api.get("/registrations")
@api_key_required(Scope.DECLARATIONS_READ)
@api_docs("Set-up", "Merchants' numbers with the offices (备案)", page_schema(RegistrationOut), "One page.", query=PAGE)
def list_registrations() -> dict[str, Any]:
    return _registrations_json()


def _registrations_json() -> dict[str, Any]:
    limit, cursor = page_arguments()
    with services().reading() as db:
        page = registrations.list_registrations(db, current_caller(), limit=limit, cursor=cursor)
        return list_json(page, [serializers.registration_json(row) for row in page.rows])


@api.put("/registrations")
@api_key_required(Scope.DECLARATIONS_WRITE)
@api_docs(
    "Set-up",
    "Put numbers on file, all or none",
    page_schema(RegistrationOut),
    "Taken; the first page of what is on file.",
    query=PAGE,
    body=RegistrationsIn,
)
def put_registrations() -> dict[str, Any]:
    body = validate_json(RegistrationsIn())
    with services().transaction() as db:
        now = database.now(db)
        registrations.put_registrations(db, body["registrations"], current_caller(), services().audit, now)
    return _registrations_json()


def _ready_once(body: dict[str, Any]) -> Callable[[], accept.Ready]:
    """Return a function that makes a body ready to be compared and stored when it is first called."""
    submission = accept.Submission(body["declarations"], body.get("name", ""), body["on_error"])
    caller = current_caller()
    return cache(lambda: accept.make_ready(services().engine, services().vault, services().rules, submission, caller))


def _decided(decide: Callable[[ReviewService], Declaration], status: int = 202) -> tuple[dict[str, Any], int]:
    """Carry out one person's decision and notify the workers once it is committed."""

    def work(db: Session) -> tuple[dict[str, Any], int]:
        service = ReviewService(
            db, current_caller(), database.now(db), services().policy, services().payments, services().audit
        )
        declaration = decide(service)
        return _declaration_json(db, declaration), status

    answer = idempotent(raw_body(), work)
    services().notifier.notify()
    return answer


def _batch_json(db: Session, batch_id: str, results: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    batch = queries.batch_of(db, batch_id, current_caller())
    return serializers.batch_json(batch, queries.progress_of(db, batch.id), queries.replays_of(db, batch.id), results)


def _declaration_json(db: Session, declaration: Declaration) -> dict[str, Any]:
    (shown,) = _declarations_json(db, [declaration])
    return shown


def _declarations_json(db: Session, declarations: Sequence[Declaration]) -> list[dict[str, Any]]:
    parts = services()
    return serializers.declarations_json(db, declarations, parts.vault, parts.policy, parts.payments, database.now(db))
