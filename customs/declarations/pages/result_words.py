"""The words of a batch's results as a workbook, in the language of whoever asks for them."""

from collections.abc import Mapping

from flask_babel import LazyString, lazy_gettext

from customs.declarations.foretelling import Foretold
from customs.declarations.identity import Identity
from customs.declarations.pages.saying import SENTENCES
from customs.declarations.states import State
from customs.gateway import Channel
from customs.web.case_words import explanation_told
from customs.web.wording import error_shown, office_name, shown

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
    """What the columns and the values in them are called."""

    def heading(self, name: str) -> str:
        return str(HEADINGS[name])

    def channel(self, channel: Channel) -> str:
        return str(shown(channel, Channel).word)

    def office(self, office: str) -> str:
        return office_name(office)

    def explanation(self, explanation: str) -> str:
        return explanation_told(explanation)

    def state(self, state: State) -> str:
        return str(shown(state, State).word)

    def identity(self, identity: Identity) -> str:
        return str(shown(identity, Identity).word)

    def next_step(self, foretold: Foretold) -> str:
        """Without the time, which has a column of its own."""
        error = None if foretold.error is None else error_shown(foretold.error).word
        said = {"customs": foretold.customs, "after": foretold.after, "error": error}
        return str(SENTENCES[foretold.what].at_once) % said
