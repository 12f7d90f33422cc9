"""The pages of webhooks: a secret shown once, what was delivered, events sent again, and whose of it one sees."""

import re

import pytest

from customs.container import Services
from customs.events.outbox import EventType
from tests import make
from tests.web.visiting import People, Visitor, text_of
from tests.webhooks.courier import Courier
from tests.webhooks.receiver import Receiver, status

PAGE = "/developers/webhooks"
EVENTS = "/developers/events"
NOWHERE = "http://127.0.0.1:9/"
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]{20,}")
ENDPOINT = re.compile(r"/developers/webhooks/(whe_[0-9a-f]{32})")
SUCCEEDED = EventType.DECLARATION_SUCCEEDED


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def people(services: Services) -> People:
    return People(services)


@pytest.fixture
def developer(people: People) -> Visitor:
    return people.signed_in("developer")


def wanted(url: str = NOWHERE, **changes: object) -> dict[str, object]:
    return {"url": url, "subscribe_all": "1", "once": make.number("form")} | changes


def listen(visitor: Visitor, url: str = NOWHERE, **changes: object) -> str:
    """Make an endpoint; returns its id."""
    answer = visitor.post(PAGE, **wanted(url, **changes))
    assert answer.status_code == 201, answer.text
    found = ENDPOINT.search(answer.text)
    assert found
    return found[1]


def test_an_endpoint_is_made_and_its_secret_shown_once(developer: Visitor, courier: Courier):
    form = wanted(types=["payment.paid"], subscribe_all="0", description="the ERP", merchants="M1 M2")
    answer, again = developer.post(PAGE, **form), developer.post(PAGE, **form)

    (secret,) = set(SECRET.findall(answer.text))
    endpoint_id = ENDPOINT.search(answer.text)[1]
    made = courier.endpoint(endpoint_id)
    assert (answer.status_code, secret) == (201, courier.secret(endpoint_id))
    assert (made.url, made.types, made.description) == (NOWHERE, ["payment.paid"], "the ERP")
    assert [one.merchant_no for one in made.merchants] == ["M1", "M2"]
    assert "was sent before" in text_of(again) and secret not in again.text
    assert secret not in developer.get(f"{PAGE}/{endpoint_id}").text
    assert NOWHERE in developer.get(PAGE).text


@pytest.mark.parametrize(
    ("changes", "printed"),
    [
        ({"url": "https://10.0.0.1/"}, "not an address of the internet"),
        ({"url": ""}, "Url is missing"),
        ({"subscribe_all": "0"}, "Choose at least one"),
        ({"subscribe_all": "0", "types": ["webhook.test"]}, "use some of"),
    ],
)
def test_what_is_no_endpoint_is_reported_above_the_form(developer: Visitor, changes, printed: str):
    answer = developer.post(PAGE, **(wanted(description="mine") | changes))

    assert answer.status_code == 422
    assert printed in text_of(answer)
    assert 'value="mine"' in answer.text


def test_a_test_arrives_and_its_answer_is_shown(developer: Visitor, courier: Courier, receiver: Receiver):
    endpoint_id = listen(developer, receiver.url)
    receiver.answer = status(500, "sorry, no")

    asked = developer.follow(developer.post(f"{PAGE}/{endpoint_id}/test"))
    courier.deliver()
    shown = developer.get(f"{PAGE}/{endpoint_id}/deliveries")

    assert "not tried yet" in text_of(asked)
    assert 'hx-trigger="every 2s"' in asked.text
    assert receiver.types == ["webhook.test"]
    assert "500" in text_of(shown) and "sorry, no" in text_of(shown) and "Waiting" in text_of(shown)
    # It is tried again only after a while: nobody has to ask until then.
    assert "hx-trigger" not in shown.text
    assert "No delivery is in this state" in text_of(developer.get(f"{PAGE}/{endpoint_id}?state=DELIVERED"))


def test_the_secret_is_rotated_and_the_new_one_shown_once(developer: Visitor, courier: Courier):
    endpoint_id = listen(developer)
    before = courier.secret(endpoint_id)

    answer = developer.post(f"{PAGE}/{endpoint_id}/rotate", once=make.number("form"))

    assert set(SECRET.findall(answer.text)) == {courier.secret(endpoint_id)} != {before}
    assert "The secret before signs as well" in text_of(answer)


def test_a_paused_endpoint_says_why_and_is_resumed(developer: Visitor, courier: Courier, receiver: Receiver):
    endpoint_id = listen(developer, receiver.url)
    courier.announce(SUCCEEDED, merchant_no="M1")
    receiver.answer = status(410)
    courier.deliver()

    shown = text_of(developer.get(f"{PAGE}/{endpoint_id}"))
    assert "Paused" in shown and "410 Gone" in shown
    resumed = developer.follow(developer.post(f"{PAGE}/{endpoint_id}/resume"))

    assert "Deliveries go on" in text_of(resumed)
    assert courier.endpoint(endpoint_id).paused_at is None


def test_a_removed_endpoint_is_gone(developer: Visitor):
    endpoint_id = listen(developer)

    shown = developer.follow(developer.post(f"{PAGE}/{endpoint_id}/remove"))

    assert "was removed" in text_of(shown)
    assert endpoint_id not in shown.text
    assert developer.get(f"{PAGE}/{endpoint_id}").status_code == 404


def test_an_event_is_sent_again_to_who_wants_it(developer: Visitor, courier: Courier, receiver: Receiver):
    courier.announce(SUCCEEDED, declaration_id="decl_1")
    courier.fan_out()
    (event,) = courier.announced()

    refused = developer.follow(developer.post(f"{EVENTS}/{event.id}/resend"))
    endpoint_id = listen(developer, receiver.url)
    sent = developer.follow(developer.post(f"{EVENTS}/{event.id}/resend"))
    courier.deliver()
    one = developer.follow(developer.post(f"{EVENTS}/{event.id}/resend", endpoint_id=endpoint_id))
    courier.deliver()

    assert "No endpoint of this key wants this event" in text_of(refused)
    assert "Sent again to 1 endpoint." in text_of(sent)
    assert "Deliveries" in text_of(one)
    assert receiver.types == [SUCCEEDED, SUCCEEDED]


def test_events_are_narrowed_and_lead_to_what_they_are_about(developer: Visitor, courier: Courier):
    courier.announce(SUCCEEDED, merchant_no="M1", declaration_id="decl_1", out_order_no="ORDER-1")
    courier.announce(EventType.PAYMENT_PAID, merchant_no="M2", payment_id="pay_1")

    everything = developer.get(EVENTS)
    of_type, of_merchant = (
        developer.get(f"{EVENTS}?type=payment.paid&merchant_no="),
        developer.get(f"{EVENTS}?merchant_no=M1"),
    )
    nothing = developer.get(f"{EVENTS}?type=lane.stopped")

    assert 'href="/declarations/decl_1"' in everything.text and 'href="/payments/pay_1"' in everything.text
    assert "pay_1" in of_type.text and "decl_1" not in of_type.text
    assert "decl_1" in of_merchant.text and "pay_1" not in of_merchant.text
    assert "No event fits this filter" in text_of(nothing)


def test_what_is_another_merchants_is_not_there(people: People, developer: Visitor, courier: Courier):
    stranger = people.signed_in("developer", ["M9"])
    every, of_one = listen(developer), listen(developer, merchants="M1")
    own = listen(stranger)
    courier.announce(SUCCEEDED, merchant_no="M1", declaration_id="decl_1")
    (event,) = courier.announced()

    assert [one.merchant_no for one in courier.endpoint(own).merchants] == ["M9"]
    for endpoint_id in (every, of_one):
        assert stranger.get(f"{PAGE}/{endpoint_id}").status_code == 404
        assert stranger.get(f"{PAGE}/{endpoint_id}/deliveries").status_code == 404
        for action in ("rotate", "resume", "test", "remove"):
            assert stranger.post(f"{PAGE}/{endpoint_id}/{action}").status_code == 404
    assert "decl_1" not in stranger.get(EVENTS).text
    assert stranger.post(f"{EVENTS}/{event.id}/resend").status_code == 404
    refused = stranger.post(PAGE, **wanted(merchants=["M1"]))
    assert (refused.status_code, "merchant is not" in text_of(refused)) == (422, True)


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/new", EVENTS])
@pytest.mark.parametrize(("role", "code"), [("clerk", 403), ("reviewer", 403), ("developer", 200), ("admin", 200)])
def test_who_sees_them(people: People, path: str, role: str, code: int):
    assert people.signed_in(role).get(path).status_code == code


def test_both_languages(people: People):
    chinese = people.signed_in("developer", language="zh_CN")

    assert "还没有接收地址" in text_of(chinese.get(PAGE))
    assert "还没有事件" in text_of(chinese.get(EVENTS))
    assert "推送记录" in text_of(chinese.get(f"{PAGE}/{listen(chinese)}"))
