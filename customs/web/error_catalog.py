"""Read the error catalogue: what each code means and what to do about it, in the language of the page."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any, NamedTuple

from flask_babel import gettext

FILE = Path(__file__).with_suffix(".toml")


class Description(NamedTuple):
    """Meaning of an error, and what to do about it."""

    meaning: str
    action: str


@dataclass(frozen=True)
class ErrorEntry:
    """English texts of one code; the file says where each is shown."""

    code: str
    meaning: str
    action: str
    field: str = ""
    form: str = ""
    cell_meaning: str = ""
    cell_action: str = ""
    instead_of_status: bool = False


@cache
def _tables() -> Mapping[str, Mapping[str, Any]]:
    with FILE.open("rb") as stream:
        return tomllib.load(stream)


@cache
def entries_by_kind() -> Mapping[str, tuple[ErrorEntry, ...]]:
    """Return all entries by the title of their kind, in the order of the file."""
    return {
        title: tuple(ErrorEntry(code, **texts) for code, texts in _tables()[kind].items())
        for kind, title in _tables()["kinds"].items()
    }


@cache
def entries() -> Mapping[str, ErrorEntry]:
    """Return all entries by their codes."""
    return {entry.code: entry for group in entries_by_kind().values() for entry in group}


def describe_error(code: str, detail: str = "") -> Description:
    """Describe a code to a person; one without an entry by `detail`."""
    entry = entries().get(code)
    return _describe(entry.meaning, entry.action) if entry else Description(detail or code, "")


def describe_cell_error(code: str, detail: str) -> Description:
    """Describe a code to somebody who has the cell of a spreadsheet before them."""
    entry = entries().get(code)
    if entry is None:
        return describe_error(code, detail)
    return _describe(entry.cell_meaning or entry.meaning, entry.cell_action or entry.action)


def describe_field_error(code: str, detail: str = "") -> str:
    """Return the sentence beneath the field of a form that is wrong."""
    entry = entries().get(code)
    return gettext(entry.field) if entry and entry.field else " ".join(describe_error(code, detail)).strip()


def describe_form_error(code: str, detail: str = "") -> str | None:
    """Return the sentence above a form, with the exact `detail` where it quotes it; None where a code has none."""
    entry = entries().get(code)
    return gettext(entry.form, detail=detail) if entry and entry.form else None


def describe_response(status: int, code: str, title: str) -> Description:
    """Describe why a page cannot be shown: by its status, unless the code says more."""
    entry, statuses = entries().get(code), _tables()["statuses"]
    known = statuses.get(str(status)) or (statuses["500"] if status > 500 else None)
    if known is None or (entry and entry.instead_of_status):
        return describe_error(code, title)
    return _describe(known["meaning"], known["action"])


def _describe(*texts: str) -> Description:
    # Only the documentation shows what is code as code.
    return Description(*(gettext(text).replace("`", "") for text in texts))


def extract(stream: IO[bytes], *_arguments: object, **_options: object) -> Iterator[tuple[int, None, str, list[str]]]:
    """Yield every text of the file to Babel; an extraction method is named `module:function`."""
    return ((0, None, text, []) for text in _texts_in(tomllib.load(stream)))


def _texts_in(table: Mapping[str, Any]) -> Iterator[str]:
    for value in table.values():
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            yield from _texts_in(value)
