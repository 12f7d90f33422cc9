"""Forms that are answered with a page: shown again with what is wrong, or with a secret that is shown this once."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from flask import Response, request
from sqlalchemy.orm import Session
from werkzeug import Response as WerkzeugResponse

from customs.auth.principal import Caller
from customs.errors import CustomsError, ErrorDetail, IdempotencyKeyReused, ValidationFailed
from customs.ids import new_id
from customs.web.error_catalog import describe_field_error, describe_form_error
from customs.web.form_actions import TOLD_IN_PLACE, sentences
from customs.web.idempotency import FIELD, idempotent
from customs.web.json_body import raw_body
from customs.web.labels import label_of

CREATED = 201


@dataclass(frozen=True)
class Made:
    """Something that was made. `secret`: None when this form was sent before, and has shown it then."""

    id: str
    secret: str | None = field(repr=False)


def answered(work: Callable[[], WerkzeugResponse], form: Callable[[Sequence[str]], Response]) -> WerkzeugResponse:
    """The page that a form's work leads to; refused: the form again with these sentences, and nothing typed is lost."""
    # Read before anybody looks at its fields: what tells one sending from another is the whole body.
    raw_body()
    try:
        return work()
    except CustomsError as error:
        if error.status not in TOLD_IN_PLACE:
            raise
        again = form(sentences(error))
        again.status_code = error.status
        return again


def made_once(make: Callable[[Session], tuple[str, str]]) -> Made:
    """Make something with a secret, in one transaction, once for each form; `make` gives its id and the secret."""
    secrets: list[str] = []

    def work(db: Session) -> tuple[dict[str, str], int]:
        made_id, secret = make(db)
        secrets[:] = [secret]
        # What is kept for a second sending holds the id alone.
        return {"id": made_id}, CREATED

    answer, _ = idempotent(raw_body(), work)
    return Made(answer["id"], secrets[0] if secrets else None)


@dataclass(frozen=True)
class Form:
    """What was typed by field, the sentence beneath each field that is wrong, and sentences about the whole.

    `idempotency_key` is what the form carries: pressed twice, it acts once.
    """

    typed: Mapping[str, str] = field(default_factory=dict, repr=False)
    errors: Mapping[str, str] = field(default_factory=dict)
    said: Collection[str] = ()
    idempotency_key: str = field(default_factory=lambda: new_id("once"))

    def value(self, name: str, otherwise: str = "") -> str:
        """What stands in a field."""
        return self.typed.get(name, otherwise)


def typed(*names: str) -> dict[str, str]:
    """What was typed into these fields; an empty one was left out."""
    # Read before anybody looks at its fields: what tells one sending from another is the whole body.
    raw_body()
    return {name: value for name in names if (value := request.form.get(name, "").strip())}


def choices(words: Iterable[str]) -> list[tuple[str, str]]:
    """What a field may be chosen from: each word with how it is called."""
    return [(str(one), str(label_of(one).word)) for one in words]


def merchants_to_choose(caller: Caller) -> list[tuple[str, str]] | None:
    """A caller's own merchants; None for somebody who may name any."""
    return None if caller.merchants is None else choices(sorted(caller.merchants))


def answered_at_fields(
    work: Callable[[], WerkzeugResponse],
    again: Callable[[Form], Response],
    asked: Mapping[str, str],
    fields: Collection[str],
) -> WerkzeugResponse:
    """What the work answers; refused: the page once more, with every fault at its field. `fields`: those it shows."""
    try:
        return work()
    except CustomsError as error:
        if error.status not in TOLD_IN_PLACE:
            raise
        response = again(refused(error, asked, fields))
        response.status_code = error.status
        return response


def refused(error: CustomsError, asked: Mapping[str, str], fields: Collection[str]) -> Form:
    """The form as it comes back after this error."""
    named = {fault.pointer.lstrip("/?"): fault.code for fault in reversed(error.errors)}
    at_fields = {name: describe_field_error(code) for name, code in named.items() if name in fields}
    details = {error.code: error.detail} | {one.code: one.detail for one in reversed(error.errors)}
    whole = [text for code, detail in details.items() if (text := describe_form_error(code, detail))]
    once = request.form.get(FIELD) if not isinstance(error, IdempotencyKeyReused) else None
    return Form(asked, at_fields, whole or ([] if at_fields else sentences(error)), once or new_id("once"))


Choice = TypeVar("Choice")

# Also the commas and semicolons of Chinese keyboards.
BETWEEN_NUMBERS = re.compile(r"[\s,;\uff0c\u3001\uff1b]+")
LONGEST_NUMBER = 64
LONGEST_REASON = 500


def merchants_chosen() -> list[str]:
    """Merchants by their numbers: ticked, or typed with commas, blanks or line breaks between them."""
    numbers = [one for text in request.form.getlist("merchants") for one in BETWEEN_NUMBERS.split(text) if one]
    if any(len(one) > LONGEST_NUMBER or not one.isprintable() for one in numbers):
        raise _invalid("merchants", "merchants_invalid", f"a merchant number has at most {LONGEST_NUMBER} characters")
    return sorted(set(numbers))


def one_of(name: str, choices: Mapping[str, Choice]) -> Choice:
    """What one choice of a list stands for. Raises ValidationFailed for a word that is not among them."""
    word = request.form.get(name, "")
    if word not in choices:
        raise _invalid(name, "choice", f"{name}: use one of {', '.join(choices)}")
    return choices[word]


def some_of(name: str, choices: Collection[str]) -> list[str]:
    """Those of some choices that were ticked, in their own order.

    Raises ValidationFailed for one that is not among them.
    """
    words = request.form.getlist(name)
    if not set(words) <= set(choices):
        raise _invalid(name, "choice", f"{name}: use some of {', '.join(choices)}")
    return [one for one in choices if one in words]


def text_given(name: str, longest: int) -> str:
    """One line of text that has to be there. Raises ValidationFailed."""
    text = request.form.get(name, "").strip()
    if not text:
        raise _invalid(name, "required", f"{name} is missing")
    if len(text) > longest or not text.isprintable():
        raise _invalid(name, "length", f"{name}: use at most {longest} visible characters")
    return text


def text_if_given(name: str, longest: int) -> str | None:
    """The same where it may be left empty; None then."""
    return text_given(name, longest) if request.form.get(name, "").strip() else None


def reason_given() -> str:
    """Why something is done, in a person's words. Raises ValidationFailed when they say nothing."""
    return text_given("reason", LONGEST_REASON)


def _invalid(name: str, code: str, detail: str) -> ValidationFailed:
    return ValidationFailed(detail, errors=[ErrorDetail(f"/{name}", code, detail)])
