"""The only file that knows the document's many spellings: from a reply's JSON to what it says of our push."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from customs.gateway.answers import legible
from customs.gateway.errors import NotFound, Unknown
from customs.gateway.exchange import Exchange, Reply
from customs.gateway.filings import Filing

# A fixed offset instead of the zone's name: no summer time since 1991, and no time zone database needed.
GATEWAY_TIME = timezone(timedelta(hours=8), "Asia/Shanghai")
ABSENT = frozenset({"", "none", "null"})
DEEPEST_ENVELOPE = 4

SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "out_order_no": ("out_order_no", "agent_order_id", "outer_order_no"),
    "payment_no": ("payment_no", "order_no", "no"),
    "sub_order_no": ("sub_order_no",),
    "customs": ("customs",),
}
GATEWAY_NUMBERS = ("wechatpay_no", "alipay_no")


@dataclass(frozen=True)
class DeclarationReply:
    """What the gateway says about one push (9.1 to 9.6). None where it said nothing.

    `state` is the gateway's word in upper case, known to the document or not; `modify_time` is aware, in UTC.
    """

    out_order_no: str | None
    payment_no: str | None
    customs: str | None
    sub_order_no: str | None
    state: str
    modify_time: datetime | None
    explanation: str | None
    cert_check_result: str | None
    gateway_no: str | None
    exchange: Exchange = field(repr=False)


def find_records(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every object that holds plain values, in `data`, below it, or beside `meta`; outer ones first."""
    records: list[dict[str, Any]] = []
    level: list[Any] = [{name: value for name, value in body.items() if name != "meta"}]
    for _ in range(DEEPEST_ENVELOPE):
        objects = [item for item in level if isinstance(item, dict)]
        records += [item for item in objects if any(not isinstance(v, dict | list) for v in item.values())]
        level = [inner for item in level for inner in _inside(item)]
    return records


def declaration_reply(reply: Reply, filing: Filing) -> DeclarationReply:
    """The record about our push; raises Unknown when there is none that surely is.

    A query's record that fits the question but is about another push (another code of the payment) raises
    NotFound: the gateway would have named ours. One that does not even fit the question is no answer to it.
    """
    ours = _numbers_of(filing)
    records = [(record, _numbers_in(record)) for record in find_records(reply.body)]
    about_payments = [(r, n) for r, n in records if n["out_order_no"] or n["payment_no"]]
    matching = [(r, n) for r, n in about_payments if _agree(n, ours)]
    if len(matching) == 1:
        return _declaration(*matching[0], reply.exchange)
    if matching:
        raise Unknown("several records fit the numbers", exchange=reply.exchange)
    if reply.exchange.method == "GET" and any(_answers(n, reply.exchange) for _, n in about_payments):
        raise NotFound("the record is about another push", exchange=reply.exchange, status=404)
    raise Unknown("the numbers were not echoed", exchange=reply.exchange)


def _inside(item: Any) -> Iterable[Any]:
    if isinstance(item, dict):
        return item.values()
    return item if isinstance(item, list) else ()


def _numbers_of(filing: Filing) -> dict[str, str | None]:
    return {name: getattr(filing, name) for name in SPELLINGS}


def _numbers_in(record: Mapping[str, Any]) -> dict[str, str | None]:
    return {name: _first(record, spellings) for name, spellings in SPELLINGS.items()}


def _agree(said: Mapping[str, str | None], ours: Mapping[str, str | None]) -> bool:
    return all(value is None or value == ours[name] for name, value in said.items())


def _answers(said: Mapping[str, str | None], exchange: Exchange) -> bool:
    """Whether the record repeats a number that the query named, and contradicts none of them."""
    asked = {name: value for name, value in exchange.params.items() if name in SPELLINGS}
    return any(said[name] == value for name, value in asked.items() if name != "customs") and all(
        said[name] in (None, value) for name, value in asked.items()
    )


def _declaration(record: Mapping[str, Any], numbers: Mapping[str, str | None], exchange: Exchange) -> DeclarationReply:
    state = _first(record, ("state",))
    if state is None:
        raise Unknown("the record has no state", exchange=exchange)
    return DeclarationReply(
        **numbers,
        state=state.upper(),
        modify_time=_time(_first(record, ("modify_time",))),
        explanation=_first(record, ("explanation",)),
        cert_check_result=_first(record, ("cert_check_result",)),
        gateway_no=_first(record, GATEWAY_NUMBERS),
        exchange=exchange,
    )


def _first(record: Mapping[str, Any], names: Iterable[str]) -> str | None:
    """The first of the fields that holds something, as text: numbers come where text is documented."""
    for name in names:
        value = record.get(name)
        if value is None or isinstance(value, bool | dict | list):
            continue
        text = legible(value).strip()
        if text.lower() not in ABSENT:
            return text
    return None


def _time(text: str | None) -> datetime | None:
    """The gateway's time in UTC; None for what cannot be read."""
    if text is None:
        return None
    try:
        if len(text) == 14 and text.isdigit():
            moment = datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=GATEWAY_TIME)
        else:
            moment = datetime.fromisoformat(text.replace("/", "-"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=GATEWAY_TIME)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
