"""Idempotency-Key: the same request twice has one effect and one answer, also when both come at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests import make
from tests.api.conftest import Erp


@pytest.fixture
def database_url(either_database: str) -> str:
    """Who wins a race is the database's to say."""
    return either_database


def test_the_same_key_and_body_get_the_same_answer_and_one_batch(erp):
    body = {"declarations": [make.declaration_row()]}

    first = erp.post("/batches", body, Idempotency_Key="k1")
    second = erp.post("/batches", body, Idempotency_Key="k1")

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json == second.json
    assert len(erp.get("/batches").json["data"]) == 1


def test_the_answer_stays_the_same_when_the_world_has_moved_on(erp, desk):
    body = {"declarations": [make.declaration_row()]}
    first = erp.post("/batches", body, Idempotency_Key="k1")

    desk.work(lambda _: make.reply("SUCCESS", desk.now))

    assert erp.post("/batches", body, Idempotency_Key="k1").json == first.json


def test_the_same_key_with_another_body_is_refused(erp):
    erp.post("/batches", {"declarations": [make.declaration_row()]}, Idempotency_Key="k1")

    answer = erp.post("/batches", {"declarations": [make.declaration_row()]}, Idempotency_Key="k1")

    assert (answer.status_code, answer.json["code"]) == (422, "key_reused")
    assert len(erp.get("/batches").json["data"]) == 1


def test_the_same_key_and_body_at_another_door_is_another_request(erp):
    first, second = erp.declare(), erp.declare()
    erp.post(f"/declarations/{first['id']}/cancel", {"reason": "x"}, Idempotency_Key="k1")

    answer = erp.post(f"/declarations/{second['id']}/cancel", {"reason": "x"}, Idempotency_Key="k1")

    assert (answer.status_code, answer.json["code"]) == (422, "key_reused")


def test_each_caller_has_keys_of_their_own(erp, client, key_for):
    other = Erp(client, key_for())
    erp.post("/batches", {"declarations": [make.declaration_row()]}, Idempotency_Key="k1")

    assert other.post("/batches", {"declarations": [make.declaration_row()]}, Idempotency_Key="k1").status_code == 202


def test_a_request_that_was_refused_may_be_corrected_under_the_same_key(erp):
    erp.post("/batches", {"declarations": [make.declaration_row(office="ATLANTIS")]}, Idempotency_Key="k1")

    answer = erp.post("/batches", {"declarations": [make.declaration_row()]}, Idempotency_Key="k1")

    assert answer.status_code == 202


def test_a_cancel_repeated_under_its_key_is_answered_as_before_and_not_refused(erp):
    path = f"/declarations/{erp.declare()['id']}/cancel"

    first = erp.post(path, {"reason": "x"}, Idempotency_Key="k1")
    second = erp.post(path, {"reason": "x"}, Idempotency_Key="k1")

    assert (first.status_code, second.status_code) == (200, 200)
    assert erp.post(path, {"reason": "x"}).status_code == 409


@pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel"], ids=["empty", "256 characters", "not ASCII"])
def test_a_key_that_is_none_is_refused(erp, key: str):
    answer = erp.post("/batches", {"declarations": [make.declaration_row()]}, Idempotency_Key=key)

    assert answer.status_code == 422
    assert erp.get("/batches").json["data"] == []


@pytest.mark.parametrize("key", ["k1", None], ids=["with a key", "without a key"])
def test_of_equal_requests_at_once_one_stores_and_none_fails(erp, client, key):
    body = {"declarations": [make.declaration_row() for _ in range(10)]}
    headers = {"Idempotency_Key": key} if key else {}
    barrier = threading.Barrier(2)

    def hand_in(_: int):
        another = Erp(client.application.test_client(), erp.key)
        barrier.wait()
        return another.post("/batches", body, **headers)

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(hand_in, range(2)))

    assert [answer.status_code for answer in answers] == [202, 202]
    assert len({answer.json["id"] for answer in answers}) == (1 if key else 2)
    assert len(erp.get("/declarations").json["data"]) == 10
