"""The checker: what was told, the gateway's ledger and our database after the drain, held against the promises.

It knows nothing of how the desk works. Every broken promise is a sentence; none is what a journey ends with.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from customs.declarations.models import Declaration, Push
from customs.declarations.offices import plan_pushes
from customs.declarations.states import State
from customs.gateway import Channel
from tests.journeys.events_seen import OrderKey, Promises, Row
from tests.journeys.gateway import SandboxGateway

Key = tuple[str, str, str, str]
Ledger = Mapping[Key, dict[str, Any]]

# Answers by which the gateway itself says that it did nothing: the same may be sent again without asking.
REFUSED_UNDONE = {"BUSY503", "BUSY429", "DENIED401", "LATE411", "OUTAGE"}
# What is compared between the order as acknowledged and the filing as it stands: ours, theirs.
CONTENT = (("mch_customs_no", "mch_customs_no"), ("duty", "duty"), ("merchant_customs_name", "merchant_customs_name"))
# A call is written down when it arrives, which is a moment after it was marked as sent.
GRACE_SHARE = 0.8


def broken_promises(reported: Promises, gateway: SandboxGateway, db: Session, grace_seconds: float) -> list[str]:
    """Every promise that was broken to whoever was told something; after the drain this is empty."""
    ledger = {_key(filing): filing for filing in gateway.filings()}
    stored = _stored(db)
    broken: list[str] = []
    for order, row in reported.orders.items():
        declaration = stored.get(order)
        if declaration is None:
            broken.append(f"{order} was acknowledged and is not stored")
            continue
        broken += [f"{order} {sentence}" for sentence in _of_one(row, declaration, ledger, reported.actions[order])]
        filings = planned(row)
        if len(filings) == 1 and not reported.actions[order]:
            calls = gateway.calls(row["payment_no"])
            broken += [f"{order} {sentence}" for sentence in _of_calls(calls, grace_seconds)]
    return broken


def planned(row: Row) -> dict[Key, Key | None]:
    """The filings an order needs, each with the one that has to be SUCCESS before it."""
    parts = tuple(part["sub_order_no"] for part in row.get("sub_orders", ()))
    plan = plan_pushes(Channel(row["channel"]), row["office"], parts)
    keys = [(row["channel"], row["payment_no"], push.customs, push.sub_order_no) for push in plan]
    waits = [None if push.waits_for is None else keys[push.waits_for] for push in plan]
    return dict(zip(keys, waits, strict=True))


def _stored(db: Session) -> dict[OrderKey, Declaration]:
    statement = select(Declaration).options(selectinload(Declaration.pushes))
    return {(one.channel.value, one.office, one.payment_no): one for one in db.scalars(statement)}


def _of_one(row: Row, declaration: Declaration, ledger: Ledger, actions: int) -> Iterator[str]:
    expected = planned(row)
    pushes = {_push_key(push): push for push in declaration.pushes}
    if pushes.keys() != expected.keys():
        yield f"has pushes {sorted(pushes)} instead of {sorted(expected)}"
        return
    for key, push in pushes.items():
        yield from _of_push(push, declaration, ledger.get(key))
    filed = [filing for key in expected if (filing := ledger.get(key))]
    for filing in filed:
        if filing["adds"] != 1:
            yield f"was filed {filing['adds']} times at {filing['customs']}"
        if filing["modifies"] + filing["redeclares"] > actions:
            yield f"was pushed again or modified more often at {filing['customs']} than somebody asked for"
    for later, earlier in expected.items():
        if earlier and later in ledger and not _came_after_success(ledger[later], ledger.get(earlier)):
            yield f"went to {later[2]} before {earlier[2]} was SUCCESS"
    if not declaration.needs_review and declaration.state is State.SUCCESS:
        for filing in filed:
            yield from _of_content(row, filing)


def _of_push(push: Push, declaration: Declaration, filing: dict[str, Any] | None) -> Iterator[str]:
    if not push.state.is_final and not declaration.needs_review:
        yield f"is neither at an end nor before a reviewer: {push.customs} {push.state}"
    if push.in_doubt or push.lease_until:
        yield f"is still in the air: {push.customs}"
    if push.state is State.SUCCESS and (filing is None or filing["state"] != "SUCCESS"):
        yield f"is SUCCESS here and not at the gateway: {push.customs}"
    if push.state.is_final and filing and not push.case_kind and filing["state"] != push.state:
        yield f"is {push.state} here and {filing['state']} at the gateway: {push.customs}"


def _of_content(row: Row, filing: dict[str, Any]) -> Iterator[str]:
    """What the gateway holds is what was acknowledged last."""
    content = filing["content"]
    wanted = {theirs: str(row[own]) for own, theirs in CONTENT if own in row}
    for part in row.get("sub_orders", ()):
        if part["sub_order_no"] == filing["sub_order_no"]:
            wanted["sub_order_amount"] = part["amount"]
    for name, value in wanted.items():
        if content.get(name) != value:
            yield f"was acknowledged with {name} {value}, and {filing['customs']} holds {content.get(name)}"


def _of_calls(calls: Sequence[dict[str, Any]], grace_seconds: float) -> Iterator[str]:
    """One filing, no action: whatever leaves a second time was asked for first, and the grace had passed."""
    sends = [number for number, call in enumerate(calls) if "query" not in call["endpoint"]]
    for first, second in pairwise(sends):
        if calls[first]["fault"] in REFUSED_UNDONE:
            continue
        if second == first + 1:
            yield "was sent again without asking first"
        if calls[second]["at"] - calls[first]["at"] < grace_seconds * GRACE_SHARE:
            yield "was sent again before the grace had passed"


def _came_after_success(later: dict[str, Any], earlier: dict[str, Any] | None) -> bool:
    began = later["history"][0]["at"]
    return any(entry["state"] == "SUCCESS" and entry["at"] <= began for entry in (earlier or {}).get("history", ()))


def _key(filing: dict[str, Any]) -> Key:
    return filing["channel"], filing["payment_no"], filing["customs"], filing["sub_order_no"]


def _push_key(push: Push) -> Key:
    return push.channel.value, push.payment_no, push.customs, push.sub_order_no
