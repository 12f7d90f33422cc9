"""How the developers' pages are sent: rendered, under a policy that lets nothing in from elsewhere."""

from typing import Any

from flask import Response, render_template

# Swagger UI draws its arrows from data: URLs; nothing needs an inline script or style.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def page(template: str, **shown: Any) -> Response:
    """A page of ours, for anybody."""
    headers = {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"}
    return Response(render_template(template, **shown), content_type="text/html; charset=utf-8", headers=headers)
