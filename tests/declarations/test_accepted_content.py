"""What the gateway accepted and what we want it to hold: kept apart until a correction is accepted."""

from decimal import Decimal
from typing import Any

import pytest

from customs.auth.principal import operator
from customs.declarations.contents import Content, Echo, echo_of
from customs.declarations.intake.existing import pushes_of
from customs.declarations.reading.detail import declaration_detail
from customs.declarations.serializers import declarations_json
from customs.declarations.states import Action, State
from customs.gateway import NotFound, Refused, SubOrderPart, Unknown
from customs.ops.key_rotation import rotate_keys
from customs.privacy.vault import Vault
from tests import make
from tests.product import Desk

REFUSED = Refused("customs takes no correction now", exchange=make.exchange(), status=400)
ABSENT = NotFound("unheard of", exchange=make.exchange(), status=404)
LOST = Unknown("lost")
HOURS_OF_ASKING = 60


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The rules are plain values, whatever database keeps the rows."""
    return sqlite_url


def declared(desk: Desk, channel: str = "wechatpay", **changes: Any) -> str:
    """A declaration that is SUCCESS, with one part of 10.00 and a duty of 5 where there is one."""
    duty = {"duty": 5} if channel == "wechatpay" else {}
    row = duty | {"parts": 1, "buyer": make.buyer_row()} | changes
    declaration_id = desk.declare(channel, **row)
    desk.end(declaration_id, "SUCCESS")
    desk.wait(minutes=6)
    return declaration_id


def corrected(desk: Desk, declaration_id: str, total: str = "11.00") -> None:
    """Another amount of its only part is wanted."""
    part = desk.declaration(declaration_id).sub_orders[0]
    amounts = {"amount": Decimal(total), "product_amount": Decimal(total) - 1, "transport_amount": Decimal(1)}
    desk.modify(declaration_id, sub_orders=[{"sub_order_no": part.sub_order_no, **amounts}])


def accepted(desk: Desk, declaration_id: str) -> Content | None:
    kept = desk.push(declaration_id).accepted_content
    return Content.read(kept) if kept else None


def given_up(desk: Desk, declaration_id: str) -> None:
    """Nobody knows what became of it, however often it is sent and asked for."""
    for _ in range(HOURS_OF_ASKING):
        desk.wait(hours=1)
        desk.work(lambda task: ABSENT if task.action is Action.QUERY else LOST)
    assert desk.push(declaration_id).next_action is None


def shown(desk: Desk, declaration_id: str) -> dict[str, Any]:
    services = desk.services
    parts = services.vault, services.policy, services.payments
    with services.reading() as db:
        return declarations_json(db, [desk.declaration(declaration_id)], *parts, desk.now)[0]


@pytest.mark.parametrize(("channel", "action"), [("wechatpay", Action.MODIFY), ("alipay", Action.REDECLARE)])
def test_after_a_refused_correction_a_repush_carries_the_content_and_the_case_ends_with_it(
    desk: Desk, channel: str, action: Action
):
    declaration_id = declared(desk, channel)
    corrected(desk, declaration_id)
    desk.work(lambda _: REFUSED)
    refused = desk.push(declaration_id)
    desk.wait(minutes=6)

    desk.decide("redeclare", declaration_id)
    (task,) = desk.work(lambda _: make.reply("SUCCESS", desk.now))

    assert (refused.state, refused.case_reason) == (State.SUCCESS, "refused: customs takes no correction now")
    assert (task.action, task.filing.sub_order.amount) == (action, Decimal("11.00"))
    assert accepted(desk, declaration_id) is None
    assert not desk.declaration(declaration_id).needs_review


def test_the_same_content_may_be_sent_again_while_customs_holds_another(desk: Desk):
    declaration_id = declared(desk)
    desk.modify(declaration_id, duty=88)
    desk.work(lambda _: REFUSED)

    desk.modify(declaration_id, duty=88)

    assert [(task.action, task.filing.duty) for task in desk.claim()] == [(Action.MODIFY, 88)]


def test_both_contents_are_shown_where_they_differ_and_only_there(desk: Desk):
    declaration_id = declared(desk)
    before = shown(desk, declaration_id)["pushes"][0]
    desk.modify(declaration_id, duty=88, buyer={"name": "韩梅梅"})
    desk.work(lambda _: REFUSED)

    with desk.services.reading() as db:
        parts = desk.services.vault, desk.services.policy, desk.services.payments
        detail = declaration_detail(db, operator(), declaration_id, *parts, desk.now)
    push = shown(desk, declaration_id)["pushes"][0]

    assert "accepted_content" not in before
    assert push["accepted_content"]["duty"] == 5
    assert push["accepted_content"]["buyer"]["name"] == "李*"
    reported = {one.name: (one.accepted, one.wanted) for one in detail.differences[push["id"]]}
    assert (reported["duty"], reported["buyer"][0][:2], reported["buyer"][1][:2]) == (("5", "88"), "李*", "韩*")
    assert [event.detail["accepted"].split("; ")[1] for event in desk.events(declaration_id)[-2:]] == ["duty=5"] * 2


def test_what_was_given_up_in_doubt_is_corrected_again_even_back_to_what_was_accepted(desk: Desk):
    declaration_id = declared(desk)
    desk.modify(declaration_id, duty=88)
    given_up(desk, declaration_id)
    doubtful = desk.push(declaration_id)

    desk.modify(declaration_id, duty=5)
    desk.work(lambda _: REFUSED)
    desk.decide("redeclare", declaration_id)
    (task,) = desk.work(lambda _: make.reply("SUCCESS", desk.now))

    assert (doubtful.content_in_doubt, doubtful.state) == (True, State.SUCCESS)
    assert (task.action, task.filing.duty) == (Action.MODIFY, 5)
    push = desk.push(declaration_id)
    assert (push.accepted_content, push.content_in_doubt) == (None, False)


def test_what_was_refused_and_taken_back_is_pushed_again_as_it_is(desk: Desk):
    declaration_id = declared(desk)
    desk.modify(declaration_id, duty=88)
    desk.work(lambda _: REFUSED)
    desk.modify(declaration_id, duty=5)
    desk.work(lambda _: REFUSED)

    desk.decide("redeclare", declaration_id)

    assert [task.action for task in desk.claim()] == [Action.REDECLARE]


def test_a_filing_that_runs_goes_on_being_asked_for_after_its_correction_was_refused(desk: Desk):
    declaration_id = desk.declare(duty=5)
    desk.work(lambda _: make.reply("PROCESSING", desk.now))
    desk.modify(declaration_id, duty=88)
    desk.work(lambda _: REFUSED)
    refused = desk.push(declaration_id)
    desk.wait(minutes=5)

    desk.work(lambda _: make.reply("SUCCESS", desk.now))

    assert (refused.state, refused.next_action) == (State.PROCESSING, Action.QUERY)
    push = desk.push(declaration_id)
    assert (push.state, push.accepted_content is not None, push.case_reason) == (
        State.SUCCESS,
        True,
        "refused: customs takes no correction now",
    )


def test_an_add_that_was_lost_may_be_there_when_another_content_is_refused(desk: Desk):
    declaration_id = desk.declare(duty=5)
    given_up(desk, declaration_id)
    desk.modify(declaration_id, duty=88)
    desk.work(lambda _: REFUSED)
    desk.wait(minutes=5)

    desk.work(lambda _: make.reply("SUCCESS", desk.now))

    push = desk.push(declaration_id)
    assert (push.state, push.accepted, Content.read(push.accepted_content or "").order["duty"]) == (
        State.SUCCESS,
        True,
        5,
    )
    assert push.case_reason == "refused: customs takes no correction now"
    desk.decide("redeclare", declaration_id)
    assert [(task.action, task.filing.duty) for task in desk.claim()] == [(Action.MODIFY, 88)]


def test_while_customs_holds_a_larger_amount_that_one_counts(desk: Desk):
    declaration_id = declared(desk)
    corrected(desk, declaration_id, "4.00")
    desk.work(lambda _: REFUSED)
    order = desk.declaration(declaration_id)
    stored = {"payment_no": order.payment_no, "out_order_no": order.out_order_no, "office": "GUANGZHOU"}

    with desk.services.reading() as db:
        (pushes,) = pushes_of(db, [make.order(**stored)]).values()

    assert [one.amount for one in pushes] == [Decimal("10.00")]


def test_a_new_key_seals_what_was_accepted_too(desk: Desk):
    declaration_id = declared(desk)
    desk.modify(declaration_id, buyer={"name": "韩梅梅"})
    desk.work(lambda _: REFUSED)
    newer = Vault(["a newer key", *desk.services.settings.pii_keys], desk.services.settings.secret_key)

    resealed = rotate_keys(desk.services.engine, newer)["buyers"]

    content = accepted(desk, declaration_id)
    assert resealed == 2
    assert content is not None and content.buyer is not None
    assert newer.is_current(content.buyer)
    assert newer.open_buyer(content.buyer, declaration_id).name == "李雷"


PART = SubOrderPart("S1", Decimal("11.00"), Decimal("1.00"), Decimal("10.00"))
BEFORE = Content(
    {"mch_customs_no": "R1", "merchant_customs_name": None, "duty": 5},
    {"amount": Decimal("10.00"), "transport_amount": Decimal("1.00"), "product_amount": Decimal("9.00")},
    None,
).kept()
ASKED = make.exchange(params={"sub_order_no": "S1", "sub_order_amount": "11.00"})


@pytest.mark.parametrize(
    ("printed", "echo"),
    [
        ({}, Echo.SILENT),
        ({"amount": Decimal("11.00")}, Echo.WANTED),
        ({"amount": Decimal("10.999999999999999")}, Echo.WANTED),
        ({"amount": Decimal("10")}, Echo.OTHER),
        ({"amount": Decimal("12.00")}, Echo.OTHER),
        ({"transport_amount": Decimal("1.00")}, Echo.SILENT),
        ({"amount": Decimal("11.00"), "exchange": ASKED}, Echo.SILENT),
        ({"amount": Decimal("10.00"), "exchange": ASKED}, Echo.OTHER),
    ],
)
def test_the_amounts_of_an_answer_show_which_content_was_accepted(printed: dict[str, Any], echo: Echo):
    assert echo_of(make.reply(**printed), PART, BEFORE) is echo


def test_an_answer_about_a_filing_that_was_not_corrected_says_nothing_of_contents():
    assert echo_of(make.reply(amount=Decimal("12.00")), PART, None) is Echo.SILENT
