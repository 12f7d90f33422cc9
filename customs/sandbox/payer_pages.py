"""The payer's pages as they look: one order to pay, the orders that wait, and why a cashier desk stays closed."""

from urllib.parse import urlsplit

from flask import Response, render_template_string

from customs.sandbox.page import STYLE

STATUSES = {"INIT": "等待付款", "PAID": "支付成功", "FAIL": "支付失败", "EXPIRED": "订单失效"}
CHANNELS = {"wechatpay": "微信支付 WeChat Pay", "alipay": "支付宝 Alipay"}

HEAD = f"""<!doctype html>
<html lang="zh">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>沙箱收银台 / Sandbox cashier</title>
<style>{STYLE}
main {{ max-width: 30rem; margin: 0 auto; }}
.amount {{ font-size: 2.2rem; font-weight: 600; margin: .5rem 0; }}
th {{ font-weight: 400; color: #5a6675; white-space: nowrap; }}
td {{ overflow-wrap: anywhere; }}
form {{ display: flex; gap: .75rem; }}
button {{ font: inherit; padding: .6rem 1.4rem; border: 1px solid #0a6b3d; border-radius: 6px;
  background: #fff; color: #0a6b3d; cursor: pointer; }}
button[value=pay] {{ background: #0a6b3d; color: #fff; }}
</style>
</head>
<body>
"""

ORDER = (
    HEAD
    + """<main>
<p>沙箱收银台,不会真正扣款。 <span lang="en">Sandbox cashier: no money moves.</span></p>
<h1>{{ channel }}</h1>
<p class="amount">{{ payment.currency }} {{ payment.content.amount }}</p>
<table>
<tbody>
<tr><th scope="row">商品 <span lang="en">Goods</span></th><td>{{ payment.subject }}</td></tr>
<tr><th scope="row">商户 <span lang="en">Merchant</span></th><td>{{ payment.content.merchant_no }}</td></tr>
<tr><th scope="row">平台订单号 <span lang="en">Order</span></th><td>{{ payment.payment_no }}</td></tr>
{% if payment.our_no %}<tr><th scope="row">商户订单号 <span lang="en">Merchant's order</span></th>
<td>{{ payment.our_no }}</td></tr>
{% endif %}<tr><th scope="row">状态 <span lang="en">Status</span></th>
<td>{{ statuses.get(payment.status, "") }} <code>{{ payment.status }}</code></td></tr>
</tbody>
</table>
{% if not payment.ended %}<form method="post" action="/pay/{{ payment.payment_no }}">
<button name="action" value="pay">付款 <span lang="en">Pay</span></button>
<button name="action" value="refuse">放弃 <span lang="en">Give up</span></button>
</form>
{% elif return_to %}<p><a href="{{ return_to }}">返回商户 <span lang="en">Back to the merchant</span></a></p>
{% endif %}</main>
</body>
</html>
"""
)

REFUSED = (
    HEAD
    + """<main>
<h1>无法进入收银台 <span lang="en">The cashier desk cannot be entered</span></h1>
<ul lang="en">
{% for one in wrong %}<li>{{ one }}</li>
{% endfor %}</ul>
</main>
</body>
</html>
"""
)

LISTED = (
    HEAD
    + """<h1>等待付款的订单 <span lang="en">Orders waiting for their payer</span></h1>
<table>
<thead><tr><th scope="col">订单 <span lang="en">Order</span></th>
<th scope="col">渠道 <span lang="en">Channel</span></th>
<th scope="col">金额 <span lang="en">Amount</span></th>
<th scope="col">商品 <span lang="en">Goods</span></th></tr></thead>
<tbody>
{% for payment in payments %}<tr>
<td><a href="/pay/{{ payment.payment_no }}">{{ payment.our_no or payment.payment_no }}</a></td>
<td>{{ channels[payment.channel] }}</td><td>{{ payment.currency }} {{ payment.content.amount }}</td>
<td>{{ payment.subject }}</td></tr>
{% else %}<tr><td colspan="4">没有 <span lang="en">None</span></td></tr>
{% endfor %}</tbody>
</table>
</body>
</html>
"""
)


def page(template: str, *, to: str = "", status: int = 200, **values: object) -> Response:
    """One of these pages; `to` is where its form may lead to in the end. Nothing from elsewhere, no script."""
    # A browser holds the redirect after a form to form-action too: the merchant's origin is named.
    policy = f"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self' {_origin(to)}".strip()
    html = render_template_string(template, statuses=STATUSES, channels=CHANNELS, **values)
    headers = {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY"}
    return Response(html, status=status, mimetype="text/html", headers=headers)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if url else ""
