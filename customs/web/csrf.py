"""No other site may act with a person's session: a request that changes something says where it comes from."""

from urllib.parse import urlsplit

from flask import Flask, request
from werkzeug.datastructures import Headers

from customs.errors import CsrfRejected
from customs.payments.collect.create import NOTIFY_PATH

READING = frozenset(["GET", "HEAD", "OPTIONS"])
# These doors know no session: a key opens the API, and the gateway signs what it tells.
WITHOUT_SESSION = ("/api/", NOTIFY_PATH)


def init_app(app: Flask) -> None:
    """Look at every request before its door does."""
    app.before_request(_refuse_foreign)


def _refuse_foreign() -> None:
    if request.method in READING or request.path.startswith(WITHOUT_SESSION):
        return
    if not is_own(request.headers, request.host):
        raise CsrfRejected


def is_own(headers: Headers, host: str) -> bool:
    """Whether a request comes from a page of ours: all that it says of its origin has to agree, and it must say.

    Browsers send Sec-Fetch-Site where the connection is trusted, and Origin with every POST.
    """
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    if site is None and origin is None:
        return False
    return site in (None, "same-origin") and (origin is None or urlsplit(origin).netloc.lower() == host.lower())
