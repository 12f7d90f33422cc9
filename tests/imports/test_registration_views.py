"""The pages of registrations and offices: narrowed, put on file singly or as a file, for one's own merchants only."""

import io

import pytest

from customs.container import Services
from customs.declarations.offices import OFFICES
from tests.web.visiting import People, Visitor, text_of

PAGE = "/admin/registrations"
HEADER = "商户号,支付渠道,海关,商户海关备案号,商户海关备案名称\n"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def people(services: Services) -> People:
    return People(services)


def wanted(**changes: str) -> dict[str, str]:
    row = {"merchant_no": "M1", "channel": "wechatpay", "office": "GUANGZHOU", "mch_customs_no": "NUMBER-1"}
    return row | {"merchant_customs_name": ""} | changes


def upload(visitor: Visitor, rows: str, name: str = "r.csv"):
    return visitor.post(f"{PAGE}/file", files={"file": (io.BytesIO((HEADER + rows).encode("gb18030")), name)})


def test_one_is_put_on_file_and_replaced(people: People):
    clerk = people.signed_in("clerk")

    first = clerk.follow(clerk.post(PAGE, **wanted()))
    second = clerk.follow(clerk.post(PAGE, **wanted(mch_customs_no="NUMBER-2")))

    assert "NUMBER-1" in text_of(first) and "1 registration is on file." in text_of(first)
    assert "NUMBER-2" in text_of(second) and "NUMBER-1" not in text_of(second)
    assert 'value="NUMBER-2"' in clerk.get(f"{PAGE}/put?merchant_no=M1&mch_customs_no=NUMBER-2").text


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"channel": "alipay"}, "Alipay needs the name"),
        ({"office": "ATLANTIS"}, "No such office"),
        ({"office": "HEFEI"}, "No such office"),
        ({"mch_customs_no": ""}, "Add it."),
    ],
)
def test_what_is_wrong_is_shown_and_nothing_typed_is_lost(people: People, changes, expected: str):
    answer = people.signed_in("clerk").post(PAGE, **wanted(**({"merchant_no": "M77"} | changes)))

    assert answer.status_code == 422
    assert expected in text_of(answer)
    assert 'value="M77"' in answer.text


def test_a_file_is_taken_as_a_whole(people: People):
    clerk = people.signed_in("clerk")

    answer = clerk.follow(upload(clerk, "M1,微信,广州,1,\nM2,支付宝,深圳,2,杭州示例商贸有限公司\n"))

    assert "2 registrations are on file." in text_of(answer)
    assert "杭州示例商贸有限公司" in text_of(answer)


@pytest.mark.parametrize(
    ("language", "expected"), [("en", "Nothing was taken: 2 things"), ("zh_CN", "文件中有 2 处错误")]
)
def test_what_is_wrong_with_a_file_is_shown_by_its_rows(people: People, language: str, expected: str):
    clerk = people.signed_in("clerk", language=language)

    answer = upload(clerk, "M1,微信,广州,1,\nM2,支付宝,深圳,2,\nM3,微信,合肥,3,\n")

    assert answer.status_code == 422
    assert expected in text_of(answer)
    assert "3 merchant_customs_name" in text_of(answer) and "4 office" in text_of(answer)
    assert "M1" not in text_of(clerk.get(PAGE))


def test_what_is_no_file_of_registrations_is_shown(people: People):
    clerk = people.signed_in("clerk")

    assert "Choose a file" in text_of(clerk.post(f"{PAGE}/file"))
    assert "these are missing" in text_of(
        clerk.post(f"{PAGE}/file", files={"file": (io.BytesIO(b"a,b\n1,2\n"), "r.csv")})
    )
    assert clerk.get(f"{PAGE}/sample.csv").data.startswith(b"\xef\xbb\xbf")


def test_the_list_is_narrowed(people: People):
    clerk = people.signed_in("clerk")
    upload(clerk, "M1,微信,广州,ONE,\nM1,支付宝,深圳,TWO,杭州示例商贸有限公司\nM2,微信,深圳,THREE,\n")

    def shown(query: str) -> set[str]:
        page = text_of(clerk.get(f"{PAGE}?{query}"))
        return {number for number in ("ONE", "TWO", "THREE") if number in page}

    assert shown("merchant_no=M1&channel=&office=") == {"ONE", "TWO"}
    assert shown("channel=alipay") == {"TWO"}
    assert shown("office=SHENZHEN&channel=wechatpay") == {"THREE"}
    assert "No registration fits this filter" in text_of(clerk.get(f"{PAGE}?office=XIAN"))


def test_only_ones_own_merchants_are_seen_and_changed(people: People):
    upload(people.signed_in("clerk"), "M1,微信,广州,ONE,\nM2,微信,广州,TWO,\n")
    clerk = people.signed_in("clerk", ["M1"])

    assert "ONE" in text_of(clerk.get(PAGE)) and "TWO" not in text_of(clerk.get(PAGE))
    assert "merchant is not" in text_of(clerk.post(PAGE, **wanted(merchant_no="M2")))
    assert upload(clerk, "M1,微信,杭州,1,\nM2,微信,杭州,1,\n").status_code == 422
    assert "1 registration" in text_of(clerk.follow(clerk.post(PAGE, **wanted())))


@pytest.mark.parametrize("role", ["clerk", "reviewer", "developer", "admin"])
def test_everybody_sees_them_and_the_offices(people: People, role: str):
    visitor = people.signed_in(role)

    assert "No registration is on file" in text_of(visitor.get(PAGE))
    assert visitor.get("/admin/offices").status_code == 200


def test_offices_are_named_in_both_languages_with_their_codes_in_order(people: People):
    english, chinese = (
        text_of(people.signed_in("clerk", language=one).get("/admin/offices")) for one in ("en", "zh_CN")
    )

    for office in OFFICES.values():
        for shown in (english, chinese):
            assert office.name in shown and office.office in shown
            assert all(code in shown for codes in office.codes.values() for code in codes)
    assert "Shenzhen 深圳" in english and "深圳 Shenzhen" in chinese
    assert "1 SHENZHEN_ZS 2 ZONGSHU" in english
    assert "NANSHAGJ no re-push" in english and "NANSHAGJ 不支持重推" in chinese
