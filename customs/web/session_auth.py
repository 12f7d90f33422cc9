"""Sign-in sessions of pages: views open to users who signed in, and to those whose role has the scope."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import ParamSpec, TypeVar
from urllib.parse import quote, urlsplit

from flask import current_app, g, redirect, request, url_for
from werkzeug import Response as WerkzeugResponse

from customs.auth.principal import Scope
from customs.auth.sessions import LoginSession, is_seen_anew, note_seen, session_of
from customs.auth.totp import CodeStep, code_step_of
from customs.errors import NotFound, NotSignedIn
from customs.web.json_body import allow_large_body
from customs.web.request import current_caller
from customs.web.services import services

P = ParamSpec("P")
R = TypeVar("R")

COOKIE = "customs_session"
# Over HTTPS the browser itself holds a cookie of this name to one host and to secure connections.
SECURE_COOKIE = f"__Host-{COOKIE}"
DEVICE_COOKIE = "customs_device"
ONE_YEAR = 31_536_000
LONGEST_PLACE = 500
# Where somebody is sent who has to do something else first.
TOTP_VIEWS = {CodeStep.ASK: "account.ask_code", CodeStep.SET_UP: "account.set_up_code"}


def login_required(
    scope: Scope | None = None, *, to_unfinished: bool = False
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Open a view to users with this scope; None: to everybody who signed in.

    `to_unfinished`: also before the one-time code was given or a password of one's own was chosen.
    """

    def guard(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R | WerkzeugResponse:
            session = load_session()
            if session is None:
                return _to_sign_in()
            if not to_unfinished and (place := _unfinished(session)):
                return redirect(place, 303)
            if scope is not None:
                current_caller().require(scope)
            if not request.path.isprintable():
                # No id holds a NUL, which PostgreSQL does not know, or a line's end, which no header may have.
                raise NotFound
            if not to_unfinished:
                allow_large_body()
            return view(*args, **kwargs)

        return guarded  # type: ignore[return-value]

    return guard


def current_session() -> LoginSession:
    """Return the session behind this page; only behind `login_required`."""
    session: LoginSession = g.session
    return session


def set_session_cookie(response: WerkzeugResponse, token: str) -> WerkzeugResponse:
    """Give a browser its session; the one it had is worth nothing any more."""
    response.set_cookie(_cookie(), token, httponly=True, samesite="Lax", secure=is_secure(), path="/")
    return response


def clear_session_cookie(response: WerkzeugResponse) -> WerkzeugResponse:
    """Take a browser's session away."""
    response.delete_cookie(_cookie(), httponly=True, samesite="Lax", secure=is_secure(), path="/")
    return response


def remember_device(response: WerkzeugResponse, device: str) -> WerkzeugResponse:
    """Let a browser be known at its next sign-in."""
    response.set_cookie(
        _device_cookie(), device, max_age=ONE_YEAR, httponly=True, samesite="Strict", secure=is_secure(), path="/"
    )
    return response


def kept_device() -> str | None:
    """Return the mark of an earlier sign-in that the browser sent."""
    return request.cookies.get(_device_cookie())


def session_token() -> str | None:
    """Return the token that the browser sent."""
    return request.cookies.get(_cookie())


def is_secure() -> bool:
    """Whether this desk is reached over HTTPS."""
    return request.is_secure or services().settings.public_url.startswith("https://")


def safe_redirect_target(text: str | None) -> str:
    """Return an address inside this desk to go on to; the workbench for everything that leads elsewhere."""
    place = (text or "").strip()
    plain = place.isascii() and place.isprintable() and "\\" not in place and len(place) <= LONGEST_PLACE
    if not (plain and place.startswith("/") and not place.startswith("//")):
        return "/"
    parts = urlsplit(place)
    return "/" if parts.scheme or parts.netloc else place


def request_time() -> datetime:
    """Return the database's time, for this request."""
    with services().reading() as db:
        now: datetime = current_app.extensions["clock"](db.connection())
    return now


def load_session() -> LoginSession | None:
    """Return the session of this request, if there is one; it is read once."""
    if "session" not in g:
        g.session = _look()
        if g.session is not None:
            g.caller = g.session.caller
    session: LoginSession | None = g.session
    return session


def _cookie() -> str:
    return SECURE_COOKIE if is_secure() else COOKIE


def _device_cookie() -> str:
    return f"__Host-{DEVICE_COOKIE}" if is_secure() else DEVICE_COOKIE


def _look() -> LoginSession | None:
    token = session_token()
    if not token:
        return None
    with services().reading() as db:
        now = current_app.extensions["clock"](db.connection())
        session = session_of(db, token, now)
    # Times of the database are shown relative to its own clock ("3 minutes ago").
    g.page_time = now
    if session is not None and is_seen_anew(session, now):
        with services().transaction() as db:
            note_seen(db, session.session_id, now)
    return session


def _unfinished(session: LoginSession) -> str | None:
    """Return the page of what has to be done before anything else opens."""
    step = code_step_of(session, services().settings)
    if step in TOTP_VIEWS:
        return url_for(TOTP_VIEWS[step])
    return url_for("account.account") if session.person.must_change_password else None


def _to_sign_in() -> WerkzeugResponse:
    if request.headers.get("HX-Request"):
        # A fragment has no place for a whole page: the script loads the page anew.
        raise NotSignedIn
    here = request.full_path.rstrip("?") if request.method == "GET" else "/"
    return redirect(f"/sign-in?next={quote(here, safe='')}", 303)
