"""Forms: read what was typed, act, and redirect; or show the form again with what is wrong."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from flask import flash, redirect, request
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug import Response as WerkzeugResponse

from customs.auth.principal import Caller
from customs.errors import CustomsError, ErrorDetail, IdempotencyKeyReused, ValidationFailed
from customs.ids import new_id
from customs.web.error_catalog import describe_error, describe_field_error, describe_form_error
from customs.web.i18n import is_chinese
from customs.web.idempotency import FIELD, idempotent, retry_on_conflict
from customs.web.instrumentation import note_refusal
from customs.web.json_body import raw_body
from customs.web.labels import label_of
from customs.web.services import services
from customs.web.session_auth import safe_redirect_target
from customs.web.template_filters import exact

Done = TypeVar("Done")

CREATED = 201
# Statuses of errors that a person can mend in the form; every other error has a page of its own.
SHOWN_IN_FORM = frozenset([409, 413, 415, 422, 429, 503])
MOST_SENTENCES = 5
# Categories of flashed messages.
SUCCESS, DANGER = "success", "danger"


def handle_form(
    work: Callable[[], WerkzeugResponse], again: Callable[[CustomsError], WerkzeugResponse]
) -> WerkzeugResponse:
    """Return what the form's work answers; refused: the answer of `again`, which shows the form with what is wrong."""
    try:
        # Before anybody reads a field: an Idempotency-Key stands for the whole body.
        raw_body()
        return work()
    except CustomsError as error:
        if error.status not in SHOWN_IN_FORM:
            raise
        note_refusal(error)
        response = again(error)
        # htmx puts no answer with an error's status into the page.
        if response.status_code == 200 and "HX-Request" not in request.headers:
            response.status_code = error.status
            if error.retry_after is not None:
                response.headers["Retry-After"] = str(error.retry_after)
        return response


def submit_action(
    action: Callable[[Session], Done],
    then: str | Callable[[Done], str],
    message: str | Callable[[Done], str] = "",
    *,
    back: str | None = None,
) -> WerkzeugResponse:
    """Act in one transaction, notify the workers, and redirect to `then` with a message; refused: back, with why."""

    def work() -> WerkzeugResponse:
        done = retry_on_conflict(action)
        services().notifier.notify()
        if message:
            flash(message(done) if callable(message) else message, SUCCESS)
        return redirect(then(done) if callable(then) else then, 303)

    return handle_form(work, lambda error: redirect_with_error(error, back or return_address()))


def redirect_with_error(error: CustomsError, address: str) -> WerkzeugResponse:
    """Redirect to a page that shows what is wrong and what to do."""
    for sentence in error_sentences(error):
        flash(sentence, DANGER)
    return redirect(address, 303)


def return_address() -> str:
    """Return the address of the page that the form stands on, as the form names it."""
    return safe_redirect_target(request.form.get("back"))


def error_sentences(error: CustomsError) -> list[str]:
    """Describe an error in the language of the page: one sentence for each thing that is wrong."""
    codes = list(dict.fromkeys(one.code for one in error.errors)) or [error.code]
    details = {one.code: one.detail for one in reversed(error.errors)} or {error.code: error.detail}
    sentences = [_sentence(code, details[code]) for code in codes[:MOST_SENTENCES]]
    if error.not_before is not None:
        sentences.append(gettext("Possible from %(time)s.", time=exact(error.not_before)))
    if error.retry_after is not None:
        sentences.append(gettext("Try again in %(seconds)d seconds.", seconds=error.retry_after))
    return sentences


def _sentence(code: str, detail: str) -> str:
    described = describe_error(code, detail)
    # The exact detail is English only; it names amounts and numbers that the general words cannot.
    meaning = described.meaning if is_chinese() or not detail else detail
    meaning = meaning[:1].upper() + meaning[1:]
    if is_chinese():
        return f"{meaning.rstrip('。')}。{described.action}"
    return f"{meaning.rstrip('.')}. {described.action}"


@dataclass(frozen=True)
class Form:
    """A form to show: the typed values, a sentence for each field that is wrong, and the messages above all fields.

    `idempotency_key` is what the form carries: pressed twice, it acts once.
    """

    typed: Mapping[str, str] = field(default_factory=dict, repr=False)
    errors: Mapping[str, str] = field(default_factory=dict)
    messages: Collection[str] = ()
    idempotency_key: str = field(default_factory=lambda: new_id("once"))

    @classmethod
    def after(cls, error: CustomsError, typed: Mapping[str, str], fields: Collection[str]) -> "Form":
        """Return the form to show after an error, with a sentence at each of its `fields` that is wrong."""
        codes = {one.pointer.lstrip("/?"): one.code for one in reversed(error.errors)}
        errors = {name: describe_field_error(code) for name, code in codes.items() if name in fields}
        details = {error.code: error.detail} | {one.code: one.detail for one in reversed(error.errors)}
        messages = [text for code, detail in details.items() if (text := describe_form_error(code, detail))]
        key = request.form.get(FIELD) if not isinstance(error, IdempotencyKeyReused) else None
        return cls(typed, errors, messages or ([] if errors else error_sentences(error)), key or new_id("once"))

    def value(self, name: str, otherwise: str = "") -> str:
        """Return what stands in a field."""
        return self.typed.get(name, otherwise)


@dataclass(frozen=True)
class CreatedWithSecret:
    """Something new with a secret; `secret` is None when this form was sent before, and has shown it then."""

    id: str
    secret: str | None = field(repr=False)


def create_with_secret(create: Callable[[Session], tuple[str, str]]) -> CreatedWithSecret:
    """Create something once for each form, in one transaction; `create` returns its id and its secret."""
    secrets: list[str] = []

    def work(db: Session) -> tuple[dict[str, str], int]:
        created_id, secret = create(db)
        secrets[:] = [secret]
        # What is stored for a repeated form holds the id alone.
        return {"id": created_id}, CREATED

    answer, _ = idempotent(raw_body(), work)
    return CreatedWithSecret(answer["id"], secrets[0] if secrets else None)


def typed_fields(*names: str) -> dict[str, str]:
    """Return what was typed into these fields; an empty one is left out."""
    # Before anybody reads a field: an Idempotency-Key stands for the whole body.
    raw_body()
    return {name: value for name in names if (value := request.form.get(name, "").strip())}


def choices(words: Iterable[str]) -> list[tuple[str, str]]:
    """Return the options of a field: each word with its label."""
    return [(str(one), str(label_of(one).word)) for one in words]


def merchant_choices(caller: Caller) -> list[tuple[str, str]] | None:
    """Return a caller's own merchants; None for somebody who may name any."""
    return None if caller.merchants is None else choices(sorted(caller.merchants))


Choice = TypeVar("Choice")

# Also the commas and semicolons of Chinese keyboards.
BETWEEN_NUMBERS = re.compile(r"[\s,;\uff0c\u3001\uff1b]+")
LONGEST_NUMBER = 64
LONGEST_REASON = 500


def chosen_merchants() -> list[str]:
    """Return merchant numbers that were ticked, or typed with commas, blanks or line breaks between them."""
    numbers = [one for text in request.form.getlist("merchants") for one in BETWEEN_NUMBERS.split(text) if one]
    if any(len(one) > LONGEST_NUMBER or not one.isprintable() for one in numbers):
        raise _invalid("merchants", "merchants_invalid", f"a merchant number has at most {LONGEST_NUMBER} characters")
    return sorted(set(numbers))


def required_choice(name: str, choices: Mapping[str, Choice]) -> Choice:
    """Return what the chosen word of a list stands for. Raises ValidationFailed for a word that is not among them."""
    word = request.form.get(name, "")
    if word not in choices:
        raise _invalid(name, "choice", f"{name}: use one of {', '.join(choices)}")
    return choices[word]


def ticked_choices(name: str, choices: Collection[str]) -> list[str]:
    """Return the choices that were ticked, in their own order.

    Raises ValidationFailed for one that is not among them.
    """
    words = request.form.getlist(name)
    if not set(words) <= set(choices):
        raise _invalid(name, "choice", f"{name}: use some of {', '.join(choices)}")
    return [one for one in choices if one in words]


def required_text(name: str, longest: int) -> str:
    """Return a line of text that has to be there. Raises ValidationFailed."""
    text = request.form.get(name, "").strip()
    if not text:
        raise _invalid(name, "required", f"{name} is missing")
    if len(text) > longest or not text.isprintable():
        raise _invalid(name, "length", f"{name}: use at most {longest} visible characters")
    return text


def optional_text(name: str, longest: int) -> str | None:
    """Return a line of text, or None where it is left empty. Raises ValidationFailed."""
    return required_text(name, longest) if request.form.get(name, "").strip() else None


def required_reason() -> str:
    """Return why something is done. Raises ValidationFailed when no reason is given."""
    return required_text("reason", LONGEST_REASON)


def _invalid(name: str, code: str, detail: str) -> ValidationFailed:
    return ValidationFailed(detail, errors=[ErrorDetail(f"/{name}", code, detail)])
