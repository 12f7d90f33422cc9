"""The pushes of a declaration: one for each sub-order and code, and which of them has to wait."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customs.declarations.offices import OFFICES, codes_for, plan_pushes
from customs.gateway import Channel


def test_the_second_push_waits_for_the_first():
    first, second = plan_pushes(Channel.ALIPAY, "SHENZHEN")

    assert (first.customs, second.customs) == ("SHENZHEN_ZS", "ZONGSHU")
    assert (first.waits_for, second.waits_for) == (None, first.position)


def test_each_sub_order_waits_for_its_own_first_push_and_for_no_other():
    planned = plan_pushes(Channel.ALIPAY, "SHENZHEN", ("S1", "S2"))

    assert [(push.sub_order_no, push.customs, push.waits_for) for push in planned] == [
        ("S1", "SHENZHEN_ZS", None),
        ("S1", "ZONGSHU", 0),
        ("S2", "SHENZHEN_ZS", None),
        ("S2", "ZONGSHU", 2),
    ]


def test_wechats_two_codes_wait_for_nothing():
    planned = plan_pushes(Channel.WECHATPAY, "GUANGZHOU_HUANGPU")

    assert [push.waits_for for push in planned] == [None, None]


def test_an_order_that_is_not_split_has_one_push_per_code_without_a_sub_order_number():
    assert [push.sub_order_no for push in plan_pushes(Channel.WECHATPAY, "HANGZHOU")] == [""]


def test_an_office_without_codes_needs_no_push():
    assert plan_pushes(Channel.ALIPAY, "BEIJING") == ()


@pytest.mark.parametrize(("channel", "office"), list(product(Channel, OFFICES)))
@given(parts=st.lists(st.text("0123456789abc", min_size=1, max_size=4), unique=True, max_size=5))
def test_no_push_is_forgotten_and_none_waits_for_a_later_one(channel: Channel, office: str, parts: list[str]):
    planned = plan_pushes(channel, office, tuple(parts))

    assert {(push.sub_order_no, push.customs) for push in planned} == {
        (part, code.code) for part in (parts or [""]) for code in codes_for(channel, office)
    }
    assert [push.position for push in planned] == list(range(len(planned)))
    assert all(push.waits_for is None or push.waits_for < push.position for push in planned)
