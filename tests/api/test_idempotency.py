"""Idempotency-Key: the same request twice has one effect and one answer, also when both come at once."""

import gzip
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from customs.auth.api_keys import rotate_api_key
from customs.db import database
from customs.declarations.intake import accept
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

    assert (answer.status_code, answer.json["code"]) == (422, "idempotency_key_reused")
    assert len(erp.get("/batches").json["data"]) == 1


def test_the_same_key_and_body_at_another_address_is_another_request(erp):
    first, second = erp.declare(), erp.declare()
    erp.post(f"/declarations/{first['id']}/cancel", {"reason": "x"}, Idempotency_Key="k1")

    answer = erp.post(f"/declarations/{second['id']}/cancel", {"reason": "x"}, Idempotency_Key="k1")

    assert (answer.status_code, answer.json["code"]) == (422, "idempotency_key_reused")


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

    taken = [answer for answer in answers if answer.status_code == 202]
    reported_to_wait = [answer for answer in answers if answer.status_code == 409]
    assert len(taken) + (len(reported_to_wait) if key else 0) == 2
    assert all(
        (one.json["code"], one.headers["Retry-After"]) == ("idempotency_key_in_use", "1") for one in reported_to_wait
    )
    assert len({answer.json["id"] for answer in taken}) == (1 if key else 2)
    assert len(erp.get("/declarations").json["data"]) == 10


def test_while_the_first_runs_the_second_is_asked_to_come_back_at_once(erp, client, services, monkeypatch):
    body = {"declarations": [make.declaration_row()]}
    began, go_on = threading.Event(), threading.Event()

    def slow(*args, **options):
        began.set()
        assert go_on.wait(10)
        return take_in_rows(*args, **options)

    take_in_rows = accept.take_in_rows
    monkeypatch.setattr(accept, "take_in_rows", slow)
    another = Erp(client.application.test_client(), erp.key)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(another.post, "/batches", body, Idempotency_Key="k1")
        assert began.wait(10)
        second = erp.post("/batches", body, Idempotency_Key="k1")
        other = erp.post("/batches", {"declarations": [make.declaration_row()]}, Idempotency_Key="k1")
        go_on.set()
        answered = first.result()

    assert (second.status_code, second.json["code"], second.headers["Retry-After"]) == (
        409,
        "idempotency_key_in_use",
        "1",
    )
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
    assert answered.status_code == 202
    assert erp.post("/batches", body, Idempotency_Key="k1").json == answered.json


def test_a_key_outlives_a_rotation(erp, client, services):
    body = {"declarations": [make.declaration_row()]}
    first = erp.post("/batches", body, Idempotency_Key="k1")
    with services.transaction() as db:
        options = {"sandbox": True, "overlap": timedelta(hours=1), "now": database.now(db)}
        rotated = Erp(client, rotate_api_key(db, "an ERP", **options))

    assert rotated.post("/batches", body, Idempotency_Key="k1").json == first.json


def test_a_preflight_repeated_under_its_key_is_answered_as_before(erp):
    row = make.declaration_row()
    body = {"declarations": [row]}
    first = erp.post("/declarations/preflight", body, Idempotency_Key="k1")
    erp.hand_in(row | {"duty": 7})

    again = erp.post("/declarations/preflight", body, Idempotency_Key="k1")
    anew = erp.post("/declarations/preflight", body)

    assert (first.status_code, again.json, first.json) == (200, first.json, {"findings": []})
    assert anew.json != first.json


def test_a_resume_repeated_under_its_key_lets_no_lane_go_on_twice(erp, desk):
    desk.stop_lane("why")
    path = f"/lanes/{desk.lane}/resume"
    first = erp.post(path, {}, Idempotency_Key="k1")
    desk.stop_lane("again")

    again = erp.post(path, {}, Idempotency_Key="k1")

    assert (first.json["state"], again.json) == ("open", first.json)
    assert erp.get(f"/lanes/{desk.lane}").json["state"] == "stopped"


def test_the_results_of_rows_are_another_request(erp):
    body = {"declarations": [make.declaration_row()]}
    erp.post("/batches", body, Idempotency_Key="k1")

    assert erp.post("/batches?results=rows", body, Idempotency_Key="k1").json["code"] == "idempotency_key_reused"


def test_the_same_body_is_the_same_request_however_it_was_packed(erp):
    raw = json.dumps({"declarations": [make.declaration_row()]}).encode()
    plain, packed = ({"data": raw}, {"data": gzip.compress(raw)})
    headers = {"Idempotency-Key": "k1", "Content-Type": "application/json"}

    first = erp.call("POST", "/batches", headers=headers, **plain)
    second = erp.call("POST", "/batches", headers=headers | {"Content-Encoding": "gzip"}, **packed)

    assert (first.status_code, second.json) == (202, first.json)
