"""Coming and going: signing in as browsers do, what a stolen or prepared session is worth, and where one is led."""

import re

import pyotp
import pytest
from sqlalchemy import select

from customs.audit.models import AuditEntry
from customs.container import Services
from customs.privacy.vault import Vault
from customs.web.session_auth import COOKIE
from tests.web.visiting import PASSWORD, People, set_up_code, text_of


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def people(services: Services) -> People:
    return People(services)


def cookies_of(answer) -> str:
    return "; ".join(value for name, value in answer.headers if name == "Set-Cookie")


def test_whoever_has_not_signed_in_is_led_there_and_back(people: People):
    _, login = people.on_file("clerk")
    visitor = people.stranger()

    led = visitor.get("/search?q=O1").location
    answer = visitor.post("/sign-in", login=login, password=PASSWORD, next="/search?q=O1")

    assert led == "/sign-in?next=%2Fsearch%3Fq%3DO1"
    assert answer.location == "/search?q=O1"
    assert visitor.follow(answer).status_code == 200


def test_the_cookie_is_for_this_site_and_no_script(people: People):
    _, login = people.on_file("clerk")

    words = cookies_of(people.stranger().post("/sign-in", login=login, password=PASSWORD))

    assert "HttpOnly" in words and "SameSite=Lax" in words and "Path=/" in words


def test_a_sign_in_is_on_record_with_whose_it_is(people: People, services: Services):
    person_id, login = people.on_file("clerk")

    people.stranger().post("/sign-in", login=login, password="not theirs")
    people.stranger().post("/sign-in", login=login, password=PASSWORD)

    with services.reading() as db:
        found = db.execute(select(AuditEntry.actor_id, AuditEntry.action).order_by(AuditEntry.number)).all()
    assert [tuple(row) for row in found] == [(person_id, "person.sign_in")]


@pytest.mark.parametrize("address", ["/sign-in", "/account"])
def test_a_password_is_masked_and_password_managers_know_its_field(people: People, address: str):
    visitor = people.stranger() if address == "/sign-in" else people.signed_in("clerk")

    fields = re.findall(r"<input[^>]*password[^>]*>", visitor.get(address).text)

    assert fields
    assert [one for one in fields if 'type="password"' not in one] == []
    assert [one for one in fields if not re.search(r'autocomplete="(current|new)-password"', one)] == []
    assert [one for one in fields if "onpaste" in one or "readonly" in one] == []


def test_over_https_the_cookie_is_bound_to_the_host(people: People):
    _, login = people.on_file("clerk")
    client = people.app.test_client()

    answer = client.post(
        "/sign-in",
        base_url="https://localhost",
        data={"login": login, "password": PASSWORD},
        headers={"Origin": "https://localhost"},
    )

    assert cookies_of(answer).startswith("__Host-customs_session=") and "Secure" in cookies_of(answer)
    assert "max-age" in answer.headers["Strict-Transport-Security"]


@pytest.mark.parametrize("login, password", [("nobody", PASSWORD), ("", ""), ("x" * 500, "y" * 5000), ("a\x00b", "c")])
def test_a_wrong_login_learns_no_more_than_that(people: People, login: str, password: str):
    answer = people.stranger().post("/sign-in", login=login, password=password)

    assert answer.status_code == 422
    assert "Set-Cookie" not in answer.headers


def test_who_fails_too_often_waits(people: People):
    _, login = people.on_file("clerk")
    visitor = people.stranger()
    for _attempt in range(5):
        visitor.post("/sign-in", login=login, password="wrong")

    answer = visitor.post("/sign-in", login=login, password=PASSWORD)

    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


def test_a_session_that_was_prepared_for_somebody_is_not_theirs(people: People):
    """Fixation: the token a browser brings along opens nothing once its person signs in."""
    _, login = people.on_file("clerk")
    attacker = people.signed_in("clerk")
    prepared = attacker.client.get_cookie(COOKIE).value
    victim = people.stranger()
    victim.client.set_cookie(COOKIE, prepared)

    victim.post("/sign-in", login=login, password=PASSWORD)

    assert victim.client.get_cookie(COOKIE).value != prepared
    assert attacker.get("/account").location.startswith("/sign-in")


def test_a_made_up_session_is_none(people: People):
    visitor = people.stranger()
    visitor.client.set_cookie(COOKIE, "made-up")

    assert visitor.get("/account").status_code == 303


def test_a_session_that_was_signed_out_is_over_wherever_its_token_is(people: People):
    visitor = people.signed_in("clerk")
    stolen = visitor.client.get_cookie(COOKIE).value

    visitor.post("/sign-out")
    thief = people.stranger()
    thief.client.set_cookie(COOKIE, stolen)

    assert thief.get("/account").location.startswith("/sign-in")


@pytest.mark.parametrize(
    "place",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "///evil.example",
        " //evil.example",
        "/" + "x" * 600,
        "evil.example",
        "/%0d%0aSet-Cookie:x=y\r\n",
        "",
    ],
)
def test_nobody_is_led_out_of_the_desk(people: People, place: str):
    _, login = people.on_file("clerk")

    answer = people.stranger().post("/sign-in", login=login, password=PASSWORD, next=place)

    assert answer.location in ("/", "/%0d%0aSet-Cookie:x=y")


def test_who_is_signed_in_is_not_led_out_by_the_form_either(people: People):
    assert people.signed_in("clerk").get("/sign-in?next=//evil.example").location == "/"
    assert people.signed_in("clerk").post("/language", language="en", back="//evil.example").location == "/"


def test_a_new_password_ends_every_other_session_and_changes_this_ones_token(people: People):
    _, login = people.on_file("clerk")
    here, elsewhere = people.stranger(), people.stranger()
    for visitor in (here, elsewhere):
        visitor.post("/sign-in", login=login, password=PASSWORD)
    token = here.client.get_cookie(COOKIE).value

    answer = here.post("/account/password", old=PASSWORD, new="quite another password")

    assert "Your password was changed" in text_of(here.follow(answer))
    assert here.client.get_cookie(COOKIE).value != token
    assert elsewhere.get("/account").location.startswith("/sign-in")
    assert people.stranger().post("/sign-in", login=login, password=PASSWORD).status_code == 422


@pytest.mark.parametrize(
    ("old", "new"), [("wrong", "quite another password"), (PASSWORD, "short"), (PASSWORD, PASSWORD)]
)
def test_a_password_that_cannot_be_taken_is_shown_and_changes_nothing(people: People, old: str, new: str):
    _, login = people.on_file("clerk")
    visitor = people.stranger()
    visitor.post("/sign-in", login=login, password=PASSWORD)

    page = visitor.follow(visitor.post("/account/password", old=old, new=new))

    assert 'class="alert alert-danger"' in page.text
    assert people.stranger().post("/sign-in", login=login, password=PASSWORD).status_code == 303


def test_one_session_can_be_ended_from_another_and_nobody_elses(people: People):
    _, login = people.on_file("clerk")
    here, elsewhere, other = people.stranger(), people.stranger(), people.signed_in("clerk")
    for visitor in (here, elsewhere):
        visitor.post("/sign-in", login=login, password=PASSWORD)
    [session] = re.findall(r"/account/sessions/(ses_\w+)/end", here.get("/account").text)

    assert other.post(f"/account/sessions/{session}/end").status_code == 404
    here.post(f"/account/sessions/{session}/end")

    assert elsewhere.get("/account").location.startswith("/sign-in")
    assert here.get("/account").status_code == 200


def test_a_reviewer_sets_up_codes_before_anything_else_opens(people: People):
    _, login = people.on_file("reviewer")
    visitor = people.stranger()
    visitor.post("/sign-in", login=login, password=PASSWORD)

    led = visitor.get("/search").location
    set_up_code(visitor)

    assert led == "/sign-in/code/set-up"
    assert visitor.get("/search").status_code == 200


def test_who_has_codes_is_asked_for_one_and_gets_another_token(people: People):
    _, login = people.on_file("clerk")
    first = people.stranger()
    first.post("/sign-in", login=login, password=PASSWORD)
    seed = set_up_code(first)
    second = people.stranger()
    second.post("/sign-in", login=login, password=PASSWORD)
    half = second.client.get_cookie(COOKIE).value

    led = second.get("/search").location
    refused = second.post("/sign-in/code", code="000000")
    # The present code was used for setting up: the next one is good as well.
    answer = second.post("/sign-in/code", code=pyotp.TOTP(seed).at(_next_step()), next="/search")

    assert led == "/sign-in/code"
    assert refused.status_code == 422
    assert answer.location == "/search" and second.get("/search").status_code == 200
    assert second.client.get_cookie(COOKIE).value != half
    assert second.get("/account").status_code == 200


def test_what_nobody_can_mend_at_sign_in_has_the_error_page(people: People):
    _, login = people.on_file("clerk")
    first = people.stranger()
    first.post("/sign-in", login=login, password=PASSWORD)
    seed = set_up_code(first)
    second = people.stranger()
    second.post("/sign-in", login=login, password=PASSWORD)
    people.services.vault = Vault(["another key"], people.services.settings.secret_key)

    answer = second.post("/sign-in/code", code=pyotp.TOTP(seed).at(_next_step()))

    assert answer.status_code == 500
    assert "Request" in text_of(answer) and 'name="code"' not in answer.text


def test_a_throttled_change_of_password_leads_back_without_a_time_to_retry(people: People):
    visitor = people.signed_in("clerk")
    change = {"old": "wrong", "new": "quite another password"}
    for _attempt in range(5):
        visitor.post("/account/password", **change)

    answer = visitor.post("/account/password", **change)

    assert (answer.status_code, answer.location) == (303, "/account")
    assert "Retry-After" not in answer.headers
    assert "Try again in" in text_of(visitor.follow(answer))


def test_half_a_session_opens_nothing(people: People):
    _, login = people.on_file("clerk")
    first = people.stranger()
    first.post("/sign-in", login=login, password=PASSWORD)
    set_up_code(first)
    half = people.stranger()
    half.post("/sign-in", login=login, password=PASSWORD)

    for path in ("/", "/search", "/account"):
        assert half.get(path).status_code == 303
    # Nor can codes be set up anew by whoever only has the password.
    assert half.post("/account/password", old=PASSWORD, new="quite another password").status_code == 303
    assert half.follow(half.get("/account")).status_code in (200, 303)


def test_the_language_stays_with_its_person(people: People):
    _, login = people.on_file("clerk", language="en")
    visitor = people.stranger()
    visitor.post("/sign-in", login=login, password=PASSWORD)

    visitor.post("/language", language="zh_CN", back="/account")
    elsewhere = people.stranger()
    elsewhere.post("/sign-in", login=login, password=PASSWORD)

    assert 'lang="zh-CN"' in elsewhere.get("/account").text
    assert visitor.post("/language", language="fr").status_code == 404


def test_a_browser_that_wants_english_gets_it_and_any_other_chinese(people: People):
    wanting = [
        people.stranger().get("/sign-in", headers={"Accept-Language": one}).text for one in ("en-GB", "de", "zh")
    ]

    assert [re.search('<html lang="([^"]+)"', page)[1] for page in wanting] == ["en", "zh-CN", "zh-CN"]


def _next_step() -> int:
    import time

    return int(time.time()) + 30
