"""The log of requests: what was sent and what was said, by the request's id, masked, for who asked it."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import update

from customs.audit.request_log import LoggedRequest
from customs.auth.api_keys import rotate_api_key
from customs.auth.models import ApiKey
from customs.auth.principal import Scope
from customs.db import database
from tests import make
from tests.api.conftest import Erp
from tests.api.test_privacy import CERT_ID, NAME, everything_stored, found_in
from tests.api.test_scopes import PAYMENT
from workers import clock


@pytest.fixture
def database_url(either_database: str) -> str:
    """What is stored is looked through in both."""
    return either_database


def logged(erp, answer) -> dict:
    return erp.get(f"/requests/{answer.headers['X-Request-Id']}").json


def test_what_was_sent_and_what_was_said_is_found_by_the_requests_id(erp):
    answer = erp.post("/batches", {"declarations": [make.declaration_row(office="ATLANTIS")]}, X_Request_Id="erp-7")

    entry = logged(erp, answer)

    assert (entry["request_id"], entry["method"], entry["path"]) == ("erp-7", "POST", "/api/v1/batches")
    assert (entry["status"], entry["duration_ms"] >= 0, len(entry["request"]["sha256"])) == (422, True, 64)
    assert json.loads(entry["request"]["body"])["declarations"][0]["office"] == "ATLANTIS"
    assert json.loads(entry["response"]["body"])["errors"][0]["code"] == answer.json["errors"][0]["code"]


def test_what_changes_or_fails_is_logged_and_what_is_only_read_is_not(erp):
    calls = [
        erp.get("/batches"),
        erp.get("/batches/nowhere"),
        erp.get("/declarations", stat="x"),
        erp.put("/registrations", {}),
        erp.call("DELETE", "/batches"),
        erp.get("/nothing"),
    ]

    found = {entry["request_id"]: entry["status"] for entry in erp.get("/requests").json["data"]}

    assert found == {one.headers["X-Request-Id"]: one.status_code for one in calls[1:]}


def test_nobody_is_found_in_the_log_whatever_was_sent(erp, services):
    person = {"name": NAME, "cert_id": CERT_ID}
    bodies = [
        {"declarations": [make.declaration_row(buyer=person)]},
        {"declarations": [make.declaration_row(buyer=person | {"name": f"{NAME}\u200b"}, buyer_name=NAME)]},
        {"declarations": [make.declaration_row(out_order_no=CERT_ID, payment_no=NAME, mch_customs_no=NAME)]},
        {"declarations": [{NAME: CERT_ID, CERT_ID: [NAME, {NAME: {CERT_ID: NAME}}]}]},
        [NAME, CERT_ID],
        CERT_ID,
        {"buyer": NAME, "declarations": NAME, "results": {"name": {"name": NAME}}},
    ]
    for body in bodies:
        for path in ("/batches", "/declarations/preflight", "/payments", f"/declarations/{CERT_ID}/modify"):
            erp.post(path, body if path != "/batches" or body is not bodies[0] else {})
    for raw in (f'{{"name": "{NAME}"', f"{NAME},{CERT_ID}", json.dumps(bodies[0]) + "x"):
        erp.call("POST", "/batches", data=raw.encode(), content_type="application/json")
    erp.get(f"/declarations/{NAME}")
    erp.get(f"/declarations/{CERT_ID}")
    erp.get("/declarations", **{"state": NAME, "cert_id": CERT_ID, NAME: NAME})

    assert len(erp.get("/requests", limit=200).json["data"]) >= 30
    assert found_in(everything_stored(services)) == []


@pytest.mark.parametrize("cert_id", ["810000198806141134", "321119197303106324", "320219198405224152"])
def test_an_id_number_from_anywhere_is_masked_where_an_order_number_belongs(erp, cert_id: str):
    row = make.declaration_row(out_order_no=cert_id)

    answer = erp.post("/declarations/preflight", {"declarations": [row]})

    assert answer.status_code == 200
    assert cert_id not in json.dumps(logged(erp, answer))


SECRETS = {"openid": "oQx43wJiwtsjv8C0lT5Lj7Mw1QZ4", "auth_code": "135605691981176449", "email": "a@example.com"}


@pytest.mark.parametrize("name", SECRETS)
def test_what_belongs_to_a_payer_is_not_kept(erp, name: str):
    answer = erp.post("/payments", PAYMENT | {name: SECRETS[name], "code": "081abc"})

    entry = logged(erp, answer)

    assert SECRETS[name] not in json.dumps(entry)
    assert json.loads(entry["request"]["body"])["code"] == "***"
    assert "tea" in entry["request"]["body"]


def test_of_a_large_body_the_size_and_digest_are_kept(erp):
    rows = [make.declaration_row(parts=3) for _ in range(300)]

    entry = logged(erp, erp.post("/batches", {"declarations": rows}))

    assert entry["request"]["body"] is None
    assert entry["request"]["size"] == len(json.dumps({"declarations": rows}))
    assert len(entry["request"]["sha256"]) == 64


def test_a_body_is_cut_when_it_is_long(erp):
    rows = [make.declaration_row(parts=2) for _ in range(60)]

    entry = logged(erp, erp.post("/batches", {"declarations": rows}))

    assert len(entry["request"]["body"]) == 16 * 1024 < entry["request"]["size"]


# Who sees it.


@pytest.fixture
def reader(client, key_for) -> Erp:
    """A key that may only read."""
    return Erp(client, key_for(scopes=[Scope.PAYMENTS_READ]))


def test_a_key_of_any_scope_sees_its_own_and_nobody_elses(erp, reader, stranger):
    refused = reader.post("/batches", {})
    other = erp.post("/batches", {})

    assert logged(reader, refused)["status"] == 403
    assert [one["status"] for one in reader.get("/requests").json["data"]] == [403]
    assert reader.get(f"/requests/{other.headers['X-Request-Id']}").status_code == 404
    assert stranger.get(f"/requests/{other.headers['X-Request-Id']}").status_code == 404


def test_an_admin_sees_everybodys_unless_it_is_for_some_merchants(erp, reader, client, key_for):
    refused = reader.post("/batches", {})
    admin, lesser = Erp(client, key_for(scopes=[Scope.ADMIN])), Erp(client, key_for(["M100"], [Scope.ADMIN]))

    assert logged(admin, refused)["status"] == 403
    assert lesser.get("/requests").json["data"] == []


def test_a_rotated_key_sees_what_the_one_before_asked(reader, client, services):
    refused = reader.post("/batches", {})
    with services.transaction() as db:
        now = database.now(db)
        rotated = Erp(client, rotate_api_key(db, "an ERP", sandbox=True, overlap=timedelta(hours=1), now=now))

    entry, newer = logged(rotated, refused), logged(rotated, rotated.post("/batches", {}))

    assert entry["status"] == 403
    assert entry["key_id"] != newer["key_id"]


def test_a_callers_own_id_that_comes_twice_shows_the_newest_and_lists_both(erp):
    erp.post("/batches", {}, X_Request_Id="mine")
    erp.put("/registrations", {})
    second = erp.post("/declarations/preflight", {}, X_Request_Id="mine")

    assert logged(erp, second)["path"] == "/api/v1/declarations/preflight"
    assert len(erp.get("/requests", request_id="mine").json["data"]) == 2
    assert len(erp.get("/requests", method="PUT").json["data"]) == 1
    assert erp.get("/requests", since="2099-01-01T00:00:00Z").json["data"] == []


def test_the_list_goes_page_by_page_newest_first(erp):
    for number in range(5):
        erp.post("/batches", {}, X_Request_Id=f"r{number}")
    first = erp.get("/requests", limit=3).json
    second = erp.get("/requests", limit=3, cursor=first["next_cursor"]).json

    assert [one["request_id"] for one in first["data"] + second["data"]] == ["r4", "r3", "r2", "r1", "r0"]
    assert (first["has_more"], second["has_more"]) == (True, False)


# Never in the way.


def test_who_has_no_key_leaves_no_body_and_cannot_fill_the_log(client, erp):
    for _ in range(300):
        client.open("/api/v1/batches", method="POST", json={"name": "x"}, buffered=True)

    entries = erp.get("/requests", limit=200).json["data"]

    assert 100 <= len(entries) <= 150
    assert {entry["status"] for entry in entries} == {401}
    assert logged(erp, erp.get("/nothing"))["status"] == 404


def test_a_log_that_cannot_be_written_fails_no_request(erp, services):
    with services.transaction() as db:
        db.connection().exec_driver_sql("ALTER TABLE requests RENAME TO requests_away")
    try:
        assert erp.post("/batches", {"declarations": [make.declaration_row()]}).status_code == 202
    finally:
        with services.transaction() as db:
            db.connection().exec_driver_sql("ALTER TABLE requests_away RENAME TO requests")


def test_the_clock_deletes_what_is_old(erp, services):
    erp.post("/batches", {}, X_Request_Id="old")
    with services.transaction() as db:
        db.execute(update(LoggedRequest).values(at=database.now(db) - timedelta(days=31)))
    erp.post("/batches", {}, X_Request_Id="new")

    clock.tick(services)

    assert [one["request_id"] for one in erp.get("/requests").json["data"]] == ["new"]


def test_the_use_of_a_key_is_noted_after_the_answer(erp, services):
    erp.get("/batches")

    with services.reading() as db:
        (key,) = db.query(ApiKey).all()
    assert key.last_used_at is not None
