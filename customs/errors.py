"""What may go wrong, one class each: the class name is the code, the docstring the title, the status what HTTP says."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class ErrorDetail:
    """One thing wrong at one place of a request; `pointer` is a JSON pointer into the body."""

    pointer: str
    code: str
    detail: str


class CustomsError(Exception):
    """Something went wrong on our side."""

    status = 500

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Sequence[ErrorDetail] = (),
        not_before: datetime | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = tuple(errors)
        self.not_before = not_before
        self.retry_after = retry_after

    @property
    def title(self) -> str:
        return (type(self).__doc__ or "").strip().splitlines()[0].rstrip(".")

    @property
    def code(self) -> str:
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()


class MalformedRequest(CustomsError):
    """The request could not be read."""

    status = 400


class ApiKeyMissing(CustomsError):
    """An API key is needed: send it as `Authorization: Bearer <key>`."""

    status = 401


class ApiKeyInvalid(CustomsError):
    """This API key is unknown, expired or revoked."""

    status = 401


class NotSignedIn(CustomsError):
    """Nobody is signed in here any more."""

    status = 401


class InvalidCredentials(CustomsError):
    """This login and password do not fit, or whoever has them may not sign in."""

    status = 422


class OneTimeCodeRejected(CustomsError):
    """This one-time code is not the present one, or was used before."""

    status = 422


class LoginThrottled(CustomsError):
    """Signing in failed too often: it is possible again after a while."""

    status = 429


class RevealsLimited(CustomsError):
    """Nobody looks at more buyers within an hour: it is possible again after a while."""

    status = 429


class InsufficientScope(CustomsError):
    """This API key lacks the scope for that."""

    status = 403


class CsrfRejected(CustomsError):
    """This did not come from a page of this desk, so nothing was done."""

    status = 403


class NotFound(CustomsError):
    """There is nothing here that this caller may see."""

    status = 404


class PayloadTooLarge(CustomsError):
    """The request is larger than what is accepted."""

    status = 413


class UnsupportedEncoding(CustomsError):
    """The body is compressed in a way that is not accepted: use gzip, or none."""

    status = 415


class RateLimited(CustomsError):
    """This API key asks more often than it may."""

    status = 429


class ValidationFailed(CustomsError):
    """The request was understood and is not valid."""

    status = 422


class FileUnreadable(CustomsError):
    """The file is not what it says, or cannot be read as CSV, XLSX or JSON."""

    status = 422


class ActionNotAllowed(CustomsError):
    """A rule does not allow this action now."""

    status = 409


class ConcurrentUpdate(CustomsError):
    """Another request is changing the same things at this moment."""

    status = 409


class IdempotencyKeyInUse(CustomsError):
    """The first request with this Idempotency-Key is still running."""

    status = 409


class IdempotencyKeyReused(CustomsError):
    """This Idempotency-Key was used with another body."""

    status = 422


class GatewayUnavailable(CustomsError):
    """The gateway cannot be asked at this moment."""

    status = 503


class DatabaseUnavailable(CustomsError):
    """The database cannot be used now."""

    status = 503


class Misconfigured(CustomsError):
    """The environment does not say what is needed."""


class DecryptionKeyMissing(CustomsError):
    """A name or ID number was encrypted with a key that is not configured."""
