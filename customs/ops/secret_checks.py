"""Health checks of secrets that can be guessed or are used twice, and of files that others can read."""

import re
import stat
from collections.abc import Iterator
from pathlib import Path

from flask_babel import lazy_gettext
from sqlalchemy import make_url

from customs.config import Settings
from customs.container import Services
from customs.ops.health_checks import CheckResult

_ = lazy_gettext
SHORTEST_STRONG = 24
FEWEST_CHARACTERS = 10
# Whoever guesses begins with these.
COMMON_WORDS = re.compile(
    "secret|passw|change.?me|customs|example|default|admin|test|qwert|asdf|letmein|welcome|12345|abcde", re.IGNORECASE
)
OTHERS_MAY = stat.S_IRWXO | stat.S_IWGRP


def check_secrets(services: Services) -> Iterator[CheckResult]:
    """Look for secrets that can be guessed, and for one secret in two places."""
    settings = services.settings
    # The sandbox guards nothing of value.
    verdict = "note" if settings.sandbox else "wrong"
    remedy = _("`customs keys generate DIR` makes strong ones; docs/operations.md says how to rotate each")
    named = list(_secrets(settings))
    weak = sorted({name for name, secret in named if is_weak(secret)})
    secrets = [secret for _name, secret in named]
    equal = sorted({name for name, secret in named if secrets.count(secret) > 1})
    if weak:
        found = _("%(names)s can be guessed: short, repetitive, or a known word", names=", ".join(weak))
        yield CheckResult("secrets", verdict, found, remedy)
    if equal:
        found = _("the same secret stands twice in %(names)s", names=", ".join(equal))
        yield CheckResult("secrets", verdict, found, remedy)
    if not (weak or equal):
        yield CheckResult("secrets", "ok", _("long, random, and each used once"))


def _secrets(settings: Settings) -> Iterator[tuple[str, str]]:
    yield "CUSTOMS_SECRET_KEY", settings.secret_key
    yield from (("CUSTOMS_PII_KEYS", key) for key in settings.pii_keys)
    if settings.metrics_token:
        yield "CUSTOMS_METRICS_TOKEN", settings.metrics_token
    if settings.audit_anchor_secret:
        yield "CUSTOMS_AUDIT_ANCHOR_SECRET", settings.audit_anchor_secret


def is_weak(secret: str) -> bool:
    """Whether a secret is too short, repeats itself, or holds a word that is guessed first."""
    repeats = secret in (secret + secret)[1:-1]
    few = len(set(secret)) < FEWEST_CHARACTERS
    return len(secret) < SHORTEST_STRONG or repeats or few or COMMON_WORDS.search(secret) is not None


def check_files(services: Services) -> Iterator[CheckResult]:
    """Look for files of this desk that other users of the host can read, or anybody in their group can change."""
    exposed = sorted({path for path in _own_files(services.settings) if is_exposed(path)})
    for path in exposed:
        found = _("other users of this host may read or change %(file)s", file=path)
        yield CheckResult("files", "wrong", found, _("`chmod u=rwX,go= %(file)s`", file=path))
    if not exposed:
        yield CheckResult("files", "ok", _("only their owner reads them"))


def _own_files(settings: Settings) -> Iterator[Path]:
    home = settings.home
    yield from (home, settings.private_key_file)
    if home.is_dir():
        yield from (one for folder in (home, home / "logs") if folder.is_dir() for one in folder.iterdir())
    if settings.is_sqlite and (file := make_url(settings.database_url).database):
        yield from (Path(f"{file}{ending}") for ending in ("", "-wal", "-shm"))


def is_exposed(path: Path) -> bool:
    """Whether others may read or change it, and the folder lets them come to it."""
    try:
        mode, folder = path.stat().st_mode, path.parent.stat().st_mode
    except OSError:
        return False
    return bool(mode & OTHERS_MAY and folder & stat.S_IXOTH)
