"""Reseal: after a new key was put first, the secrets of endpoints are sealed anew, in one small transaction."""

from sqlalchemy import Engine, select

from customs import database
from customs.history.vault import Vault
from customs.webhooks.endpoints import secret_place
from customs.webhooks.models import Endpoint

SEALED = ("secret", "previous_secret")


def reseal_secrets(engine: Engine, vault: Vault) -> int:
    """Seal what an older key sealed; returns how many endpoints there were."""
    with database.transaction(engine) as db:
        endpoints = db.scalars(select(Endpoint).order_by(Endpoint.id).with_for_update(of=Endpoint)).all()
        return sum(_resealed(one, vault) for one in endpoints)


def _resealed(endpoint: Endpoint, vault: Vault) -> bool:
    outdated = [name for name in SEALED if (token := getattr(endpoint, name)) and not vault.is_current(token)]
    place = secret_place(endpoint.id)
    for name in outdated:
        setattr(endpoint, name, vault.seal(vault.open(getattr(endpoint, name), place), place))
    return bool(outdated)
