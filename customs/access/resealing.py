"""Reseal: after a new key was put first, the seeds of one-time codes are sealed anew, in one small transaction."""

from sqlalchemy import Engine, select

from customs import database
from customs.access.models import Person
from customs.access.one_time_codes import secret_place
from customs.history.vault import Vault


def reseal_codes(engine: Engine, vault: Vault) -> int:
    """Seal what an older key sealed; returns how many people's seeds there were."""
    with database.transaction(engine) as db:
        having = select(Person).where(Person.code_secret.is_not(None)).order_by(Person.id)
        return sum(_resealed(one, vault) for one in db.scalars(having.with_for_update()).all())


def _resealed(person: Person, vault: Vault) -> bool:
    if person.code_secret is None or vault.is_current(person.code_secret):
        return False
    place = secret_place(person.id)
    person.code_secret = vault.seal(vault.open(person.code_secret, place), place)
    return True
