"""Placeholders: words and symbols in cells that mean "blank", and texts that are no value."""

import re
import unicodedata


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
