"""A shop before a gateway on loopback: the API's client, and a gateway that keeps a ledger as simple as can be."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl

from tests.api.conftest import Erp
from tests.gateway.loopback import Loopback, Respond, answer
from tests.payments.till import payment_row

OPENID = "oQx43wJiwtsjv8C0lT5Lj7Mw1QZ4"
SCAN = {"method": "scan_pay", "auth_code": "135605691981176449"}
MINI = {"method": "mini_program_pay", "appid": "wx247c9d9d6191b108", "code": "081abc"}
NOWHERE = "pay_00000000000000000000000000000000"


def pay(erp: Erp, headers: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    answered = erp.post("/payments", payment_row(**changes), **headers or {})
    assert answered.status_code == 201, answered.text
    return answered.json


def refund(erp: Erp, payment_id: str, **changes: Any):
    return erp.post(f"/payments/{payment_id}/refunds", {"reason": "sold out"} | changes)


@dataclass
class Counter:
    """The gateway's side: pays what is shown at the till, refunds, exchanges login codes once, tells rates."""

    loopback: Loopback
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, dict[str, str]] = field(default_factory=dict)
    spent_codes: set[str] = field(default_factory=set)
    instead: Callable[[str], Respond | None] = lambda path: None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.loopback.respond = self.serve

    @property
    def paths(self) -> list[str]:
        return [f"{one.verb} {one.target.partition('?')[0]}" for one in list(self.loopback.received)]

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        with self._lock:
            path, _, query = handler.path.partition("?")
            # Calls that come together are told apart by their signatures.
            signature = handler.headers["Signature"]
            (mine, *_) = (one for one in self.loopback.received if one.headers.get("Signature") == signature)
            params = dict(parse_qsl(query or mine.body))
            verb = f"{handler.command} {path}"
            respond = self.instead(verb) or self._operation(verb, params)
        respond(handler)

    def _operation(self, verb: str, params: dict[str, str]) -> Respond:
        known = {
            "POST /order/scan_pay": self._paid,
            "POST /order/scanned_pay": self._opened,
            "POST /mini_program_pay": self._mini_program,
            "GET /order": self._order,
            "POST /refund": self._refund,
            "GET /refund": self._refund_asked,
            "GET /wx_openid": self._openid,
            "GET /rate": lambda shown: {"rate": {"currency": shown["currency"], "rate": "0.8599"}},
        }
        data = known[verb](params) if verb in known else None
        if data is None:
            return answer(json.dumps({"meta": {"success": False, "status_code": 404, "message": "unknown"}}), 404)
        return answer(json.dumps({"meta": {"success": True, "status_code": 200}, "data": data}, ensure_ascii=False))

    def _new(self, params: dict[str, str], status: str) -> dict[str, Any]:
        names = ("merchant_no", "currency", "amount", "agent_order_id", "product_info")
        order = {name: params[name] for name in names} | {
            "order_no": f"20170622{len(self.orders):08d}",
            "status": status,
            "openid": OPENID,
            "refund_status": "NONE",
        }
        return self.orders.setdefault(params["agent_order_id"], order)

    def _paid(self, params: dict[str, str]) -> dict[str, Any]:
        return {"order": self._new(params, "PAID")}

    def _opened(self, params: dict[str, str]) -> dict[str, Any]:
        order = self._new(params, "INIT")
        return {"code_url": "weixin://wxpay/bizpayurl?pr=abc", "order": order}

    def _mini_program(self, params: dict[str, str]) -> dict[str, Any]:
        order = self._new(params, "INIT")
        return {"prepay_id": "wx1", "timeStamp": "1", "nonceStr": "n", "paySign": "s", "order": order}

    def _order(self, params: dict[str, str]) -> dict[str, Any] | None:
        order = self.orders.get(params["agent_order_id"])
        return order and {"order": order}

    def _openid(self, params: dict[str, str]) -> dict[str, Any] | None:
        if params["code"] in self.spent_codes:
            return None
        self.spent_codes.add(params["code"])
        return {"openid": OPENID}

    def _refund(self, params: dict[str, str]) -> dict[str, Any] | None:
        (order,) = [one for one in self.orders.values() if one["order_no"] == params["order_no"]]
        if self.refunded + Decimal(params["refund_amount"]) > Decimal(order["amount"]):
            return None
        made = params | {"refund_no": f"R{len(self.refunds)}", "status": "SUCCESS"}
        return {"refund": self.refunds.setdefault(params["outer_refund_no"], made)}

    def _refund_asked(self, params: dict[str, str]) -> dict[str, Any] | None:
        made = self.refunds.get(params["outer_refund_no"])
        return made and {"refund": made}

    @property
    def refunded(self) -> Decimal:
        return sum((Decimal(one["refund_amount"]) for one in self.refunds.values()), Decimal())
