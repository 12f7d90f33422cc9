"""Replies in the document's envelope (sections 1 and 3): meta beside data, and refusals."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response


@dataclass(frozen=True)
class Answer:
    """One reply before it goes out: the HTTP status, and the JSON object or the `file` that is its body."""

    status: int
    body: Mapping[str, Any]
    file: bytes | None = None

    @property
    def raw(self) -> bytes:
        return json.dumps(self.body, ensure_ascii=False).encode() if self.file is None else self.file

    @property
    def mimetype(self) -> str:
        return "application/json" if self.file is None else "text/plain"

    def response(self, **headers: str) -> Response:
        """The reply on the wire; header names are written with `_` for `-`."""
        response = Response(self.raw, status=self.status, content_type=self.mimetype)
        for name, value in headers.items():
            response.headers[name.replace("_", "-")] = value
        return response


def answered(data: Mapping[str, Any]) -> Answer:
    """A success: the record stands in `data`."""
    return answered_beside(data=data)


def answered_beside(**named: Any) -> Answer:
    """A success: what is named stands beside `meta` (4.10, 6.7, 6.8)."""
    return Answer(200, {"meta": {"status_code": 200, "message": "OK", "success": True}, **named})


def refused(status: int, message: str) -> Answer:
    """A refusal in the words of section 3; `message` names parameters, never their values."""
    return Answer(status, {"meta": {"status_code": status, "message": message, "success": False}, "data": {}})


class Refused(Exception):
    """The gateway refuses a call: `status` is of section 3, `reason` one word for the ledger."""

    def __init__(self, status: int, message: str, reason: str = "content") -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.answer = refused(status, message)
