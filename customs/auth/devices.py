"""Devices: browsers from which somebody signed in before, known by a signed cookie that says nothing of anybody."""

import hmac
import secrets

from customs.auth.users import normal_login
from customs.privacy.vault import Vault


def new_device(vault: Vault, login: str) -> str:
    """Return what a browser keeps after a sign-in with this login."""
    nonce = secrets.token_urlsafe(16)
    return f"{nonce}.{_mark(vault, nonce, login)}"


def known_device(vault: Vault, kept: str | None, login: str) -> str | None:
    """Return the device, if somebody signed in from it with this login; None for what is no such mark."""
    nonce, _, mark = (kept or "").partition(".")
    is_known = mark.isascii() and hmac.compare_digest(mark, _mark(vault, nonce, login))
    return nonce if is_known else None


def _mark(vault: Vault, nonce: str, login: str) -> str:
    return vault.index(f"known device:{nonce}:{normal_login(login)}")
