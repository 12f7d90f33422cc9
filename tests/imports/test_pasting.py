"""Rows pasted from a spreadsheet: tabs, quotes and line breaks in cells, with a header or without."""

import pytest

from customs.errors import FileUnreadable
from customs.imports.sheet import read_pasted
from tests.imports.clerk import order_row, tabbed
from tests.imports.spreadsheets import CHINESE, ENGLISH, PLAIN_ROW


def test_rows_with_their_header_are_read_by_it():
    grid = read_pasted(tabbed(order_row(office="深圳,罗湖")))

    assert (grid.header_row, grid.header, grid.form.value, grid.encoding) == (1, ENGLISH, "pasted", "")
    assert [(number, cells[1]) for number, cells in grid.rows] == [(2, "深圳,罗湖")]


def test_rows_without_a_header_stand_in_the_templates_order():
    grid = read_pasted(tabbed(PLAIN_ROW, PLAIN_ROW, header=False))

    assert (grid.header_row, grid.header) == (0, CHINESE)
    assert [number for number, _ in grid.rows] == [1, 2]
    assert grid.rows[0][1][:5] == list(PLAIN_ROW.values())


def test_a_cell_with_a_line_break_and_quotes_is_one_cell():
    grid = read_pasted('channel\tbuyer_name\r\n微信\t"李\n""雷"""\r\n')

    assert grid.rows == [(2, ["微信", '李\n"雷"'])]


def test_commas_are_read_where_there_are_no_tabs():
    assert read_pasted("channel,office\n微信,深圳\n").rows == [(2, ["微信", "深圳"])]


@pytest.mark.parametrize("pasted", ["", " \r\n\t\r\n", "channel\toffice\r\n", "微信\t\x00", 'channel\t"open\r\n'])
def test_what_is_nothing_to_read_is_refused(pasted: str):
    with pytest.raises(FileUnreadable):
        read_pasted(pasted)
