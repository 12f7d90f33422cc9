"""Planted names, ID numbers, keys and signatures: none is found in the database, an answer, or a log line."""

import io
import json
import logging

import pytest
from sqlalchemy import inspect, text

from customs import logging_setup
from customs.gateway import Busy, Refused, Unknown
from tests import make

NAME = "欧阳𠮷·买买提"
CERT_ID = make.cert_id(77)
KINDS = ["reply", "upper-case escapes", "doubly encoded", "refusal"]


@pytest.fixture
def database_url(either_database: str) -> str:
    """What is stored is looked through in both."""
    return either_database


def spellings(value: str) -> list[str]:
    escaped = json.dumps(value)[1:-1]
    return [value, escaped, escaped.upper().replace("\\U", "\\u"), json.dumps(escaped)[1:-1], value.encode().hex()]


def everything_stored(services) -> str:
    with services.reading() as db:
        tables = inspect(db.connection()).get_table_names()
        rows = [row for table in tables for row in db.execute(text(f"SELECT * FROM {table}"))]
    return "\n".join(str(value) for row in rows for value in row)


def found_in(haystack: str) -> list[str]:
    return [needle for value in (NAME, CERT_ID) for needle in spellings(value) if needle in haystack]


def texts_in(answer) -> list[str]:
    """Every text of an answer as its reader has it."""
    if isinstance(answer, dict | list):
        return [text for one in (answer.values() if isinstance(answer, dict) else answer) for text in texts_in(one)]
    return [str(answer)]


@pytest.fixture
def lines(monkeypatch):
    """Every log line, as a process would write it."""
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    handler = logging.StreamHandler(written)
    logging.getLogger().addHandler(handler)
    logging_setup.configure("debug")
    yield written
    logging.getLogger().removeHandler(handler)


def echoing(kind: str):
    """What a gateway may say that repeats the buyer."""
    if kind == "refusal":
        message = f"{NAME} {CERT_ID} is not the payer"
        exchange = make.exchange(method="POST", params={"name": NAME, "cert_id": CERT_ID}, reply=message, status=400)
        return Refused(message, exchange=exchange, status=400)
    plain = json.dumps({"name": NAME, "cert_id": CERT_ID}, ensure_ascii=False)
    raw = {
        "reply": plain,
        "upper-case escapes": json.dumps({"name": NAME}).upper().replace("\\U", "\\u"),
        "doubly encoded": json.dumps({"meta": {"message": json.dumps({"wx_message": NAME})}}),
    }[kind]
    exchange = make.exchange(method="POST", params={"name": NAME, "cert_id": CERT_ID}, reply=raw)
    return make.reply("FAIL", make.NOON, explanation=f"{NAME} {CERT_ID}", exchange=exchange)


@pytest.mark.parametrize("kind", KINDS)
def test_a_buyer_whom_the_gateway_echoes_is_found_nowhere_in_the_database(erp, services, desk, kind: str):
    erp.declare(buyer={"name": NAME, "cert_id": CERT_ID})

    desk.work(lambda task: desk.masked(echoing(kind), task))

    assert found_in(everything_stored(services)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_buyer_is_found_in_no_answer_of_the_api(erp, desk, kind: str):
    declaration = erp.declare(buyer={"name": NAME, "cert_id": CERT_ID})
    desk.work(lambda task: desk.masked(echoing(kind), task))
    path = f"/declarations/{declaration['id']}"

    answers = [erp.get(one).json for one in (path, f"{path}/events", "/declarations", "/batches")]

    assert found_in("\n".join(texts_in(answers))) == []


def test_a_buyer_is_found_in_no_problem_and_no_finding(erp):
    wrong = {"name": f"{NAME}\u200b", "cert_id": CERT_ID[:-1] + ("1" if CERT_ID[-1] != "1" else "2")}
    rows = [make.declaration_row(buyer=wrong), make.declaration_row()]

    refused = erp.post("/batches", {"declarations": rows})
    taken = erp.post("/batches", {"declarations": rows, "on_error": "accept_valid"})

    assert (refused.status_code, taken.status_code) == (422, 202)
    assert NAME not in refused.text + taken.text
    assert wrong["cert_id"] not in refused.text + taken.text


def test_a_buyer_under_a_misspelt_field_is_not_repeated(erp):
    answer = erp.post("/batches", {"declarations": [make.declaration_row(buyer_name=NAME, cert_id=CERT_ID)]})

    assert answer.status_code == 422
    assert found_in(answer.text) == []


def test_no_log_line_holds_a_buyer_or_a_key(erp, desk, lines):
    row = make.declaration_row(buyer={"name": NAME, "cert_id": CERT_ID})
    erp.post("/batches", {"declarations": [row | {"duty": "x"}]})
    erp.hand_in(row)
    for outcome in (Busy("later", exchange=make.exchange(), retry_after=0.0), Unknown(NAME, exchange=make.exchange())):
        desk.work(lambda task, outcome=outcome: desk.masked(outcome, task))
        desk.wait(minutes=10)
    desk.work(lambda task: desk.masked(echoing("reply"), task))
    erp.get("/declarations", payment_no="\x00")

    written = lines.getvalue()

    assert "workers cannot be notified" in written
    assert found_in(written) == []
    assert erp.key not in written


def test_an_api_key_is_stored_as_a_digest_only(erp, services):
    assert erp.key not in everything_stored(services)
