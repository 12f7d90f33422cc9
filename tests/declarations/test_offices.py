"""The offices and their codes, held against a copy of `domain.md` section 4 that was typed by hand."""

import pytest

from customs.declarations.offices import (
    OFFICES,
    codes_for,
    customs_code,
    office_named,
    offices_with,
    waits_for_the_one_before,
)
from customs.gateway import Channel

# office, name, WeChat's codes, Alipay's; "then" where the second waits for the first.
SECTION_4 = """
GUANGZHOU          广州                    GUANGZHOU_ZS                  ZONGSHU
GUANGZHOU_HUANGPU  广州黄埔                GUANGZHOU_ZS+GUANGZHOU_HP_GJ  GUANGZHOU_HUANGPU
GUANGZHOU_NANSHA   广州南沙                GUANGZHOU_ZS+GUANGZHOU_NS_GJ  NANSHAGJ
HANGZHOU           杭州                    HANGZHOU_ZS                   HANGZHOU_ZONGSHU
NINGBO             宁波                    NINGBO                        NINGBO
ZHENGZHOU_BONDED   河南保税物流中心        ZHENGZHOU_BS                  ZHENGZHOU
ZHENGZHOU_AIRPORT  新郑综合保税区(空港)    ZHENGZHOU_ZH_ZS               HENAN->ZONGSHU
CHONGQING          重庆                    CHONGQING                     ZONGSHU
XIAN               西安                    XIAN                          ZONGSHU
SHANGHAI           上海                    SHANGHAI_ZS                   SHANGHAI_CBT
SHENZHEN           深圳                    SHENZHEN                      SHENZHEN_ZS->ZONGSHU
TIANJIN            天津                    TIANJIN                       ZONGSHU
BEIJING            北京                    BEIJING                       -
HEFEI              合肥                    -                             ZONGSHU
SUZHOU             苏州                    -                             ZONGSHU
"""
TYPED = [line.split() for line in SECTION_4.strip().splitlines()]


def read(cell: str) -> list[str]:
    return [] if cell == "-" else cell.replace("->", "+").split("+")


def test_no_office_is_missing_and_none_was_added():
    assert list(OFFICES) == [row[0] for row in TYPED]


@pytest.mark.parametrize(("office", "name", "wechat", "alipay"), TYPED)
def test_an_office_has_the_names_and_codes_of_the_table(office: str, name: str, wechat: str, alipay: str):
    assert OFFICES[office].name == name
    assert [code.code for code in codes_for(Channel.WECHATPAY, office)] == read(wechat)
    assert [code.code for code in codes_for(Channel.ALIPAY, office)] == read(alipay)


@pytest.mark.parametrize(("office", "name", "wechat", "alipay"), TYPED)
def test_codes_wait_for_each_other_where_the_table_says_then(office: str, name: str, wechat: str, alipay: str):
    assert waits_for_the_one_before(Channel.ALIPAY, office) == ("->" in alipay)
    assert not waits_for_the_one_before(Channel.WECHATPAY, office)


def test_nanshas_alipay_code_takes_no_repush_and_it_alone():
    codes = [(channel, code) for channel in Channel for office in OFFICES for code in codes_for(channel, office)]

    assert {(channel, code.code) for channel, code in codes if not code.repush} == {(Channel.ALIPAY, "NANSHAGJ")}
    assert customs_code(Channel.WECHATPAY, "NANSHAGJ").repush


def test_an_unknown_office_has_no_codes():
    assert codes_for(Channel.WECHATPAY, "ATLANTIS") == ()
    assert not waits_for_the_one_before(Channel.ALIPAY, "ATLANTIS")


def test_each_channel_names_the_offices_that_have_codes_for_it():
    assert set(OFFICES) - set(offices_with(Channel.WECHATPAY)) == {"HEFEI", "SUZHOU"}
    assert set(OFFICES) - set(offices_with(Channel.ALIPAY)) == {"BEIJING"}


@pytest.mark.parametrize(
    ("word", "office"),
    [("深圳", "SHENZHEN"), (" shenzhen ", "SHENZHEN"), ("新郑综合保税区(空港)", "ZHENGZHOU_AIRPORT"), ("深", None)],
)
def test_a_clerk_may_say_the_key_or_the_chinese_name(word: str, office: str | None):
    assert office_named(word) == office
