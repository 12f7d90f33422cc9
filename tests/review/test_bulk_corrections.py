"""A correction of many is rehearsed as it will be done: what is said to go goes, and what is kept back stays."""

from collections.abc import Sequence
from typing import Any

import pytest

from customs.auth.principal import Caller, operator
from customs.db import database
from customs.declarations.actions.action_rules import Policy
from customs.declarations.actions.bulk_actions import MOST_AT_ONCE, Rehearsal
from customs.errors import ActionNotAllowed, NotFound, ValidationFailed
from customs.review.bulk_corrections import SharedCorrection, values_now
from tests import make
from tests.product import Desk


def rehearsed(desk: Desk, ids: Sequence[str], caller: Caller | None = None, **changes: Any) -> Rehearsal:
    services = desk.services
    with services.reading() as db:
        parts = services.vault, services.rules, Policy(300, "correct"), database.now(db)
        return SharedCorrection(changes, *parts).rehearse(db, caller or operator(), ids, services.payments)


def rules_of(rehearsal: Rehearsal) -> dict[str, int]:
    return {group.rule: len(group.declarations) for group in rehearsal.kept_back}


def failed(desk: Desk, channel: str = "wechatpay", **changes: Any) -> str:
    declaration_id = desk.declare(channel, **changes)
    desk.end(declaration_id, "FAIL")
    return declaration_id


def test_what_failed_may_be_corrected_together(desk: Desk):
    ids = [failed(desk) for _ in range(3)]

    rehearsal = rehearsed(desk, ids, mch_customs_no="110396T0002")

    assert [one.id for one in rehearsal.allowed] == sorted(ids, reverse=True)
    assert (rehearsal.kept_back, rehearsal.total) == ((), 3)


def test_each_that_is_kept_back_is_counted_under_its_rule(desk: Desk):
    mended = failed(desk, mch_customs_no="110396T0002")
    cancelled = desk.declare()
    desk.decide("cancel", cancelled)
    in_doubt = desk.declare()
    desk.send(desk.claim())

    rehearsal = rehearsed(desk, [failed(desk), mended, cancelled, in_doubt], mch_customs_no="110396T0002")

    assert len(rehearsal.allowed) == 1
    assert rules_of(rehearsal) == {"unchanged": 1, "cancelled": 1, "in_flight": 1}


def test_alipay_is_told_from_when_it_may(desk: Desk):
    declaration_id = failed(desk, "alipay")

    (group,) = rehearsed(desk, [declaration_id], mch_customs_no="110396T0002").kept_back

    assert group.rule == "too_early"
    assert group.not_before is not None and group.not_before > desk.now


def test_a_value_that_the_rules_refuse_keeps_everything_back(desk: Desk):
    ids = [failed(desk), failed(desk)]

    assert rules_of(rehearsed(desk, ids, mch_customs_no="")) == {"registration_missing": 2}


@pytest.mark.parametrize("channel", ["wechatpay", "alipay"])
@pytest.mark.parametrize("state", ["SUCCESS", "FAIL", "EXCEPT", "PROCESSING", None])
@pytest.mark.parametrize("value", ["110396T0001", "110396T0002", ""])
def test_what_is_rehearsed_is_what_happens(desk: Desk, channel: str, state: str | None, value: str):
    declaration_id = desk.declare(channel)
    if state == "PROCESSING":
        desk.work(lambda _: make.reply(state, desk.now))
    elif state:
        desk.end(declaration_id, state)

    rehearsal = rehearsed(desk, [declaration_id], mch_customs_no=value)

    if rehearsal.allowed:
        desk.modify(declaration_id, mch_customs_no=value)
    else:
        with pytest.raises((ActionNotAllowed, ValidationFailed)) as refused:
            desk.modify(declaration_id, mch_customs_no=value)
        assert refused.value.errors[0].code == rehearsal.kept_back[0].rule


def test_another_merchants_declaration_is_not_found(desk: Desk):
    with pytest.raises(NotFound):
        rehearsed(desk, [failed(desk)], make.caller("M999"), mch_customs_no="x")


@pytest.mark.parametrize("count", [0, MOST_AT_ONCE + 1])
def test_one_to_two_hundred_at_once(desk: Desk, count: int):
    with pytest.raises(ValidationFailed):
        rehearsed(desk, [f"decl_{number}" for number in range(count)], mch_customs_no="x")


def test_what_they_say_now_is_told_once(desk: Desk):
    declarations = [desk.declaration(desk.declare(mch_customs_no=value)) for value in ("B", "A", "B")]

    assert values_now(declarations, "mch_customs_no") == ("A", "B")
    assert values_now(declarations, "duty") == ()
