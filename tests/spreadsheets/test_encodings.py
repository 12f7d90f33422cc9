"""Which encoding a file is in, and which files nobody can be sure of: a name never becomes somebody else's."""

from collections.abc import Callable

import pytest

from customs.errors import FileUnreadable
from customs.imports.sheet import read_sheet
from customs.spreadsheets.encodings import encoding_of, holds_two, rival_of_gb18030
from tests import make
from tests.imports.spreadsheets import CHINESE, PLAIN_ROW, csv_text

COMMON = ("林晓", "周以", "唐佩文", "宋知远", "阿依努尔·吐尔逊", "宓婷婷")
RARE = ("李喆", "王堃", "张赟", "朱镕基", "刘䶮", "𠮷田", "陶喆旻", "李璟")
TRADITIONAL = ("陳嘉豪", "劉詠晴", "鄭國華", "蕭靜宜", "葉麗珠", "吳鳳嬌")
JAPANESE = ("田中太郎", "佐藤花子", "鈴木さくら", "渡辺ユキ")


def file_of(*names: str, headers: list[str] | None = None) -> str:
    rows = [PLAIN_ROW | {"channel": "wechatpay", "office": "SHENZHEN", "buyer_name": name} for name in names]
    return csv_text(
        *(row | {"out_order_no": make.number("O"), "cert_id": make.cert_id()} for row in rows), headers=headers
    )


def rows_of(text: str) -> str:
    return text.partition("\n")[2]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("names", [COMMON, RARE, (*COMMON, *RARE), TRADITIONAL], ids=["common", "rare", "both", "old"])
@pytest.mark.parametrize("headers", [None, CHINESE], ids=["English", "Chinese"])
def test_a_file_in_one_encoding_is_read_as_it_is(encoding: str, names: tuple[str, ...], headers: list[str] | None):
    sheet = read_sheet(file_of(*names, headers=headers).encode(encoding), "orders.csv")

    assert [row["buyer"]["name"] for row in sheet.declarations] == list(names)


@pytest.mark.parametrize("name", ["董露", "José", "MÜLLER", "Ольга"])
def test_bytes_that_are_text_in_both_are_read_as_what_people_are_called(name: str):
    written = "gb18030" if name == "董露" else "utf-8"
    content = file_of(name).encode(written)

    assert content.decode(encoding_of(content) or "") == file_of_bytes(content, written)


def file_of_bytes(content: bytes, encoding: str) -> str:
    return content.decode(encoding)


JOINED: dict[str, Callable[[], bytes]] = {
    "UTF-8 first": lambda: file_of("林晓", "周以").encode() + rows_of(file_of("唐佩", "宋知远")).encode("gb18030"),
    "GB18030 first": lambda: file_of("唐佩", "宋知远").encode("gb18030") + rows_of(file_of("林晓", "周以")).encode(),
    "with a byte order mark": lambda: file_of("林晓").encode("utf-8-sig") + rows_of(file_of("唐佩")).encode("gb18030"),
    "names of three": lambda: file_of("林晓舟").encode() + rows_of(file_of("宋知远")).encode("gb18030"),
    "Chinese headers": lambda: file_of("唐佩", headers=CHINESE).encode("gb18030") + rows_of(file_of("林晓")).encode(),
    "one row of many": lambda: (
        file_of(*COMMON * 20, headers=CHINESE).encode("gb18030") + rows_of(file_of("林晓")).encode()
    ),
    "cut in a character": lambda: file_of("林晓舟", "宋知远").encode().replace("远".encode(), "远".encode()[:2]),
}
FOREIGN: dict[str, Callable[[], bytes]] = {
    "Big5": lambda: file_of(*TRADITIONAL).encode("big5"),
    "Big5 with headers of its own": lambda: ("訂單編號,訂購人姓名\n" + file_of(*TRADITIONAL)).encode("big5"),
    "Shift-JIS": lambda: file_of(*JAPANESE).encode("shift_jis"),
}


@pytest.mark.parametrize("content", JOINED.values(), ids=JOINED)
def test_a_file_joined_from_two_encodings_is_refused(content: Callable[[], bytes]):
    with pytest.raises(FileUnreadable) as refused:
        read_sheet(content(), "orders.csv")

    assert refused.value.errors[0].code == "encoding_mixed"


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_a_file_in_a_foreign_encoding_is_refused_by_its_name(content: Callable[[], bytes]):
    with pytest.raises(FileUnreadable) as refused:
        read_sheet(content(), "orders.csv")

    assert refused.value.errors[0].code == "encoding_doubtful"
    assert "CSV UTF-8" in str(refused.value)


def test_plain_ascii_is_in_no_doubt():
    content = file_of("MARIA DE SOUZA").encode()

    assert (encoding_of(content), holds_two(content), rival_of_gb18030(content)) == ("utf-8", False, None)
