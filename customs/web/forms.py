"""Forms that are answered with a page: shown again with what is wrong, or with a secret that is shown this once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from flask import Response
from sqlalchemy.orm import Session
from werkzeug import Response as WerkzeugResponse

from customs.errors import CustomsError
from customs.web.bodies import raw_body
from customs.web.deeds import TOLD_IN_PLACE, sentences
from customs.web.once import once

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

    answer, _ = once(raw_body(), work)
    return Made(answer["id"], secrets[0] if secrets else None)
