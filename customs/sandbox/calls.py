"""Verified calls, whose many names for numbers are read as one, and answers in the document's envelope (1 and 3)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response

from customs.sandbox.channels import BY_ENDPOINT

OUR_NUMBER = ("agent_order_id", "out_order_no", "outer_order_no")


@dataclass(frozen=True)
class Call:
    """`endpoint` is its name in the table, `root` the sandbox's own address; `numbers`: Version 2.0 was asked for."""

    endpoint: str
    params: Mapping[str, str]
    numbers: bool
    root: str

    @property
    def channel(self) -> str:
        return BY_ENDPOINT[self.endpoint].name

    @property
    def our_no(self) -> str:
        """The order's number of ours, "" when there is none."""
        return next((self.params[name] for name in OUR_NUMBER if name in self.params), "")

    def numbered(self) -> dict[str, str]:
        """The numbers, under the names by which the ledger's log keeps them."""
        back = self.params.get("outer_refund_no") or self.params.get("refund_no") or self.params.get("sub_order_no")
        theirs = self.params.get("payment_no") or self.params.get("order_no")
        named = {"payment_no": theirs, "out_order_no": self.our_no, "sub_order_no": back}
        return {name: number for name, number in named.items() if number}


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
