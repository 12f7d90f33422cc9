"""The forms of the desk as somebody fills them in who knows what they do."""

from tests.web.crowded import Crowd

# One word for each name of a field: what fits wherever a field is called so.
WORDS = {
    "reason": "because it has to be",
    "text": "somebody looks at it",
    "once": "a form of a test",
    "name": "a name",
    "role": "clerk",
    "login": "somebody.new",
    "lifetime": "90",
    "overlap": "0",
    "scopes": "declarations:read",
    "url": "http://127.0.0.1:9/",
    "subscribe_all": "1",
    "whom": "merchant",
    "code_too": "on",
    "override": "on",
    "language": "en",
    "query": "state=FAIL",
    "assignee": "me",
    "merchants": "M100",
    "merchant_no": "M100",
    "channel": "wechatpay",
    "office": "HANGZHOU",
    "mch_customs_no": "110396T0002",
    "duty": "88",
    "amount": "1.00",
    "currency": "CNY",
    "method": "wechatpay.scanned_pay",
    "subject": "tea",
    "start": "2026-11-01",
    "end": "2026-11-02",
    "revision": "1",
    "kept": "2",
    "row": "2",
    "code": "123456",
    "old": "a password of the tests",
    "new": "another password of the tests",
    "password": "a password of the tests",
}
FILE = (
    b"channel,office,merchant_no,out_order_no,payment_no,mch_customs_no\nwechatpay,HANGZHOU,M100,O-2,P-2,110396T0001\n"
)
# Where a name stands for something else than elsewhere.
OF_ONE = {
    "/import/<draft_id>/columns/<int:place>": {"column": "duty"},
    "/import/<draft_id>/replace": {"column": "office", "row": "2", "value": "HANGZHOU"},
    "/developers/events/<event_id>/resend": {},
}


def filled_in(crowd: Crowd, rule: str) -> dict[str, str]:
    """A form's fields and more: a view reads those that it knows."""
    ids = {"ids": crowd.ids["declaration_id"], "endpoint_id": crowd.ids["endpoint_id"], "cause": crowd.ids["cause_id"]}
    return WORDS | ids | OF_ONE.get(rule, {})
