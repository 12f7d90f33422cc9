"""What a form says besides plain text: merchants ticked or typed, one or several of a few choices, a reason."""

import re
from collections.abc import Collection, Mapping
from typing import TypeVar

from flask import request

from customs.errors import Fault, Invalid

Choice = TypeVar("Choice")

# Also the commas and semicolons of Chinese keyboards.
BETWEEN_NUMBERS = re.compile(r"[\s,;\uff0c\u3001\uff1b]+")
LONGEST_NUMBER = 64
LONGEST_REASON = 500


def merchants_chosen() -> list[str]:
    """Merchants by their numbers: ticked, or typed with commas, blanks or line breaks between them."""
    numbers = [one for text in request.form.getlist("merchants") for one in BETWEEN_NUMBERS.split(text) if one]
    if any(len(one) > LONGEST_NUMBER or not one.isprintable() for one in numbers):
        raise _invalid("merchants", "merchants_invalid", f"a merchant number has at most {LONGEST_NUMBER} characters")
    return sorted(set(numbers))


def one_of(name: str, choices: Mapping[str, Choice]) -> Choice:
    """What one choice of a list stands for. Raises Invalid for a word that is not among them."""
    word = request.form.get(name, "")
    if word not in choices:
        raise _invalid(name, "choice", f"{name}: use one of {', '.join(choices)}")
    return choices[word]


def some_of(name: str, choices: Collection[str]) -> list[str]:
    """Those of some choices that were ticked, in their own order. Raises Invalid for one that is not among them."""
    words = request.form.getlist(name)
    if not set(words) <= set(choices):
        raise _invalid(name, "choice", f"{name}: use some of {', '.join(choices)}")
    return [one for one in choices if one in words]


def text_given(name: str, longest: int) -> str:
    """One line of text that has to be there. Raises Invalid."""
    text = request.form.get(name, "").strip()
    if not text:
        raise _invalid(name, "required", f"{name} is missing")
    if len(text) > longest or not text.isprintable():
        raise _invalid(name, "length", f"{name}: use at most {longest} visible characters")
    return text


def text_if_given(name: str, longest: int) -> str | None:
    """The same where it may be left empty; None then."""
    return text_given(name, longest) if request.form.get(name, "").strip() else None


def reason_given() -> str:
    """Why something is done, in a person's words. Raises Invalid when they say nothing."""
    return text_given("reason", LONGEST_REASON)


def _invalid(name: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, faults=[Fault(f"/{name}", code, detail)])
