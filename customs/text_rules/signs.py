"""Signs of a name or number that is none, is wrong or misspelt: placeholders, masks, foreign letters, lost digits."""

import re
import unicodedata

from customs.validation import Spelt, script_of


def words(text: str) -> frozenset[str]:
    """Return the set of words in a text."""
    return frozenset(text.split())


# Words and signs that stand for nothing, as databases, programs and people leave them.
NOTHING = words(
    r"null nul nil none nan nat na n/a n.a n.a. undefined void empty blank \n"
    " 无 無 暂无 暫無 没有 沒有 空 空白 空值 不适用 不適用 无数据 无内容"
)
# With whatever brackets and blanks stand around it.
LONGEST_NOTHING = 20
DIGIT = re.compile("[0-9]")
SIGNS_ALONE = re.compile(r"[-_/\\|.,:;~^=+、。・·•—–―‐‑−…ー]+")
DRESSING = re.compile(r"[\s()\[\]{}<>《》〈〉【】「」'\"“”‘’`]+")
# Words that somebody or some program put where the value was not known: never blank, since a value is meant.
UNKNOWN = words(
    "unknown tbd tba tbc todo test testing error true false ditto same objectobject"
    " #n/a #na #ref! #value! #name? #null! #num! #div/0!"
    " 未知 不详 不詳 未填 未填写 待定 待补 待补充 待填 待填写 待提供 待确认 待核实 暂缺 缺失"
    " 未提供 未知名 不明 测试 測試 同上 略 其他 其它 保密"
)
NO_NUMBER = re.compile(r"0+|[-_|@.]+")


def is_left_blank(text: str) -> bool:
    """Whether a cell says that it is blank: NULL, N/A, a dash, 无."""
    if len(text) > LONGEST_NOTHING or DIGIT.search(text):
        return False
    word = plain(text)
    return word in NOTHING or SIGNS_ALONE.fullmatch(word) is not None


def stands_for_nothing(number: str) -> bool:
    """Whether this is neither number nor name: a placeholder, "unknown", a test, only zeros."""
    return is_left_blank(number) or plain(number) in UNKNOWN or NO_NUMBER.fullmatch(number) is not None


def plain(text: str) -> str:
    """Return a text without blanks, brackets and quotes, in one case and width."""
    return DRESSING.sub("", unicodedata.normalize("NFKC", text)).casefold()


HAN = "\u2e80-\u2fdf\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fffd\U00030000-\U0003fffd"
A_HAN = re.compile(f"[{HAN}]")
ALL_COMMON = re.compile("[\u4e00-\u9fff]+")
ALL_HAN = re.compile("[\u4e00-\u9fff·（）]+")
ASCII_LETTER = re.compile("[A-Za-z]")
# The first two bytes of a Chinese character in UTF-8, read as Latin-1 or Windows-1252.
LATIN_MOJIBAKE = re.compile("[ä-é][\u0080-\u00b6\u00b8-\u00bf„…†‡ˆ‰Š‹Œ•™›]")
MASKED_NAME = re.compile(
    rf"[*＊∗✱✲⁎﹡※○◯⭕█▇■▓◼]|〇〇|●(?![{HAN}])|(?<![{HAN}])●|[#_.。…]{{2,}}|-{{2,}}|—{{2,}}|…"
    rf"|(?<=[{HAN}])[xXｘＸ×✕✖╳]+(?![a-wyzA-WYZ])|^[xXｘＸ×✕✖╳]+$|某某"
)
# Letters x alone are no mask among other letters: the document's own sample is xxxhanguo_card (9.4).
MASKED_COMPANY = re.compile(
    rf"[*＊]|[○◯█■]{{2,}}|(?<=[{HAN}])[xXｘＸ×]{{2,}}|[xXｘＸ×]{{2,}}(?=[{HAN}])|^[xXｘＸ×]{{2,}}$|×{{2,}}"
)
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
SCRIPTS = words(
    "LATIN CYRILLIC GREEK ARMENIAN GEORGIAN HEBREW ARABIC DEVANAGARI THAI HANGUL HIRAGANA KATAKANA BOPOMOFO MONGOLIAN"
    " TIBETAN YI"
)
# Simplified radicals that Unicode gives no equal, as they come out of PDF files and fonts: each with its character.
RADICALS = dict(
    zip(
        "⺁⺈⺌⺎⺓⺗⺝⺠⺮⺷⺻⻁⻄⻅⻆⻉⻋⻌⻓⻔⻘⻙⻚⻛⻜⻝⻠⻢⻣⻤⻥⻦⻨⻩⻪⻬⻰",
        "厂刀小兀幺心月民竹羊聿虎西见角贝车辶长门青韦页风飞食饣马骨鬼鱼鸟麦黄黾齐龙",
        strict=True,
    )
)
LOOK_ALIKES = re.compile("[\u2e80-\u2fdf\uf900-\ufaff\U0002f800-\U0002fa1f]")
WIDE = re.compile("[０-９Ａ-Ｚａ-ｚ]")
NOBODY = words(
    "name buyer customer user guest anonymous 姓名 名字 订购人 订购人姓名 收件人 收货人 买家 買家 客户 客戶 顾客 用户"
    " 匿名 匿名用户 匿名买家 无名氏 微信用户 支付宝用户 测试用户 本人 某人 佚名"
)


def is_nobody(name: str) -> bool:
    return plain(name) in NOBODY or stands_for_nothing(name)


def has_no_letter(name: str) -> bool:
    return not any(one.isalnum() or A_HAN.match(one) for one in name)


def is_wrongly_decoded(text: str) -> bool:
    """Whether a text was decoded with the wrong encoding before it came here: 鏋楁檽 for 林晓."""
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


def holds_digits(name: str) -> bool:
    """Whether a Chinese name, or a text without letters, holds a digit."""
    chinese = A_HAN.search(name) is not None or not any(map(str.isalpha, name))
    return chinese and any(map(str.isdecimal, unicodedata.normalize("NFKC", name)))


def holds_phone(name: str) -> bool:
    return PHONE.search(unicodedata.normalize("NFKC", name)) is not None


def mixes_scripts(name: str) -> bool:
    """Whether a name mixes two alphabets, or Chinese and an alphabet."""
    if ALL_COMMON.fullmatch(name):
        return False
    dotted = WRONG_DOT.sub(DOT, name)
    scripts = {script for one in dotted if one.isalpha() and (script := script_of(one)) in SCRIPTS}
    return len(scripts) + bool(A_HAN.search(name)) > 1 and scripts != {"HIRAGANA", "KATAKANA"}


def wrong_dot(name: str) -> Spelt | None:
    found = WRONG_DOT.search(name)
    return Spelt(found[0], DOT) if found else None


def holds_blank(name: str) -> bool:
    return (INNER_BLANK if A_HAN.search(name) else FOREIGN_BLANK).search(name) is not None


def look_alike(text: str) -> Spelt | None:
    """Return a radical or compatibility ideograph that only looks like the character meant."""
    for found in LOOK_ALIKES.finditer(text):
        right = RADICALS.get(found[0]) or unicodedata.normalize("NFKC", found[0])
        if right != found[0]:
            return Spelt(found[0], right)
    return None


def look_alike_in_name(name: str) -> Spelt | None:
    found = WIDE.search(name)
    return look_alike(name) or (Spelt(found[0], unicodedata.normalize("NFKC", found[0])) if found else None)


def is_not_composed(text: str) -> bool:
    return not text.isascii() and not unicodedata.is_normalized("NFC", LOOK_ALIKES.sub("", text))


def is_unusual(name: str) -> bool:
    """Whether a name holds what names hardly ever hold: a digit, a symbol, a dot too many, 某 at its end."""
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


MASKED_NUMBER = re.compile(r"^\*$|[*＊]{2,}|[xX]{4,}|[●○█■＊…×]|#{2,}|\.{3,}")
MASKED_CERT_ID = re.compile(r"[*＊●○█■…]|[xX×]{2,}|#{2,}|\.{2,}|-{2,}|_{2,}")
LIKE_LATIN = frozenset({"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU"})
NOT_IN_REGISTRATION = re.compile(r"[^!-~]")
SCIENTIFIC = re.compile(r"[0-9][.,][0-9]+[eE]\+?[0-9]+|[0-9][eE]\+[0-9]+")
# A spreadsheet keeps 15 digits of a number and writes zeros for the others.
ROUNDED = re.compile(r"[0-9]{15}0{5,}")
LIKELY_ROUNDED = re.compile(r"[0-9]{15}0{3,4}")
SURELY_DOUBTFUL = 18
LONG = re.compile(r"[0-9]{16,}")
LOOKS_ROUNDED = re.compile(r"[0-9]{15}0+")


def digits_are_lost(number: str) -> bool:
    """Whether a spreadsheet has certainly rounded a number: it is a power of ten or ends in many zeros."""
    return (SCIENTIFIC.fullmatch(number) or ROUNDED.fullmatch(number)) is not None


def is_long(number: str) -> bool:
    """Whether a spreadsheet that read these digits as a number has rounded them."""
    return LONG.fullmatch(number) is not None


def looks_rounded(number: str) -> bool:
    """Whether all its digits after the 15th are 0. Of 16 or 17 digits that says little by itself."""
    return LOOKS_ROUNDED.fullmatch(number) is not None


def foreign_letter(number: str) -> Spelt | None:
    """Return a letter of another alphabet that looks like a Latin one."""
    for one in () if number.isascii() else number:
        if script_of(one) in LIKE_LATIN:
            return Spelt(one, "")
    return None


def foreign_x(cert_id: str) -> Spelt | None:
    """Return a character that looks like the X or a digit of an ID number but is another."""
    for one in () if cert_id.isascii() else cert_id:
        if not unicodedata.normalize("NFKC", one).isascii() and not one.isdecimal() and one.isprintable():
            return Spelt(one, "")
    return None
