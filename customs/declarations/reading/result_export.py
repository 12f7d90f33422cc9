"""The results of a batch as a workbook: one row for each push, the buyer masked, written as it is read."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Protocol

from flask_babel import LazyString, lazy_gettext
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload
from xlsxwriter import Workbook

from customs.auth.principal import Caller
from customs.declarations.identity import Identity
from customs.declarations.labels import LABELS, case_label, explanation_label, office_name, state_label
from customs.declarations.models import Batch, Declaration, Push
from customs.declarations.reading.next_steps import NextStep, StepKind, next_of
from customs.declarations.reading.queries import batch_of, in_batch
from customs.declarations.sentences import SENTENCES
from customs.declarations.states import State
from customs.errors import DecryptionKeyMissing
from customs.gateway import Channel
from customs.privacy.masking import mask_buyer
from customs.privacy.vault import Vault
from customs.spreadsheets.xlsx_writer import streamed, text_format
from customs.stats.tallies import SHANGHAI
from customs.web.labels import channel_label

HEADER = {"bold": True, "bottom": 1, "bg_color": "#EDEFF2"}
# The columns by name, with their widths; `WIDE` is for sentences.
WIDTH, WIDE = 24, 60
COLUMNS = {
    "out_order_no": WIDTH,
    "payment_no": 32,
    "sub_order_no": WIDTH,
    "merchant_no": 14,
    "channel": 12,
    "office": 18,
    "customs": 20,
    "state": 12,
    "explanation": WIDE,
    "identity": 14,
    "buyer_name": 12,
    "cert_id": 22,
    "next_step": WIDE,
    "next_at": 20,
    "created_at": 20,
    "sent_at": 20,
    "modify_time": 20,
    "declaration_id": 40,
}
READ_AT_ONCE = 500


class Words(Protocol):
    """Words of the results. `heading` is called for each name in COLUMNS, and for the sheet: "results".

    `next_step` says it without a time, which has a column of its own.
    """

    def heading(self, name: str) -> str: ...

    def channel(self, channel: Channel) -> str: ...

    def office(self, office: str) -> str: ...

    def state(self, state: State) -> str: ...

    def explanation(self, explanation: str) -> str: ...

    def identity(self, identity: Identity) -> str: ...

    def next_step(self, step: NextStep) -> str: ...


def result_workbook(db: Session, vault: Vault, batch_id: str, caller: Caller, words: Words, now: datetime) -> bytes:
    """Every push of a batch and of what it named again; NotFound for a batch that is not the caller's to see."""
    batch = batch_of(db, batch_id, caller)
    return streamed(lambda book: _fill(book, _lines(db, vault, batch, words, now), words))


def result_filename(batch_id: str) -> str:
    """Its name. It must not look like the file of the batch's faulty rows, which would be taken in again."""
    return f"results-{batch_id.removeprefix('bat_')}.xlsx"


def _fill(book: Workbook, lines: Iterator[list[str]], words: Words) -> None:
    sheet = book.add_worksheet(words.heading("results"))
    plain, head = text_format(book), text_format(book, **HEADER)
    for place, width in enumerate(COLUMNS.values()):
        sheet.set_column(place, place, width, plain)
    sheet.freeze_panes(1, 0)
    for place, name in enumerate(COLUMNS):
        sheet.write_string(0, place, words.heading(name), head)
    for number, line in enumerate(lines, start=1):
        for place, text in enumerate(line):
            if text:
                sheet.write_string(number, place, text, plain)


def _lines(db: Session, vault: Vault, batch: Batch, words: Words, now: datetime) -> Iterator[list[str]]:
    asked = select(Declaration).where(in_batch(batch.id)).options(selectinload(Declaration.pushes))
    in_order = asked.order_by(Declaration.id).execution_options(yield_per=READ_AT_ONCE)
    # Few words stand in thousands of rows.
    values = (
        cache(words.channel),
        cache(words.office),
        cache(words.state),
        cache(words.identity),
        cache(words.next_step),
    )
    channel, office, state, identity, next_step = values
    for declaration in db.scalars(in_order):
        buyer = _masked(declaration, vault)
        by_id = {push.id: push for push in declaration.pushes}
        for push in declaration.pushes:
            step = _step_of(declaration, push, by_id.get(push.blocked_by or ""), now)
            yield [
                declaration.out_order_no,
                declaration.payment_no,
                push.sub_order_no,
                declaration.merchant_no,
                channel(declaration.channel),
                office(declaration.office),
                push.customs,
                state(push.state),
                words.explanation(push.explanation or ""),
                identity(push.identity) if push.identity else "",
                *buyer,
                next_step(replace(step, at=None)),
                _exact(step.at),
                _exact(declaration.created_at),
                _exact(push.sent_at),
                _exact(push.modify_time),
                declaration.id,
            ]


def _masked(declaration: Declaration, vault: Vault) -> tuple[str, str]:
    """Name and ID number; blank when there are none, or their key is missing."""
    try:
        buyer = mask_buyer(vault.open_buyer(declaration.buyer, declaration.id))
    except DecryptionKeyMissing:
        buyer = None
    return (buyer["name"], buyer["cert_id"]) if buyer else ("", "")


def _step_of(declaration: Declaration, push: Push, before: Push | None, now: datetime) -> NextStep:
    """Return the next step of one push."""
    if push.case_kind:
        return NextStep(StepKind.TO_DECIDE, customs=push.customs, case=push.case_kind)
    if declaration.cancelled:
        return NextStep(StepKind.CANCELLED, customs=push.customs)
    if declaration.waiting_for:
        return NextStep(StepKind.WAITS_FOR_PAYMENT, customs=push.customs)
    ended = StepKind.ACCEPTED if push.state is State.SUCCESS else StepKind.STANDS_STILL
    return next_of(push, before, now) or NextStep(ended, customs=push.customs)


def _exact(moment: datetime | None) -> str:
    """A time in Shanghai to the second."""
    return "" if moment is None else f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"


_ = lazy_gettext

# The columns of a batch's results.
HEADINGS: Mapping[str, LazyString] = {
    "results": _("Results"),
    "out_order_no": _("Order number"),
    "payment_no": _("Payment number"),
    "sub_order_no": _("Sub-order number"),
    "merchant_no": _("Merchant"),
    "channel": _("Channel"),
    "office": _("Office"),
    "customs": _("Customs code"),
    "state": _("State"),
    "explanation": _("What customs or the gateway says"),
    "identity": _("Identity"),
    "buyer_name": _("Buyer"),
    "cert_id": _("ID number"),
    "next_step": _("What comes next"),
    "next_at": _("When"),
    "created_at": _("Handed in"),
    "sent_at": _("Last sent"),
    "modify_time": _("Last change at the gateway"),
    "declaration_id": _("Declaration"),
}


class ResultWords:
    """Words of the results in the language of the page."""

    def heading(self, name: str) -> str:
        return str(HEADINGS[name])

    def channel(self, channel: Channel) -> str:
        return str(channel_label(channel).word)

    def office(self, office: str) -> str:
        return office_name(office)

    def explanation(self, explanation: str) -> str:
        return explanation_label(explanation)

    def state(self, state: State) -> str:
        return str(state_label(state).word)

    def identity(self, identity: Identity) -> str:
        return str(LABELS[Identity][identity].word)

    def next_step(self, step: NextStep) -> str:
        """Without the time, which has a column of its own."""
        case = None if step.case is None else case_label(step.case).word
        values = {"customs": step.customs, "after": step.after, "error": case}
        return str(SENTENCES[step.what].at_once) % values
