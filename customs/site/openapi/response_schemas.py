"""What goes out about batches, declarations, registrations and lanes: the schemas of `presenting`, written by hand."""

from customs.declarations.identity import Identity
from customs.declarations.intake.orders import Severity
from customs.declarations.reading.queries import BatchState
from customs.declarations.states import Action, State
from customs.gateway import Channel
from customs.lanes.queries import LaneState
from customs.site.openapi.json_schema import (
    Json,
    choice,
    flag,
    id_of,
    instant,
    list_of,
    nullable,
    page_of,
    ref,
    text,
    thing,
    whole,
    words_by_name,
    yuan_out,
)

ACTIONS = ("redeclare", "modify", "cancel", "dismiss")

FINDING = thing(
    {
        "pointer": text("JSON pointer to the place, such as /declarations/3/sub_orders/0/amount."),
        "row": nullable(whole("Row of the spreadsheet, from 1; null for what came as JSON.", 1)),
        "column": nullable(text("Column of the spreadsheet as it is spelt there.")),
        "code": text("Stable; each has a page at /errors/<code>."),
        "severity": choice(Severity, "An error keeps the declaration out; a warning asks a person to look."),
        "detail": text("What is wrong. It repeats no name and no ID number."),
        "action": text("What to do."),
    }
)
COUNTS = thing(
    {"total": whole()}
    | {state.value: whole() for state in State}
    | {"cancelled": whole(), "needs_review": whole()}
    | {"open_rows": whole("Rows handed in that were neither submitted, here or later, nor discarded by somebody.")},
    "Declarations by state; cancelled ones are counted apart, and rows that became none.",
)
BATCH = thing(
    {
        "id": id_of("bat"),
        "name": text(),
        "state": choice(
            BatchState,
            "RUNNING while anything goes on by itself or waits for its payment; then DONE when all are SUCCESS or "
            "cancelled, none needs review and no row is open, else ATTENTION.",
        ),
        "counts": ref("BatchCounts"),
        "created_at": instant(),
        "findings": list_of(ref("Finding"), "What was noticed when it came in: warnings, and rows left out."),
        "replayed": list_of(id_of("decl"), "Declarations that this batch named again, unchanged."),
    },
)
MASKED = {"name": "李*", "cert_id": "1101**********002X"}
MASKED_BUYER = thing({"name": text(), "cert_id": text()}, "Masked.", example=MASKED)
SUB_ORDER = thing(
    {
        "sub_order_no": text(),
        "amount": yuan_out(),
        "transport_amount": yuan_out(),
        "product_amount": yuan_out(),
    },
    optional=("transport_amount", "product_amount"),
)
CASE = thing({"reason": text(), "since": instant()}, "Why a person has to look, and since when.")
ACCEPTED = thing(
    {
        "mch_customs_no": text(),
        "merchant_customs_name": text(),
        "duty": whole(),
        "amount": yuan_out(),
        "transport_amount": yuan_out(),
        "product_amount": yuan_out(),
        "buyer": ref("MaskedBuyer"),
    },
    "What the gateway accepted last, where that is not what the declaration says now; until a correction is accepted.",
    optional=("merchant_customs_name", "duty", "amount", "transport_amount", "product_amount", "buyer"),
)
PUSH = thing(
    {
        "id": id_of("push"),
        "customs": text("The customs code on the wire."),
        "sub_order_no": nullable(text()),
        "state": choice(State),
        "explanation": nullable(text("The gateway's words.")),
        "attempts": whole("Calls made so far."),
        "next_action": nullable(choice(Action, "What the desk does next; null when nothing.")),
        "due_at": nullable(instant("When; null also for a push that waits for an earlier one.")),
        "accepted_content": ref("AcceptedContent"),
    },
    "One declaration at the gateway: the order or one part of it, at one customs code.",
    optional=("accepted_content",),
)
ALLOWED = thing(
    {
        "action": choice(ACTIONS),
        "allowed": flag(),
        "why": nullable(text("The first rule against it.")),
        "not_before": nullable(instant("From when, where waiting helps.")),
    }
)
DECLARATION = thing(
    {
        "id": id_of("decl"),
        "batch_id": id_of("bat"),
        "created_at": instant(),
        "channel": choice(Channel),
        "office": text(),
        "merchant_no": text(),
        "out_order_no": text(),
        "payment_no": text(),
        "mch_customs_no": text(),
        "merchant_customs_name": text(),
        "duty": whole(),
        "buyer": ref("MaskedBuyer"),
        "sub_orders": list_of(ref("SubOrder")),
        "state": choice(
            State,
            "Folded over its pushes: any FAIL, else any EXCEPT, else the least advanced of "
            "UNDECLARED, SUBMITTED, PROCESSING, SUCCESS.",
        ),
        "identity": choice(Identity, "Whether the buyer is the payer: any MISMATCH wins, then UNCHECKED."),
        "cancelled": flag(),
        "waiting_for": choice(("payment",), "Present while it waits for its payment."),
        "needs_review": flag("Whether a case is open."),
        "case": nullable(ref("Case")),
        "pushes": list_of(ref("Push")),
        "allowed_actions": list_of(ref("AllowedAction")),
    },
    "One paid order to be declared at one office. What has no value is left out.",
    optional=("merchant_customs_name", "duty", "buyer", "waiting_for"),
)


def timeline_entry(kinds: tuple[str, ...], about: dict[str, Json]) -> Json:
    """One entry of a timeline; `about` names what of the whole it is about."""
    return thing(
        {
            "at": instant(),
            "kind": choice(kinds, "A call to the gateway, a person's action, or a change of state."),
            "actor": text("The key or person who did it; the desk itself for calls."),
            **about,
            "detail": words_by_name("What happened, by names such as action, outcome, reason, from, to."),
            "request": nullable(words_by_name("What was sent, masked.")),
            "reply": nullable(text("What came back, raw but for masked names and numbers.")),
            "duration_ms": nullable(whole()),
        }
    )


OFFICE = thing(
    {
        "office": text("What to write into a declaration."),
        "name": text("Its Chinese name."),
        "ordered": flag("Whether each of its Alipay codes waits for the one before to be SUCCESS."),
        "codes": thing({channel.value: list_of(text()) for channel in Channel}, "Customs codes by channel, in order."),
    }
)
REGISTRATION = thing(
    {
        "id": id_of("reg"),
        "merchant_no": text(),
        "channel": choice(Channel),
        "office": text(),
        "mch_customs_no": text(),
        "merchant_customs_name": nullable(text()),
        "updated_at": instant(),
    }
)
LANE = thing(
    {
        "id": id_of("lane"),
        "agent_no": text(),
        "gateway": text("The gateway's address."),
        "state": choice(LaneState),
        "reason": nullable(text("Why its calls were stopped, or what became of the last of them.")),
        "stopped_at": nullable(instant()),
        "failing_since": nullable(instant("Since when no call was answered so that it could be understood.")),
        "held_until": nullable(instant("No call before this.")),
    },
    "All signed calls of one agent.",
)

ANSWERS: dict[str, Json] = {
    "Finding": FINDING,
    "BatchCounts": COUNTS,
    "Batch": BATCH,
    "BatchPage": page_of("Batch"),
    "Findings": thing({"findings": list_of(ref("Finding"))}),
    "MaskedBuyer": MASKED_BUYER,
    "SubOrder": SUB_ORDER,
    "Case": CASE,
    "AcceptedContent": ACCEPTED,
    "Push": PUSH,
    "AllowedAction": ALLOWED,
    "Declaration": DECLARATION,
    "DeclarationPage": page_of("Declaration"),
    "DeclarationEvent": timeline_entry(("call", "action", "state"), {"push_id": nullable(id_of("push"))}),
    "DeclarationEventPage": page_of("DeclarationEvent"),
    "Office": OFFICE,
    "OfficePage": page_of("Office"),
    "Registration": REGISTRATION,
    "RegistrationPage": page_of("Registration"),
    "Lane": LANE,
    "LanePage": page_of("Lane"),
}
