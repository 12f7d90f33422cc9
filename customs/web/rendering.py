"""Rendering of pages in their language, under a content security policy that lets nothing in from elsewhere."""

from typing import Any

from flask import Flask, Response, current_app, render_template, request

from customs.web import i18n, static_files, template_filters
from customs.web import request as web_request
from customs.web.session_auth import is_secure

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
# An answer that is an error is said by the script, and never put in the place of a fragment; what somebody has opened
# stays open when the part of the page around it comes again.
HTMX_CONFIG = (
    '{"includeIndicatorCSS":false,"history":"reload","noSwap":[204,304,"4xx","5xx"],'
    '"morphIgnore":["data-htmx-powered","open"]}'
)
ONE_YEAR = 31_536_000
# The extension that returns what the navigation around a page shows.
NAVIGATION = "navigation"
HTML = "text/html"


def init_app(app: Flask) -> None:
    """Give templates their filters and globals, and put security headers on every page."""
    i18n.init_app(app)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(template_filters.FILTERS)
    app.jinja_env.globals.update(
        asset=static_files.asset_url,
        htmx_config=HTMX_CONFIG,
        html_language=i18n.html_language,
        url_with=web_request.url_with,
    )
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
