"""Reseal: after a new key was put first, drafts are sealed anew, each in a small transaction of its own."""

from sqlalchemy import Engine, select

from customs import database
from customs.drafts.drafts import Draft, sealed_place
from customs.history.vault import Vault


def reseal_drafts(engine: Engine, vault: Vault) -> int:
    """Seal what an older key sealed, draft by draft; returns how many there were."""
    with database.reading(engine) as db:
        ids = db.scalars(select(Draft.id).where(Draft.row_count > 0)).all()
    return sum(_resealed(engine, vault, draft_id) for draft_id in ids)


def _resealed(engine: Engine, vault: Vault, draft_id: str) -> bool:
    with database.transaction(engine) as db:
        draft = db.scalar(select(Draft).where(Draft.id == draft_id, Draft.row_count > 0).with_for_update())
        if draft is None or vault.is_current(draft.sealed):
            return False
        place = sealed_place(draft.id)
        draft.sealed = vault.seal_file(vault.open_file(draft.sealed, place), place)
        return True
