"""A clerk at the import page, without the page: opens files, looks at them, mends and submits, as one person."""

from collections.abc import Sequence
from typing import Any

from customs.auth.principal import Caller
from customs.container import Services
from customs.declarations.intake.accept import TakenIn
from customs.declarations.intake.orders import Finding
from customs.declarations.reading.queries import batch_of
from customs.imports.drafts import Draft, draft_of, open_draft, open_pasted
from customs.imports.edits import CellChange, DraftEditor
from customs.imports.preview import preview
from customs.imports.preview_model import Preview, ShownRow
from customs.imports.submit import make_draft_ready, submit
from tests import make
from tests.imports.spreadsheets import ENGLISH, csv_text


def order_row(**changes: Any) -> dict[str, Any]:
    """A row of a sheet that every rule lets pass, its numbers never used before."""
    row = {
        "channel": "微信",
        "office": "杭州",
        "merchant_no": make.MERCHANT,
        "out_order_no": make.number("O"),
        "payment_no": make.number("P"),
        "mch_customs_no": "110396T0001",
        "buyer_name": "李雷",
        "cert_id": make.cert_id(),
    }
    return row | changes


def split_rows(count: int, **changes: Any) -> list[dict[str, Any]]:
    """The rows of one order in parts; the further ones leave blank what the first one says."""
    amounts = {"sub_order_amount": "10.00", "transport_amount": "1.00", "product_amount": "9.00"}
    shared = [order_row(**changes), *([{}] * (count - 1))]
    return [row | {"sub_order_no": make.number("S")} | amounts for row in shared]


class Clerk:
    """One person with the rights of a clerk."""

    def __init__(self, services: Services, caller: Caller | None = None) -> None:
        self.services = services
        self.caller = caller or Caller("person_clerk", "a clerk", make.caller().scopes, None)

    def upload(self, content: bytes, filename: str = "orders.csv", batch_id: str | None = None) -> Draft:
        with self.services.transaction() as db:
            return open_draft(db, self.services.vault, self.caller, content, filename, batch_id)

    def upload_rows(self, *rows: dict[str, Any], filename: str = "orders.csv") -> Draft:
        return self.upload(csv_text(*rows).encode(), filename)

    def paste(self, text: str) -> Draft:
        with self.services.transaction() as db:
            return open_pasted(db, self.services.vault, self.caller, text)

    def look_at(self, draft: Draft) -> Preview:
        """The preview of the draft as it is now."""
        parts = self.services
        with parts.reading() as db:
            draft = draft_of(db, draft.id, self.caller)
        return preview(parts.engine, parts.vault, parts.rules, draft, self.caller, parts.payments)

    def edit(self, draft: Draft, method: str, *args: Any, revision: int | None = None) -> Draft:
        """One method of DraftEditor, at the revision that this clerk has seen."""
        with self.services.transaction() as db:
            seen = draft.revision if revision is None else revision
            corrected: Draft = getattr(DraftEditor(db, self.services.vault, self.caller, draft.id, seen), method)(*args)
            return corrected

    def change(self, draft: Draft, row: int, column: str, value: str, revision: int | None = None) -> Draft:
        return self.edit(draft, "change_cells", [CellChange(row, column, value)], revision=revision)

    def submit(self, draft: Draft) -> TakenIn:
        parts = self.services
        ready = make_draft_ready(parts.engine, parts.vault, parts.rules, draft, self.caller)
        with parts.transaction() as db:
            return submit(db, parts.vault, ready, self.caller, parts.payments, parts.audit)

    def again(self, draft: Draft) -> Draft:
        """The draft as it is stored now."""
        with self.services.reading() as db:
            return draft_of(db, draft.id, self.caller)

    def findings_of_batch(self, batch_id: str) -> list[tuple[str, int | None]]:
        with self.services.reading() as db:
            return [(one["code"], one["row"]) for one in batch_of(db, batch_id, self.caller).findings]


def cells_of(shown: ShownRow) -> dict[str, str]:
    """What stands in a row's cells, the blank ones left out."""
    return {name: cell.text for name, cell in shown.cells.items() if cell.text}


def codes_at(shown: ShownRow) -> dict[str, list[str]]:
    """The codes at each cell; "" for the row as a whole."""
    found = {name: _codes(cell.findings) for name, cell in shown.cells.items() if cell.findings}
    return found | ({"": _codes(shown.findings)} if shown.findings else {})


def _codes(findings: Sequence[Finding]) -> list[str]:
    return [finding.code for finding in findings]


def tabbed(*rows: dict[str, Any], header: bool = True) -> str:
    """Rows as Excel puts them on the clipboard."""
    lines = ["\t".join(str(row.get(name, "")) for name in ENGLISH) for row in rows]
    return "\r\n".join((["\t".join(ENGLISH)] if header else []) + lines) + "\r\n"
