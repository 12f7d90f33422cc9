"""Who may call which view: keys, scopes, and 404 for everything that is another merchant's, on every route."""

from decimal import Decimal

import pytest

from customs.auth.principal import Scope
from customs.ids import new_id
from customs.payments.models import Refund
from tests import make

READS, WRITES, REVIEWS = Scope.DECLARATIONS_READ, Scope.DECLARATIONS_WRITE, Scope.DECLARATIONS_REVIEW
EXPECTED, ANY = Scope.WEBHOOKS_WRITE, None
LOOKS, COLLECTS, REFUNDS = Scope.PAYMENTS_READ, Scope.PAYMENTS_WRITE, Scope.REFUNDS_WRITE

# Typed by hand: a new route has to be added here, with the scope it needs.
ROUTES = {
    ("POST", "/batches"): WRITES,
    ("GET", "/batches"): READS,
    ("GET", "/batches/<batch_id>"): READS,
    ("POST", "/declarations/preflight"): READS,
    ("GET", "/declarations"): READS,
    ("GET", "/declarations/<declaration_id>"): READS,
    ("GET", "/declarations/<declaration_id>/events"): READS,
    ("POST", "/declarations/<declaration_id>/redeclare"): WRITES,
    ("POST", "/declarations/<declaration_id>/modify"): WRITES,
    ("POST", "/declarations/<declaration_id>/cancel"): WRITES,
    ("POST", "/declarations/<declaration_id>/dismiss"): REVIEWS,
    ("GET", "/offices"): READS,
    ("GET", "/registrations"): READS,
    ("PUT", "/registrations"): WRITES,
    ("POST", "/payments"): COLLECTS,
    ("GET", "/payments"): LOOKS,
    ("GET", "/payments/<payment_id>"): LOOKS,
    ("GET", "/payments/<payment_id>/events"): LOOKS,
    ("POST", "/payments/<payment_id>/refunds"): REFUNDS,
    ("GET", "/refunds"): LOOKS,
    ("GET", "/refunds/<refund_id>"): LOOKS,
    ("GET", "/rates"): LOOKS,
    ("GET", "/bills"): LOOKS,
    ("GET", "/lanes"): READS,
    ("GET", "/lanes/<lane_id>"): READS,
    ("POST", "/lanes/<lane_id>/resume"): REVIEWS,
    # Every key sees the events of what it may read.
    ("GET", "/events"): ANY,
    ("GET", "/events/<event_id>"): ANY,
    ("POST", "/events/<event_id>/resend"): EXPECTED,
    ("POST", "/webhook-endpoints"): EXPECTED,
    ("GET", "/webhook-endpoints"): EXPECTED,
    ("GET", "/webhook-endpoints/<endpoint_id>"): EXPECTED,
    ("DELETE", "/webhook-endpoints/<endpoint_id>"): EXPECTED,
    ("GET", "/webhook-endpoints/<endpoint_id>/deliveries"): EXPECTED,
    ("POST", "/webhook-endpoints/<endpoint_id>/rotate"): EXPECTED,
    ("POST", "/webhook-endpoints/<endpoint_id>/resume"): EXPECTED,
    ("POST", "/webhook-endpoints/<endpoint_id>/test"): EXPECTED,
    # Every key sees what it asked itself.
    ("GET", "/requests"): ANY,
    ("GET", "/requests/<request_id>"): ANY,
}
BODIES = {
    "redeclare": {"reason": "x"},
    "modify": {"reason": "x", "duty": 1},
    "cancel": {"reason": "x"},
    "dismiss": {"reason": "x"},
    "refunds": {"reason": "x"},
}
PAYMENT = {
    "channel": "wechatpay",
    "method": "scanned_pay",
    "merchant_no": make.MERCHANT,
    "amount": "10.00",
    "currency": "HKD",
    "subject": "tea",
}


def routes(client):
    for rule in client.application.url_map.iter_rules():
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            yield method, rule


def test_every_route_of_the_api_stands_in_the_table_above(client):
    served = {(method, rule.rule) for method, rule in routes(client) if rule.rule.startswith("/api/")}

    # The contract itself is for everybody.
    assert served - {("GET", "/api/v1/openapi.json")} == {(method, f"/api/v1{path}") for method, path in ROUTES}


def test_no_route_of_the_api_opens_without_a_key(client):
    for method, path in ROUTES:
        answer = client.open(f"/api/v1{path}", method=method)

        assert (answer.status_code, answer.json["code"]) == (401, "api_key_missing"), path
        assert "Bearer" in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer x", "Basic eDp4", "Bearer \x80", "bearer  ck_test_x"], ids=repr
)
def test_a_key_that_is_none_is_no_key(client, header: str):
    assert client.get("/api/v1/batches", headers={"Authorization": header}).status_code == 401


def test_a_revoked_key_opens_nothing(erp, desk):
    desk.revoke_keys()

    assert (erp.get("/batches").status_code, erp.get("/batches").json["code"]) == (401, "api_key_invalid")


def test_each_view_opens_to_its_own_scope_and_to_no_other(limited):
    keys = {scope: limited(scope) for scope in Scope}
    for (method, path), needed in ROUTES.items():
        for scope, key in keys.items():
            answer = key.call(method, path, json={})

            expected = needed is not ANY and scope not in (needed, Scope.ADMIN)
            assert (answer.status_code == 403) == expected, (method, path, scope)


def test_an_override_needs_the_scope_of_review(limited, desk):
    writer = limited(READS, WRITES)
    declaration = writer.declare()
    desk.work(lambda _: make.reply("FAIL", desk.now))

    answer = writer.post(f"/declarations/{declaration['id']}/redeclare", {"reason": "x", "override": True})

    assert (answer.status_code, answer.json["code"]) == (403, "insufficient_scope")


def test_what_is_another_merchants_is_404_on_every_route(client, erp, stranger, desk):
    declaration = erp.declare()
    desk.work(lambda _: make.reply("EXCEPT", desk.now))
    payment = erp.post("/payments", PAYMENT).json
    ids = {"batch_id": declaration["batch_id"], "declaration_id": declaration["id"], "payment_id": payment["id"]}
    ids["refund_id"] = refund_of(desk, payment)
    ids["request_id"] = erp.get("/requests").json["data"][0]["request_id"]
    ids["event_id"] = erp.get("/events").json["data"][0]["id"]
    ids["endpoint_id"] = erp.post("/webhook-endpoints", {"url": "https://erp.example/hook"}).json["id"]
    walked = 0
    for method, rule in routes(client):
        if not rule.arguments or "lane_id" in rule.arguments or not rule.rule.startswith("/api/"):
            continue
        path = rule.rule.removeprefix("/api/v1")
        for name, value in ids.items():
            path = path.replace(f"<{name}>", value)

        answer = stranger.call(method, path, json=BODIES.get(path.rsplit("/", 1)[-1]))

        assert (answer.status_code, answer.json["code"]) == (404, "not_found"), path
        walked += 1
    assert walked == 20
    assert erp.get(f"/refunds/{ids['refund_id']}").status_code == 200
    assert erp.get(f"/declarations/{declaration['id']}").json["state"] == "EXCEPT"


def refund_of(desk, payment) -> str:
    """A refund of this payment, as the database holds it."""
    refund_id = new_id("ref")
    numbers = {"payment_no": make.number("P"), "outer_refund_no": make.number("R")}
    copied = {name: payment[name] for name in ("merchant_no", "channel", "currency")}
    with desk.services.transaction() as db:
        db.add(
            Refund(
                id=refund_id,
                payment_id=payment["id"],
                amount=Decimal(1),
                reason="x",
                sender="an ERP",
                created_at=desk.now,
                **numbers,
                **copied,
            )
        )
    return refund_id


def test_what_does_not_exist_looks_just_like_what_is_another_merchants(erp, stranger):
    declaration = erp.declare()

    theirs = stranger.get(f"/declarations/{declaration['id']}").json
    nobodys = stranger.get(f"/declarations/{declaration['id'][:-1]}0").json

    assert {**theirs, "request_id": None} == {**nobodys, "request_id": None}


@pytest.mark.parametrize("path", ["/batches", "/declarations", "/registrations", "/payments", "/refunds"])
def test_lists_hold_nothing_of_another_merchant(erp, stranger, desk, path: str):
    erp.declare()
    refund_of(desk, erp.post("/payments", PAYMENT).json)
    row = {"merchant_no": "M100", "channel": "wechatpay", "office": "HANGZHOU", "mch_customs_no": "REG-1"}
    erp.put("/registrations", {"registrations": [row]})

    assert len(erp.get(path).json["data"]) == 1
    assert stranger.get(path).json["data"] == []


def test_a_batch_with_rows_of_two_merchants_is_seen_by_who_may_touch_both(client, erp, stranger):
    batch = erp.hand_in(make.declaration_row(), make.declaration_row(merchant_no="M999"))

    assert stranger.get(f"/batches/{batch['id']}").status_code == 404
    assert [one["merchant_no"] for one in stranger.get("/declarations").json["data"]] == ["M999"]


def test_a_merchant_that_is_not_the_callers_is_refused_by_name(stranger):
    answer = stranger.post("/batches", {"declarations": [make.declaration_row()]})

    assert (answer.status_code, answer.json["errors"][0]["code"]) == (422, "merchant_unknown")


def test_a_registration_of_another_merchant_cannot_be_put(erp, stranger):
    row = {"merchant_no": "M100", "channel": "wechatpay", "office": "HANGZHOU", "mch_customs_no": "REG-1"}

    answer = stranger.put("/registrations", {"registrations": [row]})

    assert (answer.status_code, answer.json["errors"][0]["code"]) == (422, "merchant_unknown")
    assert erp.get("/registrations").json["data"] == []


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_health_and_metrics_need_no_key(client, path: str):
    assert client.get(path).status_code == 200
