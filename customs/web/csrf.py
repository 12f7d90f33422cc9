"""CSRF protection: a request that changes something must come from a page of this site."""

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from flask import Flask, current_app, request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import MethodNotAllowed

from customs.errors import CsrfRejected

SAFE_METHODS = frozenset(["GET", "HEAD", "OPTIONS"])
# The API knows no session, which a foreign page could use: a key opens it.
API = "/api/"

View = TypeVar("View", bound=Callable[..., object])


def init_app(app: Flask) -> None:
    """Check every request before its view does."""
    app.before_request(_refuse_foreign)


def exempt(view: View) -> View:
    """Mark a view that knows no session and takes requests from elsewhere."""
    view.is_csrf_exempt = True  # type: ignore[attr-defined]
    return view


def _refuse_foreign() -> None:
    # A method that no view takes changes nothing: it ends as 405.
    is_refused_anyway = isinstance(request.routing_exception, MethodNotAllowed)
    if request.method in SAFE_METHODS or request.path.startswith(API) or is_refused_anyway:
        return
    view = current_app.view_functions.get(request.endpoint or "")
    if not (getattr(view, "is_csrf_exempt", False) or is_same_origin(request.headers, request.host)):
        raise CsrfRejected


def is_same_origin(headers: Headers, host: str) -> bool:
    """Whether a request comes from a page of this site: all that it says of its origin has to agree, and it must say.

    Browsers send Sec-Fetch-Site where the connection is trusted, and Origin with every POST.
    """
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    if site is None and origin is None:
        return False
    return site in (None, "same-origin") and (origin is None or urlsplit(origin).netloc.lower() == host.lower())
