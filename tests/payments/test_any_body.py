"""Any JSON, number and path about payments, on both databases: each may choke on what the other takes."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.payments.shop import SCAN, Counter, pay
from tests.payments.till import payment_row

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8)
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
FIELDS = [*payment_row(), "out_order_no", "openid", "auth_code", "appid", "code", "return_url", "ip", "extra", "x"]
changes = st.dictionaries(
    st.sampled_from(FIELDS),
    anything | st.sampled_from(["alipay", "cashier_desk", "mini_program_pay", "app_pay", "JPY", "0.01", "~", "=cmd|"]),
    max_size=3,
)
relaxed = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@relaxed
@given(body=anything | st.builds(lambda change: payment_row() | change, changes))
def test_no_json_makes_paying_a_5xx(erp, counter: Counter, body):
    assert erp.post("/payments", body).status_code in (201, 409, 422)


@relaxed
@given(body=anything | st.builds(lambda change: {"reason": "x", "amount": "0.01"} | change, changes))
def test_no_json_makes_a_refund_a_5xx(erp, counter: Counter, body):
    payment = (erp.get("/payments", status="PAID").json["data"] or [pay(erp, **SCAN)])[0]

    answer = erp.post(f"/payments/{payment['id']}/refunds", body)

    assert answer.status_code in (201, 409, 422)


@relaxed
@given(text=st.text(max_size=300))
@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/payments", "payment_no"),
        ("/payments", "merchant_no"),
        ("/payments", "cursor"),
        ("/payments", "since"),
        ("/refunds", "outer_refund_no"),
        ("/rates?channel=wechatpay&currency=HKD", "merchant_no"),
    ],
)
def test_no_query_makes_a_5xx(erp, counter: Counter, path: str, name: str, text: str):
    if "?" in path:
        path, _, rest = path.partition("?")
        query = dict(pair.split("=") for pair in rest.split("&"))
    else:
        query = {}

    assert erp.get(path, **query | {name: text}).status_code in (200, 422)


@pytest.mark.parametrize("number", ["%00", "..%2f..", "%ff", "𠮷", "x" * 5000])
@pytest.mark.parametrize("path", ["/payments/{}", "/payments/{}/events", "/refunds/{}"])
def test_what_is_not_there_is_404(erp, path: str, number: str):
    assert erp.get(path.format(number)).status_code == 404


def test_a_merchant_longer_than_any_has_no_rate(erp, counter: Counter):
    answer = erp.get("/rates", channel="wechatpay", currency="HKD", merchant_no="M" * 65)

    assert answer.status_code == 422
    assert counter.paths == []
