"""Reseal: after a new key was put first, buyers are sealed anew, in small transactions one may interrupt."""

from sqlalchemy import Engine, select
from sqlalchemy.orm import load_only

from customs import database
from customs.declarations.models import Declaration
from customs.history.vault import Vault

GROUP = 500


def reseal_buyers(engine: Engine, vault: Vault) -> int:
    """Seal what an older key sealed, and renew its blind index; returns how many there were."""
    resealed, last = 0, ""
    while True:
        with database.transaction(engine) as db:
            rows = db.scalars(
                select(Declaration)
                .where(Declaration.id > last, Declaration.buyer.is_not(None))
                .options(load_only(Declaration.id, Declaration.buyer, Declaration.cert_index))
                .order_by(Declaration.id)
                .limit(GROUP)
                .with_for_update()
            ).all()
            if not rows:
                return resealed
            for row in rows:
                buyer = vault.open_buyer(row.buyer, row.id)
                if row.buyer is not None and buyer is not None and not vault.is_current(row.buyer):
                    row.buyer = vault.seal_buyer(buyer, row.id)
                    resealed += 1
                row.cert_index = vault.index(buyer.cert_id) if buyer else None
            last = rows[-1].id
