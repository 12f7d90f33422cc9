"""Drafts: whatever a file is, its rows are kept sealed for its owner, and forgotten when nobody comes back."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from customs.container import Services
from customs.db import database
from customs.errors import ActionNotAllowed, DecryptionKeyMissing, FileUnreadable, NotFound
from customs.imports import drafts
from customs.imports.drafts import Draft, draft_of, drafts_of, grid_in, submitted_as
from customs.ops.key_rotation import rotate_keys
from customs.ops.retention import has_expired_rows
from customs.privacy.vault import Vault
from tests import make
from tests.imports.clerk import Clerk, order_row
from tests.imports.spreadsheets import CHINESE, PLAIN_ROW, SPLIT_ROW, csv_text, xlsx
from workers import clock


@pytest.fixture
def clerk(services: Services) -> Clerk:
    return Clerk(services)


@pytest.fixture
def colleague(services: Services) -> Clerk:
    return Clerk(services, make.caller())


FORMS = {
    "UTF-8": (csv_text(SPLIT_ROW).encode(), "csv", "UTF-8"),
    "UTF-8 BOM": (csv_text(SPLIT_ROW).encode("utf-8-sig"), "csv", "UTF-8 BOM"),
    "UTF-16": (csv_text(SPLIT_ROW, delimiter="\t").encode("utf-16"), "csv", "UTF-16"),
    "GB18030": (csv_text(SPLIT_ROW, headers=CHINESE).encode("gb18030"), "csv", "GB18030"),
    "GBK with tabs": (csv_text(SPLIT_ROW | {"buyer_name": "李雷"}, delimiter="\t").encode("gbk"), "csv", "GB18030"),
    "XLSX": (xlsx(SPLIT_ROW), "xlsx", ""),
}


@pytest.mark.parametrize(("content", "form", "encoding"), FORMS.values(), ids=FORMS)
def test_a_draft_says_what_the_file_was(clerk: Clerk, content: bytes, form: str, encoding: str):
    draft = clerk.upload(content, f"orders.{form}")

    grid = grid_in(clerk.again(draft), clerk.services.vault)
    assert (draft.form, draft.encoding, draft.row_count, draft.revision) == (form, encoding, 1, 1)
    assert grid.rows[0][1][4] == SPLIT_ROW["payment_no"]


def test_a_number_cell_that_lost_digits_stays_what_it_is(clerk: Clerk):
    draft = clerk.upload(xlsx(PLAIN_ROW | {"payment_no": 2018051816320384498}), "orders.xlsx")

    (shown,) = clerk.look_at(draft).rows()
    assert shown.cells["payment_no"].text == "2.018051816320385e+18"
    assert [finding.code for finding in shown.cells["payment_no"].findings] == ["digits_lost"]


@pytest.mark.parametrize(
    ("content", "filename", "code"),
    [
        (b"", "orders.csv", "file_empty"),
        (csv_text().encode(), "orders.csv", "file_without_rows"),
        (b"PK\x03\x04" + bytes(100), "orders.xlsx", "workbook_damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "orders.xls", "file_of_another_kind"),
        (b"a,b\n1,2\n", "orders.csv", "columns_missing"),
        (csv_text().encode() + b"x,y\n" * 100_000, "orders.csv", "too_many_rows"),
        (
            csv_text(*[PLAIN_ROW | {"out_order_no": str(number)} for number in range(10_001)]).encode(),
            "orders.csv",
            "too_many_declarations",
        ),
    ],
)
def test_what_is_no_sheet_of_orders_becomes_no_draft(clerk: Clerk, content: bytes, filename: str, code: str):
    with pytest.raises(FileUnreadable) as refused:
        clerk.upload(content, filename)

    assert [error.code for error in refused.value.errors] == [code]
    with clerk.services.reading() as db:
        assert drafts_of(db, clerk.caller) == []


def test_a_draft_is_its_owners_alone(clerk: Clerk, colleague: Clerk):
    draft = clerk.upload_rows(order_row())

    with clerk.services.transaction() as db:
        with pytest.raises(NotFound):
            draft_of(db, draft.id, colleague.caller)
        with pytest.raises(NotFound):
            drafts.discard(db, draft.id, colleague.caller, colleague.services.audit)
        assert (drafts_of(db, colleague.caller), submitted_as(db, draft.id, colleague.caller)) == ([], None)
    with pytest.raises(NotFound):
        colleague.change(draft, 2, "office", "深圳")


def test_the_newest_twenty_are_listed_without_their_cells(clerk: Clerk):
    opened = [clerk.upload_rows(order_row(), filename=f"{number}.csv") for number in range(22)]

    with clerk.services.reading() as db:
        listed = drafts_of(db, clerk.caller)

    assert [draft.id for draft in listed] == [draft.id for draft in reversed(opened)][:20]
    assert "sealed" not in vars(listed[0])


def test_a_discarded_draft_is_gone(clerk: Clerk):
    draft = clerk.upload_rows(order_row())

    with clerk.services.transaction() as db:
        drafts.discard(db, draft.id, clerk.caller, clerk.services.audit)

    with pytest.raises(NotFound):
        clerk.again(draft)


def test_neither_names_nor_id_numbers_stand_in_the_table(clerk: Clerk):
    row = order_row(buyer_name="欧阳若兰")
    clerk.upload_rows(row, filename=f"C:\\folder\\orders {row['cert_id']}\x00.csv")
    clerk.paste("\t".join(row.values()))

    with clerk.services.reading() as db:
        table = "\n".join(str(stored) for stored in db.execute(text("SELECT * FROM drafts")).all())
        raw = b"".join(bytes(sealed) for sealed in db.scalars(select(Draft.sealed)))

    for secret in (row["buyer_name"], row["cert_id"], row["payment_no"], "folder"):
        assert secret not in table
        assert secret.encode() not in raw


def test_the_cells_of_one_draft_do_not_open_as_those_of_another(clerk: Clerk):
    first, second = clerk.upload_rows(order_row()), clerk.upload_rows(order_row())
    with clerk.services.transaction() as db:
        draft_of(db, first.id, clerk.caller).sealed = second.sealed

    with pytest.raises(DecryptionKeyMissing):
        grid_in(clerk.again(first), clerk.services.vault)


def test_a_new_key_seals_drafts_anew(clerk: Clerk):
    draft = clerk.upload_rows(order_row())
    old, new = make.SECRETS["CUSTOMS_PII_KEYS"], "a new key of the tests"

    resealed = [rotate_keys(clerk.services.engine, Vault([new, old], "index"))["drafts"] for _ in range(2)]

    assert resealed == [1, 0]
    assert len(grid_in(clerk.again(draft), Vault([new], "index")).rows) == 1


def test_what_nobody_touches_for_a_week_is_forgotten(clerk: Clerk):
    old, touched = clerk.upload_rows(order_row()), clerk.upload_rows(order_row())
    with clerk.services.transaction() as db:
        moment = database.now(db) - timedelta(days=7, minutes=1)
        for draft in (old, touched):
            draft_of(db, draft.id, clerk.caller).updated_at = moment
    clerk.change(touched, 2, "duty", "3")

    clock.tick(clerk.services)

    with clerk.services.reading() as db:
        assert [draft.id for draft in drafts_of(db, clerk.caller)] == [touched.id]
        assert not has_expired_rows(db, clerk.services.settings, database.now(db))


def test_a_draft_may_be_for_a_batch_that_its_owner_sees_and_no_other(clerk: Clerk, services: Services):
    batch_id = clerk.submit(clerk.upload_rows(order_row())).batch.id
    stranger = Clerk(services, make.caller("M999"))

    named = clerk.upload_rows(order_row(), filename=f"{batch_id} (1).csv")
    unseen = stranger.upload_rows(order_row(), filename=f"{batch_id}.csv")

    assert (named.batch_id, unseen.batch_id) == (batch_id, None)
    with pytest.raises(NotFound):
        stranger.upload(csv_text(order_row()).encode(), "orders.csv", batch_id)


@pytest.mark.parametrize("bound", ["MOST_DRAFTS", "LARGEST_DRAFTS"])
def test_a_person_has_so_many_drafts_and_no_more(clerk: Clerk, services: Services, monkeypatch, bound: str):
    monkeypatch.setattr(drafts, bound, 2)
    first = clerk.upload_rows(order_row())
    if bound == "MOST_DRAFTS":
        clerk.upload_rows(order_row())

    with pytest.raises(ActionNotAllowed) as refused:
        clerk.upload_rows(order_row())
    assert [one.code for one in refused.value.errors] == ["drafts_too_many"]

    # Somebody else's, and what was submitted, do not count.
    Clerk(services, make.caller("M100")).upload_rows(order_row())
    clerk.submit(first)
    clerk.upload_rows(order_row())
