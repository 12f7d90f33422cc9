"""Each request is a line in the access log and a count: by the template of its route, with whoever asked."""

from collections import Counter
from typing import Any

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from customs.container import Services
from tests.api.conftest import Erp
from tests.web.visiting import People

ORDER = "18051893975650968"


def counted(client: FlaskClient, sample: str, label: str) -> Counter[Any]:
    """Sum the values of one sample by a label."""
    found: Counter[Any] = Counter()
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for one in family.samples:
            if one.name == sample:
                found[one.labels[label]] += one.value
    return found


@pytest.fixture
def lines(erp: Erp):
    """The lines of the access log since the test began; whatever made the key is not among them."""
    with capture_logs() as entries:
        yield lambda: [one for one in entries if one["event"] == "request"]


def test_a_request_of_the_api_is_one_line_with_its_route_and_its_key(erp: Erp, lines):
    answer = erp.get(f"/declarations/decl_{ORDER}")

    (line,) = lines()
    assert line["route"] == "/api/v1/declarations/<declaration_id>"
    assert (line["method"], line["status"], line["request_id"]) == ("GET", 404, answer.headers["X-Request-Id"])
    assert line["caller"].startswith("key_")
    assert line["ms"] >= 0


def test_neither_address_nor_query_is_in_the_line(erp: Erp, client: FlaskClient, lines):
    erp.get("/declarations", out_order_no=ORDER)
    client.get(f"/no/such/page/{ORDER}", buffered=True)

    assert [one["route"] for one in lines()] == ["/api/v1/declarations", "none"]
    assert ORDER not in str(lines())


def test_whoever_was_not_let_in_is_nobody(client: FlaskClient, lines):
    client.get("/api/v1/batches", headers={"Authorization": "Bearer wrong"}, buffered=True)

    (line,) = lines()
    assert (line["status"], line["caller"]) == (401, None)


def test_a_page_names_the_person(services: Services, lines):
    visitor = People(services).signed_in("clerk")
    visitor.get("/declarations")

    assert (lines()[-1]["route"], lines()[-1]["caller"]) == ("/declarations", visitor.person_id)


def test_probes_are_logged_for_debugging_only(client: FlaskClient, lines):
    client.get("/healthz", buffered=True)

    assert [(one["route"], one["log_level"]) for one in lines()] == [("/healthz", "debug")]


def test_requests_are_counted_by_template_and_status(erp: Erp, client: FlaskClient):
    before = counted(client, "customs_http_requests_total", "status")

    for _ in range(3):
        erp.get("/declarations/decl_1")
    client.open("/nowhere", method="BREW", buffered=True)

    grown = counted(client, "customs_http_requests_total", "status") - before
    assert (grown["404"], grown["403"]) == (3, 1)
    assert counted(client, "customs_http_request_duration_seconds_count", "route")["none"] >= 1
    assert set(counted(client, "customs_http_requests_total", "method")) >= {"GET", "other"}


def test_what_is_under_way_is_this_scrape(client: FlaskClient):
    samples = [
        one.value
        for family in text_string_to_metric_families(client.get("/metrics").text)
        for one in family.samples
        if one.name == "customs_http_requests_in_flight"
    ]

    assert samples == [1.0]
