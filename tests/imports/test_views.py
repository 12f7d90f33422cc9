"""Importing at the desk: a file comes in, is looked over, corrected and submitted, and nothing is sent before that."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from customs.container import Services
from customs.declarations.models import Declaration
from customs.web.json_body import LARGEST_BODY
from tests.imports.clerk import order_row, split_rows, tabbed
from tests.imports.importing import ONCE, AtDraft, field, hand_in, may_submit, warehouse_file
from tests.imports.spreadsheets import xlsx
from tests.web.visiting import HOST, People, Visitor, text_of


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def people(services: Services) -> People:
    return People(services)


@pytest.fixture
def clerk(people: People) -> Visitor:
    return people.signed_in("clerk")


def stored(services: Services) -> int:
    with services.reading() as db:
        return db.scalar(select(func.count()).select_from(Declaration)) or 0


@pytest.mark.parametrize(
    ("language", "submit", "expected"),
    [("en", "Submit 197 rows", "200 declarations were submitted."), ("zh_CN", "提交 197 行", "已提交 200 条申报单。")],
)
def test_a_warehouses_file_with_mistakes_goes_to_all_submitted(
    people: People, services: Services, language: str, submit: str, expected: str
):
    rows = [order_row() for _ in range(200)]
    wrong = {5: {"office": "杭洲"}, 50: {"cert_id": rows[50]["cert_id"][:-1]}, 150: {"payment_no": "4.20E+27"}}
    clerk = people.signed_in("clerk", language=language)

    draft = AtDraft(clerk, *(row | wrong.get(at, {}) for at, row in enumerate(rows)))
    page = draft.page()
    before = stored(services)
    for at, cells in wrong.items():
        column = next(iter(cells))
        draft.type(f"c-{at + 2}-{column}", rows[at][column])
    batch = clerk.follow(draft.submit())

    assert submit in text_of(page)
    assert "GB18030" in text_of(page)
    assert before == 0
    assert expected in text_of(batch)
    assert stored(services) == 200


def test_the_good_rows_go_and_the_faulty_ones_stay_to_complete_the_batch(clerk: Visitor, services: Services):
    good, faulty = order_row(), order_row(office="杭洲")
    draft = AtDraft(clerk, good, faulty)

    batch = draft.submit().location
    left = draft.page()
    draft.type("c-3-office", "杭州")
    again = draft.submit().location
    gone = draft.page()

    assert "These rows complete a batch" in text_of(left)
    assert "Submit 0 rows" in text_of(left)
    assert not may_submit(left)
    assert again == batch
    assert (gone.status_code, gone.location) == (303, batch)
    assert stored(services) == 2


def test_a_button_pressed_twice_submits_once(clerk: Visitor, services: Services):
    draft = AtDraft(clerk, order_row(), order_row(office="杭洲"))
    once = ONCE.search(draft.page().text)[1]
    form = {"revision": "1", "once": once}

    answers = [clerk.post(f"{draft.place}/submit", **form) for _ in range(2)]

    assert len({answer.location for answer in answers}) == 1
    assert stored(services) == 1


def test_what_was_changed_meanwhile_is_not_submitted(clerk: Visitor, services: Services):
    draft = AtDraft(clerk, order_row(), order_row(office="杭洲"))
    draft.type("c-3-office", "杭州")

    page = clerk.follow(draft.submit(revision="1"))

    assert "changed in another window" in text_of(page)
    assert stored(services) == 0


@pytest.mark.parametrize("part", [False, True], ids=["a plain form", "a form that htmx sends"])
def test_what_is_being_typed_is_submitted_with_the_rest(clerk: Visitor, services: Services, part: bool):
    draft = AtDraft(clerk, order_row(), order_row(office="杭洲"), order_row(office="杭洲"))

    batch = draft.submit(part=part, **{"c-3-office": "杭州", "c-4-office": "深圳"})

    assert "/batches/" in (batch.headers.get("HX-Redirect") or batch.location)
    assert stored(services) == 3


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({"c-3-office": "杭川"}, "What was typed is kept, but is still wrong in row 3"),
        ({"c-3-office": "x" * 401}, "401 characters"),
        ({"c-3-office": "杭州", "revision": "7"}, "changed in another window"),
    ],
)
def test_nothing_is_submitted_when_what_is_being_typed_cannot_go_with_it(
    clerk: Visitor, services: Services, typed: dict[str, str], expected: str
):
    draft = AtDraft(clerk, order_row(), order_row(office="杭洲"))

    page = clerk.follow(draft.submit(**typed))

    assert "Nothing was submitted." in text_of(page)
    assert expected in text_of(page)
    assert stored(services) == 0


def test_who_submits_again_leaves_the_row_that_is_still_wrong(clerk: Visitor, services: Services):
    draft = AtDraft(clerk, order_row(), order_row(office="杭洲"))
    draft.submit(**{"c-3-office": "杭川"})

    batch = draft.submit(**{"c-3-office": "杭川"})

    assert "/batches/" in batch.location
    assert stored(services) == 1


def test_a_file_without_a_good_row_cannot_be_submitted(clerk: Visitor, services: Services):
    draft = AtDraft(clerk, order_row(office="杭洲"))

    page = draft.page()
    refused = clerk.follow(draft.submit())

    assert not may_submit(page)
    assert "No row is good yet" in text_of(page)
    assert "no such office" in text_of(refused)
    assert stored(services) == 0


def test_rows_pasted_from_excel_need_no_header(clerk: Visitor):
    answer = clerk.post("/import", pasted=tabbed(order_row(), header=False))

    page = text_of(clerk.follow(answer))

    assert "No row names the columns" in page
    assert "Submit 1 row" in page


def test_what_is_pasted_may_be_as_long_as_a_file(clerk: Visitor):
    text = tabbed(*(order_row() for _ in range(10_000)))

    answer = clerk.post("/import", pasted=text, files={"file": (io.BytesIO(b""), "")})

    assert len(text) > 500_000
    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("content", "name", "english", "chinese"),
    [
        (b"", "orders.csv", "it has no bytes", "文件是空的"),
        (b"a,b\x00\n1,2", "orders.csv", "NUL characters", "文件不是文本"),
        (b"%PDF-1.7", "orders.pdf", "The file is a PDF", "PDF"),
        (b"x,y\n1,2\n", "orders.csv", "these are missing", "缺少必需的列名"),
        (warehouse_file(order_row(office="x" * 5_000_000)), "orders.csv", "longer than any row", "某一行过长"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_where_it_was_handed_in(
    people: People, content: bytes, name: str, english: str, chinese: str
):
    for language, expected in (("en", english), ("zh_CN", chinese)):
        answer = hand_in(people.signed_in("clerk", language=language), content, name)

        assert answer.status_code == 422
        assert expected in text_of(answer)
        assert 'name="pasted"' in answer.text


def test_what_was_pasted_in_vain_stays_in_its_place(clerk: Visitor):
    answer = clerk.post("/import", pasted='first <line>\n"open')

    assert answer.status_code == 422
    assert ">\nfirst &lt;line&gt;\n&#34;open</textarea>" in answer.text


def test_nothing_chosen_is_told_too(clerk: Visitor):
    answer = clerk.post("/import", pasted=" ", files={"file": (io.BytesIO(b""), "")})

    assert answer.status_code == 422
    assert "Choose a file, or paste rows" in text_of(answer)


def test_a_body_beyond_all_limits_is_told_too(clerk: Visitor):
    answer = clerk.client.post(
        "/import",
        headers={"Accept": "text/html", "Origin": HOST},
        content_type="multipart/form-data; boundary=x",
        environ_overrides={"CONTENT_LENGTH": str(LARGEST_BODY + 1)},
    )

    assert answer.status_code == 413
    assert "Nothing was taken in" in text_of(answer)


def test_hostile_cells_are_shown_as_text(clerk: Visitor):
    evil = '"><script>alert(1)</script>'
    draft = AtDraft(clerk, order_row(office=evil, out_order_no=evil), order_row(office=evil))

    page = draft.page()
    workbook = clerk.get(f"{draft.place}/faulty.xlsx")

    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert" in page.text
    assert workbook.status_code == 200


def test_buyers_are_masked_but_where_they_are_corrected(clerk: Visitor):
    good = order_row(buyer_name="欧阳若兰")
    other = order_row(office="杭洲", buyer_name="司马文静")
    wrong = order_row(buyer_name="田𠮷祥", cert_id="11010519900307123")
    draft = AtDraft(clerk, good, other, wrong)

    to_mend, rest = draft.page(), draft.page("?show=rest")

    assert 'value="11010519900307123"' in field(to_mend, 4, "cert_id")
    assert 'value="田𠮷祥"' in field(to_mend, 4, "buyer_name")
    assert field(to_mend, 3, "buyer_name") == ""
    for secret in ("欧阳若兰", "司马文静", good["cert_id"]):
        assert secret not in to_mend.text + rest.text
    assert "欧***" in text_of(rest)


def test_a_draft_is_nobody_elses(people: People, clerk: Visitor):
    draft = AtDraft(clerk, order_row(office="杭洲"))
    colleague = people.signed_in("admin")
    form = {"revision": "1", "row": "2", "office": "杭州", "column": "office", "text": "杭洲", "value": "杭州"}

    actions = ("cells", "replace", "rows/2/delete", "rows/2/strays", "columns/0", "submit", "discard")
    answers = [colleague.post(f"{draft.place}/{action}", **form) for action in actions]
    answers += [colleague.get(draft.place), colleague.get(f"{draft.place}/faulty.xlsx")]
    listed = text_of(colleague.get("/import"))

    assert {answer.status_code for answer in answers} == {404}
    assert "My drafts" not in listed
    assert draft.page().status_code == 200


def test_a_stranger_is_sent_to_sign_in(people: People):
    answer = people.stranger().get("/import")

    assert (answer.status_code, answer.location) == (303, "/sign-in?next=%2Fimport")


def test_a_draft_is_listed_until_it_is_discarded(clerk: Visitor):
    draft = AtDraft(clerk, order_row())
    listed = text_of(clerk.get("/import"))

    page = clerk.follow(clerk.post(f"{draft.place}/discard"))

    assert "订单.csv" in listed
    assert "Nothing of it was sent" in text_of(page)
    assert "订单.csv" not in text_of(page)
    assert draft.page().status_code == 404


def test_an_order_in_parts_is_counted_with_its_sum(clerk: Visitor):
    draft = AtDraft(clerk, *split_rows(3), order_row())

    page = text_of(draft.page())

    assert "Valid declarations 2" in page
    assert "CN¥30.00" in page
    assert "Submit 4 rows" in page


def test_a_workbook_whose_digits_are_lost_says_so_at_the_cell(clerk: Visitor):
    content = xlsx(order_row(payment_no=2018051816320384498))

    page = clerk.follow(hand_in(clerk, content, "orders.xlsx"))

    assert "digits are lost" in text_of(page)
    assert 'aria-invalid="true"' in field(page, 2, "payment_no")


@pytest.mark.parametrize(
    ("language", "submit", "expected"),
    [("en", "Submit 0 rows", "nothing is sent twice"), ("zh_CN", "提交 0 行", "不会重复推送")],
)
def test_a_file_that_was_submitted_before_says_so_and_is_not_offered_again(
    people: People, language: str, submit: str, expected: str
):
    clerk, row = people.signed_in("clerk", language=language), order_row()
    batch = AtDraft(clerk, row).submit().location

    again = AtDraft(clerk, row)
    page = again.page()

    assert not may_submit(page)
    assert submit in text_of(page)
    assert expected in text_of(page)
    assert f'href="{batch}"' in page.text
    assert "alert-danger" in clerk.follow(again.submit()).text


def test_pasted_rows_are_named_by_their_time_in_shanghai(people: People):
    clerk = people.signed_in("clerk", language="zh_CN")

    page = clerk.follow(clerk.post("/import", pasted=tabbed(order_row())))

    shanghai = datetime.now(UTC) + timedelta(hours=8)
    names = [f"粘贴数据 {shanghai - timedelta(minutes=ago):%m-%d %H:%M}" for ago in range(3)]
    assert any(name in text_of(page) for name in names)
