"""What no card, number or registration holds, each kind with its siblings; and what is rare and right all the same."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customs.text_rules.rules import RULES, Holds, objections_to
from customs.text_rules.signs import is_left_blank
from customs.validation import IDEOGRAPHS, is_unprintable

NAME, COMPANY, CERT_ID, NUMBER, REGISTRATION = Holds

REFUSED = {
    (
        NAME,
        "placeholder",
    ): "NULL null nan None N/A n.a. (null) [空] 无 暂无 - -- / ／ 0 000 待定 未知 测试 \\N undefined "
    "#N/A ＮＵＬＬ 匿名用户 姓名 无名氏 ～",
    (NAME, "masked"): "******** 林** 周* 李＊ 李○ 李〇〇 李某某 李XX 李x XXX x J***n 李● 李.. 李… 李×",
    (
        NAME,
        "characters_lost",
    ): "李? 李？雷 李\ufffd 李□ 阿依努尔&#183;吐尔逊 阿依努尔&middot;吐尔逊 锟斤拷 \\u674e\\u96f7 %E6%9D%8E",
    (NAME, "wrongly_decoded"): "鏋楁檽 鍛ㄤ互 æ\x9d\x8eé\x9b· æ\u009dŽé›· ÀîÀ× ÁÖÏþ",
    (NAME, "encrypted"): "~AgAAAAMk3Lq==~pV2/~1~ e10adc3949ba59abbe56e057f20f883e ##AB12cd34EF56gh==##",
    (
        NAME,
        "phone_in_name",
    ): "林晓舟13800138000 林晓舟(+86-138-0013-8000) 13800138000李雷 李雷010-66668888 李雷１３８００１３８０００",
    (NAME, "title_in_name"): "李先生 李雷先生/女士 陈小姐(收) Mr李雷 王老师 李雷Mr.",
    (NAME, "digits_in_name"): "123 李雷1 2李雷 李雷２ 李①",
    (NAME, "scripts_mixed"): "李Lei 李レイ МARIA ΜARIA",
    (NAME, "invisible"): "李\ufe0f雷 李\u3164 李\U000e0100",
    (COMPANY, "placeholder"): "无 - NULL 待定 0",
    (COMPANY, "masked"): "杭州**公司 ＸＸＸ有限公司 ○○公司",
    (COMPANY, "characters_lost"): "杭州?公司 杭州\ufffd公司",
    (NUMBER, "placeholder"): "0 000 - -- / NULL nan None null N/A 无 待定 test _",
    (NUMBER, "masked"): "* **** 1101****0001 XXXX 42000026xxxxxxxx0001 42…01 42＊01",
    (NUMBER, "characters_lost"): "D26? 4200？01 &#183;01",
    (NUMBER, "foreign_letter"): "D26А001 Α001",
    (
        NUMBER,
        "digits_lost",
    ): "4200002611230910000000000000 42000026112309100000 4.20000261123091E+27 2.6112300012345678e+16 5E+17",
    (REGISTRATION, "placeholder"): "- / 无 NULL 待定 0",
    (REGISTRATION, "masked"): "3301****31",
    (REGISTRATION, "registration_invalid"): "备案中 ３３０１９６４J31 3301\u30009",
    (CERT_ID, "masked"): "1101**********2311 1101xxxxxxxx2311 110105●●●●●●●●2311 ******************",
    (CERT_ID, "placeholder"): "无 - NULL 0",
    (CERT_ID, "foreign_letter"): "11010519820505108Х 11010519820505108Χ 11010519820505108×",
    (CERT_ID, "digits_lost"): "5.10922E+17",
}
WARNED = {
    (
        NAME,
        "wrong_dot",
    ): "阿依努尔•吐尔逊 阿依努尔・吐尔逊 阿依努尔.吐尔逊 阿依努尔．吐尔逊 阿依努尔‧吐尔逊 "
    "阿依努尔\u0387吐尔逊 阿依努尔●吐尔逊 阿依努尔-吐尔逊 阿依努尔。吐尔逊 阿依努尔∙吐尔逊 "
    "阿依努尔ㆍ吐尔逊 阿依努尔ー吐尔逊 阿依努尔~吐尔逊",
    (NAME, "look_alike"): "⼥王 ⺠王 \uf92c李 ＭＡＲＩＡ \U0002f800王",
    (NAME, "not_composed"): "Jose\u0301 Zu\u0308rn",
    (NAME, "name_unusual"): "李某 李〇 李😀 李雷/韩梅梅 欧阳·娜^娜 阿依努尔··吐尔逊 李雷·",
    (COMPANY, "look_alike"): "杭州⼥⼠公司",
    (NUMBER, "digits_doubtful"): "2611230912345670000 261123091234567000",
    (CERT_ID, "digits_doubtful"): "110105198205051000",
}
TAKEN = {
    NAME: "李 李雷 阿依努尔·吐尔逊 阿卜杜热合曼·阿卜杜克热木·买买提艾力·吐尔逊江 "
    "𠮷田 𬱖王 \U0002ebf0李 \U000323af李 朱镕基 刘䶮 佐々木 José 김민수 O'BRIEN 师傅明 先觉 小姐妹",
    COMPANY: "杭州示例商贸有限公司 深圳（前海）有限公司 R&D公司 M&Co 杭州3M有限公司 xxxhanguo_card",
    NUMBER: "M100 D1 26-11-23_0005|A*@ 0000123 AAAAA 18051893975650968 2018051816320384498567689 2611230912345670",
    REGISTRATION: "3301964J31 110396T0001 91330100MA2XXX1234 REG-2",
    CERT_ID: "11010519820505108X 110105198205051080 11010519820505108x １１０１０５１９８６０６０６２１８５",
}
# What holds blanks cannot stand in a list of words.
SPACED = [
    ("MARIA DE SOUZA", []),
    ("SMITH, JOHN-PAUL JR.", []),
    ("MISSY LEE", []),
    ("Na Li", []),
    ("Mr John", ["title_in_name"]),
    ("林晓舟 13800138000", ["phone_in_name"]),
    ("å¼ ä¸‰", ["wrongly_decoded"]),
    ("李 雷", ["blank_inside"]),
    ("李\u3000雷", ["blank_inside"]),
    ("李\u00a0雷", ["blank_inside"]),
    ("阿依努尔· 吐尔逊", ["blank_inside"]),
    ("MARIA  LUISA", ["blank_inside"]),
    ("MARIA\u00a0LUISA", ["blank_inside"]),
    ("Ann ~ Lee", ["name_unusual"]),
    ("Buyer 12", ["name_unusual"]),
]


def listed(table):
    return [
        pytest.param(holds, text, code, id=ascii(f"{holds} {code} {text}"))
        for (holds, code), texts in table.items()
        for text in texts.split(" ")
    ]


@pytest.mark.parametrize(("holds", "text", "code"), listed(REFUSED))
def test_what_nobody_holds_is_an_error_with_one_cause(holds: Holds, text: str, code: str):
    assert [(one.code, one.is_error) for one in objections_to(text, holds)] == [(code, True)]


@pytest.mark.parametrize(("holds", "text", "code"), listed(WARNED))
def test_what_is_spelt_wrongly_asks_for_a_look(holds: Holds, text: str, code: str):
    found = objections_to(text, holds)

    assert code in [one.code for one in found]
    assert not any(one.is_error for one in found)


@pytest.mark.parametrize(("holds", "texts"), TAKEN.items())
def test_what_is_rare_and_right_is_taken_without_a_word(holds: Holds, texts: str):
    assert {text: objections_to(text, holds) for text in texts.split(" ") if objections_to(text, holds)} == {}


@pytest.mark.parametrize(("name", "codes"), SPACED, ids=ascii)
def test_blanks_belong_into_foreign_names_and_nowhere_else(name: str, codes: list[str]):
    assert [one.code for one in objections_to(name, NAME)] == codes


@pytest.mark.parametrize(
    ("name", "wrong", "right"),
    [("阿依努尔•吐尔逊", "“•” (U+2022)", "“·” (U+00B7)"), ("⼥王", "“⼥” (U+2F25)", "“女” (U+5973)")],
)
def test_a_warning_names_the_wrong_character_and_offers_the_right_one(name: str, wrong: str, right: str):
    (found,) = objections_to(name, NAME)

    assert wrong in found.detail
    assert right in found.action
    assert name not in found.detail + found.action


@pytest.mark.parametrize("text", ["-", "/", "无", "NULL", "nan", "None", "N/A", "——", "(空)", " 无 ", "\\N"])
def test_a_cell_says_by_such_words_that_it_is_blank(text: str):
    assert is_left_blank(text)


@pytest.mark.parametrize("text", ["0", "待定", "未知", "***", "?", "李雷", "110396T0001", "", "0.00", "#N/A"])
def test_what_means_a_value_is_not_blank(text: str):
    assert not is_left_blank(text)


@given(st.text(max_size=40), st.sampled_from(Holds))
def test_no_text_whatever_ends_in_anything_but_a_verdict(text: str, holds: Holds):
    for one in objections_to(text, holds):
        assert one.detail
        assert one.action


def test_an_ideograph_that_is_newer_than_this_python_is_none_that_cannot_be_printed():
    newer = [chr(code) for code in range(0x20000, 0x323B0) if unicodedata.category(chr(code)) == "Cn"]

    assert all(IDEOGRAPHS.match(one) is None or not is_unprintable(one) for one in newer)
    assert is_unprintable("\U0002ffff")


def test_every_rule_has_its_texts():
    shown = {*REFUSED, *WARNED} | {(NAME, code) for _, codes in SPACED for code in codes}

    assert {(holds, rule.code) for rule in RULES for holds in rule.holds} - shown <= {
        (COMPANY, code) for code in ("wrongly_decoded", "invisible", "not_composed")
    } | {
        (CERT_ID, "characters_lost"),
        *((REGISTRATION, code) for code in ("characters_lost", "foreign_letter", "digits_lost", "digits_doubtful")),
    }
