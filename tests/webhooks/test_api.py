"""The API of events and webhooks: secrets shown once, what each key sees, what is refused and why."""

import pytest
from sqlalchemy import text

from customs.auth.principal import Scope
from customs.container import Services
from customs.events.outbox import EventType
from tests import make
from tests.api.conftest import Erp
from tests.webhooks.courier import Courier
from tests.webhooks.receiver import Receiver, status

PAID, REFUNDED = EventType.PAYMENT_PAID, EventType.REFUND_SUCCEEDED
NOWHERE = "whe_00000000000000000000000000000000"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def listen(erp: Erp, url: str = "http://127.0.0.1:9/", **changes):
    answered = erp.post("/webhook-endpoints", {"url": url} | changes)
    assert answered.status_code == 201, answered.text
    return answered.json


def test_a_secret_is_shown_once_and_sealed(erp: Erp, services: Services):
    made = listen(erp, types=["payment.paid"], description="the ERP")

    shown = erp.get(f"/webhook-endpoints/{made['id']}").json
    with services.engine.connect() as db:
        kept = db.execute(text("SELECT secret FROM webhook_endpoints")).scalar_one()
    assert made["secret"].startswith("whsec_")
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    assert shown["types"] == ["payment.paid"]
    assert (shown["state"], shown["merchants"], shown["description"]) == ("active", None, "the ERP")
    assert made["secret"] not in kept
    assert "secret" not in erp.get("/webhook-endpoints").json["data"][0]


def test_an_idempotency_key_makes_one_endpoint_and_keeps_no_secret(erp: Erp, services: Services):
    first = erp.post("/webhook-endpoints", {"url": "http://127.0.0.1:9/"}, Idempotency_Key="one")
    again = erp.post("/webhook-endpoints", {"url": "http://127.0.0.1:9/"}, Idempotency_Key="one")

    with services.engine.connect() as db:
        kept = db.execute(text("SELECT body FROM idempotent_replies")).scalars().all()
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json["id"] == again.json["id"]
    assert len(erp.get("/webhook-endpoints").json["data"]) == 1
    assert first.json["secret"] not in str(kept)


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/url", "required"),
        ({"url": "https://10.0.0.1/"}, "/url", "target_refused"),
        ({"url": "ftp://erp.example/"}, "/url", "target_refused"),
        ({"url": 1}, "/url", "not_text"),
        ({"url": "https://erp.example/", "types": []}, "/types", "length"),
        ({"url": "https://erp.example/", "types": ["webhook.test"]}, "/types/0", "choice"),
        ({"url": "https://erp.example/", "types": "payment.paid"}, "/types", "not_list"),
        ({"url": "https://erp.example/", "merchants": ["M1"]}, "/merchants", "unknown_field"),
    ],
)
def test_what_is_no_endpoint_is_refused_with_a_pointer(erp: Erp, body, pointer: str, code: str):
    answered = erp.post("/webhook-endpoints", body)

    assert answered.status_code == 422
    assert [(one["pointer"], one["code"]) for one in answered.json["errors"]] == [(pointer, code)]


def test_a_key_has_only_so_many_endpoints(erp: Erp):
    for _ in range(50):
        listen(erp)

    assert erp.post("/webhook-endpoints", {"url": "http://127.0.0.1:9/"}).json["code"] == "action_not_allowed"


def test_a_test_reaches_one_endpoint_and_is_no_event_of_the_list(erp: Erp, courier: Courier, receiver: Receiver):
    made = listen(erp, receiver.url)
    listen(erp)

    answered = erp.post(f"/webhook-endpoints/{made['id']}/test", {})
    courier.deliver()

    assert answered.status_code == 202
    (heard,) = receiver.heard
    assert (heard.id, heard.payload["type"]) == (answered.json["event_id"], "webhook.test")
    assert heard.is_signed_with(made["secret"])
    assert erp.get("/events").json["data"] == []


def test_deliveries_show_what_was_sent_and_what_came_back(erp: Erp, courier: Courier, receiver: Receiver):
    made = listen(erp, receiver.url)
    courier.announce(PAID, payment_id="pay_1")
    receiver.answer = status(500, "sorry")
    courier.deliver()

    (delivery,) = erp.get(f"/webhook-endpoints/{made['id']}/deliveries").json["data"]

    (event,) = erp.get("/events").json["data"]
    (attempt,) = delivery["attempts"]
    assert delivery["event_id"] == event["id"]
    assert delivery["state"] == "WAITING"
    assert delivery["request"] == {"type": "payment.paid", "timestamp": event["created_at"], "data": event["data"]}
    assert (attempt["status"], attempt["response"], attempt["url"]) == (500, "sorry", receiver.url)
    assert attempt["duration_ms"] >= 0
    named = f"/webhook-endpoints/{made['id']}/deliveries"
    assert len(erp.get(named, state="WAITING", event_id=event["id"]).json["data"]) == 1
    assert erp.get(named, state="DELIVERED").json["data"] == []
    assert erp.get(named, state="LOST").status_code == 422


def test_an_event_is_sent_again_to_who_wants_it(erp: Erp, courier: Courier, receiver: Receiver, other: Receiver):
    listen(erp, receiver.url, types=["payment.paid"])
    listen(erp, other.url, types=["refund.succeeded"])
    courier.announce(PAID)
    courier.deliver()
    (event,) = erp.get("/events").json["data"]

    answered = erp.post(f"/events/{event['id']}/resend", {})
    courier.deliver()

    assert answered.status_code == 202
    assert len(answered.json["deliveries"]) == 1
    assert [one.id for one in receiver.heard] == [event["id"]] * 2
    assert other.heard == []


def test_an_event_nobody_wants_is_not_sent_again(erp: Erp, courier: Courier):
    courier.announce(PAID)
    (event,) = erp.get("/events").json["data"]

    assert erp.post(f"/events/{event['id']}/resend", {}).json["code"] == "action_not_allowed"
    assert erp.post("/events/evt_0/resend", {}).status_code == 404


def test_an_endpoint_made_later_can_have_what_happened_before(erp: Erp, courier: Courier, receiver: Receiver):
    courier.announce(PAID)
    courier.deliver()
    made = listen(erp, receiver.url)
    (event,) = erp.get("/events").json["data"]

    erp.post(f"/events/{event['id']}/resend", {"endpoint_id": made["id"]})
    courier.deliver()

    assert [one.id for one in receiver.heard] == [event["id"]]


def test_a_deleted_endpoint_is_reported_nothing_more(erp: Erp, courier: Courier, receiver: Receiver):
    made = listen(erp, receiver.url)
    courier.announce(PAID)
    courier.fan_out()

    deleted = erp.call("DELETE", f"/webhook-endpoints/{made['id']}")
    courier.deliver()

    assert (deleted.status_code, deleted.data) == (204, b"")
    assert receiver.heard == []
    assert erp.get(f"/webhook-endpoints/{made['id']}").status_code == 404
    assert erp.get("/webhook-endpoints").json["data"] == []


def test_a_rotation_shows_the_new_secret_and_until_when_the_old_one_signs(erp: Erp):
    made = listen(erp)

    rotated = erp.post(f"/webhook-endpoints/{made['id']}/rotate", {}).json

    assert rotated["secret"] != made["secret"]
    assert rotated["previous_secret_until"] is not None


def test_events_are_listed_newest_first_by_type_and_time(erp: Erp, courier: Courier):
    courier.announce(PAID, REFUNDED, PAID)
    newest, middle, oldest = erp.get("/events").json["data"]

    assert [one["id"] for one in erp.get("/events", type="refund.succeeded").json["data"]] == [middle["id"]]
    rest = erp.get("/events", limit=2).json["next_cursor"]
    assert [one["id"] for one in erp.get("/events", cursor=rest).json["data"]] == [oldest["id"]]
    assert erp.get("/events", since="2999-01-01T00:00:00Z").json["data"] == []
    assert erp.get("/events", until="2999-01-01T00:00:00Z").json["data"][0]["id"] == newest["id"]
    assert erp.get(f"/events/{newest['id']}").json == newest
    assert erp.get("/events", type="webhook.test").status_code == 422
    assert erp.get("/events", kind="x").status_code == 422


def test_a_merchants_key_sees_its_own_events_and_those_of_everybody(stranger: Erp, erp: Erp, courier: Courier):
    courier.announce(PAID)
    courier.announce(REFUNDED, merchant_no="M999")
    courier.announce(EventType.LANE_STOPPED, merchant_no=None)

    seen = [one["type"] for one in stranger.get("/events").json["data"]]

    hidden = next(one for one in erp.get("/events").json["data"] if one["type"] == "payment.paid")
    assert seen == ["lane.stopped", "refund.succeeded"]
    assert stranger.get(f"/events/{hidden['id']}").status_code == 404
    assert stranger.post(f"/events/{hidden['id']}/resend", {}).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/webhook-endpoints/{id}"),
        ("DELETE", "/webhook-endpoints/{id}"),
        ("GET", "/webhook-endpoints/{id}/deliveries"),
        ("POST", "/webhook-endpoints/{id}/rotate"),
        ("POST", "/webhook-endpoints/{id}/resume"),
        ("POST", "/webhook-endpoints/{id}/test"),
    ],
)
def test_an_endpoint_of_other_merchants_is_not_there(erp: Erp, stranger: Erp, method: str, path: str):
    everybodys = listen(erp)

    for endpoint_id in (everybodys["id"], NOWHERE):
        assert stranger.call(method, path.format(id=endpoint_id)).status_code == 404
    assert stranger.get("/webhook-endpoints").json["data"] == []
    assert erp.get(f"/webhook-endpoints/{everybodys['id']}").status_code == 200


def test_an_endpoint_is_for_its_keys_merchants(stranger: Erp, erp: Erp, courier: Courier, receiver: Receiver):
    made = listen(stranger, receiver.url)
    courier.announce(PAID, merchant_no=make.MERCHANT)
    courier.announce(REFUNDED, merchant_no="M999")

    courier.deliver()

    assert made["merchants"] == ["M999"]
    assert receiver.types == ["refund.succeeded"]
    assert erp.get(f"/webhook-endpoints/{made['id']}").status_code == 200


def test_each_key_sees_the_events_of_what_it_may_read(limited, courier: Courier):
    courier.announce(PAID, EventType.DECLARATION_SUCCEEDED)

    reading = limited(Scope.DECLARATIONS_READ)
    both = limited(Scope.DECLARATIONS_READ, Scope.PAYMENTS_READ)

    assert [one["type"] for one in reading.get("/events").json["data"]] == ["declaration.succeeded"]
    assert len(both.get("/events").json["data"]) == 2
    assert reading.post("/webhook-endpoints", {"url": "http://127.0.0.1:9/"}).status_code == 403
    assert [one["type"] for one in limited(Scope.PAYMENTS_READ).get("/events").json["data"]] == ["payment.paid"]
    assert limited(Scope.REFUNDS_WRITE).get("/events").json["data"] == []
