"""What an answer means, success or which failure, by the document's section 3; one place decides it for all.

What the gateway said itself is believed; a status that anything between us and it could have made up is not,
except where believing it is harmless.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

from customs.gateway.errors import Busy, ClockSkew, Credentials, GatewayError, NotFound, Refused, Unknown
from customs.gateway.exchange import Exchange, Reply

# WeChat's words for "something broke here" or "too fast": they say nothing about what was done.
SYSTEM_CODES = frozenset(
    {
        "SYSTEMERROR",
        "BANKERROR",
        "BIZERRNEEDRETRY",
        "FREQUENCYLIMIT",
        "FREQUENCYLIMITED",
        "RATELIMITEXCEED",
        "-1",
    }
)

# Seconds; a nonsense Retry-After must not stop a lane for years.
LONGEST_WAIT = 86_400.0


@dataclass(frozen=True)
class Answer:
    """An answer of which `status` is settled; `body` is empty when it was not the gateway's own JSON."""

    exchange: Exchange
    status: int
    headers: Mapping[str, str]
    body: Mapping[str, Any]

    @property
    def meta(self) -> Mapping[str, Any]:
        meta: Mapping[str, Any] = self.body.get("meta", {})
        return meta

    @property
    def message(self) -> str:
        return legible(self.meta.get("message") or "")


class ForeignAnswerError(ValueError):
    """The answer is not a JSON object with `meta`."""


def understand(exchange: Exchange, headers: Mapping[str, str], content: bytes) -> Reply:
    """The reply of a success; raises the GatewayError that any other answer means."""
    http_status = exchange.status or 0
    try:
        body = _decode(content)
    except ForeignAnswerError as error:
        if http_status in HARMLESS:
            raise HARMLESS[http_status](Answer(exchange, http_status, headers, {})) from None
        raise Unknown(str(error), exchange=exchange) from None
    answer = Answer(exchange, _settled_status(exchange, body["meta"]), headers, body)
    success = answer.meta.get("success")
    if 200 <= answer.status < 300:
        if success is True:
            return Reply(body, exchange)
        if success is False:
            raise _refused(answer)
        raise Unknown("the answer does not say whether it is a success", exchange=exchange)
    if success is True:
        raise Unknown(f"a success with status {answer.status}", exchange=exchange)
    if answer.status in HARMLESS:
        raise HARMLESS[answer.status](answer)
    if answer.status in FAILURES:
        raise FAILURES[answer.status](answer)
    raise _refused(answer) if 400 <= answer.status < 500 else _unknown(answer)


def legible(value: object) -> str:
    """Any JSON value as text that every database and terminal takes: no lone surrogates, no NUL."""
    return str(value).encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")


def _decode(content: bytes) -> dict[str, Any]:
    # The document promises JSON and no header: what it is, the content says.
    try:
        body = json.loads(
            content.decode("utf-8-sig"),
            parse_float=Decimal,
            parse_constant=_no_such_number,
            object_pairs_hook=_without_duplicates,
        )
    except (ValueError, ArithmeticError, RecursionError):
        raise ForeignAnswerError("the answer is not proper JSON") from None
    if not isinstance(body, dict) or not isinstance(body.get("meta"), dict):
        raise ForeignAnswerError("the answer has no meta")
    return body


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a name appears twice")
    return fields


def _no_such_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _settled_status(exchange: Exchange, meta: Mapping[str, Any]) -> int:
    """The status that counts: HTTP's, or meta's under HTTP 2xx; a contradiction is no answer."""
    http_status = exchange.status or 0
    named = str(meta.get("status_code") or http_status)
    if http_status in HARMLESS or named == str(http_status):
        return http_status
    if 200 <= http_status < 300 and re.fullmatch("[1-5][0-9]{2}", named):
        return int(named)
    raise Unknown(f"HTTP says {http_status}, meta says {legible(named)}", exchange=exchange)


def _refused(answer: Answer) -> GatewayError:
    return Refused(answer.message, exchange=answer.exchange, status=answer.status)


def _not_found(answer: Answer) -> GatewayError:
    return NotFound(answer.message, exchange=answer.exchange, status=answer.status)


def _credentials(answer: Answer) -> GatewayError:
    return Credentials(answer.message, exchange=answer.exchange)


def _unknown(answer: Answer) -> GatewayError:
    return Unknown(answer.message, exchange=answer.exchange)


def _busy(answer: Answer) -> GatewayError:
    return Busy(answer.message, exchange=answer.exchange, retry_after=_retry_after(answer.headers))


def _clock_skew(answer: Answer) -> GatewayError:
    return ClockSkew(answer.message, exchange=answer.exchange, server_time=_time(answer.headers.get("Date")))


def _wechat_refused(answer: Answer) -> GatewayError:
    inner: Any = answer.meta.get("message")
    # The inner JSON was seen encoded once and twice.
    for _ in range(2):
        if isinstance(inner, str):
            try:
                inner = json.loads(inner)
            except (ValueError, RecursionError):
                return _unknown(answer)
    if not isinstance(inner, dict):
        return _unknown(answer)
    code = legible(inner.get("wx_code") or "").strip()
    if not code or code.upper().replace("_", "") in SYSTEM_CODES:
        return _unknown(answer)
    words = legible(inner.get("wx_message") or "")
    return Refused(words, exchange=answer.exchange, status=answer.status, code=code)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds; a date counts from the answer's own Date, since the clocks may differ."""
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch("[0-9]+", text):
        return min(float(text), LONGEST_WAIT)
    later, sent = _time(text), _time(headers.get("Date"))
    return min(max(0.0, (later - sent).total_seconds()), LONGEST_WAIT) if later and sent else None


def _time(http_date: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(http_date or "")
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


# These refuse before anything is done, whoever said it: believed without the gateway's JSON.
HARMLESS: Mapping[int, Callable[[Answer], GatewayError]] = {
    401: _credentials,
    403: _credentials,
    429: _busy,
    503: _busy,
}
FAILURES: Mapping[int, Callable[[Answer], GatewayError]] = {
    404: _not_found,
    411: _clock_skew,
    555: _wechat_refused,
}
