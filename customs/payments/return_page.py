"""The page that a payer's browser returns to: it says that the payment is being checked, and claims nothing."""

import base64
import hashlib

from flask import Response

STYLE = "body{font:18px/1.6 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1rem;text-align:center}"
PAGE = f"""<!doctype html>
<html lang="zh">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>正在确认付款 / Checking the payment</title>
<style>{STYLE}</style>
</head>
<body>
<h1>正在确认付款</h1>
<p>结果以商家的通知为准,可以关闭本页。</p>
<p lang="en">The payment is being checked. The shop will tell you the result; you may close this page.</p>
</body>
</html>
"""


DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{DIGEST}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def page() -> Response:
    """The same for everybody: what the browser brought along is not looked at (R19)."""
    return Response(PAGE, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": POLICY})
