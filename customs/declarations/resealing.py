"""Reseal: after a new key was put first, buyers are sealed anew, in small transactions one may interrupt."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from sqlalchemy import Engine, Select, select
from sqlalchemy.orm import load_only

from customs import database
from customs.declarations.contents import Content
from customs.declarations.models import Declaration, Push
from customs.history.vault import Vault

GROUP = 500
Row = TypeVar("Row", Declaration, Push)

BUYERS = (
    select(Declaration)
    .where(Declaration.buyer.is_not(None))
    .options(load_only(Declaration.id, Declaration.buyer, Declaration.cert_index))
)
# The buyers in what the gateway accepted, where that is kept apart.
ACCEPTED = (
    select(Push)
    .where(Push.accepted_content.is_not(None))
    .options(load_only(Push.id, Push.declaration_id, Push.accepted_content))
)


def reseal_buyers(engine: Engine, vault: Vault) -> int:
    """Seal what an older key sealed, and renew its blind index; returns how many there were."""
    return _each(engine, vault, BUYERS, Declaration, _reseal_buyer) + _each(engine, vault, ACCEPTED, Push, _reseal_kept)


def _each(
    engine: Engine,
    vault: Vault,
    rows: Select[Row],
    model: type[Row],
    reseal: Callable[[Row, Vault], bool],
) -> int:
    """Go through rows in the order of their ids, a group a transaction; returns how many were sealed anew."""
    resealed, last = 0, ""
    while True:
        with database.transaction(engine) as db:
            further = rows.where(model.id > last).order_by(model.id).limit(GROUP).with_for_update()
            group = db.scalars(further).all()
            if not group:
                return resealed
            resealed += sum(reseal(row, vault) for row in group)
            last = group[-1].id


def _reseal_buyer(row: Declaration, vault: Vault) -> bool:
    buyer = vault.open_buyer(row.buyer, row.id)
    row.cert_index = vault.index(buyer.cert_id) if buyer else None
    if buyer is None or row.buyer is None or vault.is_current(row.buyer):
        return False
    row.buyer = vault.seal_buyer(buyer, row.id)
    return True


def _reseal_kept(row: Push, vault: Vault) -> bool:
    content = Content.read(row.accepted_content or "")
    buyer = vault.open_buyer(content.buyer, row.declaration_id)
    if buyer is None or content.buyer is None or vault.is_current(content.buyer):
        return False
    row.accepted_content = replace(content, buyer=vault.seal_buyer(buyer, row.declaration_id)).kept()
    return True
