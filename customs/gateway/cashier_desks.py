"""Links to the gateway's own cashier desks (4.6, 4.7, 6.4), which the payer's browser opens."""

from collections.abc import Mapping

from customs.gateway.endpoints import check
from customs.gateway.errors import Misuse
from customs.gateway.methods import Method
from customs.gateway.payment_request import Sale
from customs.gateway.signing import encoded_pairs

# What the browser brings back to return_url (4.6.3, 4.7.3, 6.4.3), `trade_type` also as the document spells it.
BROUGHT_BACK = frozenset(
    {
        "no",
        "agent_order_id",
        "out_order_no",
        "merchant_no",
        "currency",
        "amount",
        "exchange_rate",
        "tarde_type",
        "trade_type",
        "product_info",
        "subject",
        "trade_time",
        "status",
    }
)


def cashier_url(base_url: str, method: Method, sale: Sale, extra: Mapping[str, str] | None = None) -> str:
    """The link that leads the payer to the desk; `return_url` is among the sale's own inputs.

    `extra` comes back on return_url (4.6.4); empty values are left out. Raises Misuse when a name of it is one of
    the document's, and for a method that is no desk.
    """
    if not method.is_cashier_desk:
        raise Misuse(f"{method.endpoint.path} is no cashier desk ({method.endpoint.section})")
    kept = {name: value for name, value in (extra or {}).items() if value}
    if taken := kept.keys() & (method.endpoint.known | BROUGHT_BACK | {""}):
        raise Misuse(f"names of the document itself: {', '.join(sorted(taken))}")
    params = method.params(sale) | kept
    if errors := check(method.endpoint, params):
        raise Misuse(f"{method.endpoint.name}: {'; '.join(errors)}")
    try:
        # A browser sends no headers, hence no signature: the parameters go plain.
        return f"{base_url.rstrip('/')}{method.endpoint.path}?{encoded_pairs(params)}"
    except UnicodeEncodeError:
        raise Misuse(f"{method.endpoint.name}: a value is not valid Unicode") from None
