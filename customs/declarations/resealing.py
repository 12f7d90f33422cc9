"""Reseal: after a new key was put first, buyers are sealed anew, in small transactions one may interrupt."""

from dataclasses import replace

from sqlalchemy import Engine, select
from sqlalchemy.orm import load_only

from customs import database
from customs.declarations.contents import Content
from customs.declarations.models import Declaration, Push
from customs.history.vault import Vault

GROUP = 500


def reseal_buyers(engine: Engine, vault: Vault) -> int:
    """Seal what an older key sealed, and renew its blind index; returns how many there were."""
    return _reseal_declarations(engine, vault) + _reseal_accepted(engine, vault)


def _reseal_accepted(engine: Engine, vault: Vault) -> int:
    """The buyers in what the gateway accepted, where that is kept apart."""
    resealed, last = 0, ""
    while True:
        with database.transaction(engine) as db:
            rows = db.scalars(
                select(Push)
                .where(Push.id > last, Push.accepted_content.is_not(None))
                .options(load_only(Push.id, Push.declaration_id, Push.accepted_content))
                .order_by(Push.id)
                .limit(GROUP)
                .with_for_update()
            ).all()
            if not rows:
                return resealed
            for row in rows:
                content = Content.read(row.accepted_content or "")
                buyer = vault.open_buyer(content.buyer, row.declaration_id)
                if buyer is not None and content.buyer is not None and not vault.is_current(content.buyer):
                    row.accepted_content = replace(content, buyer=vault.seal_buyer(buyer, row.declaration_id)).kept()
                    resealed += 1
            last = rows[-1].id


def _reseal_declarations(engine: Engine, vault: Vault) -> int:
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
