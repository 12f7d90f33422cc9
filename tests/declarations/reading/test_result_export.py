"""The results of a batch as a workbook: a row for each push, in words, the buyer masked, nothing a formula."""

import io
import re
import zipfile
from datetime import timedelta

import pytest
from sqlalchemy import update

from customs.db import database
from customs.declarations.identity import Identity
from customs.declarations.models import Push
from customs.declarations.reading.next_steps import NextStep
from customs.declarations.reading.result_export import COLUMNS, result_filename, result_workbook
from customs.declarations.states import State
from customs.errors import NotFound
from customs.gateway import Channel
from customs.spreadsheets.reader import read_grid
from tests import make
from tests.product import Desk


class PlainWords:
    """Words that show what was asked for."""

    def heading(self, name: str) -> str:
        return f"the {name}"

    def channel(self, channel: Channel) -> str:
        return str(channel)

    def office(self, office: str) -> str:
        return office.title()

    def state(self, state: State) -> str:
        return f"it is {state}"

    def identity(self, identity: Identity) -> str:
        return f"buyer: {identity}"

    def explanation(self, explanation: str) -> str:
        return explanation

    def next_step(self, step: NextStep) -> str:
        assert step.at is None
        return f"{step.what} {step.customs}"


def result(desk: Desk, batch_id: str) -> bytes:
    with desk.services.reading() as db:
        caller = make.caller(make.MERCHANT)
        return result_workbook(db, desk.services.vault, batch_id, caller, PlainWords(), database.now(db))


def lines(content: bytes) -> list[dict[str, str]]:
    grid = read_grid(content, "results.xlsx")
    assert grid.header == [f"the {name}" for name in COLUMNS]
    assert all(isinstance(cell, str) for _, cells in grid.rows for cell in cells)
    return [dict(zip(COLUMNS, cells, strict=False)) for _, cells in grid.rows]


def test_every_push_has_its_row(desk: Desk):
    row = make.declaration_row("alipay", office="SHENZHEN", parts=2, buyer=make.buyer_row())
    batch = desk.take_in(row)

    shown = lines(result(desk, batch.id))

    assert [(line["sub_order_no"], line["customs"]) for line in shown] == [
        (part["sub_order_no"], code) for part in row["sub_orders"] for code in ("SHENZHEN_ZS", "ZONGSHU")
    ]
    first = shown[0]
    assert (first["out_order_no"], first["payment_no"]) == (row["out_order_no"], row["payment_no"])
    assert (first["channel"], first["office"], first["state"]) == ("alipay", "Shenzhen", "it is UNDECLARED")
    assert [line["next_step"] for line in shown[:2]] == ["submitting SHENZHEN_ZS", "waits_for_code ZONGSHU"]
    assert first["declaration_id"].startswith("decl_")


def test_the_end_of_a_push_is_exported_with_the_explanation_of_customs(desk: Desk):
    batch = desk.take_in(make.declaration_row(), make.declaration_row())
    states = iter(("SUCCESS", "FAIL"))
    desk.work(lambda _: make.reply(next(states), desk.now, explanation="=1+1", cert_check_result="SAME"))

    shown = lines(result(desk, batch.id))

    assert sorted((line["state"], line["explanation"], line["next_step"], line["identity"]) for line in shown) == [
        ("it is FAIL", "=1+1", "to_decide HANGZHOU_ZS", "buyer: MATCH"),
        ("it is SUCCESS", "", "accepted HANGZHOU_ZS", "buyer: MATCH"),
    ]


def test_the_buyer_is_masked(desk: Desk):
    buyer = make.buyer_row(name="欧阳若兰")
    content = result(desk, desk.take_in(make.declaration_row(buyer=buyer)).id)

    (line,) = lines(content)
    assert (line["buyer_name"], line["cert_id"]) == ("欧***", "1101**********" + buyer["cert_id"][-4:])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        complete = "".join(archive.read(name).decode() for name in archive.namelist())
    assert buyer["name"] not in complete
    assert buyer["cert_id"] not in complete


@pytest.mark.parametrize("text", ["=cmd|'/C calc'!A0", "+1", "-1", "@SUM(1)", "http://evil.example"])
def test_what_looks_like_a_formula_is_text(desk: Desk, text: str):
    batch = desk.take_in(make.declaration_row())
    with desk.services.transaction() as db:
        db.execute(update(Push).values(explanation=text))

    content = result(desk, batch.id)

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        xml = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in xml
    assert "hyperlink" not in xml
    assert set(re.findall(r'<c r="\w+" s="\d+"(?: t="(\w+)")?', xml)) == {"inlineStr"}
    assert lines(content)[0]["explanation"] == text


def test_times_are_shanghais(desk: Desk):
    batch = desk.take_in(make.declaration_row())

    (line,) = lines(result(desk, batch.id))

    assert line["created_at"] == f"{batch.created_at + timedelta(hours=8):%Y-%m-%d %H:%M:%S}"
    assert line["next_at"] == ""


def test_what_the_batch_named_again_is_in_it(desk: Desk):
    row = make.declaration_row()
    desk.take_in(row)

    batch = desk.take_in(row, make.declaration_row())

    assert len(lines(result(desk, batch.id))) == 2


def test_a_cancelled_declaration_is_exported_as_cancelled(desk: Desk):
    batch = desk.take_in(make.declaration_row())
    declaration_id = lines(result(desk, batch.id))[0]["declaration_id"]

    desk.decide("cancel", declaration_id)

    assert lines(result(desk, batch.id))[0]["next_step"] == "cancelled HANGZHOU_ZS"


def test_another_merchants_batch_is_not_there(desk: Desk):
    batch = desk.take_in(make.declaration_row(merchant_no="M999"))

    with pytest.raises(NotFound):
        result(desk, batch.id)


def test_its_name_is_not_that_of_a_file_that_completes_the_batch():
    assert result_filename("bat_" + "0" * 32) == f"results-{'0' * 32}.xlsx"
