"""Every kind of case has a sentence, a label and its facts in the language of the page, and nothing of it in code."""

import re

import pytest
from flask import Flask

from customs.declarations.cases import EXPLANATIONS, SENTENCES, CaseKind, Cause, case_sentence, cause_of
from customs.declarations.labels import FACTS, LABELS, case_label, case_line, cause_line, explanation_label
from customs.declarations.pushes.outcomes import NO_REASON
from customs.declarations.states import Action, State
from customs.gateway.endpoints import ENDPOINTS
from customs.web import i18n

SHOWN = "备案编号 110396T0001 不存在"
REFUND = {"amount": "40.00", "currency": "CNY"}
CASES = (
    *((kind, {"explanation": SHOWN}) for kind in (CaseKind.FAIL, CaseKind.EXCEPT, CaseKind.REFUSED)),
    (CaseKind.FAIL, {}),
    (CaseKind.EXCEPT, {}),
    (CaseKind.REFUSED, {"explanation": NO_REASON}),
    (CaseKind.IDENTITY, {}),
    (CaseKind.UNKNOWN_STATE, {"state": "海关受理"}),
    *((CaseKind.WENT_BACK, {"before": str(one), "after": str(other)}) for one in State for other in State),
    (CaseKind.NO_END, {}),
    (CaseKind.NO_EFFECT, {}),
    *((CaseKind.NO_EFFECT, {"action": str(action), "count": "20"}) for action in Action),
    (CaseKind.ANOTHERS_NUMBER, {}),
    (CaseKind.REFUND, REFUND),
    (CaseKind.REFUND, REFUND | {"reason": "缺货"}),
    (CaseKind.OVER_PAID, {"customs": "HANGZHOU", "declared": "2.00", "paid": "1.00"}),
    *((CaseKind.PAYMENT_ENDED, {"status": status}) for status in ("FAIL", "EXPIRED")),
    (CaseKind.PAYMENT_ENDED, {}),
)
# Codes and currencies stand on pages as they are.
CODE = re.compile(r"\b(?!HANGZHOU\b|CNY\b)[A-Za-z_]{3,}", re.ASCII)


@pytest.fixture(params=["zh_CN", "en"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def show(language: str):
    """Show something in this language."""
    app = Flask(__name__)
    i18n.init_app(app)

    def call(function, *args):
        with app.test_request_context("/", headers={"Accept-Language": language.replace("_", "-")}):
            return function(*args)

    return call


def test_every_kind_has_a_sentence_and_a_label():
    assert set(SENTENCES) == set(LABELS[CaseKind]) == set(CaseKind)
    assert {kind for kind, _ in CASES} == set(CaseKind) - {CaseKind.OTHER}
    # What tells causes apart is shown beside their kind.
    assert set(EXPLANATIONS) <= set(FACTS)


@pytest.mark.parametrize(("kind", "detail"), CASES)
def test_a_case_is_shown_in_the_language_of_the_page(show, language: str, kind: CaseKind, detail: dict[str, str]):
    line = show(case_line, kind, detail)

    assert line.startswith(show(lambda: str(case_label(kind).word)))
    assert "%(" not in line + case_sentence(kind, detail)
    if language == "zh_CN":
        assert not CODE.search(line)


@pytest.mark.parametrize(("kind", "detail"), CASES)
def test_a_cause_is_shown_in_the_language_of_the_page(show, language: str, kind: CaseKind, detail: dict[str, str]):
    key = cause_of("wechatpay", "HANGZHOU", kind, detail)

    line = show(cause_line, Cause(**key._asdict()))

    if language == "zh_CN":
        assert not CODE.search(line)


def test_a_kind_that_only_a_newer_version_knows_is_something_else(show, language: str):
    kind = CaseKind("SOMETHING_NEW")

    assert kind is CaseKind.OTHER
    assert show(case_line, "SOMETHING_NEW", {"whatever": "it is"}) == show(
        lambda: str(LABELS[CaseKind][CaseKind.OTHER].word)
    )
    assert case_sentence(kind, None) == "OTHER"
    assert case_sentence(kind, {"reason": "whatever it was"}) == "whatever it was"


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: one.name)
def test_a_fault_that_our_own_check_found_is_not_shown_as_the_gateways_word(show, language: str, endpoint):
    for error in ("cert_id is missing", "cert_id is empty", "duty is sent only with name"):
        text = show(explanation_label, f"{endpoint.name}: {error}")

        assert ("尚未发送" if language == "zh_CN" else "nothing was sent") in text


def test_words_of_customs_are_shown_as_they_were_written(show):
    assert show(case_line, CaseKind.FAIL, {"explanation": SHOWN}).endswith(SHOWN)
    assert show(explanation_label, SHOWN) == SHOWN
