"""Rate limits as a caller meets them: the headers on every answer, 429 with the time to wait, a limit for each key."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from customs.auth.api_keys import create_api_key
from customs.container import Services
from customs.db import database
from tests.api.conftest import Erp, is_problem
from tests.application import application


@pytest.fixture
def erps(services: Services) -> Callable[[], Erp]:
    """Callers of a desk that lets through two at once and one a second."""
    services.settings = replace(services.settings, api_rate_limit=1.0)
    client = application(services).test_client()

    def erp() -> Erp:
        with services.transaction() as db:
            rights = {"scopes": (), "merchants": ()}
            return Erp(client, create_api_key(db, "an ERP", sandbox=True, **rights, now=database.now(db)))

    return erp


def test_every_answer_says_what_is_left(erps):
    erp = erps()

    answers = [erp.get("/batches"), erp.get("/batches/nowhere")]

    names = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
    assert [[answer.headers[name] for name in names] for answer in answers] == [["2", "1", "1"], ["2", "0", "2"]]


def test_who_asks_too_often_is_asked_to_wait_and_nothing_is_done(erps):
    erp = erps()
    for _ in range(2):
        erp.get("/batches")

    refused = erp.post("/batches", {"declarations": []})

    assert (refused.status_code, refused.json["code"]) == (429, "rate_limited")
    assert is_problem(refused)
    assert 1 <= int(refused.headers["Retry-After"]) <= 2
    assert refused.headers["RateLimit-Remaining"] == "0"


def test_a_key_that_asks_too_often_is_in_nobodys_way(erps):
    loud, quiet = erps(), erps()
    for _ in range(5):
        loud.get("/batches")

    assert quiet.get("/batches").status_code == 200


def test_by_default_nobody_meets_the_limit(erp):
    answers = [erp.get("/offices") for _ in range(150)]

    assert {answer.status_code for answer in answers} == {200}
    assert answers[0].headers["RateLimit-Limit"] == "1000"


def test_without_a_key_there_is_nothing_to_count(client):
    assert "RateLimit-Limit" not in client.get("/api/v1/batches").headers
    assert "RateLimit-Limit" not in client.get("/healthz").headers
