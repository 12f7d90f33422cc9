"""Days as forms ask for them."""

from datetime import date

from customs.errors import Fault, Invalid
from customs.web.doors import word_asked

EARLIEST, LATEST = date(2000, 1, 1), date(2999, 12, 31)


def day_asked(name: str) -> date | None:
    """A day of the query string; None where it is left empty. Raises Invalid for what is none."""
    text = word_asked(name)
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise _no_day(name) from None
    if not EARLIEST <= day <= LATEST:
        raise _no_day(name)
    return day


def _no_day(name: str) -> Invalid:
    return Invalid(f"{name}: use a day such as 2026-11-23", faults=[Fault(f"?{name}", "parameter_invalid", "no day")])
