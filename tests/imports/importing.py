"""Somebody at the import page: hands a file in, reads the forms that the page of its draft has, and sends them."""

import io
import re
from typing import Any

from werkzeug.test import TestResponse

from tests.imports.spreadsheets import CHINESE, csv_text
from tests.web.visiting import Visitor

REVISION = re.compile(r'name="revision" value="(\d+)"')
ONCE = re.compile(r'name="once" value="([^"]+)"')
KEPT = re.compile(r'id="kept" name="kept" value="([\d,]*)"')
SUBMIT = re.compile(r"data-main-action ([^>]*)>")
HTMX = {"HX-Request": "true"}


def warehouse_file(*rows: dict[str, Any]) -> bytes:
    """A file as warehouses make them: GB18030, with Chinese headers."""
    return csv_text(*rows, headers=CHINESE).encode("gb18030")


def hand_in(visitor: Visitor, content: bytes, name: str = "订单.csv") -> TestResponse:
    return visitor.post("/import", files={"file": (io.BytesIO(content), name)})


class AtDraft:
    """One draft, as the person who opened it goes on with it."""

    def __init__(self, visitor: Visitor, *rows: dict[str, Any]) -> None:
        self.visitor = visitor
        answer = hand_in(visitor, warehouse_file(*rows))
        assert answer.status_code == 303, answer.text
        self.place: str = answer.location

    def page(self, query: str = "") -> TestResponse:
        return self.visitor.get(self.place + query)

    def send(self, action: str, *, part: bool = False, **form: Any) -> TestResponse:
        """A form of the page as it is now, `part` as htmx sends it."""
        page = self.page("?show=mend").text
        seen = {"revision": REVISION.search(page)[1], "kept": KEPT.search(page)[1]}  # type: ignore[index]
        return self.visitor.post(f"{self.place}/{action}?show=mend", headers=HTMX if part else None, **seen | form)

    def type(self, cell: str, text: str, **form: Any) -> TestResponse:
        """Type into a cell, by what its field is called, and save."""
        return self.send("cells", **{cell: text}, **form)

    def submit(self, **form: Any) -> TestResponse:
        once = ONCE.search(self.page().text)[1]  # type: ignore[index]
        return self.send("submit", **{"once": once} | form)


def may_submit(page: TestResponse) -> bool:
    return "disabled" not in SUBMIT.search(page.text)[1]  # type: ignore[index]


def field(page: TestResponse, row: int, column: str) -> str:
    """The tag of the field in which a cell is corrected; "" where there is none."""
    found = re.search(rf'<input id="c-{row}-{column}"[^>]*>', page.text)
    return found[0] if found else ""
