"""Every word of the pages is there in both languages: English in the source, Chinese in its catalogue."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from customs.web import error_catalog, i18n

CUSTOMS = Path(__file__).parents[2] / "customs"
METHODS = [
    ("**.py", "python"),
    ("**/templates/**.html", "jinja2"),
    ("web/error_catalog.toml", "customs.web.error_catalog:extract"),
]
KEYWORDS = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "lazy_gettext": None,
    "lazy_ngettext": (1, 2),
    "translate": None,
}
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
CHINESE = re.compile(r"[一-鿿]")
# A title that a name must not hold, named in both languages.
CHINESE_EXAMPLE = "先生"


def texts_of(one: str | tuple[str, ...]) -> tuple[str, ...]:
    return one if isinstance(one, tuple) else (one,)


def extracted(root: Path = CUSTOMS) -> Iterator[tuple[str, str | tuple[str, ...]]]:
    for file, _line, message, _comments, _context in extract_from_dir(str(root), METHODS, keywords=KEYWORDS):
        yield file, message


@pytest.fixture(scope="module")
def source() -> dict[str | tuple[str, ...], str]:
    """Every message by what it says in English, with a file that says it."""
    return {message: file for file, message in extracted()}


@pytest.fixture(scope="module")
def chinese() -> Catalog:
    file = i18n.ROOT / i18n.CHINESE / "LC_MESSAGES" / f"{i18n.DOMAIN}.po"
    with file.open("rb") as stream:
        return read_po(stream, locale=i18n.CHINESE)


def messages(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


def test_a_new_entry_of_the_error_catalogue_needs_its_translation(tmp_path: Path, chinese: Catalog):
    (tmp_path / "web").mkdir()
    text = error_catalog.FILE.read_text()
    new = '[orders.on_the_moon]\nmeaning = "The office is on the moon."\naction = "Correct the amount."\n'
    (tmp_path / "web" / error_catalog.FILE.name).write_text(f"{text}\n{new}")

    missing = {message for _, message in extracted(tmp_path)} - {message.id for message in messages(chinese)}

    assert missing == {"The office is on the moon."}


def test_nothing_is_missing(source: dict[str | tuple[str, ...], str], chinese: Catalog):
    known = {message.id for message in messages(chinese) if all(texts_of(message.string))}

    assert {message: file for message, file in source.items() if message not in known} == {}


def test_nothing_is_left_over(source: dict[str | tuple[str, ...], str], chinese: Catalog):
    assert {message.id for message in messages(chinese)} - source.keys() == set()
    assert not chinese.obsolete


def test_nothing_is_only_guessed(chinese: Catalog):
    assert [message.id for message in messages(chinese) if message.fuzzy] == []


def test_what_is_filled_in_is_the_same_in_both(chinese: Catalog):
    differing = [
        message.id
        for message in messages(chinese)
        if set(PLACEHOLDER.findall(texts_of(message.id)[-1])) != set(PLACEHOLDER.findall(texts_of(message.string)[-1]))
    ]

    assert differing == []


def test_the_source_is_english_and_the_catalogue_is_not(chinese: Catalog):
    english = [texts_of(message.id)[0].replace(CHINESE_EXAMPLE, "") for message in messages(chinese)]
    assert list(filter(CHINESE.search, english)) == []
    # A few words are the same everywhere: names, formats, abbreviations.
    untranslated = [
        one.id for one in messages(chinese) if one.string == one.id and re.search("[a-z]{3} [a-z]{3}", str(one.id))
    ]
    assert untranslated == []


def test_the_catalogue_is_one_that_can_be_used():
    translations = i18n._read(i18n.CHINESE)

    assert translations.gettext("Workbench") == "工作台"
    assert translations.ngettext("%(num)d day", "%(num)d days", 2) == "%(num)d 天"
