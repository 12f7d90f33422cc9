"""A form has to come from a page of this desk; keys and the gateway's notifications need no such thing."""

import pytest

from customs.container import Services
from customs.web.csrf import is_same_origin
from tests.web.visiting import People

HERE = "desk.example:8000"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": f"http://{HERE}"},
        {"Origin": f"https://{HERE.upper()}"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "same-origin", "Origin": f"http://{HERE}"},
    ],
)
def test_what_comes_from_here_is_let_through(headers: dict[str, str]):
    assert is_same_origin(headers, HERE)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "http://desk.example"},
        {"Origin": "http://desk.example:8000.evil.example"},
        {"Origin": f"http://{HERE}@evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": f"http://{HERE}"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"},
        {"Referer": f"http://{HERE}/"},
    ],
)
def test_what_comes_from_elsewhere_or_does_not_say_is_refused(headers: dict[str, str]):
    assert not is_same_origin(headers, HERE)


def test_every_view_that_changes_something_refuses_a_foreign_form(services: Services):
    """Walked over the routes, so that a new view cannot be forgotten."""
    client = People(services).app.test_client()
    views = [
        (method, rule.rule)
        for rule in client.application.url_map.iter_rules()
        for method in rule.methods - {"GET", "HEAD", "OPTIONS"}
        if not rule.rule.startswith(("/api/", "/notify/"))
    ]

    refused = {
        view: client.open(view[1], method=view[0], headers={"Origin": "http://evil.example"}).status_code
        for view in views
    }

    assert len(views) > 5
    assert set(refused.values()) == {403}
