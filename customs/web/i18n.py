"""Languages of the pages: English in the source, each other one by its file of translations; Chinese is first."""

import io
from functools import cache
from pathlib import Path

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from flask import Flask, g, request
from flask_babel import Babel, Domain, get_locale

ROOT = Path(__file__).parent / "translations"
DOMAIN = "messages"
CHINESE, ENGLISH = "zh_CN", "en"
TRANSLATED = sorted(folder.name for folder in ROOT.iterdir() if (folder / "LC_MESSAGES" / f"{DOMAIN}.po").exists())
# In their own words, as the switch on each page shows them. A language is added by its file of translations.
LANGUAGES = {
    code: str(Locale.parse(code).get_language_name())
    for code in sorted({ENGLISH, *TRANSLATED}, key=lambda code: (code != CHINESE, code))
}
# By the first part of a language tag, as browsers and Babel's locales name it.
BY_SUBTAG = {Locale.parse(code).language: code for code in LANGUAGES}
ZONE = "Asia/Shanghai"
COOKIE = "language"


class Catalogue(Domain):  # type: ignore[misc]
    """Translations, read from the files that translators edit.

    Nothing has to be compiled before the desk starts.
    """

    def get_translations(self) -> Translations:
        return _read(page_language())


class Speaking(Babel):  # type: ignore[misc]
    """Babel with our catalogue."""

    domain_instance = Catalogue(domain=DOMAIN)


@cache
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
    """Return the language that the user chose, else the browser's: in a warehouse many share one."""
    session = g.get("session")
    chosen = (session.person.language if session else None) or request.cookies.get(COOKIE)
    if chosen in LANGUAGES:
        return chosen
    return BY_SUBTAG[request.accept_languages.best_match(list(BY_SUBTAG), Locale.parse(CHINESE).language)]


def page_language() -> str:
    """Return the language of this page by its folder of translations; English where it has none."""
    return BY_SUBTAG.get(str(get_locale().language), ENGLISH)


def translate(text: str, language: str) -> str:
    """Return a text in one language, whichever the page has."""
    return str(_read(language).gettext(text))


def html_language() -> str:
    """Return the language of this page, as HTML names it."""
    return html_tag(page_language())


def html_tag(language: str) -> str:
    """Return a language as HTML names it."""
    return language.replace("_", "-")


def is_chinese() -> bool:
    """Whether this page speaks Chinese; else it is English."""
    return page_language() == CHINESE
