"""The page of the request log: found by what one remembers, masked, and of the keys that one may see only."""

import re
from collections.abc import Callable, Sequence

import pytest

from customs.auth.principal import Scope
from customs.container import Services
from customs.site.developer_views import NONE_AT_ALL, statuses
from tests import make
from tests.api.conftest import Erp, client, key_for  # noqa: F401
from tests.api.test_privacy import CERT_ID, NAME
from tests.web.visiting import People, Visitor, text_of

PAGE = "/developers/requests"
LOGGED = re.compile(r"/developers/requests/(log_[0-9a-f]{32})")


@pytest.fixture
def database_url(either_database: str) -> str:
    """Both find by a part of a path."""
    return either_database


@pytest.fixture
def people(services: Services) -> People:
    return People(services)


@pytest.fixture
def calls(client, key_for) -> Callable[[Sequence[str]], Erp]:  # noqa: F811
    """A program with a key for these merchants, which has been refused once."""

    def made(merchants: Sequence[str]) -> Erp:
        erp = Erp(client, key_for(merchants, [Scope.DECLARATIONS_READ, Scope.DECLARATIONS_WRITE]))
        erp.post("/batches", {"declarations": []}, X_Request_Id=f"of-{'-'.join(merchants) or 'all'}")
        return erp

    return made


def open_first(visitor: Visitor, query: str = "") -> str:
    found = LOGGED.search(visitor.get(PAGE + query).text)
    assert found
    return visitor.get(f"{PAGE}/{found[1]}").text


def test_a_request_is_found_by_id_path_status_and_key(people: People, calls):
    calls([]).get("/nothing")
    admin = people.signed_in("admin")

    assert "of-all" in admin.get(f"{PAGE}?request_id=of-all").text
    assert "/api/v1/nothing" not in admin.get(f"{PAGE}?path=/batches&status=").text
    assert "/api/v1/nothing" in admin.get(f"{PAGE}?status=4xx&path=%2Fnothing").text
    assert "/api/v1/nothing" not in admin.get(f"{PAGE}?status=422").text
    for query in ("?request_id=other", "?status=5xx", "?status=what", "?path=%25", "?key=key_0"):
        assert "No request fits this filter" in text_of(admin.get(PAGE + query)), query
    assert admin.get(f"{PAGE}?stat=4xx").status_code == 422


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("422", (422, 422)),
        ("4xx", (400, 499)),
        ("5XX", (500, 599)),
        ("4", NONE_AT_ALL),
        ("9xx", NONE_AT_ALL),
        ("", NONE_AT_ALL),
        ("٤xx", NONE_AT_ALL),
    ],
)
def test_which_statuses_are_meant(text: str, meant: tuple[int, int]):
    assert statuses(text) == meant


def test_bodies_are_shown_masked(people: People, calls):
    row = make.declaration_row(buyer={"name": NAME, "cert_id": CERT_ID})
    calls([]).post("/batches", {"declarations": [row]}, X_Request_Id="mine")

    shown = open_first(people.signed_in("admin"), "?request_id=mine")

    assert row["out_order_no"] in shown
    assert NAME not in shown and CERT_ID not in shown
    assert "RUNNING" in shown


def test_a_developer_sees_the_requests_of_keys_within_their_merchants(people: People, calls):
    calls(["M1"]), calls(["M2"]), calls([])
    one, both, admin = (
        people.signed_in("developer", ["M1"]),
        people.signed_in("developer", ["M1", "M2"]),
        people.signed_in("admin"),
    )
    other = LOGGED.search(admin.get(f"{PAGE}?request_id=of-M2").text)[1]

    assert [name for name in ("of-M1", "of-M2", "of-all") if name in one.get(PAGE).text] == ["of-M1"]
    assert [name for name in ("of-M1", "of-M2", "of-all") if name in both.get(PAGE).text] == ["of-M1", "of-M2"]
    assert [name for name in ("of-M1", "of-M2", "of-all") if name in admin.get(PAGE).text] == [
        "of-M1",
        "of-M2",
        "of-all",
    ]
    assert one.get(f"{PAGE}/{other}").status_code == 404
    assert both.get(f"{PAGE}/{other}").status_code == 200


def test_only_an_admin_of_every_merchant_sees_who_had_no_key(people: People, client):  # noqa: F811
    client.post("/api/v1/batches", json={}, headers={"X-Request-Id": "nobody"}, buffered=True)

    assert "nobody" in people.signed_in("admin").get(PAGE).text
    assert "nobody" not in people.signed_in("admin", ["M1"]).get(PAGE).text
    assert "nobody" not in people.signed_in("developer").get(PAGE).text


@pytest.mark.parametrize(("role", "code"), [("clerk", 403), ("reviewer", 403), ("developer", 200), ("admin", 200)])
def test_who_sees_it(people: People, role: str, code: int):
    assert people.signed_in(role).get(PAGE).status_code == code


def test_an_empty_log_says_what_to_do_in_both_languages(people: People):
    assert "Nobody has called yet" in text_of(people.signed_in("developer").get(PAGE))
    assert "还没有调用" in text_of(people.signed_in("developer", language="zh_CN").get(PAGE))
