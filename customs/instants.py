"""How a time is written for others: RFC 3339 in UTC with milliseconds."""

from datetime import UTC, datetime


def instant(moment: datetime | None) -> str | None:
    """Such as 2026-11-23T08:00:00.000Z; None stays None."""
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
