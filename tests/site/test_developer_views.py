"""The first pages of developers: a key of one's own, a call that works as it stands, and the sandbox's words."""

import json
import re
from dataclasses import replace
from datetime import datetime

import pytest

from customs.auth.api_keys import caller_of
from customs.auth.principal import Scope
from customs.container import Services
from customs.sandbox.declaration_scenarios import SCENARIOS
from customs.sandbox.faults import FAULTS
from customs.site.developer_views import first_call, first_order
from customs.web.i18n import translate
from tests import make
from tests.api.conftest import Erp
from tests.web.visiting import People, Visitor, text_of

PAGE = "/developers"
TEXT = re.compile(r"ck_(?:test|live)_[A-Za-z0-9_-]{43}")
ACTIVITY = re.compile(r"/developers/keys/key_[0-9a-f]{32}/activity")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def services(services: Services) -> Services:
    services.settings = replace(services.settings, sandbox=True)
    return services


@pytest.fixture
def people(services: Services) -> People:
    return People(services)


def body_of(call: str) -> dict:
    return json.loads(call.partition(" -d '")[2].removesuffix("'"))


def test_ones_own_key_is_shown_with_a_call_that_works_and_the_batch_is_seen(people: People, services: Services):
    developer = people.signed_in("developer")

    made = developer.post(f"{PAGE}/key", once="one")
    (key,) = set(TEXT.findall(made.text))
    erp = Erp(developer.client, key)
    seen = ACTIVITY.search(made.text)[0]
    waiting = developer.get(seen)
    erp.post("/batches", {"declarations": []})
    refused = developer.get(seen)
    answer = erp.post("/batches", body_of(first_call("http://desk", key, first_order("M100", make.NOON))))
    done = developer.get(seen)

    assert made.status_code == 201
    assert "Waiting for your first call" in text_of(waiting) and "every 2s" in waiting.text
    assert "refused with 422" in text_of(refused) and "/developers/requests/log_" in refused.text
    assert answer.status_code == 202, answer.text
    assert f"/batches/{answer.json['id']}" in done.text and "hx-trigger" not in done.text
    with services.reading() as db:
        caller, _ = caller_of(db, key, make.NOON)
    assert caller.name == "Test key of a developer"
    assert Scope.PAYMENTS_WRITE in caller.scopes and Scope.WEBHOOKS_WRITE not in caller.scopes


def test_a_form_sent_twice_makes_one_key(people: People):
    developer = people.signed_in("developer")
    developer.post(f"{PAGE}/key", once="one")

    again = developer.post(f"{PAGE}/key", once="one")

    assert not TEXT.search(again.text)
    assert "was sent before" in text_of(again)


def test_the_key_and_the_call_are_of_ones_own_merchants(people: People, services: Services):
    developer = people.signed_in("developer", ["M7", "M8"])

    made = developer.post(f"{PAGE}/key", once="one")

    with services.reading() as db:
        caller, _ = caller_of(db, TEXT.search(made.text)[0], make.NOON)
    assert caller.merchants == {"M7", "M8"}
    assert '"merchant_no": "M7"' in text_of(made)


def test_what_came_with_anothers_key_is_not_seen(people: People):
    seen = ACTIVITY.search(people.signed_in("developer").post(f"{PAGE}/key", once="one").text)[0]

    assert people.signed_in("developer", ["M1"]).get(seen).status_code == 404


def test_each_call_has_numbers_of_its_own():
    first, second = first_order("M1", make.NOON), first_order("M1", make.NOON)

    assert first["payment_no"] != second["payment_no"]
    assert first["out_order_no"].isdigit() and len(first["payment_no"]) <= 64
    assert first["sub_orders"][0]["sub_order_no"] != second["sub_orders"][0]["sub_order_no"]


def test_no_merchant_ends_the_shells_quotes():
    call = first_call("http://desk", "ck", first_order("M'$(x)", datetime.now()))  # noqa: DTZ005

    assert call.count("'") == 2
    assert body_of(call)["declarations"][0]["merchant_no"] == "M'$(x)"


def test_a_live_desk_says_that_it_is_one(people: People, services: Services):
    services.settings = replace(services.settings, sandbox=False)
    developer = people.signed_in("developer")

    shown = text_of(developer.get(PAGE))

    assert "what you send is declared" in shown and "ck_live_" in shown
    assert "/developers/sandbox" not in developer.get(PAGE).text
    assert developer.get(f"{PAGE}/sandbox").status_code == 404


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_the_sandboxs_words_are_shown_in_the_language_of_the_page(people: People, language: str):
    shown = text_of(people.signed_in("developer", language=language).get(f"{PAGE}/sandbox"))

    for row in (*SCENARIOS, *FAULTS):
        assert row.word in shown
        assert " ".join(translate(row.meaning, language).split()) in shown


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/sandbox"])
@pytest.mark.parametrize(("role", "code"), [("clerk", 403), ("reviewer", 403), ("developer", 200), ("admin", 200)])
def test_who_sees_them(people: People, path: str, role: str, code: int):
    visitor: Visitor = people.signed_in(role)

    assert visitor.get(path).status_code == code
    assert visitor.post(f"{PAGE}/key", once="one").status_code == (201 if code == 200 else 403)
