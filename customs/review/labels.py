"""The words of cases: what the reason of one says beside its error, in the language of the page.

Reasons are kept as English sentences of ours; what customs or the gateway said in them is told as it was said.
"""

import re
from collections.abc import Callable, Mapping

from flask import Flask
from flask_babel import LazyString, lazy_gettext

from customs.declarations.failure_causes import Error
from customs.declarations.pushes.outcomes import ANOTHERS_NUMBER, HOLDS_EARLIER, NO_END, NO_REASON
from customs.declarations.state_labels import LABELS as STATE_LABELS
from customs.declarations.state_labels import cause_label
from customs.declarations.states import Action, State
from customs.payments.labels import LABELS as PAYMENT_LABELS
from customs.payments.states import Status
from customs.review.advice import FIELD_NAMES
from customs.web.i18n import is_chinese
from customs.web.labels import Label

_ = lazy_gettext

# Whose explanation is that of customs or of the gateway, in words of its own.
EXPLAINED: Mapping[str, str] = {Error.FAIL: "FAIL: ", Error.EXCEPT: "EXCEPT: ", Error.REFUSED: "refused: "}
# The ways in which our own check finds fault with what was to be sent; then nothing was.
UNFIT = r"is missing|is empty|is not documented in|are sent together|is sent only with|is sent$|is not valid Unicode"

# How a reason reads, and what is said of it: the first that fits counts. A cause keeps the later part of some reasons.
READINGS: tuple[tuple[re.Pattern[str], LazyString | str], ...] = tuple(
    (re.compile(reading, re.DOTALL), said)
    for reading, said in (
        (rf"(?:FAIL|EXCEPT|refused): {NO_REASON}", _("no reason was given")),
        (
            rf"refused: [\w.]+: (?P<fields>(?:.*\b)?(?:{UNFIT}).*)",
            _("nothing was sent: its content has not the form that the gateway asks for (%(fields)s)"),
        ),
        (r"(?:FAIL|EXCEPT|refused): (?P<words>.*)", "%(words)s"),
        (rf"|FAIL|EXCEPT|identity MISMATCH: .*|{NO_END}|{ANOTHERS_NUMBER}", ""),
        (r"the gateway answered with an unknown state: (?P<words>.*)", _("the gateway's word: “%(words)s”")),
        (
            r"(?:the gateway went back )?from (?P<before>\w+) to (?P<after>\w+)",
            _("from “%(before)s” back to “%(after)s”"),
        ),
        (r"(?P<call>\w+) sent (?P<count>\d+) times without effect", _("“%(call)s” was sent %(count)s times")),
        (rf"(?P<call>{'|'.join(Action)})", "%(call)s"),
        (HOLDS_EARLIER, _("the gateway may hold what was sent before this correction")),
        (
            r"(?P<amount>\S+) (?P<currency>\w+) of its payment is (?:to be )?refunded: (?P<words>.*)",
            _("a refund of %(amount)s %(currency)s was asked for: %(words)s"),
        ),
        (
            r"refunded (?P<amount>\S+) (?P<currency>\w+) elsewhere",
            _("%(amount)s %(currency)s was refunded elsewhere"),
        ),
        (
            r"the sub-orders at (?P<customs>\w+) come to (?P<declared>\S+), and (?P<paid>\S+) was paid",
            _("at %(customs)s the sub-orders come to %(declared)s, and %(paid)s was paid"),
        ),
        (r"(?:its payment )?is (?P<status>\w+)", "%(status)s"),
        (r"(?:its payment )?was not made within a day", _("it was not made within a day")),
    )
)


def _words_of(labels: Mapping[str, Label]) -> Callable[[str], str]:
    return lambda word: str(labels[word].word) if word in labels else word


def _fields_in(errors: str) -> str:
    """The fields that our own check found fault with, as a person calls them."""
    names = [name for name in re.findall(r"[a-z_]+", errors) if name in FIELD_NAMES]
    return ", ".join(str(FIELD_NAMES[name]) for name in dict.fromkeys(names)) or "—"


# How a fact of a reason is told; the others are told as they stand there.
FACTS: Mapping[str, Callable[[str], str]] = {
    "before": _words_of(STATE_LABELS[State]),
    "after": _words_of(STATE_LABELS[State]),
    "call": _words_of(STATE_LABELS[Action]),
    "status": _words_of(PAYMENT_LABELS[Status]),
    "fields": _fields_in,
}


def case_facts(case_reason: str) -> str:
    """What a case's reason says beside its error; "" when that says it all."""
    for reading, said in READINGS:
        if (found := reading.fullmatch(case_reason)) is not None:
            return str(said) % {name: FACTS.get(name, str)(text) for name, text in found.groupdict().items()}
    return case_reason


def cause_facts(error: str, explanation: str) -> str:
    """What a cause says beside its error."""
    if error == Error.UNKNOWN_STATE and explanation:
        return case_facts(f"the gateway answered with an unknown state: {explanation}")
    return case_facts(f"{EXPLAINED[error]}{explanation}" if explanation and error in EXPLAINED else explanation)


def explanation_told(explanation: str | None) -> str:
    """What customs or the gateway explained; what we wrote down because they said nothing, in our words."""
    return case_facts(f"refused: {explanation}") if explanation else ""


def cause_told(error: str, explanation: str) -> str:
    """A cause in one line: what happened, and what was explained."""
    return _together(str(cause_label(error).word), cause_facts(error, explanation))


def case_told(case_reason: str, error: str) -> str:
    """A case's reason in one line."""
    return _together(str(cause_label(error).word), case_facts(case_reason))


def _together(word: str, facts: str) -> str:
    between = "：" if is_chinese() else ": "
    return f"{word}{between}{facts}" if facts else word


def init_app(app: Flask) -> None:
    """Give templates the sentences about cases."""
    app.jinja_env.globals.update(
        case_facts=case_facts, cause_facts=cause_facts, cause_told=cause_told, explanation_told=explanation_told
    )
