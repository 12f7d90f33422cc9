"""Declarations over the API: what is shown, what may be asked, and the four actions."""

import pytest

from customs.auth.principal import Scope
from tests import make


def test_a_declaration_is_shown_with_its_pushes_its_buyer_masked_and_its_amounts_as_text(erp):
    row = make.declaration_row(
        office="GUANGZHOU_HUANGPU", duty=88, buyer=make.buyer_row(), sub_orders=[make.sub_order_row("23.22", "23.22")]
    )
    batch = erp.hand_in(row)

    (shown,) = erp.get("/declarations").json["data"]

    for name in ("channel", "office", "merchant_no", "out_order_no", "payment_no", "mch_customs_no", "duty"):
        assert shown[name] == row[name]
    assert shown["batch_id"] == batch["id"]
    assert shown["sub_orders"] == row["sub_orders"]
    assert shown["buyer"] == {"name": "李*", "cert_id": f"1101{'*' * 10}{make.cert_id()[-4:]}"}
    assert (shown["state"], shown["identity"], shown["cancelled"]) == ("UNDECLARED", "UNCHECKED", False)
    assert (shown["needs_review"], shown["case"]) == (False, None)
    assert [push["customs"] for push in shown["pushes"]] == ["GUANGZHOU_ZS", "GUANGZHOU_HP_GJ"]
    assert {push["next_action"] for push in shown["pushes"]} == {"SUBMIT"}
    assert erp.get(f"/declarations/{shown['id']}").json == shown


def test_a_push_that_waits_for_an_earlier_one_is_a_submit_without_a_due_time(erp):
    first, second = erp.declare("alipay", office="SHENZHEN")["pushes"]

    assert first["due_at"] is not None
    assert (second["next_action"], second["due_at"]) == ("SUBMIT", None)


def test_an_open_case_says_why_and_since_when(erp, desk):
    declaration = erp.declare()

    desk.work(lambda _: make.reply("FAIL", desk.now, explanation="备案号不存在"))

    shown = erp.get(f"/declarations/{declaration['id']}").json
    assert shown["needs_review"]
    assert "备案号不存在" in shown["case"]["reason"]
    assert shown["case"]["since"].endswith("Z")
    assert shown["pushes"][0]["explanation"] == "备案号不存在"


def test_what_did_not_change_is_not_sent_twice(erp):
    declaration = erp.declare()
    path = f"/declarations/{declaration['id']}"
    etag = erp.get(path).headers["ETag"]

    again = erp.call("GET", path, headers={"If-None-Match": etag})

    assert (again.status_code, again.data) == (304, b"")


def test_what_changed_has_another_etag(erp, desk):
    path = f"/declarations/{erp.declare()['id']}"
    etag = erp.get(path).headers["ETag"]

    desk.work(lambda _: make.reply("SUCCESS", desk.now))

    assert erp.call("GET", path, headers={"If-None-Match": etag}).status_code == 200


@pytest.mark.parametrize(
    "name", ["batch_id", "state", "channel", "office", "out_order_no", "payment_no", "sub_order_no", "needs_review"]
)
def test_a_list_is_narrowed_by_each_of_its_filters(erp, desk, name: str):
    wanted = erp.declare("alipay", office="SHANGHAI", parts=1)
    desk.work(lambda _: make.reply("FAIL", desk.now))
    erp.declare(parts=1)
    value = {"sub_order_no": wanted["sub_orders"][0]["sub_order_no"], "state": "FAIL", "needs_review": "true"}

    page = erp.get("/declarations", **{name: value.get(name) or wanted[name]}).json

    assert [one["id"] for one in page["data"]] == [wanted["id"]]


@pytest.mark.parametrize(
    "query",
    [
        {"state": "DONE"},
        {"channel": "paypal"},
        {"needs_review": "yes"},
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "١"},
        {"limit": "9" * 5000},
        {"cursor": "\x00"},
        {"cursor": "x" * 65},
        {"since": "yesterday"},
        {"since": "2026-11-23"},
        {"since": "0001-01-01T00:00:00+14:00"},
        {"until": "9999-12-31T23:59:59-14:00"},
        {"payment_no": "\x00"},
        {"stat": "FAIL"},
    ],
    ids=lambda query: str(query)[:40],
)
def test_a_question_nobody_can_answer_is_refused_and_never_ignored(erp, query):
    answer = erp.get("/declarations", **query)

    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"] == f"?{next(iter(query))}"


def test_declarations_come_in_pages(erp):
    erp.hand_in(*(make.declaration_row() for _ in range(5)))

    first = erp.get("/declarations", limit=3).json
    second = erp.get("/declarations", limit=3, cursor=first["next_cursor"]).json

    ids = [one["id"] for one in first["data"] + second["data"]]
    assert ids == sorted(ids, reverse=True)
    assert (len(set(ids)), first["has_more"], second["has_more"]) == (5, True, False)


def test_the_timeline_shows_calls_changes_of_state_and_actions_in_order(erp, desk):
    declaration = erp.declare(buyer=make.buyer_row())
    sent = make.exchange(method="POST", params={"name": "李雷", "cert_id": make.cert_id(), "customs": "HANGZHOU_ZS"})
    desk.work(lambda _: make.reply("EXCEPT", desk.now, exchange=sent))
    erp.post(f"/declarations/{declaration['id']}/redeclare", {"reason": "customs lost it"})

    events = erp.get(f"/declarations/{declaration['id']}/events").json["data"]

    assert [event["kind"] for event in events] == ["call", "state", "action"]
    call, change, action = events
    assert set(call) == {"at", "kind", "actor", "push_id", "detail", "request", "reply", "duration_ms"}
    assert call["request"]["name"] == "李*"
    assert call["duration_ms"] == 12
    assert change["detail"] == {"from": "UNDECLARED", "to": "EXCEPT"}
    assert (action["actor"], action["detail"]["reason"]) == ("an ERP", "customs lost it")


# Actions.


def test_a_repush_is_accepted_and_shown_as_undeclared_at_once(erp, desk):
    declaration = erp.declare()
    desk.work(lambda _: make.reply("EXCEPT", desk.now))

    answer = erp.post(f"/declarations/{declaration['id']}/redeclare", {"reason": "customs lost it"})

    assert answer.status_code == 202
    assert (answer.json["state"], answer.json["needs_review"]) == ("UNDECLARED", False)
    assert answer.json["pushes"][0]["next_action"] == "REDECLARE"


def test_a_modify_is_accepted_with_fields_by_their_names_in_a_declaration(erp, desk):
    declaration = erp.declare(parts=2)
    desk.work(lambda _: make.reply("SUCCESS", desk.now))
    number = declaration["sub_orders"][0]["sub_order_no"]

    answer = erp.post(
        f"/declarations/{declaration['id']}/modify",
        {
            "reason": "freight was wrong",
            "sub_orders": [{"sub_order_no": number, "amount": "12.00", "transport_amount": "3.00"}],
        },
    )

    assert answer.status_code == 202
    assert answer.json["sub_orders"][0] == {
        "sub_order_no": number,
        "amount": "12.00",
        "transport_amount": "3.00",
        "product_amount": "9.00",
    }
    assert [push["next_action"] for push in answer.json["pushes"]] == ["MODIFY", None]


@pytest.mark.parametrize(
    "field", ["out_order_no", "payment_no", "channel", "office", "merchant_no", "customs", "submit"]
)
def test_what_a_modify_may_never_change_is_refused(erp, field: str):
    declaration = erp.declare()

    answer = erp.post(f"/declarations/{declaration['id']}/modify", {"reason": "x", field: "OTHER"})

    assert answer.status_code == 422
    assert answer.json["errors"][0]["code"] == "unknown_field"


def test_an_action_that_a_rule_forbids_is_409_with_the_rule_and_the_time(erp, desk):
    declaration = erp.declare("alipay")
    desk.work(lambda _: make.reply("SUCCESS", desk.now))

    answer = erp.post(f"/declarations/{declaration['id']}/redeclare", {"reason": "again"})

    assert (answer.status_code, answer.json["code"]) == (409, "action_not_allowed")
    assert answer.json["errors"][0]["code"] == "too_early"
    assert answer.json["not_before"].endswith("Z")
    allowed = {one["action"]: one for one in erp.get(f"/declarations/{declaration['id']}").json["allowed_actions"]}
    assert allowed["redeclare"]["allowed"] is False
    assert allowed["redeclare"]["not_before"] == answer.json["not_before"]


def test_an_override_lets_a_fail_out(erp, desk):
    declaration = erp.declare()
    desk.work(lambda _: make.reply("FAIL", desk.now))
    path = f"/declarations/{declaration['id']}/redeclare"

    assert erp.post(path, {"reason": "again"}).status_code == 409
    assert erp.post(path, {"reason": "again", "override": True}).status_code == 202


def test_a_cancel_frees_the_numbers(erp):
    row = make.declaration_row()
    erp.hand_in(row)
    (declaration,) = erp.get("/declarations").json["data"]

    answer = erp.post(f"/declarations/{declaration['id']}/cancel", {"reason": "wrong office"})

    assert answer.json["cancelled"] is True
    assert erp.hand_in(row)["replayed"] == []


def test_a_dismissal_closes_the_case(erp, desk):
    declaration = erp.declare()
    desk.work(lambda _: make.reply("FAIL", desk.now))

    answer = erp.post(f"/declarations/{declaration['id']}/dismiss", {"reason": "goods were returned"})

    assert (answer.status_code, answer.json["needs_review"], answer.json["state"]) == (200, False, "FAIL")


@pytest.mark.parametrize("action", ["redeclare", "modify", "cancel", "dismiss"])
@pytest.mark.parametrize(
    "body", [{}, {"reason": ""}, {"reason": " x"}, {"reason": None}, {"reason": "x", "why": 1}, []]
)
def test_no_action_without_a_reason(erp, action: str, body):
    declaration = erp.declare()

    assert erp.post(f"/declarations/{declaration['id']}/{action}", body).status_code == 422


@pytest.mark.parametrize("override", ["true", 1, None, [], "yes"])
def test_an_override_is_true_or_false_and_nothing_like_it(erp, limited, override):
    declaration = limited(Scope.DECLARATIONS_READ, Scope.DECLARATIONS_WRITE).declare()

    answer = erp.post(f"/declarations/{declaration['id']}/redeclare", {"reason": "x", "override": override})

    assert answer.status_code == 422


# Offices and registrations.


def test_offices_are_listed_with_their_codes_per_channel(erp):
    offices = {office["office"]: office for office in erp.get("/offices").json["data"]}

    assert offices["SHENZHEN"]["name"] == "深圳"
    assert offices["SHENZHEN"]["codes"] == {"wechatpay": ["SHENZHEN"], "alipay": ["SHENZHEN_ZS", "ZONGSHU"]}


def test_a_registration_is_put_on_file_replaced_and_used(erp):
    row = {"merchant_no": "M100", "channel": "wechatpay", "office": "HANGZHOU", "mch_customs_no": "REG-1"}
    erp.put("/registrations", {"registrations": [row]})

    answer = erp.put("/registrations", {"registrations": [row | {"mch_customs_no": "REG-2"}]})

    assert [one["mch_customs_no"] for one in answer.json["data"]] == ["REG-2"]
    assert erp.declare(mch_customs_no=None)["mch_customs_no"] == "REG-2"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"office": "HEFEI"}, "office_without_codes"),
        ({"channel": "alipay"}, "registration_name_missing"),
        ({"channel": "paypal"}, "choice"),
        ({"mch_customs_no": ""}, "length"),
        ({"extra": "x"}, "unknown_field"),
    ],
)
def test_a_registration_that_could_never_be_used_is_refused(erp, change, code: str):
    row = {"merchant_no": "M100", "channel": "wechatpay", "office": "HANGZHOU", "mch_customs_no": "REG-1"}

    answer = erp.put("/registrations", {"registrations": [row | change]})

    assert (answer.status_code, answer.json["errors"][0]["code"]) == (422, code)
    assert erp.get("/registrations").json["data"] == []


# Lanes.


def test_a_stopped_lane_says_why_and_goes_on_when_somebody_resumes_it(erp, desk):
    desk.stop_lane("the gateway refused our signature")
    (lane,) = erp.get("/lanes").json["data"]

    answer = erp.post(f"/lanes/{lane['id']}/resume", {})

    assert (lane["state"], lane["reason"]) == ("stopped", "the gateway refused our signature")
    assert (answer.status_code, answer.json["state"], answer.json["reason"]) == (200, "open", None)
