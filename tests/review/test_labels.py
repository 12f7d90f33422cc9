"""Whatever reason for a case the code can write down is told on pages in their language, and nothing of it in code."""

import ast
import re
from pathlib import Path

import pytest
from flask import Flask

from customs.declarations.failure_causes import Error, cause_of
from customs.declarations.pushes.outcomes import ANOTHERS_NUMBER, HOLDS_EARLIER, NO_END, NO_REASON
from customs.declarations.states import Action, State
from customs.gateway.endpoints import ENDPOINTS
from customs.payments.states import Status
from customs.review.labels import case_told, cause_told, explanation_told
from customs.web import i18n

CUSTOMS = Path(__file__).parents[2] / "customs"
# Who opens a case, and which of the arguments is the reason.
OPENERS = {"_open_case": 1, "_give_up": 1, "withhold": 2, "abandon": 2, "_withhold": 3}
# What payments open for themselves is told by their own words.
OF_PAYMENTS = {"_open_case", "_give_up"}
SAID = "备案编号 110396T0001 不存在"
REASONS = {
    *(f"{state}: {SAID}" for state in ("FAIL", "EXCEPT")),
    "FAIL",
    "EXCEPT",
    f"refused: {SAID}",
    f"refused: {NO_REASON}",
    "identity MISMATCH: the order's buyer is not the payer",
    "the gateway answered with an unknown state: 海关受理",
    *(f"the gateway went back from {one} to {other}" for one in State for other in State),
    NO_END,
    HOLDS_EARLIER,
    ANOTHERS_NUMBER,
    *(f"{action} sent 20 times without effect" for action in Action),
    "40.00 CNY of its payment is refunded: 缺货",
    "40.00 CNY of its payment is to be refunded: 缺货",
    "refunded 1.00 CNY elsewhere",
    "the sub-orders at HANGZHOU come to 2.00, and 1.00 was paid",
    *(f"its payment is {status}" for status in Status),
    "its payment was not made within a day",
}
# Codes and currencies stand on pages as they are.
CODE = re.compile(r"\b(?!HANGZHOU\b|CNY\b)[A-Za-z_]{3,}", re.ASCII)


@pytest.fixture(params=["zh_CN", "en"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def told(language: str):
    """Tell a reason in this language."""
    app = Flask(__name__)
    i18n.init_app(app)

    def tell(words, *args: str) -> str:
        with app.test_request_context("/", headers={"Accept-Language": language.replace("_", "-")}):
            return words(*args)

    return tell


def error_of(reason: str) -> Error:
    return Error(cause_of("", "", reason).error)


def test_every_reason_is_told_in_the_language_of_the_page(told, language: str):
    texts = {reason: told(case_told, reason, error_of(reason)) for reason in REASONS}

    assert {error_of(reason) for reason in REASONS} == set(Error) - {Error.OTHER}
    if language == "zh_CN":
        assert {reason: text for reason, text in texts.items() if CODE.search(text)} == {}


def test_every_cause_is_told_in_the_language_of_the_page(told, language: str):
    causes = {reason: cause_of("wechatpay", "HANGZHOU", reason) for reason in REASONS}
    texts = {reason: told(cause_told, cause.error, cause.explanation) for reason, cause in causes.items()}

    if language == "zh_CN":
        assert {reason: text for reason, text in texts.items() if CODE.search(text)} == {}


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: one.name)
def test_what_our_own_check_finds_is_not_told_as_the_gateways_word(told, language: str, endpoint):
    for fault in ("cert_id is missing", "cert_id is empty", "duty is sent only with name"):
        text = told(explanation_told, f"{endpoint.name}: {fault}")

        assert ("尚未发送" if language == "zh_CN" else "nothing was sent") in text


def test_customs_own_words_are_told_as_they_were_said(told):
    assert told(case_told, f"FAIL: {SAID}", Error.FAIL).endswith(SAID)
    assert told(explanation_told, SAID) == SAID


def test_nobody_opens_a_case_for_a_reason_that_has_no_words():
    found = set(written_down())

    assert found
    assert [reason for reason in found if error_of(reason) is Error.OTHER] == []


def written_down():
    """Every reason that stands in the source where a case is opened, its blanks filled in."""
    for file in CUSTOMS.rglob("*.py"):
        tree = ast.parse(file.read_text())
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
            if file.is_relative_to(CUSTOMS / "payments") and name in OF_PAYMENTS:
                continue
            if name in OPENERS and len(call.args) > OPENERS[name]:
                yield from texts_in(call.args[OPENERS[name]])


def texts_in(node: ast.expr):
    if isinstance(node, ast.Constant):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else blank(part) for part in node.values)
        yield "".join(map(str, parts))
    elif isinstance(node, ast.IfExp):
        yield from texts_in(node.body)
        yield from texts_in(node.orelse)


def blank(part: ast.expr) -> str:
    """What may stand in a place of a sentence: a number, a state, or a word."""
    known = {"doubts": "3", "reported": "FAIL", "state": "SUCCESS"}
    return next((word for name, word in known.items() if name in ast.unparse(part)), "x")
