"""Editing a draft on its page: cells, texts, columns and rows, each with a plain form or a part of the page."""

import re

import pytest

from customs.container import Services
from customs.declarations.fields import FIELDS, Part
from customs.imports.draft_view import PERSONAL, ROWS_A_PAGE
from tests.imports.clerk import order_row, split_rows
from tests.imports.importing import KEPT, REVISION, AtDraft, field, hand_in, may_submit, warehouse_file
from tests.imports.spreadsheets import csv_text
from tests.web.visiting import People, Visitor, text_of


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def clerk(services: Services) -> Visitor:
    return People(services).signed_in("clerk")


def test_a_corrected_cell_leads_back_to_its_row(clerk: Visitor):
    draft = AtDraft(clerk, order_row(office="杭洲"))

    answer = draft.type("c-2-office", "杭州")

    assert answer.status_code == 303
    assert answer.location == f"{draft.place}?show=mend#row-2"
    assert may_submit(clerk.follow(answer))


def test_the_part_that_changed_is_the_answer_to_htmx(clerk: Visitor):
    draft = AtDraft(clerk, order_row(office="杭洲"), order_row(office="上诲"))

    part = draft.type("c-2-office", "杭州", part=True, open="c-2-office")

    assert part.status_code == 200
    assert "<html" not in part.text
    assert REVISION.search(part.text)[1] == "2"
    assert "1 of 2 rows are good" in text_of(part)
    assert may_submit(part)


def test_a_corrected_row_stays_where_somebody_works_on_it(clerk: Visitor):
    draft = AtDraft(clerk, order_row(office="杭洲"), order_row(office="上诲"))

    part = draft.type("c-2-office", "杭州", part=True, open="c-2-office")

    assert KEPT.search(part.text)[1] == "2,3"
    assert "aria-invalid" not in field(part, 2, "office")
    assert "aria-invalid" in field(part, 3, "office")
    assert part.text.index('id="row-2"') < part.text.index('id="row-3"')


def test_only_what_was_changed_in_a_row_is_written(clerk: Visitor):
    row = order_row(office="杭洲", buyer_name="欧阳若兰")
    draft = AtDraft(clerk, row)
    unchanged = {f"c-2-{name}": row[name] for name in ("channel", "merchant_no", "out_order_no", "payment_no")}

    nothing = draft.type("c-2-office", "杭洲", part=True, **unchanged)
    draft.type("c-2-office", "杭州", **unchanged)
    batch = draft.submit()

    assert REVISION.search(nothing.text)[1] == "1"
    assert batch.location.startswith("/batches/")


def test_what_another_window_changed_is_not_undone(clerk: Visitor):
    draft = AtDraft(clerk, order_row(office="杭洲"))
    draft.type("c-2-office", "杭州")

    part = draft.type("c-2-office", "上海", part=True, revision="1")
    page = clerk.follow(draft.type("c-2-office", "上海", revision="1"))

    assert "changed in another window" in text_of(part)
    assert "changed in another window" in text_of(page)
    assert "杭州" in draft.page("?show=rest").text


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"c-2-office": "x" * 401}, "401 characters"),
        ({"c-2-office": "x", "revision": ""}, "use a whole number"),
        ({"c-2-office": "x", "revision": "9" * 30}, "use a whole number"),
    ],
)
def test_what_cannot_be_taken_is_shown_in_the_page(clerk: Visitor, form: dict[str, str], expected: str):
    draft = AtDraft(clerk, order_row(office="杭洲"))

    part = draft.send("cells", part=True, **form)

    assert part.status_code == 200
    assert expected in text_of(part)


def test_a_row_that_is_not_there_cannot_be_corrected(clerk: Visitor):
    draft = AtDraft(clerk, order_row(office="杭洲"))

    assert draft.type("c-99-office", "杭州").status_code == 404
    assert draft.send("cells", row="two").status_code == 422


def test_a_word_that_is_wrong_in_many_rows_is_corrected_in_all_of_them(clerk: Visitor):
    draft = AtDraft(clerk, *(order_row(office="杭洲") for _ in range(3)), order_row(office="上诲"))
    offered = text_of(draft.page())

    draft.send("replace", column="office", row=2, value="杭州")
    page = draft.page()

    assert "In 3 rows, 海关 is “杭洲”" in offered
    assert "3 of 4 rows are good" in text_of(page)
    assert "In all of them write" not in text_of(page)


def test_a_blank_is_filled_where_it_is_wrong_and_nowhere_else(clerk: Visitor):
    blank = {"mch_customs_no": ""}
    split = split_rows(2)
    draft = AtDraft(clerk, order_row(**blank), *split, order_row(**blank))

    draft.send("replace", column="mch_customs_no", row=2, value="110396T0001")
    page = draft.page("?show=rest")

    assert may_submit(page)
    assert page.text.count("<td>110396T0001</td>") == 3


REGISTRATIONS = {
    "another merchant": {"merchant_no": "M2"},
    "another office": {"office": "深圳"},
    "another channel": {"channel": "支付宝", "merchant_customs_name": "深圳市某某电子商务有限公司"},
    "nobody's": {"merchant_no": ""},
}


@pytest.mark.parametrize("other", REGISTRATIONS.values(), ids=REGISTRATIONS)
def test_one_word_for_many_rows_reaches_no_row_whose_right_value_may_differ(clerk: Visitor, other: dict[str, str]):
    blank = {"mch_customs_no": ""}
    mine, others = [order_row(**blank) for _ in range(2)], [order_row(**blank | other) for _ in range(2)]
    draft = AtDraft(clerk, mine[0], others[0], mine[1], others[1])
    offered = text_of(draft.page())

    draft.send("replace", column="mch_customs_no", row=2, value="110396T0001")

    page = draft.page("?show=mend")
    assert "M100 · 微信 · 杭州 · rows 2, 4" in offered
    assert {row for row in (2, 3, 4, 5) if "110396T0001" in field(page, row, "mch_customs_no")} <= {2, 4}
    assert "110396T0001" not in field(page, 3, "mch_customs_no") + field(page, 5, "mch_customs_no")


def test_what_was_written_into_many_rows_is_taken_back_but_not_over_what_was_edited_since(clerk: Visitor):
    draft = AtDraft(clerk, *(order_row(office="杭洲") for _ in range(4)))
    draft.send("replace", column="office", row=2, value="深川")
    draft.type("c-3-office", "上海")
    reloaded = text_of(draft.page())

    answer = clerk.follow(draft.send("undo"))

    page = draft.page("?show=mend")
    assert "“深川” was written as office into 4 rows. rows 2, 3, 4, 5" in reloaded
    assert "Edited since, and left as they are: rows 3." in text_of(answer)
    assert [row for row in (2, 4, 5) if 'value="杭洲"' in field(page, row, "office")] == [2, 4, 5]
    assert "上海" in draft.page("?show=rest").text
    assert 'id="undo"' not in page.text


def test_each_change_of_many_rows_is_taken_back_in_turn(clerk: Visitor):
    blank = [order_row(mch_customs_no="", office="杭洲") for _ in range(2)]
    draft = AtDraft(clerk, *blank)
    before = [field(draft.page("?show=mend"), row, name) for row in (2, 3) for name in ("office", "mch_customs_no")]
    draft.send("replace", column="mch_customs_no", row=2, value="110396T0001")
    draft.send("replace", column="office", row=2, value="杭州")

    draft.send("undo")
    draft.send("undo")

    page = draft.page("?show=mend")
    assert [field(page, row, name) for row in (2, 3) for name in ("office", "mch_customs_no")] == before
    assert "nothing left to undo" in text_of(clerk.follow(draft.send("undo")))


def test_a_duplicate_names_the_other_row_and_is_deleted(clerk: Visitor):
    row = order_row()
    draft = AtDraft(clerk, row, row)
    page = draft.page()

    part = draft.send("rows/3/delete", part=True)

    assert 'href="#row-2"' in page.text
    assert "Duplicates 1" in text_of(page)
    assert 'id="row-3"' not in part.text
    assert may_submit(part)


def test_with_its_last_row_the_draft_goes(clerk: Visitor):
    draft = AtDraft(clerk, order_row(office="杭洲"))
    other = AtDraft(clerk, order_row(office="杭洲"))

    page = clerk.follow(draft.send("rows/2/delete"))
    part = other.send("rows/2/delete", part=True)

    assert "no row any more" in text_of(page)
    assert part.headers["HX-Redirect"] == "/import"
    assert draft.page().status_code == 404


def test_a_column_of_an_unknown_name_is_named_here(clerk: Visitor):
    content = csv_text(order_row()).replace("payment_no", "流水号").encode()
    place = clerk_opens(clerk, content)
    page = clerk.get(place)

    clerk.post(f"{place}/columns/4", revision="1", column="payment_no")

    assert "流水号" in text_of(page)
    assert not may_submit(page)
    assert may_submit(clerk.get(place))


def test_a_column_that_is_nothing_of_a_declaration_is_left_out(clerk: Visitor):
    content = warehouse_file(order_row()).replace("关税".encode("gb18030"), "快递".encode("gb18030"))
    place = clerk_opens(clerk, content)
    page = clerk.get(place)

    part = clerk.post(f"{place}/columns/7", headers={"HX-Request": "true"}, revision="1", column="")

    assert "First say what every column is" in text_of(page)
    assert may_submit(part)


def test_a_column_cannot_be_two(clerk: Visitor):
    content = warehouse_file(order_row()).replace("关税".encode("gb18030"), "快递".encode("gb18030"))
    place = clerk_opens(clerk, content)

    page = clerk.follow(clerk.post(f"{place}/columns/7", revision="1", column="office"))

    assert "already has the column" in text_of(page)


def test_what_stands_under_no_header_is_cleared(clerk: Visitor):
    header, row = csv_text(order_row()).splitlines()
    place = clerk_opens(clerk, f"{header}\n{row},astray\n".encode())
    page = clerk.get(place)

    clerk.post(f"{place}/rows/2/strays", revision="1")

    assert "Under no header: astray" in text_of(page)
    assert may_submit(clerk.get(place))


def test_many_rows_come_in_pages(clerk: Visitor):
    rows = [order_row(office="杭洲" if at % 10 == 0 else "杭州") for at in range(1_000)]
    draft = AtDraft(clerk, *rows)

    first = draft.page()
    second = draft.page("?show=mend&offset=25")
    last = draft.page("?show=mend&offset=75")
    rest = draft.page("?show=rest")

    assert [len(rows_of(page)) for page in (first, second, last)] == [ROWS_A_PAGE["mend"]] * 3
    assert not set(rows_of(first)) & set(rows_of(second))
    assert "100× There is no such office." in text_of(first)
    assert 'rel="next"' not in last.text
    assert len(first.data) < 150_000
    assert len(rest.data) < 60_000


@pytest.mark.parametrize("query", ["?offset=99999", "?show=rest&offset=0099", "?show=mend"])
def test_a_page_beyond_the_last_row_is_empty(clerk: Visitor, query: str):
    assert AtDraft(clerk, order_row()).page(query).status_code == 200


@pytest.mark.parametrize("query", ["?show=all", "?offset=-1", "?offset=1e9"])
def test_a_page_that_cannot_be_is_refused(clerk: Visitor, query: str):
    assert AtDraft(clerk, order_row()).page(query).status_code == 422


def test_a_row_that_is_declared_already_leads_to_its_declaration(clerk: Visitor):
    row = order_row()
    AtDraft(clerk, row).submit()

    same = AtDraft(clerk, row).page()
    other = AtDraft(clerk, row | {"mch_customs_no": "110396T0002"}).page()

    assert "Declared before" in text_of(same)
    assert not may_submit(same)
    assert re.search(r'href="/declarations/decl_[0-9a-f]{32}"', same.text)
    assert re.search(r'href="/declarations/decl_[0-9a-f]{32}"', other.text)
    assert not may_submit(other)


def test_everything_about_a_person_is_masked():
    assert set(PERSONAL) == {column.header for column in FIELDS if column.part is Part.BUYER}


def clerk_opens(clerk: Visitor, content: bytes) -> str:
    answer = hand_in(clerk, content)
    assert answer.status_code == 303, answer.text
    return answer.location


def rows_of(page: object) -> list[str]:
    return re.findall(r'<li id="row-(\d+)"', page.text)  # type: ignore[attr-defined]


def test_rows_with_warnings_alone_are_to_compare_and_hold_nothing_up(clerk: Visitor):
    # More than a person may buy at once.
    dear = {"sub_order_amount": "6000.00", "transport_amount": "1000.00", "product_amount": "5000.00"}
    draft = AtDraft(clerk, order_row(), split_rows(1)[0] | dear, order_row(office="杭洲"))

    page, to_compare = draft.page(), draft.page("?show=check")

    assert "Rows to mend 1 Rows to compare 1 Valid rows without warnings 1" in text_of(page)
    assert "Amounts of sub-orders, valid ones CN¥6,000.00 of 1 split declaration" in text_of(page)
    assert "1 is not split and names no amount" in text_of(page)
    assert (rows_of(page), rows_of(to_compare)) == (["4"], ["3"])
    assert "2 of 3 rows are good" in text_of(to_compare)
