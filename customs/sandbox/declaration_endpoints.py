"""Declaration endpoints (9.1 to 9.6): change the ledger as a verified call asks, and answer it."""

from collections.abc import Callable, Mapping
from typing import Any

from customs.gateway.endpoints import Endpoint
from customs.sandbox.calls import Refused
from customs.sandbox.channels import BY_ENDPOINT, Channel
from customs.sandbox.context import SandboxContext, settle
from customs.sandbox.declaration_scenarios import Epoch, scenario_of
from customs.sandbox.filings import Filing, sealed
from customs.sandbox.ledger import NUMBERS
from customs.sandbox.values import wrong_declaration_values

# What a correction may not change: it would be another filing.
IMMUTABLE = ("out_order_no", "payment_no", "customs", "sub_order_no")
UNHEARD_OF = "no declaration is known by this number"


Record = dict[str, Any]
Operation = Callable[[SandboxContext, Channel, Mapping[str, str]], Record]


def declare(context: SandboxContext, channel: Channel, params: Mapping[str, str]) -> Record:
    """9.1, 9.4: file it (ADD), say what became of it (ADD again), or correct it (MODIFY).

    Raises Refused: 400 values or changed content, 404 a MODIFY of nothing, and what the scenario says.
    """
    content = sealed({name: value for name, value in params.items() if name != "action_type"})
    key = (channel.name, params["payment_no"], params["customs"], params.get("sub_order_no", ""))
    now = context.now()
    with context.ledger.turn():
        filing = context.ledger.filing(*key)
        if params.get("action_type") == "MODIFY":
            filing = _corrected(filing, content, now)
        elif filing is None:
            _expect_paid(context, params["payment_no"])
            filing = _added(channel, content, now)
        elif filing.content != content:
            raise Refused(400, "declared before with other content: use MODIFY (WeChat) or the re-push (Alipay)")
        else:
            _move_on(context, filing)
            filing.adds += context.settings.non_idempotent
            filing.remember("ADD repeated", now)
        filing.reported = True
        context.ledger.keep(filing)
    return filing.shown()


def _expect_paid(context: SandboxContext, payment_no: str) -> None:
    # Of a payment made elsewhere nothing is known here: it may be declared.
    payment = context.payments.payment(payment_no)
    if payment and settle(context, payment).status != "PAID":
        raise Refused(400, "the payment is not paid")


def _added(channel: Channel, content: dict[str, str], now: float) -> Filing:
    sub_order_no = content.get("sub_order_no", "")
    if refusal := scenario_of(sub_order_no, content["out_order_no"]).refusal:
        raise Refused(refusal.status, refusal.message)
    filing = Filing(
        channel=channel.name,
        payment_no=content["payment_no"],
        out_order_no=content["out_order_no"],
        customs=content["customs"],
        sub_order_no=sub_order_no,
        content=content,
        since=now,
        stamp=int(now),
        first_stamp=int(now),
        pushed_at=now,
    )
    filing.remember("ADD", now)
    return filing


def _corrected(filing: Filing | None, content: dict[str, str], now: float) -> Filing:
    if filing is None:
        raise Refused(404, "there is no declaration to modify")
    if changed := [name for name in IMMUTABLE if filing.content.get(name) != content.get(name)]:
        raise Refused(400, f"MODIFY may not change {', '.join(changed)}")
    filing.content = content
    filing.corrected = True
    filing.modifies += 1
    filing.pushed_at = now
    filing.begin(Epoch.CORRECTED, "MODIFY", now)
    return filing


def redeclare(context: SandboxContext, channel: Channel, params: Mapping[str, str]) -> Record:
    """9.2, 9.5: push it to customs once more; with Alipay changed fields go along.

    Raises Refused: 404 unknown, 400 for a code without re-push or (WeChat) another registration number.
    """
    now = context.now()
    with context.ledger.turn():
        filing = _named(context, channel, params)
        if filing.customs in channel.no_repush:
            raise Refused(400, f"{filing.customs} takes no re-push")
        _move_on(context, filing)
        changes = _changes(filing, params)
        if changes and not channel.repush_corrects:
            raise Refused(400, f"declared with another {', '.join(changes)}: use MODIFY")
        if channel.repush_corrects and now - filing.pushed_at < context.settings.repush_seconds:
            filing.remember("REDECLARE too early", now)
        else:
            _repushed(filing, changes, now)
        filing.reported = True
        context.ledger.keep(filing)
    return filing.shown_after_repush()


def _changes(filing: Filing, params: Mapping[str, str]) -> dict[str, str]:
    sent = sealed({name: value for name, value in params.items() if name not in IMMUTABLE})
    return {name: value for name, value in sent.items() if filing.content.get(name) != value}


def _repushed(filing: Filing, changes: dict[str, str], now: float) -> None:
    epoch = Epoch.CORRECTED if changes else Epoch.SETTLED if filing.corrected else Epoch.REPUSHED
    filing.content |= changes
    filing.corrected |= bool(changes)
    filing.redeclares += 1
    filing.pushed_at = now
    filing.begin(epoch, "REDECLARE", now)


def query(context: SandboxContext, channel: Channel, params: Mapping[str, str]) -> Record:
    """9.3, 9.6: the record as it stands. Alipay's query names no customs: the code pushed last answers.

    Raises Refused: 404 unknown.
    """
    with context.ledger.turn():
        filing = _named(context, channel, params)
        filing.reads += 1
        hidden = filing.reads <= filing.scenario.hidden_reads
        strange = filing.reads <= filing.scenario.strange_reads
        if not hidden:
            _move_on(context, filing)
            filing.reported = True
        context.ledger.keep(filing)
    # Outside of the turn: the read counts although it found nothing.
    if hidden:
        raise Refused(404, UNHEARD_OF)
    return filing.shown_to_query(_another_code(channel, filing.customs) if strange else None)


def _named(context: SandboxContext, channel: Channel, params: Mapping[str, str]) -> Filing:
    name = next(name for name in NUMBERS if name in params)
    filing = context.ledger.latest(channel.name, name, params[name], params.get("customs"))
    if filing is None:
        raise Refused(404, UNHEARD_OF)
    return filing


def _another_code(channel: Channel, customs: str) -> str:
    return next(code for code in channel.codes if code != customs)


def _move_on(context: SandboxContext, filing: Filing) -> None:
    filing.move_on(context.now(), context.settings.step_seconds)


OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("POST", "declaration"): declare,
    ("POST", "redeclaration"): redeclare,
    ("GET", "declaration"): query,
}


def answer(context: SandboxContext, endpoint: Endpoint, params: Mapping[str, str]) -> Record:
    """Process one call that was let in. Raises Refused."""
    channel = BY_ENDPOINT[endpoint.name]
    if wrong := wrong_declaration_values(channel, params):
        raise Refused(400, "; ".join(wrong), "parameters")
    return OPERATIONS[endpoint.method, endpoint.path.rpartition("/")[2]](context, channel, params)
