"""What must hold at rest: read from what callers were told, the gateway's ledger and the database, nothing else."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from customs.container import Services
from customs.declarations.intake.existing import order_of
from customs.declarations.intake.orders import Order
from customs.declarations.models import Declaration, Push
from customs.declarations.states import State
from customs.events.timeline import Event
from customs.gateway import Channel, money_text
from customs.payments.models import Payment, Refund
from customs.payments.states import RefundStatus, Status
from tests.simulation.gateway import Asked, GatewayModel, Key, name_of
from tests.simulation.people import People
from tests.simulation.plan import GRACE_SECONDS

# What a caller learns when its answer says neither yes nor no.
ONCE = ("ADD", "CREATE", "REFUND")
NOT_UNDERSTOOD = ("unknown", "500 before", "500 after", "truncated", "html", "another's")
ORDERED = {
    ("alipay", "SHENZHEN"): ("SHENZHEN_ZS", "ZONGSHU"),
    ("alipay", "ZHENGZHOU_AIRPORT"): ("HENAN", "ZONGSHU"),
}
ACTIONS = {"override": "redeclare"}


def wrongs(services: Services, model: GatewayModel, people: People) -> Iterator[str]:
    """Every sentence is a promise that was broken."""
    yield from _sends(model)
    yield from _order_of_codes(model, people)
    with services.reading() as db:
        yield from _money(db, model, people)
        numbers = {declaration_id: number for number, declaration_id in people.declarations.items()}
        rows = db.scalars(
            select(Declaration).options(selectinload(Declaration.sub_orders), selectinload(Declaration.pushes))
        ).all()
        kept = {numbers[row.id]: row for row in rows if row.id in numbers}
        for number in people.declarations.keys() - kept.keys():
            yield f"O{number} was acknowledged and is lost"
        for number, row in kept.items():
            yield from _acknowledged(db, number, row, people)
            order = order_of(row, services.vault)
            for push in row.pushes:
                yield from _push(model, number, row, push, order, people)


def _sends(model: GatewayModel) -> Iterator[str]:
    """Unknown outcomes are asked for, and the grace passes, before anything is sent again; nothing is done twice."""
    sends: dict[Key, list[Asked]] = {}
    for asked in model.ledger:
        if asked.changes:
            sends.setdefault(asked.key, []).append(asked)
    for key, of_key in sends.items():
        effects = [asked for asked in of_key if asked.effect_at is not None]
        if sum(asked.action in ONCE for asked in effects) > 1:
            yield f"{name_of(key)} was done twice"
        for first, then in pairwise(of_key):
            if first.learned is not None and first.learned not in NOT_UNDERSTOOD:
                continue
            took_effect = first.effect_at is not None and first.effect_at < then.at
            if not took_effect and then.at - first.at < GRACE_SECONDS:
                yield f"{name_of(key)}: {then.action} at {then.at:.1f}, within the grace of the one at {first.at:.1f}"
            if not any(
                _asks_about(one, key) and first.at < one.at < then.at and _was_answered(one) for one in model.ledger
            ):
                yield f"{name_of(key)}: {then.action} at {then.at:.1f}, unasked after the unknown one at {first.at:.1f}"


def _asks_about(asked: Asked, key: Key) -> bool:
    """Whether it is a query of that; a refund's names only the refund, one at Alipay only the order."""
    same = asked.key[1] == key[1] if key[2] == "refund" else asked.key[:2] == key[:2]
    return "QUERY" in asked.action and same


def _was_answered(asked: Asked) -> bool:
    return asked.learned in ("good", "stale", "another's")


def _order_of_codes(model: GatewayModel, people: People) -> Iterator[str]:
    """An office's second code goes out after the first one's SUCCESS."""
    for asked in model.ledger:
        codes = ORDERED.get(people.office_of(asked.key[0]), ())
        if not asked.changes or asked.key[2] not in codes[1:]:
            continue
        first = model.records.get((*asked.key[:2], codes[0]))
        if not (
            first and any(view.state == "SUCCESS" and view.since <= asked.at for view in (*first.past, *first.views))
        ):
            yield f"{name_of(asked.key)} was sent at {asked.at:.1f}, before its first code was SUCCESS"


def _money(db: Session, model: GatewayModel, people: People) -> Iterator[str]:
    """Payments and refunds stand here as at the gateway, and never more goes back than came in."""
    for number, payment_id in people.payments.items():
        payment = db.get(Payment, payment_id)
        sale = model.sales.by_order.get(number)
        if payment is None:
            yield f"O{number}@payment was acknowledged and is lost"
            continue
        if payment.status is Status.PAID and (sale is None or sale.paid_at is None):
            yield f"O{number}@payment is PAID here and not at the gateway"
        if sale and sale.paid_at and payment.status in (Status.FAIL, Status.EXPIRED):
            yield f"O{number}@payment is {payment.status} here and PAID at the gateway"
        refunds = db.scalars(select(Refund).where(Refund.payment_id == payment_id)).all()
        reserved = sum(refund.amount for refund in refunds if refund.status is not RefundStatus.FAIL)
        if payment.refunded != reserved:
            yield f"O{number}@payment counts {payment.refunded} as refunded, its refunds come to {reserved}"
        if sale and sum(one.amount for one in sale.refunds if one.status == "SUCCESS") > sale.amount:
            yield f"O{number}@payment was refunded over what was paid"
        for refund in refunds:
            theirs = [one for one in sale.refunds if one.outer_refund_no == refund.outer_refund_no] if sale else []
            succeeded = any(one.status == "SUCCESS" for one in theirs)
            if refund.status is RefundStatus.PENDING and not (refund.next_action is None or refund.explanation):
                yield f"O{number}@refund is still under way, next {refund.next_action}"
            if refund.status is not RefundStatus.PENDING and succeeded is not (refund.status is RefundStatus.SUCCESS):
                yield f"O{number}@refund is {refund.status} here, which the gateway contradicts"
    for lost in set(people.refunds) - set(db.scalars(select(Refund.id)).all()):
        yield f"the refund {lost} was acknowledged and is lost"


def _acknowledged(db: Session, number: int, row: Declaration, people: People) -> Iterator[str]:
    """What somebody was told is done is on record, and SUCCESS ended only by such an action."""
    events = db.scalars(select(Event).where(Event.declaration_id == row.id)).all()
    recorded = Counter(event.detail["action"] for event in events if event.kind == "action")
    done = Counter(
        ACTIONS.get(one.act, one.act)
        for one in people.reports
        if one.number == number and one.answer == "done" and one.act not in ("hand in", "collect", "refund")
    )
    for act, times in done.items():
        if recorded[act] < times:
            yield f"O{number}: {act} was acknowledged {times} times and recorded {recorded[act]} times"
    for event in events:
        if event.kind == "call" and event.detail.get("from") == "SUCCESS":
            yield f"O{number}: SUCCESS went back to {event.detail['to']} without an action"


def _push(
    model: GatewayModel, number: int, row: Declaration, push: Push, order: Order, people: People
) -> Iterator[str]:
    key = (number, push.sub_order_no, push.customs)
    record = model.records.get(key)
    if push.cancelled:
        if record is not None:
            yield f"{name_of(key)} was cancelled and declared"
        return
    was_dismissed = any(
        one.number == number and one.act == "dismiss" and not one.answer.startswith("refused") for one in people.reports
    )
    if not (row.needs_review or push.state.is_final or _waits_for_a_case(row, push) or was_dismissed):
        yield f"{name_of(key)} is {push.state}, next {push.next_action}, and nobody is told"
    # Who dismisses a case takes it as it is.
    if push.state is not State.SUCCESS or push.case_kind or was_dismissed:
        return
    view = record and record.views[-1]
    if view is None or view.state != "SUCCESS":
        yield f"{name_of(key)} is SUCCESS here and {view.state if view else 'unknown'} at the gateway"
    elif (own := content_of(order, push)) != dict(view.content):
        theirs = {name: view.content.get(name) for name in own.keys() | view.content.keys()}
        differs = {name: (own.get(name), value) for name, value in theirs.items() if own.get(name) != value}
        yield f"{name_of(key)} is SUCCESS without a case, and customs holds something else (ours, theirs): {differs}"


def _waits_for_a_case(row: Declaration, push: Push) -> bool:
    """Whether it waits for a code of its order that somebody has to decide on."""
    return any(before.id == push.blocked_by and before.state is not State.SUCCESS for before in row.pushes)


def content_of(order: Order, push: Push) -> dict[str, str]:
    """What we want customs to hold of a push, as the wire says it."""
    wanted = {"mch_customs_no": order.mch_customs_no}
    if order.channel is Channel.ALIPAY:
        wanted["merchant_customs_name"] = order.merchant_customs_name
    elif order.duty is not None:
        wanted["duty"] = str(order.duty)
    for part in order.sub_orders:
        if part.sub_order_no == push.sub_order_no:
            wanted["sub_order_amount"] = money_text(part.amount)
            if order.channel is Channel.WECHATPAY:
                wanted["transport_amount"] = money_text(part.transport_amount)
                wanted["product_amount"] = money_text(part.product_amount)
    if order.buyer is not None:
        wanted |= {"cert_id": order.buyer.cert_id, "name": order.buyer.name}
    return wanted
