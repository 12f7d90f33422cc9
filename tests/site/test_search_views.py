"""The search box: a whole number leads straight to what bears it, within what its seeker may see."""

import pytest

from customs.container import Services
from tests import make
from tests.product import Desk
from tests.web.visiting import People, text_of


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def people(services: Services) -> People:
    return People(services)


@pytest.mark.parametrize("name", ["out_order_no", "payment_no", "id"])
def test_the_only_one_with_a_number_is_opened_at_once(people: People, desk: Desk, name: str):
    declaration = desk.declaration(desk.declare())

    answer = people.signed_in("clerk").get("/search", query_string={"q": f" {getattr(declaration, name)} "})

    assert answer.location == f"/declarations/{declaration.id}"


def test_a_sub_order_leads_to_its_order(people: People, desk: Desk):
    declaration = desk.declaration(desk.declare(parts=2))

    answer = people.signed_in("clerk").get("/search", query_string={"q": declaration.sub_orders[1].sub_order_no})

    assert answer.location == f"/declarations/{declaration.id}"


def test_several_are_listed(people: People, desk: Desk):
    first, second = (desk.declare(office=office, payment_no="P1") for office in ("HANGZHOU", "NINGBO"))

    page = people.signed_in("clerk").get("/search?q=P1")

    assert f"/declarations/{first}" in page.text and f"/declarations/{second}" in page.text


def test_a_batch_is_found_by_its_id(people: People, desk: Desk):
    batch = desk.take_in(make.declaration_row())

    assert people.signed_in("clerk").get(f"/search?q={batch.id}").location == f"/batches/{batch.id}"


def test_what_is_another_merchants_is_not_found(people: People, desk: Desk):
    declaration = desk.declaration(desk.declare())

    page = people.signed_in("clerk", ["M999"]).get(f"/search?q={declaration.payment_no}")

    assert page.status_code == 200
    assert "Nothing bears the number" in text_of(page)


@pytest.mark.parametrize("asked", ["", " ", "x" * 5000, "a\x00b", "<script>alert(1)</script>", "%", "'; DROP TABLE--"])
def test_anything_can_be_asked(people: People, desk: Desk, asked: str):
    page = people.signed_in("clerk").get("/search", query_string={"q": asked})

    assert page.status_code == 200
    assert "<script>alert" not in page.text
