"""The files of importing: a template to fill in, a sample to learn with, and the faulty rows to mend elsewhere."""

import re
from dataclasses import replace
from urllib.parse import unquote

import pytest

from customs.container import Services
from tests import make
from tests.imports.clerk import order_row
from tests.imports.importing import AtDraft, hand_in
from tests.web.visiting import People, Visitor, text_of


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def people(services: Services) -> People:
    return People(services)


@pytest.fixture
def clerk(people: People) -> Visitor:
    return people.signed_in("clerk")


@pytest.mark.parametrize(("language", "name"), [("en", "declaration-template.xlsx"), ("zh_CN", "申报模板.xlsx")])
def test_the_template_has_a_name_in_the_language_of_the_page(people: People, language: str, name: str):
    answer = people.signed_in("clerk", language=language).get("/import/template.xlsx")

    assert answer.content_type.endswith("spreadsheetml.sheet")
    assert answer.headers["Cache-Control"] == "no-store"
    assert filename_of(answer.headers["Content-Disposition"]) == name


def test_the_faulty_rows_come_as_a_workbook_and_find_their_batch_again(clerk: Visitor):
    draft = AtDraft(clerk, order_row(), order_row(office="杭洲"))
    batch = draft.submit().location

    answer = clerk.get(f"{draft.place}/faulty.xlsx")
    name = filename_of(answer.headers["Content-Disposition"])
    page = clerk.follow(hand_in(clerk, answer.data, name))

    assert name == f"faulty-rows-{batch.removeprefix('/batches/')}.xlsx"
    assert f'href="{batch}"' in page.text


def test_the_sample_is_there_to_learn_with_and_nowhere_else(services: Services, clerk: Visitor):
    before_the_real_gateway = clerk.get("/import/sample.csv"), clerk.get("/import")
    sandbox = Services(replace(services.settings, sandbox=True))
    learner = People(sandbox).signed_in("clerk", [make.MERCHANT])

    page = text_of(learner.follow(hand_in(learner, learner.get("/import/sample.csv").data)))

    assert re.search(r"[1-9]\d* of \d+ rows are good", page)
    assert before_the_real_gateway[0].status_code == 404
    assert "sample.csv" not in before_the_real_gateway[1].text


def filename_of(disposition: str) -> str:
    """The name that browsers give the file."""
    return unquote(disposition.partition("filename*=UTF-8''")[2])
