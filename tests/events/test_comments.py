"""Comments: what people write for one another beside a case, for those who may see it."""

import pytest

from customs.auth.principal import Caller, operator
from customs.container import Services
from customs.errors import NotFound, ValidationFailed
from customs.events.comments import LONGEST_COMMENT, comment, comments_of
from tests import make

SUBJECT = "decl_1"


@pytest.fixture
def write(services: Services):
    def written(text: str, by: Caller | None = None, merchant_no: str | None = "M100") -> str:
        with services.transaction() as db:
            return comment(db, by or operator(), SUBJECT, merchant_no, text, make.NOON).text

    return written


@pytest.fixture
def read(services: Services):
    def seen(by: Caller | None = None, subject_id: str = SUBJECT) -> list[str]:
        with services.reading() as db:
            return [one.text for one in comments_of(db, by or operator(), subject_id)]

    return seen


def test_comments_stand_beside_their_subject_in_the_order_they_were_written(write, read):
    for text in ("first", "second", "third"):
        write(text)

    assert read() == ["first", "second", "third"]
    assert read(subject_id="decl_2") == []


def test_a_comment_says_who_wrote_it_and_when(write, services: Services):
    write("called the office", by=make.caller("M100"))

    with services.reading() as db:
        (made,) = comments_of(db, operator(), SUBJECT)
    assert (made.author_id, made.author, made.at) == ("key_of_a_test", "an ERP", make.NOON)


def test_a_comment_on_another_merchant_s_subject_is_neither_seen_nor_written(write, read):
    write("for M100", merchant_no="M100")
    write("for everybody", merchant_no=None)

    assert read(make.caller("M100")) == ["for M100", "for everybody"]
    assert read(make.caller("M200")) == ["for everybody"]
    with pytest.raises(NotFound):
        write("hello", by=make.caller("M200"), merchant_no="M100")


def test_an_id_number_is_masked_before_it_is_kept(write, services: Services):
    cert_id = make.cert_id(7)

    kept = write(f"{cert_id} is another person")

    assert kept == f"{cert_id[:4]}**********{cert_id[-4:]} is another person"


@pytest.mark.parametrize("text", ["好" * LONGEST_COMMENT, "two\nlines", "  blanks around it "])
def test_what_can_be_read_is_taken_without_blanks_around_it(write, read, text: str):
    write(text)

    assert read() == [text.strip()]


def test_line_ends_are_all_alike(write):
    assert write("one\r\ntwo\rthree") == "one\ntwo\nthree"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "length"),
        (" \n ", "length"),
        ("x" * (LONGEST_COMMENT + 1), "length"),
        ("nothing\u200b", "unprintable"),
        ("\x00", "unprintable"),
        ("a\tb", "unprintable"),
        ("\u202egnp.exe", "unprintable"),
        ("\ud800", "unprintable"),
    ],
)
def test_what_nobody_can_read_is_refused(write, text: str, code: str):
    with pytest.raises(ValidationFailed) as refused:
        write(text)

    assert [error.code for error in refused.value.errors] == [code]
