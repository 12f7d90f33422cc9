"""Batches over the API: 202 once stored, 422 with a pointer for each error, lists in pages."""

import pytest

from tests import make


def test_a_batch_is_taken_and_shown_with_its_counts(erp):
    answer = erp.post("/batches", {"name": "Monday", "declarations": [make.declaration_row(), make.declaration_row()]})

    assert answer.status_code == 202
    batch = answer.json
    assert batch["id"].startswith("bat_")
    assert (batch["name"], batch["state"]) == ("Monday", "RUNNING")
    assert batch["counts"] == {
        "total": 2,
        "UNDECLARED": 2,
        "SUBMITTED": 0,
        "PROCESSING": 0,
        "SUCCESS": 0,
        "FAIL": 0,
        "EXCEPT": 0,
        "cancelled": 0,
        "needs_review": 0,
        "open_rows": 0,
    }
    assert batch["created_at"].endswith("Z")
    assert (batch["findings"], batch["replayed"]) == ([], [])
    assert erp.get(f"/batches/{batch['id']}").json == batch


def test_a_batch_is_done_when_all_of_it_is_success(erp, desk):
    batch = erp.hand_in(make.declaration_row(), make.declaration_row())

    desk.work(lambda _: make.reply("SUCCESS", desk.now))

    assert erp.get(f"/batches/{batch['id']}").json["state"] == "DONE"


@pytest.mark.parametrize("end", ["FAIL", "EXCEPT"])
def test_a_batch_asks_for_attention_when_something_failed(erp, desk, end: str):
    batch = erp.hand_in(make.declaration_row())

    desk.work(lambda _: make.reply(end, desk.now))

    shown = erp.get(f"/batches/{batch['id']}").json
    assert (shown["state"], shown["counts"][end], shown["counts"]["needs_review"]) == ("ATTENTION", 1, 1)


def test_a_case_ends_the_waiting_even_while_the_asking_goes_on(erp, desk):
    batch = erp.hand_in(make.declaration_row())

    desk.work(lambda _: make.reply("ARCHIVED", desk.now))

    assert erp.get(f"/batches/{batch['id']}").json["state"] == "ATTENTION"


def test_a_cancelled_declaration_is_counted_apart(erp):
    declaration = erp.declare()

    erp.post(f"/declarations/{declaration['id']}/cancel", {"reason": "wrong office"})

    counts = erp.get(f"/batches/{declaration['batch_id']}").json["counts"]
    assert (counts["total"], counts["cancelled"], counts["UNDECLARED"]) == (1, 1, 0)


def test_a_replay_names_the_declaration_and_counts_in_the_new_batch(erp):
    row = make.declaration_row()
    erp.hand_in(row)

    batch = erp.hand_in(row)

    assert len(batch["replayed"]) == 1
    assert batch["counts"]["total"] == 1
    assert [one["id"] for one in erp.get("/declarations", batch_id=batch["id"]).json["data"]] == batch["replayed"]


def test_a_rejected_batch_points_at_each_fault(erp):
    rows = [make.declaration_row(), make.declaration_row(sub_orders=[make.sub_order_row(amount=10.0)])]

    answer = erp.post("/batches", {"declarations": rows})

    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    (error,) = answer.json["errors"]
    assert (error["pointer"], error["code"]) == ("/declarations/1/sub_orders/0/amount", "amount_is_number")
    assert "46.44" in error["detail"]
    assert erp.get("/batches").json["data"] == []


def test_good_rows_are_taken_when_asked_and_the_findings_name_the_rest(erp):
    rows = [make.declaration_row(), make.declaration_row(office="ATLANTIS")]

    batch = erp.hand_in(*rows, on_error="accept_valid")

    assert (batch["counts"]["total"], batch["counts"]["open_rows"]) == (1, 1)
    (finding,) = batch["findings"]
    assert set(finding) == {"pointer", "row", "column", "code", "severity", "detail", "action"}
    assert (finding["pointer"], finding["severity"]) == ("/declarations/1/office", "error")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/declarations"),
        ({"declarations": []}, "/declarations"),
        ({"declarations": {}}, "/declarations"),
        ({"declarations": None}, "/declarations"),
        ({"declarations": [{}], "on_error": "ignore"}, "/on_error"),
        ({"declarations": [{}], "name": ""}, "/name"),
        ({"declarations": [{}], "nmae": "x"}, "/nmae"),
        ([], ""),
        ("x", ""),
        (None, ""),
    ],
    ids=repr,
)
def test_an_envelope_that_is_not_one_is_refused(erp, body, pointer: str):
    answer = erp.post("/batches", body)

    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.json["errors"]]


def test_ten_thousand_and_one_rows_are_refused_and_nothing_is_stored(erp):
    answer = erp.post("/batches", {"declarations": [{}] * 10_001})

    assert answer.status_code == 422
    assert [error["code"] for error in answer.json["errors"]] == ["batch_size"]
    assert erp.get("/batches").json["data"] == []


def test_batches_come_in_pages_newest_first(erp):
    ids = [erp.hand_in(make.declaration_row())["id"] for _ in range(5)]

    seen, cursor, pages = [], {}, 0
    while True:
        page = erp.get("/batches", limit=2, **cursor).json
        seen += [batch["id"] for batch in page["data"]]
        pages += 1
        if not page["has_more"]:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert (seen, pages, page["next_cursor"]) == (ids[::-1], 3, None)


def test_since_and_until_are_half_open(erp):
    first, second = (erp.hand_in(make.declaration_row()) for _ in range(2))
    with_both = erp.get("/batches").json["data"]

    later = erp.get("/batches", since="2999-01-01T00:00:00Z").json["data"]
    earlier = erp.get("/batches", until="2000-01-01T00:00:00+08:00").json["data"]

    assert [batch["id"] for batch in with_both] == [second["id"], first["id"]]
    assert (later, earlier) == ([], [])


def test_preflight_names_what_is_wrong_and_has_no_effect(erp):
    rows = [make.declaration_row(), make.declaration_row(office="ATLANTIS")]

    answer = erp.post("/declarations/preflight", {"declarations": rows})

    assert answer.status_code == 200
    assert [one["code"] for one in answer.json["findings"]] == ["office_unknown"]
    assert erp.get("/declarations").json["data"] == []


def test_preflight_compares_with_what_is_on_file(erp):
    row = make.declaration_row()
    erp.hand_in(row)

    answer = erp.post("/declarations/preflight", {"declarations": [row | {"duty": 7}]})

    assert [one["code"] for one in answer.json["findings"]] == ["already_declared"]


def test_preflight_of_a_good_batch_finds_nothing(erp):
    assert erp.post("/declarations/preflight", {"declarations": [make.declaration_row()]}).json == {"findings": []}
