"""One file says what every code means; pages, forms and cells show it in the language of the page."""

import pytest
from flask import Flask

from customs.web import i18n
from customs.web.error_catalog import (
    describe_cell_error,
    describe_error,
    describe_field_error,
    describe_form_error,
    describe_response,
    entries,
    entries_by_kind,
)


@pytest.fixture(params=[i18n.ENGLISH, i18n.CHINESE])
def language(request: pytest.FixtureRequest):
    app = Flask(__name__)
    i18n.init_app(app)
    with app.test_request_context("/", headers={"Cookie": f"{i18n.COOKIE}={request.param}"}):
        yield request.param


def test_no_code_has_two_entries():
    assert sum(map(len, entries_by_kind().values())) == len(entries())


@pytest.mark.parametrize("code", entries())
def test_every_code_is_described_wherever_it_is_shown(language: str, code: str):
    descriptions = (*describe_error(code), *describe_cell_error(code, "exactly this"), describe_field_error(code))

    assert all(descriptions)
    assert "`" not in "".join(descriptions)
    assert all((max(text) >= "一") == (language == i18n.CHINESE) for text in descriptions if "先生" not in text)


def test_a_code_without_an_entry_is_described_by_its_detail(language: str):
    assert describe_error("on_the_moon") == ("on_the_moon", "")
    assert describe_error("on_the_moon", "the office is on the moon") == ("the office is on the moon", "")
    assert describe_cell_error("on_the_moon", "the office is on the moon") == ("the office is on the moon", "")
    assert describe_field_error("on_the_moon", "the office is on the moon") == "the office is on the moon"
    assert describe_form_error("on_the_moon", "the office is on the moon") is None


@pytest.mark.parametrize("language", [i18n.ENGLISH], indirect=True)
def test_a_cell_and_a_field_have_shorter_texts_where_the_entry_has_them(language: str):
    assert describe_cell_error("required", "") == ("This must not be blank.", "Fill it in.")
    assert describe_field_error("required") == "This is needed."
    assert describe_cell_error("duty_not_for_alipay", "") == ("Alipay takes no duty.", "Leave it blank.")
    assert describe_field_error("duty_not_for_alipay") == "Alipay takes no duty. Leave duty out."


def test_a_form_quotes_the_gateway(language: str):
    assert "no bill for these days" in (describe_form_error("gateway_refused", "no bill for these days") or "")
    assert describe_form_error("required") is None


@pytest.mark.parametrize("language", [i18n.ENGLISH], indirect=True)
def test_a_page_that_cannot_be_shown_is_described_by_its_status_unless_its_code_says_more(language: str):
    assert describe_response(404, "not_found", "Not Found").meaning == "There is nothing here that you may see"
    assert describe_response(502, "bad_gateway", "Bad Gateway").meaning == "Something went wrong on our side"
    assert describe_response(503, "database_unavailable", "").meaning == "The desk cannot work at this moment"
    assert describe_response(403, "csrf_rejected", "Forbidden") == describe_error("csrf_rejected")
    assert describe_response(418, "im_a_teapot", "I'm a teapot") == ("I'm a teapot", "")


def test_every_text_above_a_form_is_filled_in(language: str):
    texts = [describe_form_error(code, "50% of it") for code, entry in entries().items() if entry.form]

    assert texts and all("%(" not in str(text) for text in texts)
