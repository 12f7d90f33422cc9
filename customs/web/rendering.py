"""Rendering of pages in their language under a strict content security policy, and the static files they use."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, current_app, render_template, request
from werkzeug import Response as WerkzeugResponse

from customs.errors import NotFound
from customs.web import i18n, template_filters
from customs.web import request as web_request
from customs.web.session_auth import ONE_YEAR, is_secure

# Nothing needs an inline script or style; Bootstrap draws small images from data: URLs.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    # With no-referrer, browsers would say nothing of the origin of a form either.
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
# The script announces an answer that is an error, and never puts it in the place of a fragment; what somebody has
# opened stays open when the part of the page around it comes again.
HTMX_CONFIG = (
    '{"includeIndicatorCSS":false,"history":"reload","noSwap":[204,304,"4xx","5xx"],'
    '"morphIgnore":["data-htmx-powered","open"]}'
)
# The extension that returns what the navigation around a page shows.
NAVIGATION = "navigation"
HTML = "text/html"
STATIC = Path(__file__).parent / "static"
# What may be served, and as what; licences and lists of versions stay in the folder.
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}
CACHED_FOREVER, REVALIDATED = "public, max-age=31536000, immutable", "no-cache"

static_files = Blueprint("static_files", __name__)


def init_app(app: Flask) -> None:
    """Give templates their filters and globals, and put security headers on every page."""
    i18n.init_app(app)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters |= template_filters.FILTERS
    app.jinja_env.globals |= {
        "asset": asset_url,
        "htmx_config": HTMX_CONFIG,
        "html_language": i18n.html_language,
        "url_with": web_request.url_with,
    }
    app.after_request(_secure)


def render_bare_page(template: str, http_status: int = 200, **shown: Any) -> Response:
    """Render a page without navigation, for anybody."""
    return Response(render_template(template, **shown), http_status, content_type=f"{HTML}; charset=utf-8")


def render_page(template: str, http_status: int = 200, **shown: Any) -> Response:
    """Render a page inside the navigation, for somebody who signed in."""
    navigation = current_app.extensions[NAVIGATION]()
    return render_bare_page(template, http_status, **navigation, **shown)


def render_fragment(template: str, **shown: Any) -> Response:
    """Render a part of a page, which the page itself asks for."""
    return render_bare_page(template, **shown)


def wants_html() -> bool:
    """Whether the client is a browser; one that accepts anything is a program."""
    return HTML in request.headers.get("Accept", "")


def _secure(response: Response) -> Response:
    if response.mimetype == HTML:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
    if is_secure():
        response.headers["Strict-Transport-Security"] = f"max-age={ONE_YEAR}"
    return response


@static_files.get("/static/<path:name>")
def static_file(name: str) -> WerkzeugResponse:
    if name not in servable():
        raise NotFound
    response = Response(_content(name), content_type=CONTENT_TYPES[Path(name).suffix])
    response.headers["Cache-Control"] = CACHED_FOREVER if request.args.get("v") == version(name) else REVALIDATED
    response.set_etag(version(name))
    return response.make_conditional(request)


def asset_url(name: str) -> str:
    """Return the address of a static file, which changes when the file does. Raises KeyError for one not served."""
    if name not in servable():
        raise KeyError(name)
    return f"/static/{name}?v={version(name)}"


@cache
def servable() -> frozenset[str]:
    """Return the names of all files that are served, relative to the static folder."""
    return frozenset(file.relative_to(STATIC).as_posix() for file in STATIC.rglob("*") if file.suffix in CONTENT_TYPES)


@cache
def version(name: str) -> str:
    """Return ten hexadecimal digits of the digest of a file."""
    return hashlib.sha256(_content(name)).hexdigest()[:10]


@cache
def _content(name: str) -> bytes:
    return (STATIC / name).read_bytes()
