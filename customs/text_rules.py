"""What no card, number or registration holds: one table of rules for every door, each with the texts it is for."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Holds(StrEnum):
    """What a text is the name or the number of. NUMBER: an order's, a payment's, a merchant's.

    REGISTRATION: what customs gave a merchant (备案号).
    """

    NAME = "name"
    COMPANY = "company"
    CERT_ID = "cert_id"
    NUMBER = "number"
    REGISTRATION = "registration"


class Objection(NamedTuple):
    """What is wrong with a text, an error or else a reason to look; never repeats more of it than single characters."""

    code: str
    is_error: bool
    detail: str
    action: str


class Spelt(NamedTuple):
    """A character that stands in a text, and the one that belongs there."""

    wrong: str
    right: str


Found = bool | Spelt | None


@dataclass(frozen=True)
class Rule:
    """One row of the table. `find` tells whether a text breaks it; where it names characters, so do the sentences."""

    code: str
    is_error: bool
    holds: frozenset[Holds]
    find: Callable[[str], Found]
    detail: str
    action: str

    def objection(self, found: Found) -> Objection:
        if not isinstance(found, Spelt):
            return Objection(self.code, self.is_error, self.detail, self.action)
        wrong, right = map(_named, found)
        detail, action = self.detail.format(wrong=wrong), self.action.format(right=right)
        return Objection(self.code, self.is_error, detail, action)


def objections_to(text: str, holds: Holds) -> list[Objection]:
    """What is wrong with a text that shall be such a name or number: the first error alone, else every warning."""
    if holds in ORDINARY and ORDINARY[holds].fullmatch(text):
        return []
    found = []
    for rule in RULES_FOR[holds]:
        broken = rule.find(text)
        if broken and rule.is_error:
            return [rule.objection(broken)]
        if broken:
            found.append(rule.objection(broken))
    return found


def is_left_blank(text: str) -> bool:
    """Whether a cell says by a word or a sign that it holds nothing: NULL, N/A, a dash, 无."""
    if len(text) > LONGEST_NOTHING or DIGIT.search(text):
        return False
    plain = _plain(text)
    return plain in NOTHING or SIGNS_ALONE.fullmatch(plain) is not None


def digits_are_lost(number: str) -> bool:
    """Whether a spreadsheet has rounded a number for sure: what is left is a power of ten or a long tail of zeros."""
    return (SCIENTIFIC.fullmatch(number) or ROUNDED.fullmatch(number)) is not None


def is_long(number: str) -> bool:
    """Whether a spreadsheet that took these digits for a number has rounded them."""
    return LONG.fullmatch(number) is not None


def looks_rounded(number: str) -> bool:
    """Whether all its digits after the 15th are 0. Of 16 or 17 digits that says little by itself."""
    return LOOKS_ROUNDED.fullmatch(number) is not None


def _plain(text: str) -> str:
    """The word in a text: without blanks, brackets and quotes, in one case and width."""
    return DRESSING.sub("", unicodedata.normalize("NFKC", text)).casefold()


def _named(characters: str) -> str:
    return " ".join(f"“{one}” (U+{ord(one):04X})" for one in characters)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words and signs that stand for nothing, as databases, programs and people leave them.
NOTHING = _words(
    r"null nul nil none nan nat na n/a n.a n.a. undefined void empty blank \n"
    " 无 無 暂无 暫無 没有 沒有 空 空白 空值 不适用 不適用 无数据 无内容"
)
# With whatever brackets and blanks stand around it.
LONGEST_NOTHING = 20
DIGIT = re.compile("[0-9]")
SIGNS_ALONE = re.compile(r"[-_/\\|.,:;~^=+、。・·•—–―‐‑−…ー]+")
DRESSING = re.compile(r"[\s()\[\]{}<>《》〈〉【】「」'\"“”‘’`]+")
# Words that somebody or some program put where the value was not known: never blank, since a value is meant.
UNKNOWN = _words(
    "unknown unkown tbd tba tbc todo test testing error true false ditto same objectobject"
    " #n/a #na #ref! #value! #name? #null! #num! #div/0!"
    " 未知 不详 不詳 未填 未填写 待定 待补 待补充 待填 待填写 待提供 待确认 待核实 暂缺 缺失"
    " 未提供 未知名 不明 测试 測試 同上 略 其他 其它 保密"
)
NOBODY = _words(
    "name buyer customer user guest anonymous 姓名 名字 订购人 订购人姓名 收件人 收货人 买家 買家 客户 客戶 顾客 用户"
    " 匿名 匿名用户 匿名买家 无名氏 微信用户 支付宝用户 测试用户 本人 某人 佚名"
)
NO_NUMBER = re.compile(r"0+|[-_|@.]+")

HAN = "\u2e80-\u2fdf\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fffd\U00030000-\U0003fffd"
A_HAN = re.compile(f"[{HAN}]")
ALL_COMMON = re.compile("[\u4e00-\u9fff]+")
ALL_HAN = re.compile("[\u4e00-\u9fff·（）]+")
ASCII_LETTER = re.compile("[A-Za-z]")
# The first two bytes of a Chinese character in UTF-8, read as Latin-1 or Windows-1252.
LATIN_MOJIBAKE = re.compile("[ä-é][\u0080-\u00b6\u00b8-\u00bf„…†‡ˆ‰Š‹Œ•™›]")

# Signs that a program or a font put in the place of a character that it could not write.
LOST = re.compile("[?？\ufffd□▯▢☐⍰〓\u2500-\u257f]|锟斤|斤拷|錕斤|烫烫|屯屯")
# A character as HTML, a URL, JSON, Excel's XML or a mail's header writes it.
ESCAPED = re.compile(
    r"&#x?[0-9a-f]{2,6};?|&[a-z]{2,8};|%u[0-9a-f]{4}|(?:%[0-9a-f]{2}){2}|\\u[0-9a-f]{4}|\\x[0-9a-f]{2}"
    r"|_x[0-9a-f]{4}_|(?:=[0-9a-f]{2}){3}|<br ?/?>",
    re.IGNORECASE,
)
MASKED_NAME = re.compile(
    rf"[*＊∗✱✲⁎﹡※○◯⭕█▇■▓◼]|〇〇|●(?![{HAN}])|(?<![{HAN}])●|[#_.。…]{{2,}}|-{{2,}}|—{{2,}}|…"
    rf"|(?<=[{HAN}])[xXｘＸ×✕✖╳]+(?![a-wyzA-WYZ])|^[xXｘＸ×✕✖╳]{{2,}}$|某某"
)
MASKED_COMPANY = re.compile(r"[*＊]|[○◯█■]{2,}|[xXｘＸ×]{3,}|某某")
MASKED_NUMBER = re.compile(r"^\*$|[*＊]{2,}|[xX]{4,}|[●○█■＊…×]|#{2,}|\.{3,}")
MASKED_CERT_ID = re.compile(r"[*＊●○█■…]|[xX×]{2,}|#{2,}|\.{2,}|-{2,}|_{2,}")
# What marketplaces hand out in the place of a name: its cipher, in base64 or hexadecimal, often between signs.
CIPHER = re.compile(r"[0-9A-Za-z+/]{6,}={1,2}|(?=[A-Za-z+/]*[0-9])(?=[0-9+/]*[A-Za-z])[0-9A-Za-z+/_]{10,}")
PHONE = re.compile(r"1[3-9][0-9](?:[- ]?[0-9]{4}){2}|[0-9]{7,}|[0-9]{3,4}-[0-9]{7,8}")
TITLE = re.compile(
    rf"(?:先生|女士|小姐|太太|夫人|老师|师傅|经理|同学|阿姨)(?![{HAN}])"
    r"|^(?:mr|mrs|ms|miss|mister|madam)\.?(?![a-z])|(?<![a-z])(?:mr|mrs)\.?$",
    re.IGNORECASE,
)
# Fillers, joiners and variation selectors: letters and marks by their category that show nothing all the same.
UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
# Whatever people and programs put where the middle dot of a name belongs.
DOT = "·"
DOTS = "\u0387•・･．.‧∙⋅●◦▪⦁∘⸳ㆍᆞ・。｡、､，,˙᛫⸱ꞏ﹒﹑﹣－ー—–―‐‑−ᐧ'’‘´`~～_\\-"
WRONG_DOT = re.compile(rf"(?<=[{HAN}])[{DOTS}](?=[{HAN}])")
LOOSE_DOT = re.compile(f"^{DOT}|{DOT}$|{DOT}{DOT}")
INNER_BLANK = re.compile(r"\s")
FOREIGN_BLANK = re.compile(r"[^\S ]|  ")
LONE_MASK = re.compile(rf"(?<=[{HAN}])[某〇]$")
NAME_SIGNS = "'’‘-–.,·"
SCRIPTS = _words(
    "LATIN CYRILLIC GREEK ARMENIAN GEORGIAN HEBREW ARABIC DEVANAGARI THAI HANGUL HIRAGANA KATAKANA BOPOMOFO MONGOLIAN"
    " TIBETAN YI"
)
LIKE_LATIN = _words("CYRILLIC GREEK ARMENIAN CHEROKEE COPTIC LISU")

NOT_IN_REGISTRATION = re.compile(r"[^!-~]")
SCIENTIFIC = re.compile(r"[0-9][.,][0-9]+[eE]\+?[0-9]+|[0-9][eE]\+[0-9]+")
# A spreadsheet keeps 15 digits of a number and writes zeros for the others.
ROUNDED = re.compile(r"[0-9]{15}0{5,}")
LIKELY_ROUNDED = re.compile(r"[0-9]{15}0{3,4}")
SURELY_DOUBTFUL = 18
LONG = re.compile(r"[0-9]{16,}")
LOOKS_ROUNDED = re.compile(r"[0-9]{15}0+")

# Simplified radicals that Unicode gives no equal, as they come out of PDF files and fonts: each with its character.
RADICALS = dict(
    zip(
        "⺁⺈⺌⺎⺓⺗⺝⺠⺮⺷⺻⻁⻄⻅⻆⻉⻋⻌⻓⻔⻘⻙⻚⻛⻜⻝⻠⻢⻣⻤⻥⻦⻨⻩⻪⻬⻰",
        "厂刀小兀幺心月民竹羊聿虎西见角贝车辶长门青韦页风飞食饣马骨鬼鱼鸟麦黄黾齐龙",
        strict=True,
    )
)
IDEOGRAPHS = re.compile("[\u2e80-\u2fdf\uf900-\ufaff\U0002f800-\U0002fa1f]")
WIDE = re.compile("[０-９Ａ-Ｚａ-ｚ]")


def _is_nobody(name: str) -> bool:
    return _plain(name) in NOBODY or _is_no_number(name)


def _has_no_letter(name: str) -> bool:
    return not any(one.isalnum() or A_HAN.match(one) for one in name)


def _is_no_company(name: str) -> bool:
    return _is_no_number(_plain(name))


def _is_no_number(number: str) -> bool:
    return is_left_blank(number) or _plain(number) in UNKNOWN or NO_NUMBER.fullmatch(number) is not None


def _characters_lost(text: str) -> bool:
    return LOST.search(text) is not None or ESCAPED.search(text) is not None


def _wrongly_decoded(text: str) -> bool:
    """Whether a text was read in another encoding than it was written in, and handed on: 鏋楁檽 for 林晓."""
    if text.isascii():
        return False
    if A_HAN.search(text):
        return _is_han(_read_again(text, "gbk", "utf-8"))
    if LATIN_MOJIBAKE.search(text) or any(_read_again(text, one, "utf-8") for one in ("latin-1", "cp1252")):
        return True
    # Pairs of bytes that are Chinese in GB2312 are Greek, Arabic and the like in UTF-8, and accents in Latin-1.
    return ASCII_LETTER.search(text) is None and any(
        _is_han(_read_again(text, written, "gb2312")) for written in ("utf-8", "latin-1")
    )


def _read_again(text: str, written: str, read: str) -> str | None:
    try:
        return text.encode(written).decode(read)
    except UnicodeError:
        return None


def _is_han(text: str | None) -> bool:
    return text is not None and ALL_HAN.fullmatch(text) is not None


def _digits_in_name(name: str) -> bool:
    """Whether a digit stands in a Chinese name, or in what has no letter at all."""
    chinese = A_HAN.search(name) is not None or not any(map(str.isalpha, name))
    return chinese and any(map(str.isdecimal, unicodedata.normalize("NFKC", name)))


def _phone_in_name(name: str) -> bool:
    return PHONE.search(unicodedata.normalize("NFKC", name)) is not None


def _scripts_mixed(name: str) -> bool:
    """Whether a name is in two alphabets, or in Chinese and another one."""
    if ALL_COMMON.fullmatch(name):
        return False
    plain = WRONG_DOT.sub(DOT, name)
    scripts = {script for one in plain if one.isalpha() and (script := _script(one)) in SCRIPTS}
    return len(scripts) + bool(A_HAN.search(name)) > 1 and scripts != {"HIRAGANA", "KATAKANA"}


def _script(character: str) -> str:
    """The first word of a character's name, which is its script's for letters."""
    name = unicodedata.name(unicodedata.normalize("NFKC", character)[0], "")
    return name.partition(" ")[0]


def _foreign_letter(number: str) -> Spelt | None:
    """A letter of another alphabet that only looks like one of ours."""
    for one in () if number.isascii() else number:
        if _script(one) in LIKE_LATIN:
            return Spelt(one, "")
    return None


def _foreign_x(cert_id: str) -> Spelt | None:
    """What looks like the X of an ID number, or like one of its digits, and is another character."""
    for one in () if cert_id.isascii() else cert_id:
        if not unicodedata.normalize("NFKC", one).isascii() and not one.isdecimal() and one.isprintable():
            return Spelt(one, "")
    return None


def _wrong_dot(name: str) -> Spelt | None:
    found = WRONG_DOT.search(name)
    return Spelt(found[0], DOT) if found else None


def _blank_inside(name: str) -> bool:
    return (INNER_BLANK if A_HAN.search(name) else FOREIGN_BLANK).search(name) is not None


def _look_alike(text: str) -> Spelt | None:
    """A radical, or an ideograph kept for compatibility, that looks like the character it stands for."""
    for found in IDEOGRAPHS.finditer(text):
        right = RADICALS.get(found[0]) or unicodedata.normalize("NFKC", found[0])
        if right != found[0]:
            return Spelt(found[0], right)
    return None


def _look_alike_in_name(name: str) -> Spelt | None:
    found = WIDE.search(name)
    return _look_alike(name) or (Spelt(found[0], unicodedata.normalize("NFKC", found[0])) if found else None)


def _not_composed(text: str) -> bool:
    return not text.isascii() and not unicodedata.is_normalized("NFC", IDEOGRAPHS.sub("", text))


def _unusual(name: str) -> bool:
    """Whether a name holds what names hardly ever do: a digit, a sign, a dot too many, 某 as its end."""
    if LOOSE_DOT.search(name) or LONE_MASK.search(name):
        return True
    signs = DOT if A_HAN.search(name) else NAME_SIGNS
    return any(not _belongs_in_name(one, signs) for one in WRONG_DOT.sub(DOT, name))


def _belongs_in_name(character: str, signs: str) -> bool:
    return (
        character.isalpha()
        or character.isspace()
        or character in signs
        or unicodedata.category(character).startswith("M")
        or A_HAN.match(character) is not None
    )


def _searching(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.search(text) is not None


def _fitting(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


ERROR, WARNING = True, False
NAME, COMPANY, CERT_ID, PLAIN_NUMBER, REGISTRATION = (frozenset({one}) for one in Holds)
NAMES = NAME | COMPANY
NUMBER = PLAIN_NUMBER | REGISTRATION
NUMBERS = NUMBER | CERT_ID
ALL = NAMES | NUMBERS

NOTHING_MEANT = "this is a word or a sign that stands for nothing"
FROM_SOURCE = "enter it from its source"
FROM_CARD = "write the name as the ID card has it"
MASKED = "a part of this is masked"
UNMASKED = "export it unmasked, or ask whoever has the whole of it"

DIGITS_DOUBTFUL = Objection(
    "digits_doubtful",
    WARNING,
    "all digits after the 15th are 0, as a spreadsheet leaves them when it rounds",
    "compare with the source; if digits are lost, format the column as text and enter the value again",
)

# Errors before warnings, and the plainest cause first.
RULES: tuple[Rule, ...] = (
    Rule("placeholder", ERROR, NAME, _is_nobody, NOTHING_MEANT, "write the buyer's name, or leave the buyer out"),
    Rule("placeholder", ERROR, COMPANY, _is_no_company, NOTHING_MEANT, f"{FROM_SOURCE}, or leave it out"),
    Rule("placeholder", ERROR, NUMBERS, _is_no_number, NOTHING_MEANT, f"{FROM_SOURCE}; leave out what there is not"),
    Rule(
        "characters_lost",
        ERROR,
        ALL,
        _characters_lost,
        "characters of this were lost on the way: a question mark, a box or a code stands in their place",
        f"{FROM_SOURCE}; export the file as UTF-8",
    ),
    Rule(
        "wrongly_decoded",
        ERROR,
        NAMES,
        _wrongly_decoded,
        "this was read in the wrong encoding before it came here, so it is other characters",
        f"{FROM_SOURCE}; export the file as UTF-8",
    ),
    Rule("encrypted", ERROR, NAME, _searching(CIPHER), "this is the cipher of a name, not the name", UNMASKED),
    Rule("masked", ERROR, NAME, _searching(MASKED_NAME), MASKED, UNMASKED),
    Rule("masked", ERROR, COMPANY, _searching(MASKED_COMPANY), MASKED, UNMASKED),
    Rule("masked", ERROR, NUMBER, _searching(MASKED_NUMBER), MASKED, UNMASKED),
    Rule("masked", ERROR, CERT_ID, _searching(MASKED_CERT_ID), MASKED, UNMASKED),
    Rule("placeholder", ERROR, NAME, _has_no_letter, NOTHING_MEANT, "write the buyer's name, or leave the buyer out"),
    Rule(
        "invisible",
        ERROR,
        NAMES,
        _searching(UNSEEN),
        "this holds a character that shows nothing",
        "type it anew instead of copying it",
    ),
    Rule("phone_in_name", ERROR, NAME, _phone_in_name, "a phone number stands in the name", FROM_CARD),
    Rule("title_in_name", ERROR, NAME, _searching(TITLE), "a title stands in the name", FROM_CARD),
    Rule("digits_in_name", ERROR, NAME, _digits_in_name, "a digit stands in a Chinese name", FROM_CARD),
    Rule("scripts_mixed", ERROR, NAME, _scripts_mixed, "letters of two alphabets stand in one name", FROM_CARD),
    Rule(
        "foreign_letter",
        ERROR,
        CERT_ID,
        _foreign_x,
        "{wrong} is a character of another alphabet that only looks right",
        "type digits, and X as a Latin letter",
    ),
    Rule(
        "foreign_letter",
        ERROR,
        NUMBER,
        _foreign_letter,
        "{wrong} is a letter of another alphabet that only looks right",
        "type it as a Latin letter",
    ),
    Rule(
        "registration_invalid",
        ERROR,
        REGISTRATION,
        _searching(NOT_IN_REGISTRATION),
        "a customs number has letters and digits, and no blanks in it",
        FROM_SOURCE,
    ),
    Rule(
        "digits_lost",
        ERROR,
        NUMBERS,
        digits_are_lost,
        "a spreadsheet has rounded it: digits are lost",
        "format the column as text, then enter the value again from its source",
    ),
    Rule("digits_doubtful", WARNING, NUMBERS, _fitting(LIKELY_ROUNDED), *DIGITS_DOUBTFUL[2:]),
    Rule(
        "wrong_dot",
        WARNING,
        NAME,
        _wrong_dot,
        "{wrong} is not the dot that stands between the parts of a name",
        "write {right}, if that is how the ID card has it",
    ),
    Rule(
        "blank_inside",
        WARNING,
        NAME,
        _blank_inside,
        "a blank stands where names have none",
        "take the blank out; between the parts of a name write “·” (U+00B7), in a foreign name one plain space",
    ),
    Rule(
        "look_alike",
        WARNING,
        NAME,
        _look_alike_in_name,
        "{wrong} only looks like the character that is meant",
        "write {right}",
    ),
    Rule(
        "look_alike",
        WARNING,
        COMPANY,
        _look_alike,
        "{wrong} only looks like the character that is meant",
        "write {right}",
    ),
    Rule(
        "not_composed",
        WARNING,
        NAMES,
        _not_composed,
        "a letter and its accent are two characters here",
        "write each letter with its accent as one character (Unicode NFC)",
    ),
    Rule(
        "name_unusual",
        WARNING,
        NAME,
        _unusual,
        "this holds a sign that hardly any ID card has",
        "compare it with the ID card",
    ),
)
# What no rule can object to, so that a large batch is not held against every one of them.
ORDINARY = {
    Holds.CERT_ID: re.compile("[0-9]{17}[1-9X]", re.ASCII),
    Holds.NUMBER: re.compile(r"(?=[^1-9]*[1-9])[0-9A-DF-WYZ_|-]*[1-9A-DF-WYZ]", re.ASCII),
}
RULES_FOR = {holds: tuple(rule for rule in RULES if holds in rule.holds) for holds in Holds}
