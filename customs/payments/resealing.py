"""Reseal: after a new key was put first, payers and inputs are sealed anew, in small transactions."""

from collections.abc import Callable, Mapping

from sqlalchemy import Engine, or_, select
from sqlalchemy.orm import load_only

from customs import database
from customs.history.vault import Vault
from customs.payments.models import Payment
from customs.payments.personal import inputs_place, personal_place

GROUP = 500
PLACES: Mapping[str, Callable[[str], str]] = {"inputs": inputs_place, "personal": personal_place}


def reseal_payers(engine: Engine, vault: Vault) -> int:
    """Seal what an older key sealed; returns how many payments there were."""
    resealed, last = 0, ""
    while True:
        with database.transaction(engine) as db:
            sealed = or_(Payment.inputs.is_not(None), Payment.personal.is_not(None))
            rows = db.scalars(
                select(Payment)
                .where(Payment.id > last, sealed)
                .options(load_only(Payment.id, Payment.inputs, Payment.personal))
                .order_by(Payment.id)
                .limit(GROUP)
                .with_for_update()
            ).all()
            if not rows:
                return resealed
            resealed += sum(_resealed(row, vault) for row in rows)
            last = rows[-1].id


def _resealed(row: Payment, vault: Vault) -> bool:
    outdated = [name for name in PLACES if getattr(row, name) and not vault.is_current(getattr(row, name))]
    for name in outdated:
        place = PLACES[name](row.id)
        setattr(row, name, vault.seal(vault.open(getattr(row, name), place), place))
    return bool(outdated)
