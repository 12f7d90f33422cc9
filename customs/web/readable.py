"""JSON as people read it: one thing a line, and every letter as it is written."""

import json
from typing import Any


def readable(value: Any) -> str:
    """A value laid out."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def readable_text(text: str) -> str:
    """The same of JSON in a text; what is none, or was cut, stays as it is."""
    try:
        return readable(json.loads(text))
    except ValueError:
        return text
