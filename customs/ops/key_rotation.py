"""Key rotation: encrypt with the first key what an older key encrypted, in small transactions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from sqlalchemy import Engine, Select, or_, select
from sqlalchemy.orm import load_only, undefer

from customs.auth import totp
from customs.auth.models import Person
from customs.db import database
from customs.declarations.contents import Content
from customs.declarations.models import Declaration, Push
from customs.imports.drafts import Draft, sealed_place
from customs.payments.models import Bill, Payment
from customs.payments.redaction import inputs_place, personal_place
from customs.privacy.vault import Vault
from customs.reconciliation.bills import content_place
from customs.webhooks import subscriptions
from customs.webhooks.models import Endpoint

BATCH_SIZE = 500
Row = TypeVar("Row", Person, Declaration, Push, Draft, Payment, Bill, Endpoint)


@dataclass(frozen=True)
class EncryptedColumns(Generic[Row]):
    """The encrypted values of one table, and how those of a row are encrypted anew.

    `reencrypt` returns whether an older key was found. `batch_size`: rows a transaction; 1 where they hold files.
    """

    rows: Select[Row]
    model: type[Row]
    reencrypt: Callable[[Row, Vault], bool]
    batch_size: int = BATCH_SIZE

    def rotate(self, engine: Engine, vault: Vault) -> int:
        """Encrypt every row of the table with the first key; return how many an older key had encrypted."""
        count, last = 0, ""
        while True:
            with database.transaction(engine) as db:
                further = self.rows.where(self.model.id > last).order_by(self.model.id).limit(self.batch_size)
                rows = db.scalars(further.with_for_update(of=self.model)).all()
                if not rows:
                    return count
                count += sum(self.reencrypt(row, vault) for row in rows)
                last = rows[-1].id


def _texts(**places: Callable[[str], str]) -> Callable[[Any, Vault], bool]:
    """Encrypt anew the columns that hold a text each, given the place that a row's id makes of it."""

    def reencrypt(row: Any, vault: Vault) -> bool:
        outdated = {name: token for name in places if (token := getattr(row, name)) and not vault.is_current(token)}
        for name, token in outdated.items():
            place = places[name](row.id)
            setattr(row, name, vault.seal(vault.open(token, place), place))
        return bool(outdated)

    return reencrypt


def _file(column: str, place_of: Callable[[str], str]) -> Callable[[Any, Vault], bool]:
    """Encrypt anew the column that holds a file."""

    def reencrypt(row: Any, vault: Vault) -> bool:
        token = getattr(row, column)
        if vault.is_current(token):
            return False
        place = place_of(row.id)
        setattr(row, column, vault.seal_file(vault.open_file(token, place), place))
        return True

    return reencrypt


def _buyer(row: Declaration, vault: Vault) -> bool:
    buyer = vault.open_buyer(row.buyer, row.id)
    row.cert_index = vault.index(buyer.cert_id) if buyer else None
    if buyer is None or row.buyer is None or vault.is_current(row.buyer):
        return False
    row.buyer = vault.seal_buyer(buyer, row.id)
    return True


def _accepted_buyer(row: Push, vault: Vault) -> bool:
    content = Content.read(row.accepted_content or "")
    buyer = vault.open_buyer(content.buyer, row.declaration_id)
    if buyer is None or content.buyer is None or vault.is_current(content.buyer):
        return False
    row.accepted_content = replace(content, buyer=vault.seal_buyer(buyer, row.declaration_id)).kept()
    return True


ENCRYPTED: Mapping[str, tuple[EncryptedColumns[Any], ...]] = {
    "buyers": (
        EncryptedColumns(
            select(Declaration)
            .where(Declaration.buyer.is_not(None))
            .options(load_only(Declaration.id, Declaration.buyer, Declaration.cert_index)),
            Declaration,
            _buyer,
        ),
        # What the gateway accepted is kept apart from what is wanted.
        EncryptedColumns(
            select(Push)
            .where(Push.accepted_content.is_not(None))
            .options(load_only(Push.id, Push.declaration_id, Push.accepted_content)),
            Push,
            _accepted_buyer,
        ),
    ),
    "drafts": (
        EncryptedColumns(select(Draft).where(Draft.row_count > 0), Draft, _file("sealed", sealed_place), batch_size=1),
    ),
    "payers": (
        EncryptedColumns(
            select(Payment)
            .where(or_(Payment.inputs.is_not(None), Payment.personal.is_not(None)))
            .options(load_only(Payment.id, Payment.inputs, Payment.personal)),
            Payment,
            _texts(inputs=inputs_place, personal=personal_place),
        ),
    ),
    "bills": (
        EncryptedColumns(
            select(Bill).options(undefer(Bill.content)), Bill, _file("content", content_place), batch_size=1
        ),
    ),
    "endpoints": (
        EncryptedColumns(
            select(Endpoint),
            Endpoint,
            _texts(secret=subscriptions.secret_place, previous_secret=subscriptions.secret_place),
        ),
    ),
    "codes": (
        EncryptedColumns(
            select(Person).where(Person.code_secret.is_not(None)), Person, _texts(code_secret=totp.secret_place)
        ),
    ),
}


def rotate_keys(engine: Engine, vault: Vault) -> dict[str, int]:
    """Encrypt everything with the first key; return how many rows of each kind an older key had encrypted."""
    return {kind: sum(columns.rotate(engine, vault) for columns in tables) for kind, tables in ENCRYPTED.items()}
