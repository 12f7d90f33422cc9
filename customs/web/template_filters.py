"""Template filters: times in Shanghai, amounts, numbers, browsers, JSON and code."""

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from flask import g
from flask_babel import (
    LazyString,
    format_currency,
    format_date,
    format_datetime,
    format_decimal,
    format_percent,
    format_timedelta,
    gettext,
)
from markupsafe import Markup, escape

from customs.timestamps import instant

YUAN = "CNY"
EXACT = "yyyy-MM-dd HH:mm:ss"
# Older than this a time is said by the calendar.
RELATIVE_SECONDS = 48 * 3600
JUST_NOW_SECONDS = 1
BACKTICKS = re.compile(r"`([^`]+)`")


def _moment(value: datetime | str) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def exact(value: datetime | str | None) -> str:
    """Return a time in Shanghai to the second."""
    return "" if value is None else format_datetime(_moment(value), EXACT)


def when(value: datetime | str | None) -> Markup:
    """Return a time relative to now, with the exact one as its title."""
    if value is None:
        return Markup("<span>—</span>")
    moment = _moment(value)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(instant(moment), exact(moment), relative(moment))


def relative(moment: datetime) -> str:
    """Return how long ago, or in how long; the date when that is far."""
    now: datetime = g.setdefault("page_time", datetime.now(UTC))
    away = (moment - now).total_seconds()
    if abs(away) > RELATIVE_SECONDS:
        return str(format_datetime(moment, "yyyy-MM-dd HH:mm"))
    # What was made while this page was, lies a little ahead.
    if abs(away) <= JUST_NOW_SECONDS:
        return str(gettext("just now"))
    return str(format_timedelta(moment - now, add_direction=True, threshold=1.2))


def day(value: date | datetime | None) -> str:
    """Return a day as a date."""
    return "" if value is None else format_date(value, "yyyy-MM-dd")


def money(value: Decimal | str | None, currency: str = YUAN) -> str:
    """Return an amount in its currency; nothing when there is none."""
    return "" if value is None else str(format_currency(Decimal(value), currency))


def number(value: float | Decimal) -> str:
    """Return a count with its separators."""
    return str(format_decimal(value))


def percent(value: float) -> str:
    """Return a share without decimals."""
    return str(format_percent(value))


def duration(value: timedelta | None) -> str:
    """Return a length of time in its largest unit."""
    return "—" if value is None else str(format_timedelta(value, threshold=1.2))


# What browsers call themselves; each also claims to be one of those that stand below it.
BROWSERS = (
    (re.compile(r"MicroMessenger/(\d+)"), "WeChat"),
    (re.compile(r"Edg/(\d+)"), "Edge"),
    (re.compile(r"OPR/(\d+)"), "Opera"),
    (re.compile(r"Firefox/(\d+)"), "Firefox"),
    (re.compile(r"Chrome/(\d+)"), "Chrome"),
    (re.compile(r"Version/(\d+).*Safari"), "Safari"),
)
SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def browser(text: str) -> str:
    """Return the name of a browser, such as Chrome 109 · Windows; an unknown one as it calls itself."""
    known = next((f"{name} {found[1]}" for reading, name in BROWSERS if (found := reading.search(text))), None)
    system = next((name for word, name in SYSTEMS if word in text), "")
    return " · ".join(filter(None, (known or text[:60], system if known else "")))


def readable(value: Any) -> str:
    """Return JSON laid out, given as a value or as a text; a text that is none, or was cut, as it is."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    return json.dumps(value, ensure_ascii=False, indent=2)


def code_marks(text: LazyString | str) -> Markup:
    """Return a text whose words in backticks are shown as code."""
    return Markup(BACKTICKS.sub(r"<code>\1</code>", str(escape(str(text)))))  # noqa: S704 - escaped before


FILTERS: dict[str, Callable[..., Any]] = {
    "exact": exact,
    "when": when,
    "day": day,
    "money": money,
    "number": number,
    "percent": percent,
    "duration": duration,
    "browser": browser,
    "readable": readable,
    "code_marks": code_marks,
}
