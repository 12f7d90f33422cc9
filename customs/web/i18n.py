"""The desk speaks Chinese first and English completely: which language a page has, and where its words come from."""

import io
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from flask import Flask, g, request
from flask_babel import Babel, Domain, get_locale

ROOT = Path(__file__).parent / "translations"
DOMAIN = "messages"
CHINESE, ENGLISH = "zh_CN", "en"
# In their own words, as the switch on each page shows them.
LANGUAGES = {CHINESE: "中文", ENGLISH: "English"}
TAGS = {CHINESE: "zh-CN", ENGLISH: "en"}
ZONE = "Asia/Shanghai"
COOKIE = "language"


class Catalogue(Domain):  # type: ignore[misc]
    """The translations, read from the files that translators edit: nothing has to be compiled before the desk starts.

    English stands in the source, so only the other language has a file.
    """

    def get_translations(self) -> Translations:
        language = CHINESE if is_chinese() else ENGLISH
        if language not in self.cache:
            self.cache[language] = _read(language)
        found: Translations = self.cache[language]
        return found


class Speaking(Babel):  # type: ignore[misc]
    """Babel with our catalogue."""

    domain_instance = Catalogue(domain=DOMAIN)


def _read(language: str) -> Translations:
    file = ROOT / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    if not file.exists():
        return Translations()
    with file.open("rb") as stream:
        messages = read_po(stream, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return Translations(compiled, domain=DOMAIN)


def init_app(app: Flask) -> None:
    """Give the application its languages, and Shanghai's time."""
    Speaking(app, default_locale=CHINESE, default_timezone=ZONE, locale_selector=language_of_request)


def language_of_request() -> str:
    """What its person chose, else its browser: in a warehouse many share one."""
    visit = g.get("visit")
    chosen = (visit.person.language if visit else None) or request.cookies.get(COOKIE)
    if chosen in LANGUAGES:
        return chosen
    wanted = request.accept_languages.best_match(["zh-CN", "zh", "en"], "zh")
    return ENGLISH if wanted == "en" else CHINESE


def html_language() -> str:
    """The language of this page, as HTML names it."""
    return TAGS[CHINESE if is_chinese() else ENGLISH]


def is_chinese() -> bool:
    """Whether this page speaks Chinese; else it is English."""
    return str(get_locale().language) == "zh"
