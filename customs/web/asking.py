"""What a page was asked with: the same address again with another filter, page or order."""

from urllib.parse import urlencode

from flask import request

from customs.web.doors import word_asked


def asked_with(**changes: str | int | None) -> str:
    """The query string of this page with these changes; None takes a parameter away."""
    asked = request.args.to_dict(flat=True) | {name: value for name, value in changes.items() if value is not None}
    kept = {name: str(value) for name, value in asked.items() if not (name in changes and changes[name] is None)}
    return f"?{urlencode(kept)}" if kept else "?"


def filled(*names: str) -> dict[str, str]:
    """The filters that really say something: forms send the empty ones along. Raises Invalid for what is no text."""
    return {name: value for name in names if (value := (word_asked(name) or "").strip())}
