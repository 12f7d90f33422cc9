"""What tells of an attack is a line of its own in the log and is counted; nobody's name is in it."""

from collections import Counter

import pytest
from flask import request, request_started
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from customs.config import read_settings
from customs.container import Services
from tests import make
from tests.api.conftest import Erp
from tests.application import application
from tests.web.visiting import People

LOGIN = "zhang.wei"


def counted(client: FlaskClient) -> Counter[str]:
    found: Counter[str] = Counter()
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for one in family.samples:
            if one.name == "customs_security_events_total":
                found[one.labels["kind"]] += int(one.value)
    return found


def test_each_refusal_is_one_line_and_one_count_without_a_name(services: Services, client: FlaskClient, erp: Erp):
    clerk = People(services).signed_in("clerk")
    stranger = People(services).stranger()
    with capture_logs() as lines:
        stranger.post("/sign-in", login=LOGIN, password="a wrong password")
        stranger.post("/sign-in", headers={"Origin": "https://elsewhere.test"}, login=LOGIN, password="x")
        client.get("/api/v1/batches", headers={"Authorization": "Bearer wrong"}, buffered=True)
        client.get("/api/v1/batches", buffered=True)
        clerk.get("/admin/people")
        erp.get("/declarations/decl_1")

    kinds = [one["kind"] for one in lines if one["event"] == "security"]
    assert kinds == ["sign_in_failed", "foreign_origin", "api_key_invalid", "api_key_missing", "permission_denied"]
    assert counted(stranger.client) == Counter(kinds)
    assert LOGIN not in str([one for one in lines if one["event"] == "security"])


def address_seen(services: Services, **headers: str) -> tuple[str, bool]:
    """Where the application believes a request comes from, and whether by https."""
    app = application(services)
    seen: list[tuple[str, bool]] = []
    with request_started.connected_to(lambda _app, **_: seen.append((request.remote_addr, request.is_secure)), app):
        app.test_client().get("/healthz", headers=headers, environ_base={"REMOTE_ADDR": "10.0.0.1"}, buffered=True)
    (found,) = seen
    return found


@pytest.mark.parametrize(
    ("proxies", "expected"),
    [("0", ("10.0.0.1", False)), ("1", ("203.0.113.9", True)), ("2", ("198.51.100.7", True))],
)
def test_only_named_proxies_say_where_a_request_comes_from(tmp_path, proxies: str, expected: tuple[str, bool]):
    environment = make.SECRETS | {"CUSTOMS_HOME": str(tmp_path), "CUSTOMS_TRUSTED_PROXIES": proxies}
    headers = {"X-Forwarded-For": "198.51.100.7, 203.0.113.9", "X-Forwarded-Proto": "https, https"}

    assert address_seen(Services(read_settings(environment)), **headers) == expected
