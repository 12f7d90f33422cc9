"""What a form does: one deed in one transaction, then the page that shows it; a refusal is told where it was asked."""

from collections.abc import Callable
from typing import TypeVar

from flask import flash, redirect, request
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug import Response as WerkzeugResponse

from customs.errors import CustomsError
from customs.web.error_catalog import describe_error
from customs.web.i18n import is_chinese
from customs.web.idempotency import retry_on_conflict
from customs.web.services import services
from customs.web.session_auth import safe_redirect_target
from customs.web.template_filters import exact

Done = TypeVar("Done")

# What a person can do something about where they stand; everything else has a page of its own.
TOLD_IN_PLACE = frozenset([409, 413, 415, 422, 429, 503])
MOST_TOLD = 5
DONE, REFUSED = "success", "danger"


def acted(
    deed: Callable[[Session], Done],
    then: str | Callable[[Done], str],
    said: str | Callable[[Done], str] = "",
    *,
    back: str | None = None,
) -> WerkzeugResponse:
    """Do it, ring for the workers, and go to `then`, where `said` is read; refused: back, with the reason."""
    try:
        done = retry_on_conflict(deed)
    except CustomsError as error:
        if error.status not in TOLD_IN_PLACE:
            raise
        return refused(error, back or came_from())
    services().notifier.notify()
    if said:
        flash(said(done) if callable(said) else said, DONE)
    return redirect(then(done) if callable(then) else then, 303)


def refused(error: CustomsError, back: str) -> WerkzeugResponse:
    """Back to where it was asked, with what is wrong and what to do."""
    for sentence in sentences(error):
        flash(sentence, REFUSED)
    return redirect(back, 303)


def came_from() -> str:
    """The page of ours that asked, as its form says it."""
    return safe_redirect_target(request.form.get("back"))


def sentences(error: CustomsError) -> list[str]:
    """An error in the language of the page: one sentence for each thing that is wrong."""
    codes = list(dict.fromkeys(fault.code for fault in error.errors)) or [error.code]
    details = {fault.code: fault.detail for fault in reversed(error.errors)} or {error.code: error.detail}
    said = [_sentence(code, details[code]) for code in codes[:MOST_TOLD]]
    if error.not_before is not None:
        said.append(gettext("Possible from %(time)s.", time=exact(error.not_before)))
    if error.retry_after is not None:
        said.append(gettext("Try again in %(seconds)d seconds.", seconds=error.retry_after))
    return said


def _sentence(code: str, detail: str) -> str:
    words = describe_error(code, detail)
    # The exact detail is English only; it names amounts and numbers that the general words cannot.
    meaning = words.meaning if is_chinese() or not detail else detail
    meaning = meaning[:1].upper() + meaning[1:]
    if is_chinese():
        return f"{meaning.rstrip('。')}。{words.action}"
    return f"{meaning.rstrip('.')}. {words.action}"
