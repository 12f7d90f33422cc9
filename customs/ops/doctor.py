"""The doctor: runs the health checks, and looks at secrets, files, and whether what is stored can be read and fits."""

import re
import stat
from collections.abc import Iterator
from pathlib import Path

from flask_babel import lazy_gettext
from sqlalchemy import make_url, select

from customs.audit.hash_chain import ChainDefect
from customs.config import Settings
from customs.container import Services
from customs.declarations import statistics
from customs.declarations.models import Declaration
from customs.errors import DecryptionKeyMissing
from customs.ops.audit_check import check_audit_trail
from customs.ops.health_checks import CHECKS, DATABASE_CHECKS, Check, CheckResult

# English at a terminal, the page's language on a page.
_ = lazy_gettext
# How the audit trail does not fit: `number` is the first entry that does not, `entries` how many before it do.
TAMPERED = {
    ChainDefect.ALTERED: _("entry %(number)s was altered; the %(entries)d before it fit"),
    ChainDefect.MISSING: _("entry %(number)s is missing; the %(entries)d before it fit"),
    ChainDefect.ADDED: _("entry %(number)s was added by somebody else; the %(entries)d before it fit"),
    ChainDefect.CUT_OFF: _("entry %(number)s and what came after it are gone; the %(entries)d before it fit"),
    ChainDefect.SEAL: _("the seal of its end does not fit; the %(entries)d entries do"),
    ChainDefect.PUT_BACK: _("entry %(number)s is not the one that was noted outside of the database"),
}
# What to do where it may also have been one of us.
REMEDIES = {
    ChainDefect.SEAL: _(
        "after a change of CUSTOMS_SECRET_KEY: `customs keys rotate --seal-audit-trail`; "
        "else somebody wrote to the database: compare with an export or a backup of an earlier day"
    ),
    ChainDefect.PUT_BACK: _(
        "after a restore: `customs audit anchor --accept REASON`; "
        "else somebody put the database back: compare with an export or a backup of an earlier day"
    ),
}


def run_checks(services: Services, *, thoroughly: bool = True) -> list[CheckResult]:
    """Run every check; those that read the database are left out while it cannot be used.

    `thoroughly`: also the checks that take long on a large desk, and those that only the host's operator may see.
    """
    results = [result for check in (*CHECKS, *(HOST_CHECKS if thoroughly else ())) for result in check(services)]
    if any(result.part == "database" and result.verdict == "wrong" for result in results):
        return results
    checks = (*DATABASE_CHECKS, _vault, *(SLOW_CHECKS if thoroughly else ()))
    return results + [result for check in checks for result in check(services)]


def _vault(services: Services) -> Iterator[CheckResult]:
    """Decrypt the newest and the oldest buyer: a missing key shows at one end."""
    with services.reading() as db:
        sealed = select(Declaration.id, Declaration.buyer).where(Declaration.buyer.is_not(None)).limit(1)
        orders = Declaration.created_at, Declaration.created_at.desc()
        ends = [db.execute(sealed.order_by(order)).first() for order in orders]
    try:
        for row in ends:
            if row is not None:
                services.vault.open_buyer(row.buyer, row.id)
    except DecryptionKeyMissing as error:
        found = _("cannot be opened: %(error)s", error=error.detail)
        yield CheckResult("names and ID numbers", "wrong", found, _("put the older key back into CUSTOMS_PII_KEYS"))
        return
    yield CheckResult("names and ID numbers", "ok", _("can be opened"))


def _tallies(services: Services) -> Iterator[CheckResult]:
    """Count every declaration again: some 20 seconds for a million."""
    found = statistics.find(services.engine)
    if not found:
        yield CheckResult("tallies", "ok", _("say what the tables hold"))
        return
    facts = {"tallies": len(found.tallies), "causes": found.causes}
    wrong = _("%(tallies)d do not say what the tables hold; %(causes)d cases are without their cause", **facts)
    yield CheckResult("tallies", "wrong", wrong, _("run `customs db recount`; was an older program running?"))


def _audit_trail(services: Services) -> Iterator[CheckResult]:
    """Verify every entry: some 15 seconds for a million."""
    checked = check_audit_trail(services)
    verdict = checked.verdict
    remedy = _("somebody wrote to the database: compare with an export or a backup of an earlier day")
    if verdict.what is not None:
        found = TAMPERED[verdict.what] % {"number": verdict.first_bad, "entries": verdict.entries}
        yield CheckResult("audit trail", "wrong", found, REMEDIES.get(verdict.what, remedy))
    elif checked.unrecorded is not None:
        found = _("it fits, and knows nothing of %(batch)s: it was put back", batch=checked.unrecorded)
        yield CheckResult("audit trail", "wrong", found, remedy)
    elif checked.trouble is not None:
        found = _("the entries fit; what was noted outside cannot be read: %(error)s", error=checked.trouble)
        yield CheckResult("audit trail", "note", found, _("let this user read and write that file"))
    else:
        found = _("%(entries)d entries, each as it was written", entries=verdict.entries)
        yield CheckResult("audit trail", "ok", found)


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


HOST_CHECKS: tuple[Check, ...] = (check_secrets, check_files)
SLOW_CHECKS: tuple[Check, ...] = (_tallies, _audit_trail)
