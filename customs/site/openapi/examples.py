"""Examples of bodies: each one is accepted as it is by a fresh desk that speaks to the sandbox."""

from typing import Any

from customs.web.response_fields import ID_DIGITS

SPLIT: dict[str, Any] = {
    "channel": "wechatpay",
    "office": "GUANGZHOU_HUANGPU",
    "merchant_no": "M100",
    "out_order_no": "18051893975650968",
    "payment_no": "2018051816320384498567689",
    "mch_customs_no": "123456789BTW",
    "duty": 88,
    "submit": "now",
    "buyer": {"name": "李雷", "cert_id": "11010519491231002X"},
    "sub_orders": [
        {"sub_order_no": "S1", "amount": "46.44", "transport_amount": "23.22", "product_amount": "23.22"},
        {"sub_order_no": "S2", "amount": "10.00", "transport_amount": "0.00", "product_amount": "10.00"},
    ],
}
UNSPLIT: dict[str, Any] = {
    "channel": "alipay",
    "office": "SHENZHEN",
    "merchant_no": "M100",
    "out_order_no": "18051893975650969",
    "payment_no": "2018051821001004498567690",
    "mch_customs_no": "123456789BTW",
    "merchant_customs_name": "深圳市禾木优选供应链有限公司",
}
BATCHES: dict[str, Any] = {
    "a split order": {"name": "first", "declarations": [SPLIT]},
    "a whole order, the good rows taken": {"on_error": "accept_valid", "declarations": [UNSPLIT]},
}
REASON: dict[str, Any] = {"a reason": {"reason": "the office asked for it"}}
REDECLARE: dict[str, Any] = {
    "all that failed": {"reason": "the office was down"},
    "a FAIL as it is": {"reason": "customs confirmed by phone", "override": True},
}
MODIFY: dict[str, Any] = {
    "another duty": {"reason": "the duty was wrong", "duty": 90},
    "one part of a split order": {
        "reason": "the freight was wrong",
        "sub_orders": [{"sub_order_no": "S1", "amount": "46.45", "transport_amount": "23.23"}],
    },
}
REGISTRATIONS: dict[str, Any] = {
    "one": {
        "registrations": [
            {
                "merchant_no": "M100",
                "channel": "wechatpay",
                "office": "GUANGZHOU_HUANGPU",
                "mch_customs_no": "123456789BTW",
            }
        ]
    }
}
PAYMENTS: dict[str, Any] = {
    "a QR code": {
        "channel": "wechatpay",
        "method": "scanned_pay",
        "merchant_no": "M100",
        "amount": "10.00",
        "currency": "HKD",
        "subject": "tea",
    }
}
REFUNDS: dict[str, Any] = {
    "all that is left": {"reason": "sold out"},
    "a part": {"reason": "one box was broken", "amount": "3.00"},
}
BATCH: dict[str, Any] = {
    "id": f"bat_{ID_DIGITS}",
    "name": "first",
    "state": "RUNNING",
    "counts": {
        "total": 1,
        "UNDECLARED": 1,
        "SUBMITTED": 0,
        "PROCESSING": 0,
        "SUCCESS": 0,
        "FAIL": 0,
        "EXCEPT": 0,
        "cancelled": 0,
        "needs_review": 0,
        "open_rows": 0,
    },
    "created_at": "2026-11-23T08:00:00.000Z",
    "findings": [],
    "replayed": [],
}
# By the names of operations.
BODIES: dict[str, dict[str, Any]] = {
    "create_batch": BATCHES,
    "preflight": BATCHES,
    "redeclare": REDECLARE,
    "modify": MODIFY,
    "cancel": REASON,
    "dismiss": REASON,
    "put_registrations": REGISTRATIONS,
    "create_payment": PAYMENTS,
    "create_refund": REFUNDS,
}
RESPONSES: dict[str, dict[str, Any]] = {"create_batch": BATCH, "read_batch": BATCH}
