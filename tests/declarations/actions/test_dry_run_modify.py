"""A dry run of a correction of many: what it allows goes out, what it blocks stays as it is."""

from collections.abc import Sequence
from typing import Any

import pytest

from customs.auth.principal import Caller, operator
from customs.db import database
from customs.declarations.actions.action_rules import Policy
from customs.declarations.actions.bulk_actions import MOST_AT_ONCE, BulkPlan, dry_run_modify
from customs.errors import ActionNotAllowed, NotFound, ValidationFailed
from tests import make
from tests.product import Desk


def dry_run(desk: Desk, ids: Sequence[str], caller: Caller | None = None, **changes: Any) -> BulkPlan:
    services = desk.services
    with services.reading() as db:
        parts = Policy(300, "correct"), services.payments, database.now(db), services.vault, services.rules
        return dry_run_modify(db, caller or operator(), ids, changes, *parts)


def rules_of(plan: BulkPlan) -> dict[str, int]:
    return {group.rule: len(group.declarations) for group in plan.blocked}


def failed(desk: Desk, channel: str = "wechatpay", **changes: Any) -> str:
    declaration_id = desk.declare(channel, **changes)
    desk.end(declaration_id, "FAIL")
    return declaration_id


def test_what_failed_may_be_corrected_together(desk: Desk):
    ids = [failed(desk) for _ in range(3)]

    plan = dry_run(desk, ids, mch_customs_no="110396T0002")

    assert [one.id for one in plan.allowed] == sorted(ids, reverse=True)
    assert (plan.blocked, plan.total) == ((), 3)


def test_each_that_is_blocked_is_counted_under_its_rule(desk: Desk):
    mended = failed(desk, mch_customs_no="110396T0002")
    cancelled = desk.declare()
    desk.decide("cancel", cancelled)
    in_doubt = desk.declare()
    desk.send(desk.claim())

    plan = dry_run(desk, [failed(desk), mended, cancelled, in_doubt], mch_customs_no="110396T0002")

    assert len(plan.allowed) == 1
    assert rules_of(plan) == {"unchanged": 1, "cancelled": 1, "in_flight": 1}


def test_a_dry_run_says_from_when_alipay_takes_a_correction(desk: Desk):
    declaration_id = failed(desk, "alipay")

    (group,) = dry_run(desk, [declaration_id], mch_customs_no="110396T0002").blocked

    assert group.rule == "too_early"
    assert group.not_before is not None and group.not_before > desk.now


def test_a_value_that_the_rules_refuse_keeps_everything_back(desk: Desk):
    ids = [failed(desk), failed(desk)]

    assert rules_of(dry_run(desk, ids, mch_customs_no="")) == {"registration_missing": 2}


@pytest.mark.parametrize("channel", ["wechatpay", "alipay"])
@pytest.mark.parametrize("state", ["SUCCESS", "FAIL", "EXCEPT", "PROCESSING", None])
@pytest.mark.parametrize("value", ["110396T0001", "110396T0002", ""])
def test_a_dry_run_allows_what_then_happens(desk: Desk, channel: str, state: str | None, value: str):
    declaration_id = desk.declare(channel)
    if state == "PROCESSING":
        desk.work(lambda _: make.reply(state, desk.now))
    elif state:
        desk.end(declaration_id, state)

    plan = dry_run(desk, [declaration_id], mch_customs_no=value)

    if plan.allowed:
        desk.modify(declaration_id, mch_customs_no=value)
    else:
        with pytest.raises((ActionNotAllowed, ValidationFailed)) as refused:
            desk.modify(declaration_id, mch_customs_no=value)
        assert refused.value.errors[0].code == plan.blocked[0].rule


def test_another_merchants_declaration_is_not_found(desk: Desk):
    with pytest.raises(NotFound):
        dry_run(desk, [failed(desk)], make.caller("M999"), mch_customs_no="x")


@pytest.mark.parametrize("count", [0, MOST_AT_ONCE + 1])
def test_one_to_two_hundred_at_once(desk: Desk, count: int):
    with pytest.raises(ValidationFailed):
        dry_run(desk, [f"decl_{number}" for number in range(count)], mch_customs_no="x")
