"""Offices and their customs codes, one row each (11.4, 11.5): what a clerk picks, and what then goes on the wire."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from customs.declarations.channels import CHANNELS
from customs.gateway.channels import Channel


@dataclass(frozen=True)
class CustomsCode:
    """A customs system at the gateway; `repush` is False where it takes no re-push."""

    code: str
    repush: bool = True
    enabled: bool = True


@dataclass(frozen=True)
class Office:
    """What a clerk picks, with its Chinese name, that name spelt out, and its codes by channel.

    `ordered`: each code waits for the one before it to be SUCCESS, where the channel knows such an order.
    """

    office: str
    name: str
    english: str
    codes: Mapping[Channel, tuple[str, ...]]
    ordered: bool = False
    enabled: bool = True


WECHAT, ALIPAY = Channel.WECHATPAY, Channel.ALIPAY
# Every code is taken with its defaults but for these.
SPECIAL_CODES = {(ALIPAY, "NANSHAGJ"): CustomsCode("NANSHAGJ", repush=False)}

OFFICES = {
    office.office: office
    for office in (
        Office("GUANGZHOU", "广州", "Guangzhou", {WECHAT: ("GUANGZHOU_ZS",), ALIPAY: ("ZONGSHU",)}),
        Office(
            "GUANGZHOU_HUANGPU",
            "广州黄埔",
            "Guangzhou Huangpu",
            {WECHAT: ("GUANGZHOU_ZS", "GUANGZHOU_HP_GJ"), ALIPAY: ("GUANGZHOU_HUANGPU",)},
        ),
        Office(
            "GUANGZHOU_NANSHA",
            "广州南沙",
            "Guangzhou Nansha",
            {WECHAT: ("GUANGZHOU_ZS", "GUANGZHOU_NS_GJ"), ALIPAY: ("NANSHAGJ",)},
        ),
        Office("HANGZHOU", "杭州", "Hangzhou", {WECHAT: ("HANGZHOU_ZS",), ALIPAY: ("HANGZHOU_ZONGSHU",)}),
        Office("NINGBO", "宁波", "Ningbo", {WECHAT: ("NINGBO",), ALIPAY: ("NINGBO",)}),
        Office(
            "ZHENGZHOU_BONDED",
            "河南保税物流中心",
            "Henan Bonded Logistics Center",
            {WECHAT: ("ZHENGZHOU_BS",), ALIPAY: ("ZHENGZHOU",)},
        ),
        Office(
            "ZHENGZHOU_AIRPORT",
            "新郑综合保税区(空港)",
            "Xinzheng Bonded Zone (airport)",
            {WECHAT: ("ZHENGZHOU_ZH_ZS",), ALIPAY: ("HENAN", "ZONGSHU")},
            ordered=True,
        ),
        Office("CHONGQING", "重庆", "Chongqing", {WECHAT: ("CHONGQING",), ALIPAY: ("ZONGSHU",)}),
        Office("XIAN", "西安", "Xi'an", {WECHAT: ("XIAN",), ALIPAY: ("ZONGSHU",)}),
        Office("SHANGHAI", "上海", "Shanghai", {WECHAT: ("SHANGHAI_ZS",), ALIPAY: ("SHANGHAI_CBT",)}),
        Office(
            "SHENZHEN", "深圳", "Shenzhen", {WECHAT: ("SHENZHEN",), ALIPAY: ("SHENZHEN_ZS", "ZONGSHU")}, ordered=True
        ),
        Office("TIANJIN", "天津", "Tianjin", {WECHAT: ("TIANJIN",), ALIPAY: ("ZONGSHU",)}),
        Office("BEIJING", "北京", "Beijing", {WECHAT: ("BEIJING",)}),
        Office("HEFEI", "合肥", "Hefei", {ALIPAY: ("ZONGSHU",)}),
        Office("SUZHOU", "苏州", "Suzhou", {ALIPAY: ("ZONGSHU",)}),
    )
}


def customs_code(channel: Channel, code: str) -> CustomsCode:
    """Return what is known of one code of a channel."""
    return SPECIAL_CODES.get((channel, code)) or CustomsCode(code)


def codes_for(channel: Channel, office: str) -> tuple[CustomsCode, ...]:
    """The enabled codes an office needs through a channel, in the order they go out; empty when there are none."""
    known = OFFICES.get(office)
    if known is None or not known.enabled:
        return ()
    codes = (customs_code(channel, name) for name in known.codes.get(channel, ()))
    return tuple(code for code in codes if code.enabled)


def waits_for_the_one_before(channel: Channel, office: str) -> bool:
    """Return whether the office's codes go out one after the other (11.4)."""
    return CHANNELS[channel].ordered and office in OFFICES and OFFICES[office].ordered


def offices_with(channel: Channel) -> list[str]:
    """The offices a declaration through this channel can go to."""
    return [office for office in OFFICES if codes_for(channel, office)]


def offices_behind(channel: str, code: str) -> list[str]:
    """The offices whose declarations go to this customs code through a channel."""
    return [office for office in OFFICES if code in {one.code for one in codes_for(Channel(channel), office)}]


def office_named(word: str) -> str | None:
    """The office meant by its key, its Chinese or its English name; None when nobody knows it.

    Brackets and blanks of any width do not matter, nor a last 海关 or 关区.
    """
    plain = _plain_name(word)
    return BY_PLAIN_NAME.get(plain) or BY_PLAIN_NAME.get(TITLE.sub("", plain))


def _plain_name(word: str) -> str:
    return re.sub(r"[\s_]", "", unicodedata.normalize("NFKC", word)).lower()


# What stands behind a place's name where its customs are meant.
TITLE = re.compile("(?:海关|关区|海关关区)$")
BY_PLAIN_NAME = {
    _plain_name(name): office.office
    for office in OFFICES.values()
    for name in (office.office, office.name, office.english)
}


@dataclass(frozen=True)
class PlannedPush:
    """One push to be made. `waits_for` is the position of the push that must be SUCCESS first; None for at once."""

    position: int
    customs: str
    sub_order_no: str
    waits_for: int | None


@lru_cache(maxsize=1024)
def plan_pushes(channel: Channel, office: str, sub_order_nos: tuple[str, ...] = ()) -> tuple[PlannedPush, ...]:
    """The pushes of one declaration; an order that is not split has the one sub-order number ""."""
    codes = codes_for(channel, office)
    ordered = waits_for_the_one_before(channel, office)
    planned: list[PlannedPush] = []
    for sub_order_no in sub_order_nos or ("",):
        for step, code in enumerate(codes):
            position = len(planned)
            waits_for = position - 1 if ordered and step else None
            planned.append(PlannedPush(position, code.code, sub_order_no, waits_for))
    return tuple(planned)
