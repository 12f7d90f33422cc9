"""Rows become declarations; what rows and columns get wrong between them is named by its place."""

import pytest

from customs.declarations.intake.orders import Severity
from customs.imports.sheet import read_sheet
from tests.imports.spreadsheets import CHINESE, ENGLISH, PLAIN_ROW, SPLIT_ROW, codes, csv_sheet, csv_text


def test_a_row_becomes_a_declaration_in_the_shape_of_the_contract() -> None:
    sheet = csv_sheet(SPLIT_ROW)

    assert sheet.findings == []
    assert sheet.declarations == [
        {
            "channel": "wechatpay",
            "office": "SHENZHEN",
            "merchant_no": "M100",
            "out_order_no": "18051893975650968",
            "payment_no": "2018051816320384498567689",
            "mch_customs_no": "123456789BTW",
            "duty": 88,
            "buyer": {"name": "𠮷田·古丽", "cert_id": "11010519491231002X"},
            "sub_orders": [
                {
                    "sub_order_no": "S1",
                    "amount": "46.44",
                    "transport_amount": "23.22",
                    "product_amount": "23.22",
                }
            ],
        }
    ]


@pytest.mark.parametrize(
    ("word", "channel"),
    [("WeChat", "wechatpay"), (" 微信支付 ", "wechatpay"), ("支付宝", "alipay"), ("银联", "银联")],
)
def test_a_channel_is_known_by_its_names_and_left_as_written_otherwise(word: str, channel: str) -> None:
    assert csv_sheet(PLAIN_ROW | {"channel": word}).declarations[0]["channel"] == channel


@pytest.mark.parametrize("duty", ["1.5", "八八", "1e2", "1 1", "1" * 5000])
def test_a_duty_that_is_no_whole_number_is_left_for_validation_to_name(duty: str) -> None:
    assert csv_sheet(PLAIN_ROW | {"duty": duty}).declarations[0]["duty"] == duty


@pytest.mark.parametrize(
    "amount", ["-1", "1e2", "Inf", "1,00.00", "46,44", "(1)", "1%", "+1", "1 1", "1_000", "46.444"]
)
def test_an_amount_is_left_as_written(amount: str) -> None:
    sheet = csv_sheet(SPLIT_ROW | {"sub_order_amount": amount})

    assert sheet.declarations[0]["sub_orders"][0]["amount"] == amount


def test_the_rows_of_a_split_order_are_one_declaration_and_blanks_inherit() -> None:
    second = {"out_order_no": "18051893975650968", "sub_order_no": "S2", "sub_order_amount": "1.00"}
    keys = {name: SPLIT_ROW[name] for name in ("channel", "office", "merchant_no")}

    sheet = csv_sheet(SPLIT_ROW, second, PLAIN_ROW | {"out_order_no": "other"}, keys | second | {"sub_order_no": "S3"})

    assert sheet.findings == []
    assert [len(each.get("sub_orders", [])) for each in sheet.declarations] == [3, 0]
    assert sheet.declarations[0]["sub_orders"][1] == {"sub_order_no": "S2", "amount": "1.00"}
    assert sheet.locate("/declarations/0/sub_orders/2/amount") == (5, "sub_order_amount")


def test_rows_of_a_split_order_that_contradict_its_first_row_are_named() -> None:
    sheet = csv_sheet(SPLIT_ROW, SPLIT_ROW | {"sub_order_no": "S2", "payment_no": "P2", "buyer_name": "李雷"})

    assert codes(sheet) == [("rows_differ", 3, "payment_no"), ("rows_differ", 3, "buyer_name")]
    assert [finding.pointer for finding in sheet.findings] == [
        "/declarations/0/payment_no",
        "/declarations/0/buyer/name",
    ]
    assert "row 2" in sheet.findings[0].detail


def test_a_row_of_a_split_order_without_a_sub_order_is_named() -> None:
    assert codes(csv_sheet(PLAIN_ROW, SPLIT_ROW)) == [
        ("sub_order_missing", 2, None),
        ("rows_differ", 3, "mch_customs_no"),
        ("rows_differ", 3, "duty"),
        ("rows_differ", 3, "buyer_name"),
        ("rows_differ", 3, "cert_id"),
    ]


def test_two_rows_alike_without_sub_orders_are_named() -> None:
    sheet = csv_sheet(PLAIN_ROW, PLAIN_ROW)

    assert codes(sheet) == [("row_repeated", 3, None)]
    assert len(sheet.declarations) == 1


def test_a_row_without_its_key_stands_alone() -> None:
    keyless = PLAIN_ROW | {"out_order_no": " "}

    sheet = csv_sheet(SPLIT_ROW, keyless, keyless)

    assert sheet.findings == []
    assert ["out_order_no" in each for each in sheet.declarations] == [True, False, False]


@pytest.mark.parametrize(
    ("pointer", "place"),
    [
        ("/declarations/0", (2, None)),
        ("/declarations/0/duty", (2, "关税")),
        ("/declarations/0/buyer/cert_id", (2, "订购人身份证号")),
        ("/declarations/0/sub_orders", (2, None)),
        ("/declarations/0/sub_orders/0/transport_amount", (2, "物流费")),
        ("/declarations/0/submit", (2, None)),
        ("/declarations/1", (None, None)),
        ("/name", (None, None)),
    ],
)
def test_a_pointer_leads_to_its_cell(pointer: str, place: tuple[int | None, str | None]) -> None:
    sheet = read_sheet(csv_text(SPLIT_ROW, headers=CHINESE).encode(), "orders.csv")

    assert sheet.locate(pointer) == place


def test_an_unknown_column_is_an_error_about_the_whole_file() -> None:
    sheet = read_sheet(csv_text(PLAIN_ROW).replace("cert_id", "cert_ld").encode(), "orders.csv")

    assert codes(sheet) == [("column_unknown", 1, "cert_ld")]
    assert (sheet.findings[0].pointer, sheet.findings[0].severity) == ("", Severity.ERROR)


def test_a_cell_under_no_header_is_named() -> None:
    content = csv_text(PLAIN_ROW).rstrip() + "," * 2 + "lost"

    assert codes(read_sheet(content.encode(), "orders.csv")) == [("cell_without_header", 2, None)]


def test_amounts_alone_do_not_make_an_order_a_split_one() -> None:
    amounts = {"sub_order_amount": "46.44", "transport_amount": "0.00", "product_amount": "46.44"}

    sheet = csv_sheet(PLAIN_ROW | amounts, PLAIN_ROW)

    assert codes(sheet) == [("row_repeated", 3, None)]


@pytest.mark.parametrize("word", ["-", "/", "无", "NULL", "nan", "N/A"])
def test_what_need_not_be_filled_in_may_say_by_a_word_that_it_is_not(word: str) -> None:
    row = dict.fromkeys(ENGLISH, word) | PLAIN_ROW

    (declaration,) = csv_sheet(row).declarations

    assert declaration == csv_sheet(PLAIN_ROW).declarations[0]
