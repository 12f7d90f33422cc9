"""The pages of batches: one's own first, how far each is, what is left to mend, and the result as a workbook."""

import io
import re
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from customs.auth.principal import Caller
from customs.auth.roles import SCOPES, Role
from customs.container import Services
from customs.declarations.models import Batch
from customs.imports.drafts import draft_of
from tests import make
from tests.product import Desk
from tests.web.visiting import People, Visitor, text_of

ROLES = ["clerk", "reviewer", "developer", "admin"]
HEADER = "channel,office,merchant_no,out_order_no,payment_no,mch_customs_no\n"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Doors are the same on both."""
    return sqlite_url


@pytest.fixture
def people(services: Services) -> People:
    return People(services)


@pytest.fixture
def clerk(people: People) -> Visitor:
    return people.signed_in("clerk", [make.MERCHANT])


def caller_of(visitor: Visitor) -> Caller:
    return Caller(visitor.person_id, "a clerk", SCOPES[Role.CLERK], frozenset({make.MERCHANT}))


def handed_in(desk: Desk, visitor: Visitor, *rows: Any) -> Batch:
    """A batch that somebody handed in, by default of one row."""
    return desk.take_in(*(rows or [make.declaration_row()]), caller=caller_of(visitor))


def test_ones_own_batches_come_first(clerk: Visitor, desk: Desk):
    mine, other = handed_in(desk, clerk), desk.take_in(make.declaration_row())

    own, everybodys = clerk.get("/batches").text, clerk.get("/batches?whose=all").text

    assert (mine.id in own, other.id in own) == (True, False)
    assert (mine.id in everybodys, other.id in everybodys) == (True, True)


def test_without_a_batch_of_ones_own_it_leads_to_the_import(clerk: Visitor, desk: Desk):
    desk.take_in(make.declaration_row(merchant_no="M999"))

    assert "No batch of yours yet" in clerk.get("/batches").text
    assert "No batch yet" in clerk.get("/batches?whose=all").text


def test_the_next_page_goes_on_where_this_one_ends(clerk: Visitor, desk: Desk):
    oldest, *_, newest = [handed_in(desk, clerk) for _ in range(3)]

    first = clerk.get("/batches?limit=2").text
    (following,) = re.findall(r'rel="next" href="([^"]+)"', first)
    second = clerk.get(f"/batches{following.replace('&amp;', '&')}").text

    assert (newest.id in first, oldest.id in first) == (True, False)
    assert oldest.id in second


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("role", ROLES)
def test_a_batch_shows_how_far_it_is(people: People, desk: Desk, role: str, language: str):
    batch = desk.take_in(*(make.declaration_row() for _ in range(4)))
    states = iter(["SUCCESS", "SUCCESS", "FAIL", "PROCESSING"])
    desk.work(lambda _: make.reply(next(states), desk.now))

    page = people.signed_in(role, language=language).get(f"/batches/{batch.id}")

    expected = {"en": "3 of 4 have come to an end", "zh_CN": "4 条中 3 条已有结果"}
    assert page.status_code == 200
    assert expected[language] in text_of(page)
    assert f"/declarations?batch_id={batch.id}&amp;state=FAIL" in page.text


def test_the_progress_asks_for_itself_until_nothing_runs(clerk: Visitor, desk: Desk):
    batch = handed_in(desk, clerk)
    running = clerk.get(f"/batches/{batch.id}/progress").text
    desk.work(lambda _: make.reply("SUCCESS", desk.now))
    done = clerk.get(f"/batches/{batch.id}/progress").text

    assert f'hx-get="/batches/{batch.id}/progress" hx-trigger="every 2s"' in " ".join(running.split())
    assert "How long it takes cannot be told yet." in running
    assert "hx-trigger" not in done
    assert "Customs has accepted everything." in done


def test_when_somebody_is_needed_the_main_action_leads_there(clerk: Visitor, desk: Desk):
    batch = handed_in(desk, clerk)
    desk.work(lambda _: make.reply("FAIL", desk.now))

    page = clerk.get(f"/batches/{batch.id}").text

    (main,) = re.findall(r'href="([^"]+)" data-main-action', page)
    assert main == f"/declarations?batch_id={batch.id}&amp;tab=review"


def test_remarks_are_kept_with_what_to_do(clerk: Visitor, desk: Desk):
    rows = [make.declaration_row(), make.declaration_row(office="ATLANTIS")]
    batch = desk.take_in(*rows, caller=caller_of(clerk), on_error="accept_valid")

    page = text_of(clerk.get(f"/batches/{batch.id}"))

    assert "1 remark on what came in" in page
    assert "There is no such office." in page


@pytest.mark.parametrize("place", ["", "/progress", "/result.xlsx"])
def test_what_is_anothers_is_not_there(clerk: Visitor, desk: Desk, place: str):
    batch = desk.take_in(make.declaration_row(), make.declaration_row(merchant_no="M999"))

    assert clerk.get(f"/batches/{batch.id}{place}").status_code == 404


@pytest.mark.parametrize(
    ("language", "sheet", "state"), [("en", "Results", "Accepted by customs"), ("zh_CN", "结果", "成功")]
)
def test_the_result_is_a_workbook_in_ones_language(people: People, desk: Desk, language: str, sheet: str, state: str):
    batch = desk.take_in(make.declaration_row(buyer=make.buyer_row()))
    desk.work(lambda _: make.reply("SUCCESS", desk.now))

    answer = people.signed_in("clerk", language=language).get(f"/batches/{batch.id}/result.xlsx")

    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.data))
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="results-')
    assert book.sheet_names == [sheet]
    header, row = book.get_sheet_by_index(0).to_python()
    assert len(header) == len(row)
    assert state in row
    assert "李*" in row


def test_corrected_rows_become_a_draft_that_completes_the_batch(clerk: Visitor, desk: Desk, services: Services):
    batch = handed_in(desk, clerk)
    text = f"{HEADER}wechatpay,HANGZHOU,{make.MERCHANT},{make.number('O')},{make.number('P')},X1\n"

    answer = clerk.post(f"/batches/{batch.id}/rows", files={"file": (io.BytesIO(text.encode()), "mended.csv")})

    draft_id = answer.location.removeprefix("/import/")
    with services.reading() as db:
        assert draft_of(db, draft_id, caller_of(clerk)).batch_id == batch.id
    page = clerk.get(f"/batches/{batch.id}")
    assert "1 row is left to mend" in page.text
    assert f'href="/import/{draft_id}"' in page.text


@pytest.mark.parametrize("content", [b"", b"no orders at all"])
def test_what_is_no_file_of_orders_is_refused_on_the_page(clerk: Visitor, desk: Desk, content: bytes):
    batch = handed_in(desk, clerk)

    answer = clerk.post(f"/batches/{batch.id}/rows", files={"file": (io.BytesIO(content), "mended.csv")})

    assert answer.location == f"/batches/{batch.id}"
    assert "alert-danger" in clerk.follow(answer).text


def test_no_rows_are_added_to_anothers_batch(clerk: Visitor, desk: Desk):
    batch = desk.take_in(make.declaration_row(merchant_no="M999"))
    file = io.BytesIO(f"{HEADER}wechatpay,HANGZHOU,M999,O1,P1,X1\n".encode())

    assert clerk.post(f"/batches/{batch.id}/rows", files={"file": (file, "mine.csv")}).status_code == 404


def with_an_open_row(desk: Desk, visitor: Visitor) -> tuple[Batch, str]:
    """A batch that left a row behind, all else accepted; and the order number of that row."""
    rows = [make.declaration_row(), make.declaration_row(office="ATLANTIS")]
    batch = desk.take_in(*rows, caller=caller_of(visitor), on_error="accept_valid")
    desk.work(lambda _: make.reply("SUCCESS", desk.now))
    return batch, rows[1]["out_order_no"]


@pytest.mark.parametrize(("language", "expected"), [("en", "1 row was not submitted"), ("zh_CN", "1 行未提交")])
def test_a_row_left_behind_shows_to_colleagues_wherever_the_batch_does(
    people: People, clerk: Visitor, desk: Desk, language: str, expected: str
):
    batch, order_no = with_an_open_row(desk, clerk)
    colleague = people.signed_in("reviewer", [make.MERCHANT], language=language)

    page = colleague.get(f"/batches/{batch.id}")

    assert expected in text_of(page)
    assert order_no in page.text
    assert "50%" in text_of(page)
    for place in ("/batches?whose=all", "/"):
        assert f'href="/batches/{batch.id}#open-rows"' in colleague.get(place).text
    assert f"/batches/{batch.id}" not in people.signed_in("reviewer", ["M999"]).get("/").text


def test_open_rows_are_discarded_by_whoever_sees_the_batch_and_it_stays_on_record(
    people: People, clerk: Visitor, desk: Desk
):
    batch, _ = with_an_open_row(desk, clerk)
    colleague = people.signed_in("clerk", [make.MERCHANT])
    place = f"/batches/{batch.id}/rows/discard"

    without_reason = colleague.follow(colleague.post(place, which="all", reason=" "))
    page = colleague.follow(colleague.post(place, which="all", reason="the buyer took it back"))

    assert "alert-danger" in without_reason.text
    assert "1 row was discarded." in text_of(page)
    assert "the buyer took it back" in text_of(page)
    assert "Done" in text_of(page)
    assert people.signed_in("clerk", ["M999"]).post(place, which="all", reason="mine").status_code == 404


def test_what_was_submitted_before_is_told_with_its_batch(clerk: Visitor, desk: Desk):
    row = make.declaration_row()
    first, again = handed_in(desk, clerk, row), handed_in(desk, clerk, row)

    page = clerk.get(f"/batches/{again.id}")

    assert "Submitted before, unchanged" in text_of(page)
    assert f'href="/batches/{first.id}"' in page.text
