"""Files of registrations: read by their columns, each error at its row, and put on file all or none."""

import pytest

from customs.auth.principal import operator
from customs.container import Services
from customs.db import database
from customs.declarations.registrations import list_registrations
from customs.errors import FileUnreadable, ValidationFailed
from customs.imports.registration_file import Place, RegistrationFile, read_registration_file, sample_file

HEADER = "merchant_no,支付渠道,office,mch_customs_no,商户海关备案名称"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def read(*rows: str, header: str = HEADER, encoding: str = "utf-8") -> RegistrationFile:
    return read_registration_file("\n".join([header, *rows, ""]).encode(encoding), "registrations.csv")


@pytest.fixture
def put(services: Services):
    def put_on_file(file: RegistrationFile) -> int:
        with services.transaction() as db:
            return file.put(db, operator(), services.audit, database.now(db))

    return put_on_file


@pytest.fixture
def on_file(services: Services):
    def on_file() -> list[tuple[str, str, str]]:
        with services.reading() as db:
            rows = list_registrations(db, operator(), limit=200, cursor=None).rows
        return sorted((row.merchant_no, row.office, row.mch_customs_no) for row in rows)

    return on_file


def test_names_and_offices_are_understood():
    file = read("M100,支付宝,深圳,123456789BTW,某某公司", encoding="gb18030")

    assert (file.spoilt, file.numbers) == ([], [2])
    assert file.rows == [
        {
            "merchant_no": "M100",
            "channel": "alipay",
            "office": "SHENZHEN",
            "mch_customs_no": "123456789BTW",
            "merchant_customs_name": "某某公司",
        }
    ]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (HEADER.replace("office", "duty"), "office or 海关"),
        (HEADER.replace("商户海关备案名称", "note"), "note"),
        (HEADER.replace("商户海关备案名称", "关税"), "关税"),
    ],
    ids=["missing column", "unknown column", "column of orders"],
)
def test_a_file_of_something_else_is_refused(header: str, words: str):
    with pytest.raises(FileUnreadable, match=words):
        read("M100,支付宝,深圳,1,某某公司", header=header)


def test_every_fault_is_told_by_its_row_and_nothing_is_put_on_file(put, on_file):
    file = read(
        "M1,微信,广州,1,",
        "",
        "M2,微信,广州,1.23457E+17,",
        "M3,支付宝,深圳,1,",
        "M4,支付宝,北京,1,某某公司",
    )

    with pytest.raises(ValidationFailed) as refused:
        put(file)

    errors = {(file.place_of(one.pointer), one.code) for one in refused.value.errors}
    assert errors == {
        (Place(4, "mch_customs_no"), "digits_lost"),
        (Place(5, "merchant_customs_name"), "registration_name_missing"),
        (Place(6, "office"), "office_without_codes"),
    }
    assert on_file() == []


def test_rows_of_no_shape_are_told_by_their_rows(put):
    file = read("M1,微信,广州,,", "M2,visa,广州,1,")

    with pytest.raises(ValidationFailed) as refused:
        put(file)

    errors = {(file.place_of(one.pointer), one.code) for one in refused.value.errors}
    assert errors == {(Place(2, "mch_customs_no"), "required"), (Place(3, "channel"), "choice")}
    assert file.place_of("/registrations") == file.place_of("/registrations/7") == Place(None, None)


def test_what_is_on_file_for_the_same_is_replaced(put, on_file):
    assert put(read("M1,微信,广州,1,", "M1,微信,杭州,1,")) == 2
    put(read("M1,微信,广州,2,"))

    assert on_file() == [("M1", "GUANGZHOU", "2"), ("M1", "HANGZHOU", "1")]


def test_the_sample_is_taken_as_it_is(put, on_file):
    put(read_registration_file(sample_file(), "registrations.csv"))

    assert [office for _, office, _ in on_file()] == ["GUANGZHOU_HUANGPU", "SHENZHEN"]
